"""A projection is rebuilt beside the live one, compared with it patient by patient, promoted, and put back."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from examples import CLINIC_SYSTEM, a_bundle
from log_examples import Run, an_owner, listed, opened_log, save
from projection_examples import SENDER, an_engine, catch_up, live_rows, rebuilt
from tsuzuri.app.actions.operate_projections import projection_standings, rebuild_projection
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain.orders import Why
from tsuzuri.projections.catalogue import PROJECTIONS, UnknownProjection, projection
from tsuzuri.projections.checkpoints import ProjectionOutdated
from tsuzuri.projections.comparing import compare
from tsuzuri.projections.facilities import FacilityRow
from tsuzuri.projections.generations import (
    ProjectionPaused,
    live_generation,
    previous_generation,
    promote,
    set_paused,
)
from tsuzuri.projections.quarantine import quarantined
from tsuzuri.projections.rebuilding import rebuild
from tsuzuri.projections.record_rows import EntryRow
from tsuzuri.projections.replaying import NothingOfPatient, rebuild_patient
from tsuzuri.projections.standings import FillProgress, standings

INDEX = PROJECTIONS["record_index"]
NUMBERS = ("00012345:あ:1:01", "00012345:あ:1:02", "00012345:あ:1:03")


@pytest.fixture
def patients(run: Run, connection: Connection[Any]) -> list[UUID]:
    """Three patients with a replaced Bundle each, in the live generations."""

    async def story(services: Services) -> list[UUID]:
        found = []
        for number in NUMBERS:
            for conditions in ({"A": "上腹部痛", "B": "発熱"}, {"A": "上腹部痛"}):
                bundle = a_bundle(number=number, conditions=conditions)
                answer = await register_bundle(services, CLINIC_SYSTEM, bundle)
            found.append(answer.patient)
        return found

    found: list[UUID] = run(story)
    catch_up(connection, batch_events=2)
    return found


def change(connection: Connection[Any], statement: str, *values: object) -> None:
    """Plant a difference in the live rows of the index."""
    table = Identifier(INDEX.schema(live_generation(connection, INDEX.name)), "entry")
    changed = connection.execute(SQL(statement).format(table=table), values)
    assert changed.rowcount == 1


def generation_states(connection: Connection[Any]) -> dict[int, str]:
    return dict(
        connection.execute(
            "SELECT generation, state FROM projection_generation WHERE name = %s", (INDEX.name,)
        ).fetchall()
    )


def test_a_rebuild_from_the_first_event_gives_the_live_rows(
    patients: list[UUID], connection: Connection[Any]
) -> None:
    compared = {name: rebuilt(connection, one) for name, one in PROJECTIONS.items()}

    assert [name for name, comparison in compared.items() if not comparison.equal] == []
    rows = {name: comparison.rows for name, comparison in compared.items() if comparison.rows}
    assert rows == {"record_index": 18, "patient_summary": 6, "identities": 13}, (
        "three sets beside the entries"
    )


def test_a_planted_difference_is_found_and_names_that_patient(
    patients: list[UUID], connection: Connection[Any]
) -> None:
    for difference in (
        "UPDATE {table} SET name = 'other' WHERE patient_id = %s AND to_pos IS NULL",
        "UPDATE {table} SET flags_now = '{{UNINFORMED}}' WHERE patient_id = %s AND to_pos IS NULL",
        "DELETE FROM {table} WHERE patient_id = %s AND to_pos IS NULL",
        "INSERT INTO {table} SELECT (jsonb_populate_record(e, '{{\"from_pos\": 99}}')).* FROM {table} AS e "
        "WHERE patient_id = %s AND to_pos IS NULL",
    ):
        change(connection, difference, patients[1])

        new = rebuild(connection, an_engine(), INDEX)

        assert new.comparison is not None
        assert new.comparison.differing == [patients[1]], difference
        assert not new.comparison.equal
        assert not new.promoted
        assert live_generation(connection, INDEX.name) == new.live
        promote(connection, an_engine(), INDEX, new.generation)
        assert rebuilt(connection, INDEX).equal, "the new generation is right again"


def test_all_patients_that_differ_are_named_in_order(
    patients: list[UUID], connection: Connection[Any]
) -> None:
    for patient in (patients[2], patients[0]):
        change(connection, "UPDATE {table} SET name = '' WHERE patient_id = %s AND to_pos IS NULL", patient)

    assert rebuilt(connection, INDEX).differing == sorted([patients[0], patients[2]])


def test_an_equal_rebuild_is_promoted_and_what_comes_next_goes_there(
    run: Run, patients: list[UUID], connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        result = await rebuild_projection(services, SENDER, INDEX.name, Why())
        assert result.promoted
        assert (result.live, result.generation) == (1, 2)
        await register_bundle(services, CLINIC_SYSTEM, a_bundle(number=NUMBERS[0], local_id="set-2"))

    run(story)
    catch_up(connection)

    assert live_generation(connection, INDEX.name) == 2
    assert generation_states(connection) == {1: "RETIRED", 2: "LIVE"}
    assert {row.document for row in live_rows(connection, INDEX.name, EntryRow)} != documents_of(
        connection, 1
    )
    assert rebuilt(connection, INDEX).equal


def documents_of(connection: Connection[Any], generation: int) -> set[UUID]:
    statement = SQL("SELECT document FROM {}").format(Identifier(INDEX.schema(generation), "entry"))
    return {document for (document,) in connection.execute(statement).fetchall()}


def test_a_rebuild_that_differs_is_kept_beside_and_not_promoted(
    run: Run, patients: list[UUID], connection: Connection[Any]
) -> None:
    change(connection, "UPDATE {table} SET name = '' WHERE patient_id = %s AND to_pos IS NULL", patients[0])

    async def story(services: Services) -> None:
        result = await rebuild_projection(services, SENDER, INDEX.name, Why())
        assert not result.promoted
        assert result.comparison is not None
        assert result.comparison.differing == [patients[0]]
        standing = {s.name: s for s in projection_standings(services)}[INDEX.name]
        assert (standing.generation, standing.other_generations) == (1, [2])

    run(story)

    assert live_generation(connection, INDEX.name) == 1
    assert generation_states(connection) == {1: "LIVE", 2: "READY"}


def test_rollback_brings_the_old_rows_up_to_date_and_moves_the_pointer_back(
    run: Run, patients: list[UUID], connection: Connection[Any]
) -> None:
    new = rebuild(connection, an_engine(), INDEX).generation
    assert live_generation(connection, INDEX.name) == new
    run(lambda services: register_bundle(services, CLINIC_SYSTEM, a_bundle(local_id="set-2")))
    catch_up(connection)
    followed = live_rows(connection, INDEX.name, EntryRow)

    assert promote(connection, an_engine(), INDEX, previous_generation(connection, INDEX.name)) == new

    assert generation_states(connection) == {1: "LIVE", new: "RETIRED"}
    assert live_rows(connection, INDEX.name, EntryRow) == followed


def test_reads_follow_the_live_generation_while_another_is_filled(
    patients: list[UUID], connection: Connection[Any]
) -> None:
    before = live_rows(connection, INDEX.name, EntryRow)
    seen: list[FillProgress] = []

    def look(progress: FillProgress) -> None:
        seen.append(progress)
        assert live_rows(connection, INDEX.name, EntryRow) == before

    rebuild(connection, an_engine(batch_events=1), INDEX, on_progress=look)

    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert len(seen) > 1
    assert (seen[-1].done, seen[-1].state) == (seen[-1].total, "READY")


def test_a_rebuild_stops_at_a_pause_and_goes_on_after_it(
    patients: list[UUID], connection: Connection[Any]
) -> None:
    def pause(_: FillProgress) -> None:
        set_paused(connection, INDEX.name, True)

    with pytest.raises(ProjectionPaused, match="run: tsuzuri projections resume record_index"):
        rebuild(connection, an_engine(batch_events=1), INDEX, on_progress=pause)
    assert generation_states(connection) == {1: "LIVE", 2: "FILLING"}
    with pytest.raises(ProjectionPaused):
        rebuild(connection, an_engine(), INDEX)
    set_paused(connection, INDEX.name, False)

    result = rebuild(connection, an_engine(), INDEX)

    assert (result.generation, result.promoted) == (2, True)


def test_a_patient_of_whom_there_is_nothing_is_not_rebuilt_in_silence(connection: Connection[Any]) -> None:
    with pytest.raises(NothingOfPatient):
        rebuild_patient(connection, an_engine(), INDEX, 1, an_owner(1))


def test_rows_of_another_version_stop_the_projection_and_name_the_command(
    patients: list[UUID], dsn: str, connection: Connection[Any]
) -> None:
    connection.execute(
        "UPDATE projection_generation SET version = version + 1 WHERE name = %s", (INDEX.name,)
    )
    before = live_rows(connection, INDEX.name, EntryRow)
    with opened_log(dsn) as log:
        save(log, listed(an_owner(1)))  # something new, though not for this projection

    with pytest.raises(ProjectionOutdated, match="run: tsuzuri projections rebuild record_index"):
        an_engine().catch_up(connection, INDEX, 1)

    assert live_rows(connection, INDEX.name, EntryRow) == before
    an_engine().catch_up(connection, PROJECTIONS["facilities"], 1)  # the others go on


def test_the_command_it_names_puts_an_outdated_projection_right(
    run: Run, patients: list[UUID], connection: Connection[Any]
) -> None:
    connection.execute(
        "UPDATE projection_generation SET version = version + 1 WHERE name = %s", (INDEX.name,)
    )

    async def story(services: Services) -> None:
        await register_bundle(services, CLINIC_SYSTEM, a_bundle(number=NUMBERS[0], local_id="set-2"))
        result = rebuild(connection, an_engine(), INDEX)
        assert result.comparison is None, "rows of two versions are meant to differ"
        assert result.promoted

    run(story)

    catch_up(connection)
    assert rebuilt(connection, INDEX).equal


def test_a_rebuild_is_compared_at_one_position_while_others_write_and_project(
    dsn: str, connection: Connection[Any]
) -> None:
    facilities = PROJECTIONS["facilities"]
    done = Event()

    def write() -> int:
        """A facility that is renamed again and again."""
        with opened_log(dsn) as log:
            for version in itertools.count(1):
                save(log, listed(an_owner(1), version, name=f"診療所 {version}"))
                if done.is_set():
                    return version
        raise AssertionError("it goes on until it is stopped")

    def project() -> None:
        with Connection.connect(dsn, autocommit=True) as own:
            while not done.is_set():
                an_engine().catch_up(own, facilities, live_generation(own, facilities.name))

    with ThreadPoolExecutor(2) as threads:
        writing, projecting = threads.submit(write), threads.submit(project)
        try:
            results = [rebuild(connection, an_engine(), facilities) for _ in range(4)]
        finally:
            done.set()

    projecting.result()
    written = writing.result()
    assert written > len(results)
    assert all(result.promoted for result in results)
    catch_up(connection)
    (row,) = live_rows(connection, facilities.name, FacilityRow)
    assert row.name == f"診療所 {written}"


def test_two_generations_are_compared_while_projectors_carry_them_on(
    dsn: str, connection: Connection[Any]
) -> None:
    facilities = PROJECTIONS["facilities"]
    done = Event()
    with opened_log(dsn) as log:
        save(log, *[listed(an_owner(1), version) for version in range(1, 4)])
        catch_up(connection)
        new = rebuild(connection, an_engine(), facilities, promote_if_equal=False)

        def project(generation: int) -> None:
            with Connection.connect(dsn, autocommit=True) as own:
                while not done.is_set():
                    an_engine().catch_up(own, facilities, generation)

        with ThreadPoolExecutor(2) as threads:
            working = [threads.submit(project, generation) for generation in (new.live, new.generation)]
            try:
                for version in range(4, 40):
                    save(log, listed(an_owner(1), version, name=f"診療所 {version}"))
                    found = compare(connection, an_engine(), facilities, new.live, new.generation)
                    assert found.equal
            finally:
                done.set()
        for one in working:
            one.result()


def test_a_patient_that_cannot_be_filled_is_set_aside_and_the_rebuild_is_not_promoted(
    patients: list[UUID], connection: Connection[Any]
) -> None:
    before = live_rows(connection, INDEX.name, EntryRow)
    connection.execute(
        "UPDATE event SET state = 'broken' WHERE topic = 'bundle-replaced' AND patient_id = %s",
        (patients[1],),
    )

    result = rebuild(connection, an_engine(), INDEX)

    assert not result.promoted
    assert result.comparison is not None
    assert result.comparison.differing == [patients[1]]
    (waiting,) = quarantined(connection, INDEX.name, [result.generation])
    assert (waiting.patient_id, waiting.topic, waiting.step) == (patients[1], "bundle-replaced", "decode")
    assert live_rows(connection, INDEX.name, EntryRow) == before


def test_a_generation_nobody_made_is_not_filled(dsn: str, connection: Connection[Any]) -> None:
    with opened_log(dsn) as log:
        save(log, listed(an_owner(1)))

    with pytest.raises(ProjectionOutdated):
        an_engine().catch_up(connection, INDEX, 7)


def test_an_unknown_projection_is_told_which_there_are() -> None:
    with pytest.raises(UnknownProjection, match="record_index"):
        projection("record_indices")


def test_a_lag_is_counted_in_events_and_seconds(
    run: Run, patients: list[UUID], dsn: str, connection: Connection[Any]
) -> None:
    assert all(standing.lag_events == 0 for standing in standings(connection))
    with opened_log(dsn) as log:
        save(log, listed(an_owner(1), 1), listed(an_owner(1), 2))

    found = standings(connection)

    assert [standing.name for standing in found] == list(PROJECTIONS)
    assert {standing.lag_events for standing in found} == {2}
    assert all(0 < standing.lag_seconds < 60 for standing in found)
