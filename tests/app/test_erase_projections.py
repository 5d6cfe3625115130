"""Given that something was erased, when a projection is filled from the first event on, then it has the same rows."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from psycopg import Connection

from examples import CLINIC, CLINIC_SYSTEM, HOSPITAL, HOSPITAL_SYSTEM, NUMBER, OPERATOR, a_bundle, herself
from log_examples import Run, trail_read
from projection_examples import (
    catch_up,
    current_by_index,
    current_by_summary,
    live_rows,
    rebuilt,
)
from tsuzuri.app.actions.erase import erase_document, erase_stream
from tsuzuri.app.actions.grant_consent import grant_consent
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.actions.request_correction import request_correction
from tsuzuri.app.services import Services
from tsuzuri.domain.correction_requests import SubjectKey
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import CorrectionKind, PurposeOfUse, RecordClass, Stream
from tsuzuri.eventlog.appending import Beside
from tsuzuri.projections.audit_trail import AccessRow
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.consent_register import ConsentRow
from tsuzuri.projections.correction_requests import CorrectionRequestRow
from tsuzuri.projections.identities import NumberRow, PersonRow
from tsuzuri.projections.patient_summary import SummaryRow
from tsuzuri.projections.record_rows import DocumentRow, EntryRow
from tsuzuri.projections.rows import Row

SHE = InsuredPersonNumber.parse(NUMBER)
CONDITIONS = {"20065011": "上腹部痛", "20054092": "発熱", "20051881": "咳"}
TABLES: dict[type[Row], str] = {
    DocumentRow: "record_index",
    EntryRow: "record_index",
    SummaryRow: "patient_summary",
    PersonRow: "identities",
    NumberRow: "identities",
    ConsentRow: "consent_register",
    CorrectionRequestRow: "correction_requests",
    AccessRow: "audit_trail",
}


async def a_life(opened: Services) -> RegisteredBundle:
    """Two documents of one patient, the second of two versions; a consent, a request, an access. Her last document."""
    await register_bundle(opened, CLINIC_SYSTEM, a_bundle(local_id="other", conditions=CONDITIONS))
    await register_bundle(opened, CLINIC_SYSTEM, a_bundle())
    told = await register_bundle(opened, CLINIC_SYSTEM, a_bundle(timestamp="2026-11-21T10:00:00+09:00"))
    classes, purpose = [RecordClass.CONDITION], PurposeOfUse.TREAT
    await grant_consent(opened, HOSPITAL_SYSTEM, SHE, HOSPITAL, classes, purpose, None)
    about, words = SubjectKey(facility=CLINIC), str(opened.new_id())  # each life asks for something else
    await request_correction(opened, herself(told.patient), SHE, CorrectionKind.STOP_USE, about, words)
    await opened.log.append_access([trail_read(told.patient)], Beside())
    return told


def held(connection: Connection[Any]) -> dict[str, int]:
    """How many rows there are of each table that anything of a patient lies in."""
    return {kind.TABLE: len(live_rows(connection, name, kind)) for kind, name in TABLES.items()}


def the_same_from_zero(connection: Connection[Any]) -> None:
    for one in PROJECTIONS.values():
        assert rebuilt(connection, one, batch_events=2).equal, one.name
    assert current_by_summary(connection) == current_by_index(connection)


Erasure = Callable[[Services, RegisteredBundle], Awaitable[Any]]


def document(units: bool) -> Erasure:
    return lambda opened, told: erase_document(
        opened, OPERATOR, told.patient, told.document, units=units, reason="asked for"
    )


def stream(which: Stream) -> Erasure:
    return lambda opened, told: erase_stream(opened, OPERATOR, told.patient, which, reason="asked for")


ALL = {
    "document": 3,
    "entry": 5,
    "summary": 2,
    "person": 1,
    "number": 2,
    "consent": 1,
    "correction_request": 1,
    "access": 1,
}
ERASURES: dict[str, tuple[Erasure, dict[str, int]]] = {
    "a document": (document(units=False), {"document": 1}),
    "a document with its units": (document(units=True), {"document": 1, "entry": 3, "summary": 1}),
    "the record": (
        stream(Stream.RECORD),
        {"document": 0, "entry": 0, "summary": 0, "person": 0, "number": 0, "correction_request": 0},
    ),
    "the consents": (stream(Stream.CONSENT), {"consent": 0}),
    "the accesses": (stream(Stream.ACCESS), {"access": 0}),
}


@pytest.mark.parametrize("lags", [False, True], ids=["a live projector", "a projector that lags"])
@pytest.mark.parametrize(("erase", "left"), ERASURES.values(), ids=ERASURES)
def test_what_is_left_after_an_erasure_is_what_a_rebuild_finds(
    run: Run, connection: Connection[Any], erase: Erasure, left: dict[str, int], lags: bool
) -> None:
    async def story(opened: Services) -> None:
        told = await a_life(opened)
        if not lags:
            catch_up(connection)
            assert held(connection) == ALL

        await erase(opened, told)
        catch_up(connection, batch_events=2)

        assert held(connection) == ALL | left
        the_same_from_zero(connection)
        await a_life(opened)
        catch_up(connection)
        the_same_from_zero(connection)

    run(story)


@pytest.mark.parametrize("units", [False, True], ids=["without units", "with units"])
@pytest.mark.parametrize("lags", [False, True], ids=["a live projector", "a projector that lags"])
def test_the_marks_of_an_erased_bundle_still_hide_what_was_sent_before(
    run: Run, connection: Connection[Any], lags: bool, units: bool
) -> None:
    async def story(opened: Services) -> None:
        first = await register_bundle(opened, CLINIC_SYSTEM, a_bundle(conditions=CONDITIONS))
        if not lags:
            catch_up(connection)
        marked = a_bundle(local_id="later", conditions=CONDITIONS, flags={"20054092": "UNINFORMED"})
        told = await register_bundle(opened, CLINIC_SYSTEM, marked)

        await document(units)(opened, told)
        catch_up(connection)

        entries = [
            row for row in live_rows(connection, "record_index", EntryRow) if row.document == first.document
        ]
        assert {row.name: row.flags_now for row in entries} == {
            "上腹部痛": [],
            "発熱": ["UNINFORMED"],
            "咳": [],
        }
        groups = [(row.flags, row.document) for row in live_rows(connection, "patient_summary", SummaryRow)]
        assert (["UNINFORMED"], first.document) in groups
        the_same_from_zero(connection)

    run(story)
