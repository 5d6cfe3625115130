"""What a patient's registered Bundles add up to, and what becomes of one more.

The key of a Bundle is (patient, facility, system, value, document kind). Under one key the same bytes give
the same answer, other bytes replace, and bytes already superseded change nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from tsuzuri.domain.events import (
    BundleAccepted,
    BundleCancelled,
    BundleRegistered,
    BundleReplaced,
    BundleRestored,
    CorrectionAnswered,
    CorrectionRequested,
    CorrectionRequestTakenBack,
    Erased,
    HoldLifted,
    HoldPlaced,
    Identifier,
    IdentitySettled,
    Link,
    NumberPeriod,
    PatientIdentified,
    PatientsLinked,
    PatientsUnlinked,
    PayloadErased,
    ReferralReceived,
    StreamErased,
    Unit,
    UnmatchedIdentity,
    originator,
)
from tsuzuri.domain.owners import document_id
from tsuzuri.domain.record import Demographics, Document, Entry, Period
from tsuzuri.domain.unmatched import Key, key, queued
from tsuzuri.domain.vocabulary import (
    DOCUMENT_CLASSES,
    HIDING_FLAGS,
    REPLACEMENT_SETS,
    DocumentKind,
    Flag,
    RecordClass,
    Stream,
    in_order,
)


class Registration(StrEnum):
    """What became of a Bundle that was sent."""

    REGISTERED = "REGISTERED"
    REPLACED = "REPLACED"
    UNCHANGED = "UNCHANGED"
    SUPERSEDED = "SUPERSEDED"


@dataclass(frozen=True)
class RegisteredBundle:
    """What became of a Bundle, for whoever sent it."""

    outcome: Registration
    document: UUID
    patient: UUID
    kind: DocumentKind
    entries: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Intake:
    """What intake knows of a Bundle beyond what it says: where its bytes and units will lie, who sent it."""

    received: UUID
    received_sha256: str
    received_bytes: int
    head: UUID
    units: tuple[Unit, ...]
    sender: str
    rules: str
    codes: str = ""
    scope: str = ""
    warnings: tuple[str, ...] = ()
    hides: Mapping[str, tuple[Flag, ...]] = field(default_factory=dict)
    marked_at: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """What one version of a Bundle still has: payloads that were not erased."""

    received: UUID  # names it, whether its bytes are left or not
    bodies: tuple[UUID, ...]  # received bytes and document; they have one key
    units: tuple[Unit, ...]

    def without(self, erased: Collection[UUID]) -> "Version":
        return Version(
            self.received,
            tuple(payload for payload in self.bodies if payload not in erased),
            tuple(unit for unit in self.units if unit.payload not in erased),
        )


@dataclass(frozen=True)
class Registered:
    """One key: the version in force (when cancelled, the one that was), and what came before."""

    accepted: BundleAccepted
    superseded: frozenset[str] = frozenset()  # digests of all earlier versions
    cancelled_by: UUID | None = None  # event id of the cancellation
    received_by: UUID | None = None  # of a referral: event id of the receipt of the version in force
    versions: tuple[Version, ...] = ()  # the oldest first; the last is the accepted one

    @property
    def cancelled(self) -> bool:
        return self.cancelled_by is not None

    @property
    def bodies(self) -> tuple[UUID, ...]:
        """Payloads of all versions: received bytes and documents."""
        return tuple(payload for version in self.versions for payload in version.bodies)

    @property
    def units(self) -> tuple[UUID, ...]:
        """Payloads of all versions: entries of one class."""
        return tuple(unit.payload for version in self.versions for unit in version.units)


@dataclass(frozen=True)
class PatientRecord:
    """One patient's record stream so far. A patient never seen has nothing."""

    patient: UUID
    version: int = 0
    documents: Mapping[UUID, Registered] = field(default_factory=dict)
    identifiers: frozenset[tuple[str, str]] = frozenset()
    disputed: frozenset[tuple[str, str]] = frozenset()
    demographics: Demographics | None = None
    periods: Mapping[tuple[str, str], Period] = field(default_factory=dict)  # of identifiers, where stated
    unmatched: frozenset[Key] = frozenset()  # all there ever was to look at
    unsettled: frozenset[UUID] = frozenset()  # what of it waits for an operator
    links: tuple[Link, ...] = ()  # of the whole set of patients who are this person: see domain/links.py
    holds: frozenset[UUID] = frozenset()


