"""Whatever happened and whatever of it was erased, live rows are those of a rebuild, and none says what was erased."""

import asyncio
import itertools
import os
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import Connection

from examples import CLINIC, HOSPITAL, OPERATOR, a_bundle
from log_examples import copied_database, opened_events, opened_payloads, trail_read
from projection_examples import (
    BUNDLE_SYSTEM,
    bundle_value,
    catch_up,
    current_by_index,
    current_by_summary,
    live_rows,
    rebuilt,
)
from tsuzuri.app.actions.cancel_bundle import cancel_bundle
from tsuzuri.app.actions.erase import erase_document, erase_stream
from tsuzuri.app.actions.find_patient import find_patient
from tsuzuri.app.actions.grant_consent import grant_consent
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services, services
from tsuzuri.app.settings import Settings
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.erasures import NothingToErase
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.owners import document_id
from tsuzuri.domain.registrations import NothingToCancel
from tsuzuri.domain.vocabulary import DocumentKind, PurposeOfUse, RecordClass, Role, Stream
from tsuzuri.eventlog.appending import Beside
from tsuzuri.eventlog.mapper import ErasedEvent
from tsuzuri.projections.audit_trail import AccessRow
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.consent_register import ConsentRow
from tsuzuri.projections.record_rows import DocumentRow, EntryRow

CONDITIONS = {"20065011": "上腹部痛", "20054092": "発熱", "20051881": "咳"}
KIND = DocumentKind.CONDITIONS
_databases = itertools.count(1)


@dataclass(frozen=True)
class Bundle:
    """Where a Bundle lies: whose, whose sender, which."""

    number: str
    facility: str
    local_id: str

    @property
    def value(self) -> str:
        return bundle_value(self.local_id, self.facility)

    def of(self, patient: UUID) -> UUID:
        return document_id(patient, self.facility, BUNDLE_SYSTEM, self.value, KIND)


@dataclass(frozen=True)
class Register:
    bundle: Bundle
    codes: frozenset[str]
    marked: frozenset[str]

    def body(self) -> bytes:
        return a_bundle(
            facility=self.bundle.facility,
            local_id=self.bundle.local_id,
            number=self.bundle.number,
            conditions={code: CONDITIONS[code] for code in sorted(self.codes)},
            flags={code: "UNINFORMED" for code in sorted(self.marked)},
        )


@dataclass(frozen=True)
class Cancel:
    bundle: Bundle


@dataclass(frozen=True)
class ConsentAndLook:
    number: str


@dataclass(frozen=True)
class EraseDocument:
    bundle: Bundle
    units: bool


@dataclass(frozen=True)
class EraseStream:
    number: str
    stream: Stream


@dataclass(frozen=True)
class CatchUp:
    batch_events: int


Step = Register | Cancel | ConsentAndLook | EraseDocument | EraseStream | CatchUp
numbers = st.sampled_from(("00012345:あ:1:01", "00012345:あ:1:02"))
bundles = st.builds(Bundle, numbers, st.sampled_from((CLINIC, HOSPITAL)), st.sampled_from("ab"))
codes = st.frozensets(st.sampled_from(list(CONDITIONS)))
registers = st.builds(Register, bundles, codes.filter(bool), codes)
steps: st.SearchStrategy[Step] = st.one_of(
    registers,
    registers,
    registers,
    st.builds(Cancel, bundles),
    st.builds(ConsentAndLook, numbers),
    st.builds(EraseDocument, bundles, st.booleans()),
    st.builds(EraseStream, numbers, st.sampled_from(Stream)),
    st.builds(CatchUp, st.integers(1, 4)),
)


async def take(opened: Services, connection: Connection[Any], step: Step) -> None:
    """Do one step through the real action, if it can be done."""
    if isinstance(step, CatchUp):
        return catch_up(connection, batch_events=step.batch_events)
    number = step.number if isinstance(step, ConsentAndLook | EraseStream) else step.bundle.number
    key = InsuredPersonNumber.parse(number)
    patient, known = await find_patient(opened, key)
    match step:
        case Register(bundle):
            await register_bundle(opened, a_system(bundle.facility), step.body())
        case Cancel(bundle):
            try:
                caller = a_system(bundle.facility)
                await cancel_bundle(opened, caller, key, BUNDLE_SYSTEM, bundle.value, KIND, "")
            except NothingToCancel:
                pass
        case ConsentAndLook():
            classes, purpose = [RecordClass.CONDITION], PurposeOfUse.TREAT
            await grant_consent(opened, a_system(HOSPITAL), key, HOSPITAL, classes, purpose, None)
            patient, _ = await find_patient(opened, key)
            await opened.log.append_access([trail_read(patient)], Beside())
        case EraseDocument(bundle, units) if known:
            try:
                await erase_document(opened, OPERATOR, patient, bundle.of(patient), units=units, reason="")
            except NothingToErase:
                pass
        case EraseStream(_, stream) if known:
            await erase_stream(opened, OPERATOR, patient, stream, reason="")


def a_system(facility: str) -> Caller:
    return Caller(person="system", role=Role.SYSTEM, facility=facility)


async def live_through(
    settings: Settings, dsn: str, connection: Connection[Any], history: list[Step]
) -> None:
    async with services(settings, dsn) as opened:
        for step in history:
            await take(opened, connection, step)


def no_row_says_what_was_erased(connection: Connection[Any]) -> None:
    payloads = opened_payloads(connection).keys()
    events = {event.event_id for event in opened_events(connection) if not isinstance(event, ErasedEvent)}
    assert {row.unit for row in live_rows(connection, "record_index", EntryRow)} <= payloads
    assert {row.received for row in live_rows(connection, "record_index", DocumentRow)} <= payloads
    assert {row.access for row in live_rows(connection, "audit_trail", AccessRow)} <= events
    assert {row.because for row in live_rows(connection, "consent_register", ConsentRow)} <= events


def test_live_rows_equal_rebuilt_rows_whatever_was_erased(
    server_dsn: str, template: str, settings: Settings
) -> None:
    @hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(history=st.lists(steps, min_size=5, max_size=14))
    def any_history(history: list[Step]) -> None:
        with (
            copied_database(server_dsn, template, f"erased_{os.getpid()}_{next(_databases)}") as dsn,
            Connection.connect(dsn, autocommit=True) as connection,
        ):
            asyncio.run(live_through(settings, dsn, connection, history))
            catch_up(connection, batch_events=7)

            no_row_says_what_was_erased(connection)
            assert current_by_summary(connection) == current_by_index(connection)
            for one in PROJECTIONS.values():
                assert rebuilt(connection, one, batch_events=3).equal, one.name
            no_row_says_what_was_erased(connection)

    any_history()
