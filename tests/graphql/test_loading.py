"""Who waits for a key is not cancelled with somebody else who does."""

import asyncio

import pytest

from tsuzuri.graphql.loading import Loader


def test_one_who_goes_takes_nothing_from_the_others() -> None:
    async def inside() -> tuple[str, int]:
        asked = 0
        begin = asyncio.Event()

        async def load(keys: list[str]) -> list[str]:
            nonlocal asked
            asked += len(keys)
            await begin.wait()
            return [key.upper() for key in keys]

        loader: Loader[str, str] = Loader(load)

        async def waits() -> str:
            return await loader.load("a")

        goes, stays = asyncio.create_task(waits()), asyncio.create_task(waits())
        await asyncio.sleep(0.01)
        goes.cancel()
        with pytest.raises(asyncio.CancelledError):
            await goes
        begin.set()
        return await stays, asked

    assert asyncio.run(inside()) == ("A", 1)


def test_what_goes_wrong_is_told_to_each_who_waits() -> None:
    async def inside() -> None:
        async def load(keys: list[str]) -> list[str]:
            raise OSError

        loader: Loader[str, str] = Loader(load)

        async def waits() -> str:
            return await loader.load("a")

        told = await asyncio.gather(waits(), waits(), return_exceptions=True)
        assert [type(one) for one in told] == [OSError, OSError]

    asyncio.run(inside())
