"""The summary is a second way to the same answer: its entries are the current ones of the record index."""

from typing import Any
from uuid import UUID

import msgspec
import orjson
from psycopg import Connection

from examples import CLINIC_SYSTEM, HOSPITAL, HOSPITAL_SYSTEM, a_bundle, a_caller
from log_examples import Run
from projection_examples import (
    BUNDLE_SYSTEM,
    SENDER,
    bundle_value,
    catch_up,
    current_by_index,
    current_by_summary,
    live_rows,
    rebuilt,
)
from tsuzuri.app.actions.correct_bundle import cancel_bundle
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.sample.generate import SampleBundle, sample_bundles
from tsuzuri.app.services import Services
from tsuzuri.domain.registrations import RegisteredBundle, Registration
from tsuzuri.domain.vocabulary import DocumentKind, Role
from tsuzuri.projections import patient_summary, record_index
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.patient_summary import SummaryRow
from tsuzuri.projections.record_rows import EntryRow

SEED, PATIENTS = 7, 6


async def register_all(services: Services) -> list[tuple[SampleBundle, RegisteredBundle]]:
    sample = list(sample_bundles(PATIENTS, SEED))
    return [(one, await register_bundle(services, SENDER, one.body, on_behalf=True)) for one in sample]


def with_one_entry_less(bundle: SampleBundle) -> bytes:
    """The same collection, without its last resource."""
    content = orjson.loads(bundle.body)
    content["entry"].pop()
    return orjson.dumps(content)


async def cancel(services: Services, bundle: SampleBundle, answer: RegisteredBundle) -> UUID:
    system = a_caller(person="system", role=Role.SYSTEM, facility=bundle.facility)
    identifier = orjson.loads(bundle.body)["identifier"]
    return await cancel_bundle(
        services, system, answer.patient, identifier["system"], identifier["value"], answer.kind, "誤登録"
    )


def test_the_summary_has_what_the_index_has_now(run: Run, connection: Connection[Any]) -> None:
    registered: list[tuple[SampleBundle, RegisteredBundle]] = run(register_all)
    assert {answer.outcome for _, answer in registered} <= {Registration.REGISTERED, Registration.REPLACED}
    catch_up(connection)

    first = current_by_index(connection)
    assert current_by_summary(connection) == first
    assert {patient for patient, _, _ in first} == {answer.patient for _, answer in registered}
    assert {record_class for _, record_class, _ in first} == set(patient_summary.READY_CLASSES)
    assert any(flags for _, _, flags in first), "the sample has marked entries"

    in_force = {
        row.document for row in live_rows(connection, record_index.NAME, EntryRow) if row.to_pos is None
    }
    collections = [
        (bundle, answer)
        for bundle, answer in registered
        if answer.kind is DocumentKind.CONDITIONS and answer.entries > 1 and answer.document in in_force
    ]
    (to_replace, replaced), (to_cancel, cancelled), *_ = collections

    async def change(services: Services) -> None:
        answer = await register_bundle(services, SENDER, with_one_entry_less(to_replace), on_behalf=True)
        assert (answer.outcome, answer.document) == (Registration.REPLACED, replaced.document)
        assert await cancel(services, to_cancel, cancelled) == cancelled.document

    run(change)
    assert current_by_summary(connection) == first, "nothing has caught up yet"
    catch_up(connection, batch_events=3)

    second = current_by_index(connection)
    assert current_by_summary(connection) == second
    assert second != first
    gone = set().union(*first.values()) - set().union(*second.values())
    assert len(gone) == 1 + cancelled.entries
    documents = {row.document for row in live_rows(connection, patient_summary.NAME, SummaryRow)}
    assert cancelled.document not in documents and replaced.document in documents
    assert rebuilt(connection, PROJECTIONS[patient_summary.NAME]).equal


def test_a_mark_in_a_later_bundle_moves_the_fact_in_the_summary_as_in_the_index(
    run: Run, connection: Connection[Any]
) -> None:
    pain, fever = {"20065011": "上腹部痛"}, {"20054092": "発熱"}

    async def story(services: Services) -> RegisteredBundle:
        await register_bundle(services, CLINIC_SYSTEM, a_bundle(conditions=pain | fever))
        await register_bundle(services, HOSPITAL_SYSTEM, a_bundle(facility=HOSPITAL, conditions=pain))
        marked = a_bundle(local_id="set-2", conditions=pain, flags={"20065011": "UNINFORMED"})
        return await register_bundle(services, CLINIC_SYSTEM, marked)

    def shown() -> dict[frozenset[str], int]:
        catch_up(connection)
        groups = current_by_summary(connection)
        assert groups == current_by_index(connection)
        assert {of for of, _, _ in groups} == {answer.patient}
        return {flags: len(ids) for (_, _, flags), ids in groups.items()}

    answer = run(story)
    assert shown() == {frozenset(): 1, frozenset({"UNINFORMED"}): 1}  # another facility's, and the marked one

    async def take_back(services: Services) -> UUID:
        value = bundle_value("set-2")
        return await cancel_bundle(
            services, CLINIC_SYSTEM, answer.patient, BUNDLE_SYSTEM, value, answer.kind, "誤登録"
        )

    run(take_back)
    assert shown() == {frozenset(): 2, frozenset({"UNINFORMED"}): 1}, "back, and what was marked stays so"


def test_an_entry_of_the_summary_reads_as_one_of_the_index(run: Run, connection: Connection[Any]) -> None:
    async def one_patient(services: Services) -> None:
        for one in sample_bundles(1, SEED):
            await register_bundle(services, SENDER, one.body, on_behalf=True)

    run(one_patient)
    catch_up(connection)

    in_index = {
        str(row.entry): {
            field: msgspec.to_builtins(getattr(row, column))
            for field, column in record_index.ENTRIES.fields.items()
        }
        for row in live_rows(connection, record_index.NAME, EntryRow)
        if row.to_pos is None
    }
    shown = [
        entry
        for row in live_rows(connection, patient_summary.NAME, SummaryRow)
        if row.in_force
        for entry in orjson.loads(row.entries)
    ]
    assert len(shown) > 20
    for entry in shown:
        assert {field: entry[field] for field in record_index.ENTRIES.fields} == in_index[entry["id"]]
