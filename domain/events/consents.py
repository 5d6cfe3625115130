"""Consent stream of a patient."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.events.event import Event
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Stream


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
