"""Every event of Tsuzuri, in the past tense, for ever.

A new field has a plain default, which old events read back. A new meaning is a new event. TOPIC is what is
stored: never renamed, never reused. Times are aware, UTC. An event's owner (a patient, a facility) and its
stream make up its originator, "<owner>/<stream>".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from tsuzuri.domain.accesses import AccessAudit, AccessTold
from tsuzuri.domain.record import Demographics
from tsuzuri.domain.vocabulary import (
    DocumentKind,
    Flag,
    OperatorAct,
    PurposeOfUse,
    RecordClass,
    RefusalReason,
    Role,
    Stream,
)


def originator(owner: UUID, stream: Stream) -> str:
    """Names one stream of one owner, as the eventsourcing library asks: "<owner>/<stream>"."""
    return f"{owner}/{stream.name.lower()}"


@dataclass(frozen=True, kw_only=True)
class Event:
    """What all events have. The log sets place, time and hash; `event_id` makes an append safe to repeat."""

    TOPIC: ClassVar[str]
    STREAM: ClassVar[Stream]
    SEALED_APART: ClassVar[frozenset[str]] = (
        frozenset()
    )  # fields that not everybody who reads the rest may read

    originator_id: str
    originator_version: int  # from 1; 0 in the access stream, whose events carry no version
    event_id: UUID


@dataclass(frozen=True, kw_only=True)
class Erased(Event):
    """An event whose key was destroyed, as a reader meets it. Never stored: the row keeps its topic and its seal."""

    topic: str


@dataclass(frozen=True, kw_only=True)
class Unreadable(Event):
    """An event that this program cannot decode, as a reader meets it: what it says is not known. Never stored."""

    topic: str


# --- record stream of a patient -------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Identifier:
    """One number of a patient, in its one spelling."""

    system: str
    value: str


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
    touches: tuple[RecordClass, ...] = ()  # classes of which something begins or ends with this event
    rules: str = ""  # the version of the rules it was checked against: "clins-1.10 1 5be0c1d2"


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
class PayloadErased(Event):
    """Bytes of a Bundle became unreadable for ever: their key was destroyed in the same transaction."""

    TOPIC = "payload-erased"
    STREAM = Stream.RECORD

    patient: UUID
    document: UUID
    payloads: tuple[UUID, ...]
    reason: str
    erased_by: str  # person or system id
    touches: tuple[RecordClass, ...] = ()  # classes of which something may end with this event


@dataclass(frozen=True, kw_only=True)
class StreamErased(Event):
    """All that was in one stream until now became unreadable for ever. Each stream has a topic of its own.

    So that the removal can be repeated when this event has become unreadable itself, with the record it lies in:
    then `reason` and `erased_by` are None, and the topic, which lies in the clear, tells the rest.
    """

    ERASES: ClassVar[Stream]
    STREAM = Stream.RECORD

    reason: str | None
    erased_by: str | None


@dataclass(frozen=True, kw_only=True)
class RecordErased(StreamErased):
    """With all payloads of the record's documents, and what was read from them."""

    TOPIC = "record-erased"
    ERASES = Stream.RECORD


@dataclass(frozen=True, kw_only=True)
class ConsentsErased(StreamErased):
    TOPIC = "consents-erased"
    ERASES = Stream.CONSENT


@dataclass(frozen=True, kw_only=True)
class AccessesErased(StreamErased):
    """The list of who looked."""

    TOPIC = "accesses-erased"
    ERASES = Stream.ACCESS


@dataclass(frozen=True, kw_only=True)
class HoldPlaced(Event):
    """Nothing of this patient may be erased, until the hold is lifted. The event's id names the hold."""

    TOPIC = "hold-placed"
    STREAM = Stream.RECORD

    patient: UUID
    reason: str
    placed_by: str


@dataclass(frozen=True, kw_only=True)
class HoldLifted(Event):
    """A hold is over."""

    TOPIC = "hold-lifted"
    STREAM = Stream.RECORD

    patient: UUID
    hold: UUID
    reason: str
    lifted_by: str


# --- consent stream of a patient ------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ConsentGranted(Event):
    """The patient lets one facility read the listed classes for one purpose, from one moment to another."""

    TOPIC = "consent-granted"
    STREAM = Stream.CONSENT

    patient: UUID
    facility: str
    classes: tuple[RecordClass, ...]  # a class that is not listed is never covered
    purpose: PurposeOfUse
    since: datetime  # inclusive
    until: datetime  # exclusive
    given: str  # how: "card-reader", "oral", "patient"; a later grant given so takes the place of the earlier
    recorded_by: str  # person or system id


