"""A facility's Bundle goes in: read, matched to its patient, and stored as events; or nothing is stored."""

from collections import defaultdict
from hashlib import sha256
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from tsuzuri.app.actions.load_streams import load_record
from tsuzuri.app.actions.match_patient import Match, match_patient
from tsuzuri.app.actions.refusals import ATTEMPTS, Busy, NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import Event, Unit
from tsuzuri.domain.record import Entry, Reading
from tsuzuri.domain.registrations import (
    Intake,
    PatientRecord,
    RegisteredBundle,
    Registration,
    document_key,
    evolve,
    identify,
    outcome,
    register,
)
from tsuzuri.domain.units import dump_document, dump_entries
from tsuzuri.domain.vocabulary import HIDING_FLAGS, RecordClass, Role
from tsuzuri.eventlog.appending import Beside, ClaimedElsewhere, Payload


async def register_bundle(
    services: Services, caller: Caller, received: bytes, *, on_behalf: bool = False
) -> RegisteredBundle:
    """Store a Bundle and what it says; the bytes are kept exactly as they came.

    *on_behalf*: an operator who stands at the machine may bring in any facility's Bundles.

    Raises:
        NotPermitted: the caller is no facility's system, or the Bundle names another facility as its sender.
        tsuzuri.domain.fhir.bundle.BundleRejected: it cannot be taken; place and reason are for the sender.
        Busy: try again.
    """
    if caller.role is not Role.SYSTEM and not (on_behalf and caller.role is Role.OPERATOR):
        raise NotPermitted("only a facility's own system registers Bundles")
    reading = await services.bundle_reader.read(received)
    if caller.role is Role.SYSTEM and caller.facility != reading.document.facility:
        raise NotPermitted("the Bundle names another facility as its sender than the token does")
    digest = sha256(received).hexdigest()
    for _ in range(ATTEMPTS):
        match = await match_patient(services, reading.subject)
        record = await load_record(services, match.patient)
        result = outcome(record, reading.document, digest)
        if result in (Registration.REGISTERED, Registration.REPLACED):
            intake, payloads = _intake(services, caller, reading, received, digest)
            events = _events(services, record, match, reading, intake)
            narrows = result is Registration.REPLACED or bool(intake.hides)
            beside = Beside(narrows=narrows, payloads=payloads, claims=match.claims)
            try:
                await services.log.save(*events, beside=beside)
            except (IntegrityError, ClaimedElsewhere):
                continue  # somebody else was faster: look again
        return RegisteredBundle(
            outcome=result,
            document=document_key(match.patient, reading.document),
            patient=match.patient,
            kind=reading.document.kind,
            entries=len(reading.entries),
            warnings=reading.warnings,
        )
    raise Busy("the patient's record was being changed; send the Bundle again")


def _events(
    services: Services, record: PatientRecord, match: Match, reading: Reading, intake: Intake
) -> list[Event]:
    """Who the patient is, when that is news; then the Bundle."""
    identified = identify(
        record,
        event_id=services.new_id(),
        facility=reading.document.facility,
        identifiers=match.identifiers,
        disputed=match.disputed,
        demographics=reading.subject.demographics,
    )
    if identified is None:
        return [register(record, reading.document, intake, event_id=services.new_id())]
    known = evolve(record, identified)
    return [identified, register(known, reading.document, intake, event_id=services.new_id())]


def _intake(
    services: Services, caller: Caller, reading: Reading, received: bytes, digest: str
) -> tuple[Intake, list[Payload]]:
    """The Bundle's payloads: the received bytes, the document, and the entries of each class by themselves."""
    by_class: dict[RecordClass, list[Entry]] = defaultdict(list)
    for entry in reading.entries:
        by_class[entry.record_class].append(entry)

    def payload(body: bytes) -> Payload:
        return Payload(services.new_id(), body)

    whole, head = payload(received), payload(dump_document(reading.document))
    units: list[Unit] = []
    bodies: list[Payload] = []
    for record_class in RecordClass:
        if entries := by_class.get(record_class):
            body = payload(dump_entries(entries))
            bodies.append(body)
            units.append(_unit(record_class, body.payload_id, body.body, len(entries)))
    intake = Intake(
        received=whole.payload_id,
        received_sha256=digest,
        received_bytes=len(received),
        head=head.payload_id,
        units=tuple(units),
        sender=caller.person,
        warnings=reading.warnings,
        hides=tuple(sorted({entry.fact for entry in reading.entries if HIDING_FLAGS & set(entry.flags)})),
    )
    return intake, [whole, head, *bodies]


def _unit(record_class: RecordClass, payload: UUID, body: bytes, entries: int) -> Unit:
    return Unit(record_class=record_class, payload=payload, sha256=sha256(body).hexdigest(), entries=entries)
