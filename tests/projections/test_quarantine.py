"""A patient whose event cannot be applied is set aside alone, waits in order, and comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from string import ascii_letters
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from examples import CLINIC_SYSTEM, DOCTOR, a_bundle
from log_examples import Run, an_owner, listed, opened_log, save, trail_read
from projection_examples import SENDER, an_engine, catch_up, live_rows, rebuilt
from tsuzuri.app.actions.operate_projections import (
    quarantined_patients,
    rebuild_one_patient,
    retry_quarantined,
    skip_quarantined,
)
from tsuzuri.app.actions.read_trail import trail_complete_until
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain.events import Event, FacilityListed, OperatorActed
from tsuzuri.domain.orders import Why
from tsuzuri.domain.owners import projection_owner
from tsuzuri.domain.vocabulary import OperatorAct, Stream
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.facilities import FacilityRow
from tsuzuri.projections.quarantine import quarantined
from tsuzuri.projections.rebuilding import rebuild
from tsuzuri.projections.record_rows import EntryRow
from tsuzuri.projections.replaying import NotQuarantined, retry
from tsuzuri.projections.rows import Recorded, Rows

FACILITIES, INDEX = PROJECTIONS["facilities"], PROJECTIONS["record_index"]
NUMBERS = ("00012345:あ:1:01", "00012345:あ:1:02", "00012345:あ:1:03")
Conn = Connection[Any]


def entry(owner: UUID, version: int, name: str) -> FacilityListed:
    """A version of a facility's entry; no two facilities have one number."""
    return listed(owner, version, name=name, facility=f"13{owner.int % 10**8:08}")


def names(connection: Conn) -> Mapping[UUID, str]:
    return {row.owner_id: row.name for row in live_rows(connection, FACILITIES.name, FacilityRow)}


def states(connection: Conn, topic: str, owner: UUID) -> Sequence[tuple[int, bytes]]:
    return connection.execute(
        "SELECT pos, state FROM event WHERE topic = %s AND patient_id = %s ORDER BY pos", (topic, owner)
    ).fetchall()


def break_event(connection: Conn, owner: UUID, pos: int, state: bytes = b"broken") -> None:
    connection.execute("UPDATE event SET state = %s WHERE patient_id = %s AND pos = %s", (state, owner, pos))


def test_an_event_that_cannot_be_decoded_stops_its_owner_and_nobody_else(dsn: str, connection: Conn) -> None:
    first, second, third = (an_owner(n) for n in (1, 2, 3))
    with opened_log(dsn) as log:
        for owner in (first, second, third):
            save(log, *[entry(owner, version, f"{version} 番目") for version in (1, 2, 3)])
    (_, (pos, sealed), _) = states(connection, "facility-listed", second)
    break_event(connection, second, pos)

    catch_up(connection)

    assert names(connection) == {first: "3 番目", second: "1 番目", third: "3 番目"}
    (waiting,) = quarantined(connection, FACILITIES.name)
    assert (waiting.patient_id, waiting.pos, waiting.step, waiting.attempts) == (second, pos, "decode", 1)
    with opened_log(dsn) as log:
        save(log, entry(second, 4, "4 番目"), entry(third, 4, "4 番目"))
    catch_up(connection)
    assert names(connection) == {first: "3 番目", second: "1 番目", third: "4 番目"}, "it waits in order"

    assert not retry(connection, an_engine(), FACILITIES, 1, second)
    (waiting,) = quarantined(connection, FACILITIES.name)
    assert waiting.attempts == 2
    break_event(connection, second, pos, sealed)
    assert retry(connection, an_engine(), FACILITIES, 1, second)

    assert names(connection)[second] == "4 番目"
    assert quarantined(connection) == []
    assert rebuilt(connection, FACILITIES).equal
    with pytest.raises(NotQuarantined):
        retry(connection, an_engine(), FACILITIES, 1, second)


def test_an_event_that_the_fold_cannot_take_leaves_no_half_of_itself(dsn: str, connection: Conn) -> None:
    one, other = an_owner(1), an_owner(2)
    with opened_log(dsn) as log:
        save(log, entry(one, 1, "前"), entry(one, 2, "毒"), entry(one, 3, "後"))
        save(log, entry(other, 1, "別"))

    def applies(rows: Rows, recorded: Recorded[Event]) -> None:
        FACILITIES.apply(rows, recorded)
        if getattr(recorded.event, "name", "") == "毒":
            raise ZeroDivisionError

    an_engine().catch_up(connection, replace(FACILITIES, apply=applies), 1)

    assert names(connection) == {one: "前", other: "別"}
    (waiting,) = quarantined(connection)
    assert (waiting.patient_id, waiting.step, waiting.fault) == (one, "fold", "ZeroDivisionError")
    assert retry(connection, an_engine(), FACILITIES, 1, one)
    assert names(connection) == {one: "後", other: "別"}


