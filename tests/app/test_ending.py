"""A task that is to end does, though its first cancellation was lost."""

import asyncio

from tsuzuri.app.ending import ended


async def deaf(times: int) -> str:
    """Hears the cancellation behind so many."""
    for _ in range(times):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            continue
    await asyncio.sleep(60)
    return "it was never told to end"


async def failing() -> None:
    raise ValueError


def test_it_is_said_again_until_it_was_heard() -> None:
    async def inside() -> list[bool]:
        tasks = [asyncio.create_task(deaf(times)) for times in (0, 1, 3)]
        await asyncio.sleep(0)
        await ended(tasks)
        return [task.cancelled() for task in tasks]

    assert asyncio.run(inside()) == [True, True, True]


def test_how_they_end_is_theirs() -> None:
    async def inside() -> None:
        failed, none = asyncio.create_task(failing()), asyncio.create_task(asyncio.sleep(0))
        await asyncio.sleep(0.01)
        await ended([failed, none])
        await ended([])
        assert isinstance(failed.exception(), ValueError)

    asyncio.run(inside())
