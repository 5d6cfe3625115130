"""Whatever happened and whatever of it was erased, live rows are those of a rebuild, and none says what was erased."""

import asyncio
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import Connection

from examples import HOSPITAL, OPERATOR
from history_examples import (
    KIND,
    Bundle,
    Cancel,
    CatchUp,
    Register,
    a_system,
    bundles,
    cancels,
    catch_ups,
    database_of_a_history,
    numbers,
    registers,
    see_that_rebuilt_rows_are_equal,
)
from log_examples import opened_events, opened_payloads, trail_read
from projection_examples import BUNDLE_SYSTEM, catch_up, live_rows
from tsuzuri.app.actions.erase import erase_document, erase_stream
from tsuzuri.app.actions.find_patient import find_patient
from tsuzuri.app.actions.grant_consent import grant_consent
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services, services
from tsuzuri.app.settings import Settings
from tsuzuri.domain.corrections import NothingToCancel
from tsuzuri.domain.erasures import NothingToErase
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.owners import document_id
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Stream
from tsuzuri.eventlog.appending import Beside
from tsuzuri.eventlog.mapper import ErasedEvent
from tsuzuri.projections.audit_trail import AccessRow
from tsuzuri.projections.consent_register import ConsentRow
from tsuzuri.projections.record_rows import DocumentRow, EntryRow


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


Step = Register | Cancel | ConsentAndLook | EraseDocument | EraseStream | CatchUp
steps: st.SearchStrategy[Step] = st.one_of(
    registers,
    registers,
    registers,
    cancels,
    st.builds(ConsentAndLook, numbers),
    st.builds(EraseDocument, bundles, st.booleans()),
    st.builds(EraseStream, numbers, st.sampled_from(Stream)),
    catch_ups,
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
            await register_bundle(opened, bundle.sender, step.body())
        case Cancel():
            try:
                await step.take(opened)
            except NothingToCancel:
                pass
        case ConsentAndLook():
            classes, purpose = [RecordClass.CONDITION], PurposeOfUse.TREAT
            await grant_consent(opened, a_system(HOSPITAL), key, HOSPITAL, classes, purpose, None)
            patient, _ = await find_patient(opened, key)
            await opened.log.append_access([trail_read(patient)], Beside())
        case EraseDocument(bundle, units) if known:
            document = document_id(patient, bundle.facility, BUNDLE_SYSTEM, bundle.value, KIND)
            try:
                await erase_document(opened, OPERATOR, patient, document, units=units, reason="")
            except NothingToErase:
                pass
        case EraseStream(_, stream) if known:
            await erase_stream(opened, OPERATOR, patient, stream, reason="")


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
        with database_of_a_history(server_dsn, template) as (dsn, connection):
            asyncio.run(live_through(settings, dsn, connection, history))
            catch_up(connection, batch_events=7)

            no_row_says_what_was_erased(connection)
            see_that_rebuilt_rows_are_equal(connection)
            no_row_says_what_was_erased(connection)

    any_history()
