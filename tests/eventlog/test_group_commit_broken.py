"""Given that many accesses are recorded at once, when callers, connection or log go, then each is stored once."""

import asyncio
from typing import Any

from psycopg import Connection

from group_examples import OWNERS, accesses, held_up, known, lying, record, somebody_waits
from log_examples import Run, everything, trail_read
from tsuzuri.app.services import Services


def test_what_is_sent_again_comes_back_with_the_places_it_had(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        events = [trail_read(owner) for owner in OWNERS]
        first = await asyncio.gather(*(record(services, event) for event in events))
        before = everything(connection)

        again = await asyncio.gather(*(record(services, event) for event in reversed(events)))
        assert again == first[::-1]
        assert everything(connection) == before

        new = trail_read(OWNERS[0])
        mixed = await asyncio.gather(*(record(services, event) for event in [new, *events, new]))
        assert mixed[1:-1] == first and mixed[0] == mixed[-1] == [lying(connection)[new.event_id]]

    run(story)


def test_a_caller_who_gives_up_does_not_disturb_the_others(
    run: Run, dsn: str, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        await known(services)
        events = accesses(20)
        with held_up(dsn):
            first = asyncio.create_task(record(services, events[0]))
            await somebody_waits(connection)
            others = [asyncio.create_task(record(services, event)) for event in events[1:]]
            await asyncio.sleep(0)
            for given_up in (first, others[4]):  # under way, and waiting for the next commit
                given_up.cancel()
            await asyncio.sleep(0)
        answers = await asyncio.gather(first, *others, return_exceptions=True)

        stored = lying(connection)
        assert [number for number, answer in enumerate(answers) if isinstance(answer, BaseException)] == [
            0,
            5,
        ]
        assert all(answers[n] == [stored[events[n].event_id]] for n in range(20) if n not in (0, 5))
        assert await record(services, trail_read(OWNERS[0]))

    run(story)


def test_when_the_server_ends_the_connection_everybody_is_answered_and_stored_once(
    run: Run, dsn: str, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        await known(services)
        events = accesses(30)
        with held_up(dsn):
            recording = [asyncio.create_task(record(services, event)) for event in events]
            for _ in range(2):
                ended = await somebody_waits(connection)
                connection.execute("SELECT pg_terminate_backend(%s, 5000)", (ended,))
        answers = await asyncio.gather(*recording)

        stored = lying(connection)
        assert [answer for (answer,) in answers] == [stored[event.event_id] for event in events]
        assert len(stored) == len(OWNERS) + len(events)

    run(story)


def test_closing_waits_for_the_commit_under_way(run: Run, dsn: str, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        await known(services)
        events = accesses(10)
        with held_up(dsn):
            recording = [asyncio.create_task(record(services, event)) for event in events]
            await somebody_waits(connection)
            closing = asyncio.create_task(services.log.close())
            await asyncio.sleep(0)
            assert not closing.done()
        await closing

        assert all(task.done() for task in recording)
        assert {event.event_id for event in events} <= lying(connection).keys()

    run(story)