def test_a_row_that_the_database_refuses_is_found_among_many(dsn: str, connection: Conn) -> None:
    owners = [an_owner(n) for n in range(1, 40)]
    with opened_log(dsn) as log:
        for number, owner in enumerate(owners):
            save(log, entry(owner, 1, "前"), entry(owner, 2, "\0" if number == 17 else "後"))

    catch_up(connection)

    assert names(connection) == {owner: "前" if owner == owners[17] else "後" for owner in owners}
    (waiting,) = quarantined(connection)
    assert (waiting.patient_id, waiting.step, waiting.fault) == (
        owners[17],
        "merge",
        "CharacterNotInRepertoire",
    )


def test_a_row_that_only_an_index_refuses_stops_the_same_patient_in_a_rebuild(
    dsn: str, connection: Conn
) -> None:
    owners = [an_owner(n) for n in range(1, 6)]
    too_long = "".join(Random(1).choices(ascii_letters, k=20_000))
    with opened_log(dsn) as log:
        for owner in owners:
            second = entry(owner, 2, "後")
            save(
                log,
                entry(owner, 1, "前"),
                replace(second, facility=too_long) if owner == owners[3] else second,
            )
    catch_up(connection)

    result = rebuild(connection, an_engine(), FACILITIES)

    assert result.promoted
    assert [(one.generation, one.patient_id, one.fault) for one in quarantined(connection)] == [
        (generation, owners[3], "ProgramLimitExceeded") for generation in (1, 2)
    ]
    assert names(connection) == {owner: "前" if owner == owners[3] else "後" for owner in owners}


@pytest.fixture
def patients(run: Run, connection: Conn) -> list[UUID]:
    """Three patients with two Bundles each; the second one's first Bundle cannot be decoded."""

    async def story(services: Services) -> list[UUID]:
        found = []
        for number in NUMBERS:
            for local_id in ("set-1", "set-2"):
                answer = await register_bundle(
                    services, CLINIC_SYSTEM, a_bundle(number=number, local_id=local_id)
                )
            found.append(answer.patient)
        return found

    found: list[UUID] = run(story)
    (pos, _), _ = states(connection, "bundle-registered", found[1])
    break_event(connection, found[1], pos)
    catch_up(connection)
    return found


def documents(connection: Conn) -> Mapping[UUID, int]:
    found: dict[UUID, set[UUID]] = {}
    for row in live_rows(connection, INDEX.name, EntryRow):
        found.setdefault(row.patient_id, set()).add(row.document)
    return {patient: len(some) for patient, some in found.items()}


def test_a_skipped_event_is_left_out_for_ever_and_the_order_is_in_the_log(
    run: Run, patients: list[UUID], connection: Conn
) -> None:
    assert documents(connection) == {patients[0]: 2, patients[2]: 2}

    async def story(services: Services) -> list[Any]:
        for one in quarantined_patients(services, None):
            tried = await skip_quarantined(services, SENDER, one.name, patients[1], "壊れている", "OPS-17")
            assert (tried.current, tried.stopped) == (1, 0)
        return await services.log.stream(projection_owner(INDEX.name), Stream.RECORD)

    orders = run(story)

    assert documents(connection) == {patients[0]: 2, patients[1]: 1, patients[2]: 2}
    assert rebuilt(connection, INDEX).equal, "a rebuild leaves it out as well"
    (order,) = orders
    assert isinstance(order, OperatorActed)
    assert (order.act, order.patient, order.reason, order.ticket) == (
        OperatorAct.SKIP,
        patients[1],
        "壊れている",
        "OPS-17",
    )


def test_all_quarantined_are_tried_again_in_one_order(
    run: Run, patients: list[UUID], connection: Conn
) -> None:
    async def story(services: Services) -> None:
        tried = await retry_quarantined(services, SENDER, INDEX.name, None, Why())
        assert (tried.current, tried.stopped) == (0, 1)

    run(story)

    assert documents(connection) == {patients[0]: 2, patients[2]: 2}


def test_one_patient_is_rebuilt_alone(run: Run, patients: list[UUID], connection: Conn) -> None:
    connection.execute(
        "UPDATE record_index_g1.entry SET name = '' WHERE patient_id = ANY (%s)",
        ([patients[0], patients[2]],),
    )

    async def story(services: Services) -> None:
        assert await rebuild_one_patient(services, SENDER, INDEX.name, patients[0], Why())

    run(story)

    rows = live_rows(connection, INDEX.name, EntryRow)
    assert {row.patient_id for row in rows if row.name == ""} == {patients[2]}
    assert {row.patient_id for row in rows if row.name} == {patients[0]}


def test_nobody_but_an_operator_orders_anything(run: Run, patients: list[UUID]) -> None:
    async def story(services: Services) -> None:
        with pytest.raises(NotPermitted):
            await retry_quarantined(services, DOCTOR, INDEX.name, None, Why())

    run(story)


def test_the_trail_is_whole_only_up_to_an_access_that_could_not_be_applied(
    run: Run, dsn: str, connection: Conn
) -> None:
    owner = an_owner(1)
    with opened_log(dsn) as log:
        save(log, trail_read(owner))
        save(log, trail_read(owner))
    connection.execute("UPDATE event SET state = 'broken' WHERE pos = 2")
    catch_up(connection)

    complete_until = run(trail_complete_until)

    broken = connection.execute("SELECT recorded_at FROM event WHERE pos = 2").fetchone()
    assert broken == (complete_until,)
