"""Between the decision and the access event nothing may narrow what the patient lets be seen.

The race is driven, not hoped for: a withdrawal holds the part's head, the access append is seen to wait for it,
and only then does the withdrawal commit. The same harness lets a withdrawn consent through when guard and write
are one statement, so it can see the fault it looks for.
"""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import Connection

from examples import PATIENT, granted, withdrawn
from log_examples import Run, an_owner, begin_append, everything, trail_read, wait_until_somebody_waits
from tsuzuri.app.services import Services
from tsuzuri.domain.events import Event, originator
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.appending import Beside, Guard, NarrowedMeanwhile
from tsuzuri.eventlog.log import PatientHead
from tsuzuri.eventlog.places import Place

# What the append function must not be: the guard looks with the eyes of before the wait.
GUARD_AND_WRITE_IN_ONE = """
    WITH head AS (UPDATE part_head SET pos = pos + 1 WHERE part = %(part)s RETURNING part, pos)
    INSERT INTO event (part, pos, event_id, patient_id, stream, topic, key_id, state, recorded_at, hash)
    SELECT part, pos, gen_random_uuid(), %(patient)s, 3, 'access-permitted', gen_random_uuid(), '',
           clock_timestamp(), ''
    FROM head WHERE NOT EXISTS (
        SELECT FROM event newer
        WHERE newer.part = %(part)s AND newer.patient_id = %(patient)s AND newer.stream = 2 AND newer.pos > %(read)s)
"""


def an_access(patient: UUID = PATIENT) -> Event:
    """Any event of the patient's access stream."""
    return replace(trail_read(patient), event_id=uuid4())


def begin_withdrawal(connection: Connection[Any]) -> None:
    """Withdraw the consent in the caller's open transaction."""
    begin_append(connection, withdrawn(), Beside(narrows=True))


async def consent_given(services: Services) -> Guard:
    """A consent is in the log; the guard of a decision made on it."""
    await services.log.save(granted(), beside=Beside(narrows=True, consents=b"folded"))
    head = await services.log.head(PATIENT)
    return Guard(PATIENT, head.guard_pos)


def test_an_access_decided_before_a_withdrawal_is_refused_and_leaves_nothing(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        decided_on = await consent_given(services)
        await services.log.save(withdrawn(), beside=Beside(narrows=True))
        before = everything(connection)

        with pytest.raises(NarrowedMeanwhile):
            await services.log.append_access([an_access()], Beside(guards=[decided_on]))

        assert everything(connection) == before

    run(story)


def test_an_access_decided_on_the_latest_consent_is_stored(run: Run) -> None:
    async def story(services: Services) -> None:
        decided_on = await consent_given(services)

        (stored,) = await services.log.append_access([an_access()], Beside(guards=[decided_on]))

        assert stored.place == Place(services.log.part_of(PATIENT), 2)
        assert stored.recorded_at.utcoffset() is not None

    run(story)


def test_accesses_do_not_narrow_so_readers_never_stop_each_other(run: Run) -> None:
    async def story(services: Services) -> None:
        decided_on = await consent_given(services)
        beside = Beside(guards=[decided_on])

        stored = await asyncio.gather(*(services.log.append_access([an_access()], beside) for _ in range(20)))

        assert sorted(one.place.pos for (one,) in stored) == list(range(2, 22))
        assert await services.log.head(PATIENT) == PatientHead(PATIENT, decided_on.guard_pos, b"folded")

    run(story)


def test_one_narrowed_patient_withholds_the_accesses_of_all_in_one_operation(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        decided_on = await consent_given(services)
        await services.log.save(withdrawn(), beside=Beside(narrows=True))
        before = everything(connection)
        other = an_owner(2)
        assert services.log.part_of(other) != services.log.part_of(PATIENT)

        with pytest.raises(NarrowedMeanwhile):
            await services.log.append_access(
                [an_access(other), an_access()], Beside(guards=[Guard(other, 0), decided_on])
            )

        assert everything(connection) == before

    run(story)


def test_the_first_consent_event_of_a_patient_stops_a_decision_made_before_it(run: Run) -> None:
    async def story(services: Services) -> None:
        decided_on = Guard(PATIENT, (await services.log.head(PATIENT)).guard_pos)
        await consent_given(services)

        with pytest.raises(NarrowedMeanwhile):
            await services.log.append_access([an_access()], Beside(guards=[decided_on]))

    run(story)


def test_a_withdrawal_that_commits_while_the_access_waits_for_the_head_refuses_it(
    run: Run, dsn: str, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        decided_on = await consent_given(services)
        with Connection.connect(dsn) as withdrawing:
            with withdrawing.transaction():
                begin_withdrawal(withdrawing)
                reading = asyncio.create_task(
                    services.log.append_access([an_access()], Beside(guards=[decided_on]))
                )
                await asyncio.to_thread(wait_until_somebody_waits, connection)
            # the withdrawal is acknowledged here

            with pytest.raises(NarrowedMeanwhile):
                await reading

        assert [stream for (stream,) in streams(connection)] == [Stream.CONSENT, Stream.CONSENT]

    run(story)


def test_a_withdrawal_that_is_rolled_back_while_the_access_waits_does_not_stop_it(
    run: Run, dsn: str, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        decided_on = await consent_given(services)
        with Connection.connect(dsn) as withdrawing:
            with withdrawing.transaction(force_rollback=True):
                begin_withdrawal(withdrawing)
                reading = asyncio.create_task(
                    services.log.append_access([an_access()], Beside(guards=[decided_on]))
                )
                await asyncio.to_thread(wait_until_somebody_waits, connection)

            await reading

        assert [stream for (stream,) in streams(connection)] == [Stream.CONSENT, Stream.ACCESS]

    run(story)


def test_guard_and_write_in_one_statement_would_let_the_withdrawn_consent_through(
    run: Run, dsn: str, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        decided_on = await consent_given(services)
        values = {"part": services.log.part_of(PATIENT), "patient": PATIENT, "read": decided_on.guard_pos}
        with Connection.connect(dsn) as withdrawing, Connection.connect(dsn, autocommit=True) as naive:
            with withdrawing.transaction():
                begin_withdrawal(withdrawing)
                reading = asyncio.create_task(
                    asyncio.to_thread(naive.execute, GUARD_AND_WRITE_IN_ONE, values)
                )
                await asyncio.to_thread(wait_until_somebody_waits, connection)

            assert (await reading).rowcount == 1, "the fault this file looks for can no longer be seen"

            assert naive.execute(GUARD_AND_WRITE_IN_ONE, values).rowcount == 0, "unless nobody waits"

    run(story)


def streams(connection: Connection[Any]) -> list[Any]:
    return connection.execute("SELECT stream FROM event ORDER BY pos").fetchall()


def test_a_guard_of_another_patient_in_the_same_part_stops_nothing(run: Run) -> None:
    async def story(services: Services) -> None:
        await consent_given(services)
        neighbour = UUID(int=PATIENT.int + services.log.parts)
        assert services.log.part_of(neighbour) == services.log.part_of(PATIENT)
        event = replace(an_access(neighbour), originator_id=originator(neighbour, Stream.ACCESS))

        await services.log.append_access([event], Beside(guards=[Guard(neighbour, 0)]))

    run(story)
