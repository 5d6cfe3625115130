"""Consent stream of a patient."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.events.event import Event
from tsuzuri.domain.vocabulary import ProxyRelation, PurposeOfUse, RecordClass, Stream


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
    document: UUID | None = None  # the one referral it is for; None: whatever is of the classes


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
    document: UUID | None = None  # only what was given for this one referral


@dataclass(frozen=True, kw_only=True)
class ConsentDenied(Event):
    """The patient refuses (拒否): no consent, given before or after, lets this through until the denial is lifted."""

    TOPIC = "consent-denied"
    STREAM = Stream.CONSENT

    patient: UUID
    facility: str | None  # None: to every facility
    classes: tuple[RecordClass, ...] = ()  # none listed: all of them
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class DenialLifted(Event):
    """The patient takes a denial back. What was consented to counts again."""

    TOPIC = "denial-lifted"
    STREAM = Stream.CONSENT

    patient: UUID
    denial: UUID  # event id of the denial
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class ProxyAppointed(Event):
    """代理人: somebody sees exactly what the patient sees, from one moment to another."""

    TOPIC = "proxy-appointed"
    STREAM = Stream.CONSENT

    patient: UUID
    person: str  # the proxy's id, as her token says it
    relation: ProxyRelation
    since: datetime  # inclusive
    until: datetime  # exclusive
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class ProxyEnded(Event):
    """An appointment is over before its time."""

    TOPIC = "proxy-ended"
    STREAM = Stream.CONSENT

    patient: UUID
    proxy: UUID  # event id of the appointment
    recorded_by: str