@dataclass(frozen=True, kw_only=True)
class ConsentWithdrawn(Event):
    """The patient takes back what one facility may read. No classes listed means all of them."""

    TOPIC = "consent-withdrawn"
    STREAM = Stream.CONSENT

    patient: UUID
    facility: str
    classes: tuple[RecordClass, ...] = ()
    recorded_by: str
    given: str | None = None  # only what was given in this way; None: however it was given


# --- access stream --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AccessPermitted(Event):
    """A read of one patient's record was permitted and answered. Stored before the answer leaves."""

    TOPIC = "access-permitted"
    STREAM = Stream.ACCESS
    SEALED_APART = frozenset({"audit"})

    patient: UUID
    told: AccessTold
    audit: AccessAudit


@dataclass(frozen=True, kw_only=True)
class AccessRefused(Event):
    """A read was refused. Kept in the asking facility's own stream: the patient's stays as it was."""

    TOPIC = "access-refused"
    STREAM = Stream.ACCESS

    patient: UUID | None  # whom the caller named; None when nobody has that number
    person: str
    role: Role
    facility: str | None
    purpose: PurposeOfUse
    reason: RefusalReason
    operation_sha256: str
    operation_name: str | None
    variables_sha256: (
        str  # hex; the variables themselves may hold the patient's number, and this is not her stream
    )
    consent_version: int
    session: str | None = None


@dataclass(frozen=True, kw_only=True)
class BundleRefused(Event):
    """A Bundle was not taken. Kept in the sender's own stream, without anything of what it held."""

    TOPIC = "bundle-refused"
    STREAM = Stream.ACCESS

    facility: str | None  # the sender's, as its token says; None for an operator who stands at the machine
    sender: str
    received_sha256: str  # hex: who sent it can find it again
    received_bytes: int
    place: str  # the first thing wrong, as a FHIR path, a line or a byte
    rules: str  # the version of the rules that were asked
    broken: tuple[str, ...]  # the rules that keep it out, each once; none when it could not be read that far
    session: str | None = None


@dataclass(frozen=True, kw_only=True)
class TrailRead(Event):
    """Somebody read the audit trail. Kept in the reader's own stream, and shown in the trail itself."""

    TOPIC = "trail-read"
    STREAM = Stream.ACCESS

    person: str
    role: Role
    patient: UUID | None  # whose accesses were asked for, when one patient's
    operation_sha256: str
    operation_name: str | None
    variables: str
    shown: int
    session: str | None = None


# --- record stream of a facility ------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class FacilityListed(Event):
    """The operating body entered a facility, or changed its entry."""

    TOPIC = "facility-listed"
    STREAM = Stream.RECORD

    facility: str
    name: str
    kind: str  # HOSPITAL, CLINIC, DENTAL, PHARMACY, CHECKUP_CENTRE
    municipality: str | None = None
    municipality_name: str | None = None
    departments: tuple[str, ...] = ()
    emergency: bool = False  # may use emergency access
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class OperatorActed(Event):
    """An operator ordered something of a projection. Stored before it is carried out; an order repeated is harmless."""

    TOPIC = "operator-acted"
    STREAM = Stream.RECORD

    projection: str
    act: OperatorAct
    generation: int | None = None
    patient: UUID | None = None
    skipped: UUID | None = None  # the event that is left out
    reason: str | None
    ticket: str | None  # of the operators' own tracker
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class CodeReleaseTaken(Event):
    """A release of the codes was taken up: generations made from now on are filled under it."""

    TOPIC = "code-release-taken"
    STREAM = Stream.RECORD

    release: str  # its name, which stays with these bytes
    sha256: str  # hex, of the payload's bytes
    codes: int  # how many entries it has
    payload: UUID  # the release as canonical CSV
    recorded_by: str


EVENTS: tuple[type[Event], ...] = (
    PatientIdentified,
    BundleRegistered,
    BundleReplaced,
    BundleCancelled,
    PayloadErased,
    RecordErased,
    ConsentsErased,
    AccessesErased,
    HoldPlaced,
    HoldLifted,
    ConsentGranted,
    ConsentWithdrawn,
    AccessPermitted,
    AccessRefused,
    BundleRefused,
    TrailRead,
    FacilityListed,
    OperatorActed,
    CodeReleaseTaken,
)
"""The whole vocabulary. What is not here is not in the log."""
