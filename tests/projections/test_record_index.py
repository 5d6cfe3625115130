"""The record index through real registrations: what is in force, what was, and what may not be seen any more."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from examples import CLINIC, CLINIC_SYSTEM, HOSPITAL, HOSPITAL_SYSTEM, NUMBER, a_bundle
from log_examples import Run
from projection_examples import BUNDLE_SYSTEM, bundle_value, catch_up, head_of, live_rows
from tsuzuri.app.actions.correct_bundle import cancel_bundle
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import AccessBasis, DocumentKind, Flag, RecordClass
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.generations import live_generation
from tsuzuri.projections.record_index import NAME
from tsuzuri.projections.record_rows import DocumentRow, EntryRow
from tsuzuri.projections.sight import Sight

PAIN, FEVER, COUGH = "20065011", "20054092", "20051881"
A = {PAIN: "上腹部痛", FEVER: "発熱"}
B = {PAIN: "上腹部痛", COUGH: "咳"}
PATIENTS_FLAGS = (Flag.LTS,)
CLINICIANS_FLAGS = (Flag.LTS, Flag.UNINFORMED)


async def send(services: Services, *bundles: bytes) -> RegisteredBundle:
    """Register one after the other, as the clinic's system; the last answer."""
    for bundle in bundles:
        answer = await register_bundle(services, CLINIC_SYSTEM, bundle)
    return answer


async def take_back(services: Services, local_id: str = "set-1") -> UUID:
    key = InsuredPersonNumber.parse(NUMBER)
    value = bundle_value(local_id)
    return await cancel_bundle(
        services, CLINIC_SYSTEM, key, BUNDLE_SYSTEM, value, DocumentKind.CONDITIONS, "別人の記録"
    )


def entries(connection: Connection[Any]) -> Sequence[EntryRow]:
    return live_rows(connection, NAME, EntryRow)


def documents(connection: Connection[Any]) -> Sequence[DocumentRow]:
    return live_rows(connection, NAME, DocumentRow)


def current(connection: Connection[Any]) -> dict[str, EntryRow]:
    """Name → the row in force."""
    return {row.name: row for row in entries(connection) if row.to_pos is None}


def seen(
    connection: Connection[Any],
    patient: UUID,
    *,
    position: int | None = None,
    moment: datetime | None = None,
    flags: tuple[Flag, ...] = CLINICIANS_FLAGS,
) -> list[str]:
    """The names that a reading under one ground for everything shows, as of a position or a moment."""
    ground = Ground(basis=AccessBasis.CONSENT, classes=tuple(RecordClass), flags=flags, because=uuid4())
    generation = live_generation(connection, NAME)
    sight = Sight(
        patient=patient,
        generation=generation,
        grounds=(ground,),
        position=head_of(connection, patient) if position is None else position,
        recorded_by=moment,
        decided_at=datetime.now(UTC),
    )
    table = Identifier(PROJECTIONS[NAME].schema(generation), "entry")
    statement = SQL("SELECT name FROM {} WHERE {} ORDER BY name").format(table, sight.predicate(history=True))
    return [name for (name,) in connection.execute(statement).fetchall()]


def test_a_registered_bundle_is_a_document_and_its_entries(run: Run, connection: Connection[Any]) -> None:
    answer: RegisteredBundle = run(lambda services: send(services, a_bundle(conditions=A)))
    catch_up(connection)

    (document,) = documents(connection)
    assert (document.patient_id, document.document) == (answer.patient, answer.document)
    assert (document.kind, document.value) == (DocumentKind.CONDITIONS, bundle_value("set-1"))
    assert (document.to_pos, document.cancelled_by) == (None, None)
    assert current(connection).keys() == {"上腹部痛", "発熱"}
    for row in entries(connection):
        assert (row.document, row.from_pos) == (document.document, document.from_pos)
        assert row.record_class == RecordClass.CONDITION
        assert (row.flags, row.flags_now) == ([], [])


def test_replacing_closes_the_old_rows_and_keeps_them(run: Run, connection: Connection[Any]) -> None:
    answer: RegisteredBundle = run(
        lambda services: send(services, a_bundle(conditions=A), a_bundle(conditions=B))
    )
    catch_up(connection)

    old, new = documents(connection)
    assert old.document == new.document == answer.document
    assert (old.to_pos, old.closed_at) == (new.from_pos, new.registered_at)
    assert new.to_pos is None
    closed = [row for row in entries(connection) if row.to_pos is not None]
    assert {row.name for row in closed} == {"上腹部痛", "発熱"}
    assert {(row.from_pos, row.to_pos) for row in closed} == {(old.from_pos, new.from_pos)}
    assert current(connection).keys() == {"上腹部痛", "咳"}

    # as of a position or a moment, what was in force then
    patient = answer.patient
    assert seen(connection, patient, position=old.from_pos - 1) == []
    assert seen(connection, patient, position=old.from_pos) == ["上腹部痛", "発熱"]
    assert seen(connection, patient, position=new.from_pos - 1) == ["上腹部痛", "発熱"]
    assert seen(connection, patient, position=new.from_pos) == ["上腹部痛", "咳"]
    assert seen(connection, patient, moment=old.registered_at) == ["上腹部痛", "発熱"]
    assert seen(connection, patient, moment=new.registered_at) == ["上腹部痛", "咳"]

    # the same fact has the same id in every version
    ids = {
        name: {row.entry for row in entries(connection) if row.name == name}
        for name in ("上腹部痛", "発熱", "咳")
    }
    assert [len(each) for each in ids.values()] == [1, 1, 1]
    assert len(set().union(*ids.values())) == 3


