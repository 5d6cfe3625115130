"""Record stream of a patient: who she is, and what facilities sent of her."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.events.event import Event
from tsuzuri.domain.record import Demographics
from tsuzuri.domain.vocabulary import DocumentKind, Flag, RecordClass, Stream, UnmatchedReason


@dataclass(frozen=True, kw_only=True)
class Identifier:
    """One number of a patient, in its one spelling."""

    system: str
    value: str


@dataclass(frozen=True, kw_only=True)
class NumberPeriod:
    """When a number of a patient's holds, as the facility stated it. Aware, UTC."""

    system: str
    value: str
    since: datetime | None  # inclusive
    until: datetime | None  # exclusive


@dataclass(frozen=True, kw_only=True)
class UnmatchedIdentity:
    """A reason to look at whom a Bundle was taken to be about."""

    reason: UnmatchedReason
    other: UUID | None = None  # the other patient it may concern
    number: Identifier | None = None  # the number in question


@dataclass(frozen=True, kw_only=True)
class PatientIdentified(Event):
    """A facility named a patient by these numbers, with this name, for the first time or anew."""

    TOPIC = "patient-identified"
    STREAM = Stream.RECORD

    patient: UUID
    facility: str  # who said so, 10 digits
    identifiers: tuple[Identifier, ...]
    demographics: Demographics
    disputed: tuple[Identifier, ...] = ()  # numbers the Bundle carried that belong to another patient
    periods: tuple[NumberPeriod, ...] = ()  # of the numbers that are hers
    unmatched: tuple[UnmatchedIdentity, ...] = ()  # what is not certain about it, where that is news


@dataclass(frozen=True, kw_only=True)
class IdentitySettled(Event):
    """An operator has looked at an unmatched identity and decided. It leaves the queue; no number changes hands."""

    TOPIC = "identity-settled"
    STREAM = Stream.RECORD

    patient: UUID
    identity: UUID  # as the queue names it
    reason: str
    settled_by: str


@dataclass(frozen=True, kw_only=True)
class Unit:
    """The entries of one class taken out of a Bundle, kept as a payload of their own: they may outlive it."""

    record_class: RecordClass
    payload: UUID
    sha256: str  # hex, of the payload's bytes
    entries: int


@dataclass(frozen=True, kw_only=True)
class BundleAccepted(Event):
    """What registering and replacing have in common."""

    patient: UUID
    document: UUID  # the same for every version under one key
    kind: DocumentKind
    facility: str
    system: str  # Bundle.identifier
    value: str
    timestamp: datetime  # Bundle.timestamp
    received: UUID  # payload: the bytes exactly as they came
    received_sha256: str  # hex
    received_bytes: int
    head: UUID  # payload: the Document as read
    units: tuple[Unit, ...]
    sender: str  # the caller's person or system id
    warnings: tuple[str, ...] = ()
    hides: Mapping[str, tuple[Flag, ...]] = field(default_factory=dict)
    """Facts that carry a hiding mark, and which: here and wherever the facility sent them before."""
    marked_at: Mapping[str, datetime] = field(default_factory=dict)
    """When their marks were set or last changed, where the sender says so."""
    touches: tuple[RecordClass, ...] = ()  # classes of which something begins or ends with this event
    rules: str = ""  # the version of the rules it was checked against: "clins-1.10 1 5be0c1d2"
    codes: str = ""  # the code release in force
    recipient: str | None = None  # 紹介先, 10 digits: whom a referral is addressed to
    scope: str = ""  # the department whose set it is, where sets are kept by department; else the facility's


@dataclass(frozen=True, kw_only=True)
class BundleRegistered(BundleAccepted):
    """A facility registered a Bundle under a key that held nothing."""

    TOPIC = "bundle-registered"
    STREAM = Stream.RECORD


@dataclass(frozen=True, kw_only=True)
class BundleReplaced(BundleAccepted):
    """A facility sent other bytes under the same key: delete and insert in one."""

    TOPIC = "bundle-replaced"
    STREAM = Stream.RECORD

    replaces: UUID  # event id of the version that ends


@dataclass(frozen=True, kw_only=True)
class BundleRestored(BundleAccepted):
    """取消UNDO: the facility took its cancellation back. The version that was cancelled is in force again."""

    TOPIC = "bundle-restored"
    STREAM = Stream.RECORD

    restores: UUID  # event id of the cancellation
    reason: str


@dataclass(frozen=True, kw_only=True)
class BundleCancelled(Event):
    """取消: the facility took its Bundle back. It is hidden at every `asOf`; the log keeps it."""

    TOPIC = "bundle-cancelled"
    STREAM = Stream.RECORD

    patient: UUID
    document: UUID
    facility: str
    cancels: UUID  # event id of the version in force
    reason: str
    sender: str
    touches: tuple[RecordClass, ...] = ()  # classes of which something ends with this event


@dataclass(frozen=True, kw_only=True)
class ReferralReceived(Event):
    """取得: the facility that a referral is addressed to has taken it over. It is kept for a week from here on."""

    TOPIC = "referral-received"
    STREAM = Stream.RECORD

    patient: UUID
    document: UUID
    facility: str  # the recipient
    receives: UUID  # event id of the version in force
    received_by: str  # person or system id