RecordEvent = (
    PatientIdentified
    | IdentitySettled
    | PatientsLinked
    | PatientsUnlinked
    | BundleRegistered
    | BundleReplaced
    | BundleRestored
    | BundleCancelled
    | ReferralReceived
    | CorrectionRequested
    | CorrectionAnswered
    | CorrectionRequestTakenBack
    | PayloadErased
    | StreamErased
    | HoldPlaced
    | HoldLifted
    | Erased
)


def evolve(record: PatientRecord, event: RecordEvent) -> PatientRecord:
    documents = dict(record.documents)
    changed = replace(record, version=event.originator_version, documents=documents)
    match event:
        case PatientIdentified():
            return replace(
                changed,
                identifiers=record.identifiers | {(i.system, i.value) for i in event.identifiers},
                disputed=record.disputed | {(i.system, i.value) for i in event.disputed},
                demographics=event.demographics,
                periods={
                    **record.periods,
                    **{(p.system, p.value): Period(since=p.since, until=p.until) for p in event.periods},
                },
                unmatched=record.unmatched
                | {key(one, event.facility, event.demographics) for one in event.unmatched},
                unsettled=record.unsettled | queued(event, record.disputed).keys(),
            )
        case BundleRestored():
            documents[event.document] = replace(documents[event.document], accepted=event, cancelled_by=None)
        case IdentitySettled():
            return replace(changed, unsettled=record.unsettled - {event.identity})
        case PatientsLinked() | PatientsUnlinked():
            return replace(changed, links=event.links)
        case BundleRegistered() | BundleReplaced():
            before = documents.get(event.document)
            past = frozenset[str]()
            if before is not None:
                past = before.superseded | {before.accepted.received_sha256}
            version = Version(event.received, (event.received, event.head), event.units)
            documents[event.document] = Registered(
                event, past, versions=(*(before.versions if before else ()), version)
            )
        case BundleCancelled():
            documents[event.document] = replace(documents[event.document], cancelled_by=event.event_id)
        case ReferralReceived():
            documents[event.document] = replace(documents[event.document], received_by=event.event_id)
        case PayloadErased():
            if held := documents.get(event.document):
                left = tuple(version.without(event.payloads) for version in held.versions)
                documents[event.document] = replace(held, versions=left)
        case HoldPlaced():
            return replace(changed, holds=record.holds | {event.event_id})
        case HoldLifted():
            return replace(changed, holds=record.holds - {event.hold})
        case CorrectionRequested() | CorrectionAnswered() | CorrectionRequestTakenBack():
            pass  # nothing of the record changes: see domain/correction_requests.py
        case StreamErased() | Erased():
            pass  # what was erased is not here any more; what came after it is
        case _:
            assert_never(event)
    return changed


def outcome(record: PatientRecord, document: Document, sha256: str) -> Registration:
    """What would become of these bytes, without saying it as an event yet.

    Bytes of a cancelled Bundle are superseded too: a delayed copy must not bring it back.
    """
    known = record.documents.get(document_key(record.patient, document))
    if known is None:
        return Registration.REGISTERED
    in_force = known.accepted.received_sha256
    if sha256 in known.superseded or (known.cancelled and sha256 == in_force):
        return Registration.SUPERSEDED
    if known.cancelled:
        return Registration.REGISTERED
    return Registration.UNCHANGED if sha256 == in_force else Registration.REPLACED


