"""What becomes of one Bundle: the events and payloads that store it, decided on what the log holds of its patient."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import UUID

from tsuzuri.app.actions.find_patient import demographic_digests, sender_digest
from tsuzuri.app.actions.match_patient import Digests, Match, match_patient
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.corrections import ends_others, remarks
from tsuzuri.domain.demographics import known
from tsuzuri.domain.events import BundleRegistered, BundleReplaced, ConsentGranted, PatientIdentified, Unit
from tsuzuri.domain.record import Entry, Reading, Subject
from tsuzuri.domain.registrations import (
    Intake,
    PatientRecord,
    RegisteredBundle,
    Registration,
    document_key,
    evolve,
    hiding_marks,
    holder,
    identify,
    marked_at,
    outcome,
    register,
)
from tsuzuri.domain.scopes import SENT, rights
from tsuzuri.domain.units import dump_document, dump_entries
from tsuzuri.domain.vocabulary import DocumentKind, RecordClass, Role
from tsuzuri.eventlog.appending import Beside, Claim, Findable, Payload
from tsuzuri.eventlog.data_keys import KeyUse

StoringEvent = PatientIdentified | BundleRegistered | BundleReplaced | ConsentGranted


@dataclass(frozen=True)
class ReadBundle:
    """A Bundle as it came, and what it says."""

    received: bytes
    sha256: str  # hex
    reading: Reading
    digests: Digests  # of its subject's numbers


@dataclass(frozen=True)
class Decided:
    """What is to be stored, if anything, and what the sender is told once it is."""

    told: RegisteredBundle
    events: tuple[StoringEvent, ...]
    beside: Beside
    record: PatientRecord  # of the patient, with these events


def may_register(caller: Caller, *, on_behalf: bool) -> None:
    """Raises NotPermitted."""
    if caller.role is not Role.SYSTEM and not (on_behalf and caller.role is Role.OPERATOR):
        raise NotPermitted("only a facility's own system registers Bundles")
    if caller.role is Role.SYSTEM and not any(may_change(caller, kind, "c") for kind in SENT):
        raise NotPermitted("the token's scopes let nothing be registered")


def may_send(caller: Caller, reading: Reading) -> None:
    """Raises NotPermitted."""
    if caller.role is Role.SYSTEM and caller.facility != reading.document.facility:
        raise NotPermitted("the Bundle names another facility as its sender than the token does")
    if caller.role is Role.SYSTEM and not may_change(caller, reading.document.kind, "c"):
        raise NotPermitted(
            f"to register this, the token's scope holds system/{SENT[reading.document.kind]}.c"
        )


def may_change(caller: Caller, kind: DocumentKind, right: str) -> bool:
    """Whether the token's scopes cover this with Bundles of this kind: c, u or d."""
    return right in rights(caller.role, caller.scopes, SENT[kind])


def decide_bundle(
    services: Services,
    caller: Caller,
    bundle: ReadBundle,
    owners: Mapping[bytes, UUID],
    records: Mapping[UUID, PatientRecord],
    codes: str,
) -> Decided:
    """*owners*: whose the digests of the Bundle's numbers are; *records*: of all of these patients.

    *codes*: the code release in force.
    """
    reading = bundle.reading
    document = reading.document
    match = match_patient(
        reading.subject, bundle.digests, owners, records, document.timestamp, services.new_id
    )
    record = holder(match.record, document, records)
    scope = (document.department or "") if services.sets_by_department else ""
    result = outcome(record, document, bundle.sha256)
    warnings = (*reading.warnings, *remarks(record, document, scope))
    told = RegisteredBundle(
        outcome=result,
        document=document_key(record.patient, document),
        patient=record.patient,
        kind=document.kind,
        entries=len(reading.entries),
        warnings=warnings,
    )
    if result not in (Registration.REGISTERED, Registration.REPLACED):
        return Decided(told, (), Beside(), record)
    intake, payloads = _intake(services, caller, bundle, codes=codes, scope=scope, warnings=warnings)
    # What is said under one number may end or hide what was said under another of the same person.
    ends = ends_others(record, document, scope) or bool(record.links)
    narrows = result is Registration.REPLACED or bool(intake.hides) or ends
    beside = Beside(narrows=narrows, payloads=payloads, claims=_first_of(services, record, document.facility))
    if record.patient != match.record.patient:  # who she is, her own next Bundle will tell
        registered = register(record, document, intake, event_id=services.new_id())
        return Decided(told, (registered,), beside, evolve(record, registered))
    events, record = _events(services, match, reading, intake)
    claims = (*beside.claims, *match.claims)
    findable = (
        _findable(services, record.patient, reading.subject)
        if isinstance(events[0], PatientIdentified)
        else ()
    )
    return Decided(told, events, replace(beside, claims=claims, findable=findable), record)


