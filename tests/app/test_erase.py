"""Given a patient's record, when something of it is erased, then nobody reads it again and the log keeps its shape."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import Connection

from examples import (
    AUDITOR,
    CLINIC,
    CLINIC_SYSTEM,
    DOCTOR,
    HOSPITAL,
    HOSPITAL_SYSTEM,
    NUMBER,
    OPERATOR,
    a_bundle,
    herself,
)
from log_examples import (
    Run,
    everything,
    logins,
    opened_events,
    opened_payloads,
    trail_read,
)
from tsuzuri.app.actions.erase import erase_document, erase_stream, lift_hold, place_hold
from tsuzuri.app.actions.grant_consent import grant_consent
from tsuzuri.app.actions.load_streams import load_consents, load_record
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain import erasures, registrations
from tsuzuri.domain.events import (
    BundleRegistered,
    BundleReplaced,
    ConsentsErased,
    Erased,
    PayloadErased,
    RecordErased,
)
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.registrations import PatientRecord, RegisteredBundle
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Stream
from tsuzuri.eventlog.appending import Beside, Write
from tsuzuri.eventlog.data_keys import KeyUse
from tsuzuri.eventlog.key_keeping import KeyKeeper, keys_of_owner
from tsuzuri.eventlog.mapper import ErasedEvent

SHE, ANOTHER = InsuredPersonNumber.parse(NUMBER), "00054321:い:9:01"
LATER = "2026-11-21T10:00:00+09:00"
Story = Callable[[Services], Awaitable[Any]]


async def a_life(services: Services) -> RegisteredBundle:
    """A patient with a document of two versions, a consent and an access; and another patient beside her."""
    await register_bundle(services, CLINIC_SYSTEM, a_bundle())
    told = await register_bundle(services, CLINIC_SYSTEM, a_bundle(timestamp=LATER))
    classes, purpose = [RecordClass.CONDITION], PurposeOfUse.TREAT
    await grant_consent(services, HOSPITAL_SYSTEM, SHE, HOSPITAL, classes, purpose, None)
    await services.log.append_access([trail_read(told.patient)], Beside())
    await register_bundle(services, HOSPITAL_SYSTEM, a_bundle(number=ANOTHER, facility=HOSPITAL))
    return told


async def erased_document(services: Services, told: RegisteredBundle, *, units: bool) -> UUID:
    return await erase_document(
        services, OPERATOR, told.patient, told.document, units=units, reason="asked for"
    )


async def erased_stream(services: Services, patient: UUID, stream: Stream) -> UUID:
    return await erase_stream(services, OPERATOR, patient, stream, reason="asked for")


def rows(connection: Connection[Any]) -> dict[UUID, Any]:
    """Every event as it lies in the table, by its id. All leaf hashes hold."""
    found = connection.execute(
        """SELECT event_id, e::text, hash = leaf_hash(part, pos, event_id, patient_id, stream, version, topic, key_id,
                  state, recorded_at) FROM event e"""
    ).fetchall()
    assert all(holds for *_, holds in found)
    return {event_id: row for event_id, row, _ in found}


def unreadable(connection: Connection[Any]) -> set[str]:
    """Topics of the events that were erased."""
    return {event.topic for event in opened_events(connection) if isinstance(event, ErasedEvent)}


# --- what is erased


@pytest.mark.parametrize("units", [False, True], ids=["without units", "with units"])
def test_an_erased_document_is_gone_in_all_its_versions(
    run: Run, connection: Connection[Any], units: bool
) -> None:
    async def story(services: Services) -> None:
        told = await a_life(services)
        before, payloads = rows(connection), opened_payloads(connection)
        *_, first, second = await services.log.stream(told.patient, Stream.RECORD)
        assert isinstance(first, BundleRegistered) and isinstance(second, BundleReplaced)

        event_id = await erased_document(services, told, units=units)

        bodies = [payload for event in (first, second) for payload in (event.received, event.head)]
        entries = [unit.payload for event in (first, second) for unit in event.units]
        gone = {*bodies, *entries} if units else {*bodies}
        assert payloads.keys() - opened_payloads(connection).keys() == gone
        *_, again, said = await services.log.stream(told.patient, Stream.RECORD)
        assert again == second and isinstance(said, PayloadErased)
        assert (said.event_id, set(said.payloads)) == (event_id, gone)
        assert rows(connection).items() > before.items()

    run(story)


@pytest.mark.parametrize(
    ("stream", "topics"),
    [
        (Stream.RECORD, {"patient-identified", "bundle-registered", "bundle-replaced"}),
        (Stream.CONSENT, {"consent-granted"}),
        (Stream.ACCESS, {"trail-read"}),
    ],
)
def test_an_erased_stream_is_unreadable_and_every_event_keeps_place_time_and_hash(
    run: Run, connection: Connection[Any], stream: Stream, topics: set[str]
) -> None:
    async def story(services: Services) -> None:
        patient = (await a_life(services)).patient
        before, payloads = rows(connection), opened_payloads(connection)

        event_id = await erased_stream(services, patient, stream)

        assert unreadable(connection) == topics
        left = [
            event for event in await services.log.stream(patient, stream) if not isinstance(event, Erased)
        ]
        assert [type(event) for event in left] == ([RecordErased] if stream is Stream.RECORD else [])
        assert rows(connection).items() > before.items()
        assert rows(connection).keys() - before.keys() == {event_id}
        others = len(payloads) if stream is not Stream.RECORD else 3  # of the other patient
        assert len(opened_payloads(connection)) == others

    run(story)


def test_what_was_erased_comes_back_in_no_way_of_reading(run: Run) -> None:
    async def story(services: Services) -> None:
        patient = (await a_life(services)).patient
        for stream in (Stream.CONSENT, Stream.RECORD):
            await erased_stream(services, patient, stream)

        empty = PatientRecord(patient, version=5)
        assert await load_record(services, patient) == empty
        folded = await services.log.fold_many([patient], Stream.RECORD, registrations.evolve, PatientRecord)
        assert folded == {patient: empty}
        consents = await load_consents(services, patient)
        assert (consents.version, consents.grants) == (1, ())
        assert (await services.log.head(patient)).consents is None
        behind = [event for _, event in await services.log.record_events_behind(patient, 0)]
        assert [type(event) for event in behind] == [Erased] * 3 + [ConsentsErased, RecordErased]
        assert not any(NUMBER in repr(event) or "試験" in repr(event) for event in behind)

    run(story)


def test_after_her_record_was_erased_she_is_registered_anew_under_the_same_id(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        told = await a_life(services)
        await erased_stream(services, told.patient, Stream.RECORD)

        again = await register_bundle(services, CLINIC_SYSTEM, a_bundle(timestamp=LATER))

        assert (again.outcome, again.patient) == ("REGISTERED", told.patient)
        record = await load_record(services, told.patient)
        assert record.demographics is not None and record.demographics.name == "試験 花子"
        assert [one.accepted.facility for one in record.documents.values()] == [CLINIC]
        (document,) = record.documents.values()
        assert {*document.bodies, *document.units} <= opened_payloads(connection).keys()
        await erased_stream(services, told.patient, Stream.RECORD)
        assert (await load_record(services, told.patient)).documents == {}

    run(story)


def test_the_same_erasure_sent_again_changes_nothing_even_when_there_is_more_to_destroy(
    run: Run, dsn: str, connection: Connection[Any]
) -> None:
    """Its answer may be lost, and the patient be registered anew meanwhile."""

    async def story(services: Services) -> None:
        patient = (await a_life(services)).patient
        keeper = KeyKeeper(logins(dsn), services.ring, services.log.parts)
        event = erasures.erase_stream(
            await load_record(services, patient), Stream.RECORD, reason="", erased_by="", event_id=uuid4()
        )
        write = Write([services.log.mapper.to_stored_event(event)], Beside(narrows=True))
        uses = [KeyUse.RECORD, KeyUse.DOCUMENT, KeyUse.UNIT]
        keys = keys_of_owner(services.log.part_of(patient), patient, uses)
        keeper.destroy(write, keys)
        await register_bundle(services, CLINIC_SYSTEM, a_bundle())
        before = everything(connection)

        keeper.destroy(write, keys)

        assert everything(connection) == before

    run(story)


# --- who may, and what stands against it


@pytest.mark.parametrize(
    "caller", [DOCTOR, CLINIC_SYSTEM, herself(), AUDITOR], ids=lambda caller: caller.role
)
def test_only_an_operator_erases_and_only_she_or_an_auditor_holds(
    run: Run, connection: Connection[Any], caller: Any
) -> None:
    async def story(services: Services) -> None:
        told = await a_life(services)
        before = everything(connection)
        with pytest.raises(NotPermitted):
            await erase_document(services, caller, told.patient, told.document, units=True, reason="")
        with pytest.raises(NotPermitted):
            await erase_stream(services, caller, told.patient, Stream.RECORD, reason="")
        if caller is not AUDITOR:
            with pytest.raises(NotPermitted):
                await place_hold(services, caller, told.patient, reason="")
            with pytest.raises(NotPermitted):
                await lift_hold(services, caller, told.patient, uuid4(), reason="")
        assert everything(connection) == before

    run(story)
