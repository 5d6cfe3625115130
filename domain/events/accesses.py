"""Access stream: of a patient who was looked at; of a facility or a person that was refused, or looked at the trail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.accesses import AccessAudit, AccessTold
from tsuzuri.domain.events.event import Event
from tsuzuri.domain.vocabulary import (
    IdentifiedBy,
    PurposeOfUse,
    RecordClass,
    RefusalReason,
    Role,
    Stream,
)


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
class WatcherTold(Event):
    """Somebody who watches a patient's record was told that it changed, or who looked. Stored before it is told.

    The patient reads of the watch, which began as an access, and not of this: told of a change that she does not see
    herself, she would know that something is kept from her.
    """

    TOPIC = "watcher-told"
    STREAM = Stream.ACCESS
    SEALED_APART = frozenset({"audit"})

    patient: UUID
    watch: UUID  # the access with which it began
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
    linked: Mapping[UUID, int] = field(default_factory=dict)  # as of an access: what it was decided on
    policies: Mapping[UUID, int] = field(default_factory=dict)
    decided_at: datetime | None = None
    readable: tuple[RecordClass, ...] = ()
    registered_here: bool = False
    identified_by: IdentifiedBy | None = None
    client: str | None = None


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
    client: str | None = None