def _findable(services: Services, patient: UUID, subject: Subject) -> tuple[Findable, ...]:
    """By what this Bundle says of the patient she may be found without a card."""
    digests = demographic_digests(services.number_key, known(subject.demographics, subject.insured_person))
    return tuple(Findable(digest, patient) for digest in digests)


def _first_of(services: Services, record: PatientRecord, facility: str) -> tuple[Claim, ...]:
    """With a facility's first Bundle of a patient it is noted that it has registered something of her."""
    if any(known.accepted.facility == facility for known in record.documents.values()):
        return ()
    return (Claim(sender_digest(services.number_key, facility, record.patient), record.patient),)


def _events(
    services: Services, match: Match, reading: Reading, intake: Intake
) -> tuple[tuple[StoringEvent, ...], PatientRecord]:
    """Who the patient is, when that is news; then the Bundle."""
    record = match.record
    identified = identify(
        record,
        event_id=services.new_id(),
        facility=reading.document.facility,
        identifiers=match.identifiers,
        disputed=match.disputed,
        periods=match.periods,
        unmatched=match.unmatched,
        demographics=reading.subject.demographics,
    )
    if identified is not None:
        record = evolve(record, identified)
    registered = register(record, reading.document, intake, event_id=services.new_id())
    events = (registered,) if identified is None else (identified, registered)
    return events, evolve(record, registered)


def _intake(
    services: Services,
    caller: Caller,
    bundle: ReadBundle,
    *,
    codes: str,
    scope: str,
    warnings: tuple[str, ...],
) -> tuple[Intake, list[Payload]]:
    """The Bundle's payloads: the received bytes, the document, and the entries of each class by themselves."""
    reading = bundle.reading
    by_class: dict[RecordClass, list[Entry]] = defaultdict(list)
    for entry in reading.entries:
        by_class[entry.record_class].append(entry)

    document_secret = services.new_id()
    whole = Payload(services.new_id(), bundle.received, document_secret, KeyUse.DOCUMENT)
    head = Payload(services.new_id(), dump_document(reading.document), document_secret, KeyUse.DOCUMENT)
    units: list[Unit] = []
    bodies: list[Payload] = []
    for record_class in RecordClass:
        if entries := by_class.get(record_class):
            body = Payload(services.new_id(), dump_entries(entries), services.new_id(), KeyUse.UNIT)
            bodies.append(body)
            units.append(_unit(record_class, body.payload_id, body.body, len(entries)))
    intake = Intake(
        received=whole.payload_id,
        received_sha256=bundle.sha256,
        received_bytes=len(bundle.received),
        head=head.payload_id,
        units=tuple(units),
        sender=caller.person,
        rules=reading.rules,
        codes=codes,
        scope=scope,
        warnings=warnings,
        hides=hiding_marks(reading.entries),
        marked_at=marked_at(reading.entries),
    )
    return intake, [whole, head, *bodies]


def _unit(record_class: RecordClass, payload: UUID, body: bytes, entries: int) -> Unit:
    return Unit(record_class=record_class, payload=payload, sha256=sha256(body).hexdigest(), entries=entries)