def identify(
    record: PatientRecord,
    *,
    event_id: UUID,
    facility: str,
    identifiers: tuple[Identifier, ...],
    disputed: tuple[Identifier, ...],
    demographics: Demographics,
    periods: tuple[NumberPeriod, ...] = (),
    unmatched: tuple[UnmatchedIdentity, ...] = (),
) -> PatientIdentified | None:
    """An event when the facility says something new about who the patient is, else None."""
    new = {(i.system, i.value) for i in identifiers} - record.identifiers
    dispute = {(i.system, i.value) for i in disputed} - record.disputed
    stated = any(
        record.periods.get((p.system, p.value)) != Period(since=p.since, until=p.until) for p in periods
    )
    doubts = tuple(one for one in unmatched if key(one, facility, demographics) not in record.unmatched)
    if not (new or dispute or stated or doubts) and demographics == record.demographics:
        return None
    return PatientIdentified(
        originator_id=originator(record.patient, Stream.RECORD),
        originator_version=record.version + 1,
        event_id=event_id,
        patient=record.patient,
        facility=facility,
        identifiers=identifiers,
        demographics=demographics,
        disputed=disputed,
        periods=periods,
        unmatched=doubts,
    )


def register(
    record: PatientRecord, document: Document, intake: Intake, *, event_id: UUID
) -> BundleRegistered | BundleReplaced:
    """The event that stores a Bundle. Call it only when `outcome` said REGISTERED or REPLACED."""
    document_uuid = document_key(record.patient, document)
    registered = BundleRegistered(
        originator_id=originator(record.patient, Stream.RECORD),
        originator_version=record.version + 1,
        event_id=event_id,
        patient=record.patient,
        document=document_uuid,
        kind=document.kind,
        facility=document.facility,
        system=document.system,
        value=document.value,
        timestamp=document.timestamp,
        received=intake.received,
        received_sha256=intake.received_sha256,
        received_bytes=intake.received_bytes,
        head=intake.head,
        units=intake.units,
        sender=intake.sender,
        rules=intake.rules,
        codes=intake.codes,
        recipient=document.recipient,
        scope=intake.scope,
        warnings=intake.warnings,
        hides=intake.hides,
        marked_at=intake.marked_at,
        touches=_classes(document.kind, intake.units),
    )
    known = record.documents.get(document_uuid)
    if known is None or known.cancelled:
        return registered
    touched = {*registered.touches, *classes_of(known.accepted)}
    touches = in_order(touched)
    return BundleReplaced(**vars(registered) | {"touches": touches}, replaces=known.accepted.event_id)


def classes_of(accepted: BundleAccepted) -> tuple[RecordClass, ...]:
    """The classes a Bundle says something of."""
    return _classes(accepted.kind, accepted.units)


def _classes(kind: DocumentKind, units: tuple[Unit, ...]) -> tuple[RecordClass, ...]:
    """Its entries', its own when it is a document, and those it tells all of: an empty set ends what was there."""
    held = {unit.record_class for unit in units} | {DOCUMENT_CLASSES.get(kind)}
    held |= set(REPLACEMENT_SETS.get(kind, ()))
    return in_order(held)


def holder(record: PatientRecord, document: Document, records: Mapping[UUID, PatientRecord]) -> PatientRecord:
    """Of those who are the same person, who has this document already; else the patient herself.

    *records*: of all of them.
    """
    linked = {one for link in record.links for one in (link.survivor, link.other)} - {record.patient}
    others = (records[one] for one in sorted(linked))
    holders = (one for one in (record, *others) if document_key(one.patient, document) in one.documents)
    return next(holders, record)


def hiding_marks(entries: Iterable[Entry]) -> dict[str, tuple[Flag, ...]]:
    """Facts that carry a hiding mark in a Bundle, and which: what hides one entry of a fact hides all of it."""
    found: dict[str, set[Flag]] = {}
    for entry in entries:
        if hiding := HIDING_FLAGS & set(entry.flags):
            found.setdefault(entry.fact, set()).update(hiding)
    return {fact: tuple(sorted(flags)) for fact, flags in sorted(found.items())}


def marked_at(entries: Iterable[Entry]) -> dict[str, datetime]:
    """Of these facts, when their marks were set or last changed: aware, UTC. Who does not say so is left out."""
    found: dict[str, datetime] = {}
    for entry in entries:
        if entry.flagged_at is not None and HIDING_FLAGS & set(entry.flags):
            found[entry.fact] = max(entry.flagged_at, found.get(entry.fact, entry.flagged_at))
    return dict(sorted(found.items()))


def document_key(patient: UUID, document: Document) -> UUID:
    """The id under which all versions of this document lie."""
    return document_id(patient, document.facility, document.system, document.value, document.kind)
