"""Given that many accesses are recorded at once, when they share a commit, then each is answered as if alone."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError
from psycopg import Connection

from examples import PATIENT, granted
from group_examples import OWNERS, accesses, known, lying, record
from log_examples import (
    Run,
    an_owner,
    destroy_key,
    listed,
    opened_events,
    trail_read,
)
from tsuzuri.app.services import Services
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.appending import Beside, Guard, NarrowedMeanwhile
from tsuzuri.eventlog.mapper import ErasedEvent, MappedEvent


def commits(connection: Connection[Any]) -> Counter[str]:
    """How many events each transaction has stored."""
    return Counter(xid for (xid,) in connection.execute("SELECT xmin::text FROM event").fetchall())


# --- one commit for many


def test_many_at_once_share_commits_and_each_is_told_where_its_event_lies(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        await known(services)
        before = commits(connection)
        events = accesses(300)

        answers = await asyncio.gather(*(record(services, event) for event in events))

        shared = commits(connection) - before
        assert shared.total() == 300 and len(shared) < 10
        stored = lying(connection)
        assert [answer for (answer,) in answers] == [stored[event.event_id] for event in events]

    run(story)


def test_owners_nobody_has_looked_up_yet_share_commits_too(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        events = [trail_read(an_owner(number)) for number in range(200)]

        await asyncio.gather(*(record(services, event) for event in events))

        assert len(commits(connection)) < 150
        assert all(isinstance(event, MappedEvent) for event in opened_events(connection))

    run(story)


def test_more_than_fit_into_one_group_take_several_commits(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        await known(services)
        before = commits(connection)

        await asyncio.gather(*(record(services, trail_read(OWNERS[0])) for _ in range(1_200)))

        shared = commits(connection) - before
        assert shared.total() == 1_200 and 3 <= len(shared) < 12
        assert max(shared.values()) <= 512

    run(story)


def test_one_after_the_other_has_a_commit_each(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        for _ in range(5):
            await record(services, trail_read(OWNERS[0]))

        assert len(commits(connection)) == 5

    run(story)


def test_events_of_one_access_are_stored_together_wherever_they_lie(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        accesses = [[trail_read(owner) for owner in OWNERS[:3]] for _ in range(50)]

        answers = await asyncio.gather(*(record(services, *access) for access in accesses))

        stored = lying(connection)
        for access, answer in zip(accesses, answers, strict=True):
            assert answer == [stored[event.event_id] for event in access]
        xids = dict(connection.execute("SELECT event_id, xmin::text FROM event").fetchall())
        assert all(len({xids[event.event_id] for event in access}) == 1 for access in accesses)

    run(story)


# --- one that cannot be stored does not hold up the others


def test_the_narrowed_ones_are_refused_and_the_others_of_their_group_are_stored(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        await known(services)
        await services.log.save(granted(), beside=Beside(narrows=True, consents=b"folded"))
        now = Guard(PATIENT, (await services.log.head(PATIENT)).guard_pos)
        events = accesses(60)
        guards = [(now, Guard(PATIENT, 0)) if number % 7 == 3 else (now,) for number in range(60)]
        narrowed = {event.event_id for event, guard in zip(events, guards, strict=True) if len(guard) == 2}

        tries = (record(services, event, guards=guard) for event, guard in zip(events, guards, strict=True))
        answers = await asyncio.gather(*tries, return_exceptions=True)

        stored = lying(connection)
        for event, answer in zip(events, answers, strict=True):
            if event.event_id in narrowed:
                assert isinstance(answer, NarrowedMeanwhile) and event.event_id not in stored
            else:
                assert answer == [stored[event.event_id]]

    run(story)


def test_one_at_fault_fails_alone(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        await known(services)
        events = accesses(40)
        events[17] = listed(OWNERS[5], 9)  # does not go on where its stream stands

        answers = await asyncio.gather(*(record(services, e) for e in events), return_exceptions=True)

        stored = lying(connection)
        assert isinstance(answers[17], IntegrityError) and events[17].event_id not in stored
        good = [number for number in range(40) if number != 17]
        assert [answers[number] for number in good] == [[stored[events[number].event_id]] for number in good]

    run(story)


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "later"])
def test_an_id_that_somebody_elses_event_has_is_no_repetition(
    run: Run, connection: Connection[Any], at_once: bool
) -> None:
    """Told that it is stored, its caller would show what no event says was shown."""

    async def story(services: Services) -> None:
        event = trail_read(OWNERS[1])
        other = trail_read(OWNERS[5], event_id=event.event_id)  # of the same part
        if not at_once:
            await record(services, event)
        both = (record(services, one) for one in (event, other))
        answers = await asyncio.gather(*both, return_exceptions=True)

        refused = [answer for answer in answers if isinstance(answer, IntegrityError)]
        assert len(refused) == 1 and len(lying(connection)) == 1

    run(story)


def test_a_key_that_was_destroyed_elsewhere_is_replaced_and_everything_is_stored(
    run: Run, dsn: str, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        await known(services)
        destroy_key(dsn, OWNERS[3], Stream.ACCESS, version=1)
        events = accesses(48)

        await asyncio.gather(*(record(services, event) for event in events))

        readable = {
            event.event_id for event in opened_events(connection) if not isinstance(event, ErasedEvent)
        }
        assert {event.event_id for event in events} <= readable

    run(story)