def test_a_cancelled_bundle_is_hidden_as_of_every_position_and_moment(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> UUID:
        answer = await send(services, a_bundle(conditions=A), a_bundle(conditions=B))
        await take_back(services)
        return answer.patient

    patient = run(story)
    catch_up(connection)

    for position in range(head_of(connection, patient) + 1):
        assert seen(connection, patient, position=position) == []
    for row in documents(connection):
        assert seen(connection, patient, moment=row.registered_at) == []
    assert len(entries(connection)) == 4, "the rows are kept"
    assert all(row.cancelled_by and row.to_pos for row in entries(connection))
    assert all(row.cancelled_by and row.to_pos for row in documents(connection))


def test_a_cancellation_leaves_the_other_bundles_as_they_were(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> UUID:
        answer = await send(
            services, a_bundle(conditions=A), a_bundle(local_id="set-2", conditions={COUGH: "咳"})
        )
        await register_bundle(services, HOSPITAL_SYSTEM, a_bundle(facility=HOSPITAL, conditions=A))
        await take_back(services)
        return answer.patient

    patient = run(story)
    catch_up(connection)

    assert seen(connection, patient) == ["上腹部痛", "咳", "発熱"]
    assert {row.facility for row in entries(connection) if not row.cancelled_by and row.name != "咳"} == {
        HOSPITAL
    }


def test_a_bundle_may_come_again_after_its_cancellation_and_its_past_stays_hidden(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> RegisteredBundle:
        await send(services, a_bundle(conditions=A))
        await take_back(services)
        return await send(services, a_bundle(conditions=B))

    answer = run(story)
    catch_up(connection)

    head = head_of(connection, answer.patient)
    assert seen(connection, answer.patient) == ["上腹部痛", "咳"]
    for position in range(head):
        assert seen(connection, answer.patient, position=position) == []


def test_a_delayed_copy_of_a_cancelled_bundle_does_not_bring_it_back(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> RegisteredBundle:
        await send(services, a_bundle(conditions=A))
        await take_back(services)
        return await send(services, a_bundle(conditions=A))

    answer = run(story)
    catch_up(connection)

    assert answer.outcome == "SUPERSEDED"
    assert seen(connection, answer.patient) == []


def test_a_hiding_mark_hides_the_versions_from_before_it_too(run: Run, connection: Connection[Any]) -> None:
    patient = run(
        lambda services: send(
            services, a_bundle(conditions=A), a_bundle(conditions=A, flags={PAIN: "UNINFORMED"})
        )
    ).patient
    catch_up(connection)
    old, new = documents(connection)

    for position in (old.from_pos, new.from_pos):
        assert seen(connection, patient, position=position, flags=PATIENTS_FLAGS) == ["発熱"]
        assert seen(connection, patient, position=position) == ["上腹部痛", "発熱"]
    sent = {(row.name, row.from_pos): row.flags for row in entries(connection)}
    assert sent["上腹部痛", old.from_pos] == [], "what was sent then stays as it was sent"
    assert sent["上腹部痛", new.from_pos] == ["UNINFORMED"]


def test_a_hiding_mark_hides_the_same_fact_in_the_senders_other_bundles(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> UUID:
        await register_bundle(
            services, HOSPITAL_SYSTEM, a_bundle(facility=HOSPITAL, conditions={PAIN: "上腹部痛"})
        )
        marked = a_bundle(local_id="set-2", conditions={PAIN: "上腹部痛"}, flags={PAIN: "UNINFORMED"})
        return (await send(services, a_bundle(conditions=A), marked)).patient

    patient = run(story)
    catch_up(connection)

    shown = [row for row in entries(connection) if not set(row.flags_now) - set(PATIENTS_FLAGS)]
    assert sorted((row.name, row.facility) for row in shown) == [("上腹部痛", HOSPITAL), ("発熱", CLINIC)]
    assert seen(connection, patient, flags=PATIENTS_FLAGS) == ["上腹部痛"]
    assert seen(connection, patient) == ["上腹部痛", "上腹部痛"]


def test_a_mark_that_is_lifted_shows_the_version_that_lifts_it_and_none_before(
    run: Run, connection: Connection[Any]
) -> None:
    patient = run(
        lambda services: send(
            services,
            a_bundle(conditions=A),
            a_bundle(conditions=A, flags={PAIN: "UNDELIVERED"}),
            a_bundle(conditions=A, timestamp="2026-11-21T10:00:00+09:00"),
        )
    ).patient
    catch_up(connection)
    first, marked, lifted = documents(connection)

    assert seen(connection, patient, position=first.from_pos, flags=PATIENTS_FLAGS) == ["発熱"]
    assert seen(connection, patient, position=marked.from_pos, flags=PATIENTS_FLAGS) == ["発熱"]
    assert seen(connection, patient, position=lifted.from_pos, flags=PATIENTS_FLAGS) == ["上腹部痛", "発熱"]


def test_a_mark_for_long_storage_hides_nothing(run: Run, connection: Connection[Any]) -> None:
    patient = run(
        lambda services: send(services, a_bundle(conditions=A), a_bundle(conditions=A, flags={PAIN: "LTS"}))
    ).patient
    catch_up(connection)

    for row in documents(connection):
        assert seen(connection, patient, position=row.from_pos, flags=PATIENTS_FLAGS) == ["上腹部痛", "発熱"]
    assert current(connection)["上腹部痛"].flags == ["LTS"]
