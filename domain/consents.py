"""What one patient has said about who may see her record: what `decide` reads, kept folded in the log."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from tsuzuri.domain.events import (
    ConsentDenied,
    ConsentGranted,
    ConsentWithdrawn,
    DenialLifted,
    EmergencyDeclared,
    EmergencyEnded,
    EmergencyWidened,
    Erased,
    ProxyAppointed,
    ProxyEnded,
    originator,
)
from tsuzuri.domain.vocabulary import ProxyRelation, PurposeOfUse, RecordClass, Stream

CARD_READER, ORAL, PATIENT = "card-reader", "oral", "patient"
"""How a consent is given: at the reader's card reader, orally at the sender of a referral, by the patient herself."""
CARD_READER_PERIOD = timedelta(hours=24)
"""How long a consent given at the card reader lasts (オンライン資格確認: 24 hours from its registration)."""


class NothingToWithdraw(ValueError):
    """The facility holds no consent of this patient for those classes."""


class UselessConsent(ValueError):
    """A consent that would cover nothing, or more than the way it was given can cover."""


@dataclass(frozen=True)
class Grant:
    """What one consent event lets one facility see, from *since* (inclusive) until *until* (exclusive)."""

    because: UUID  # the event
    facility: str
    purpose: PurposeOfUse
    classes: tuple[RecordClass, ...]
    since: datetime
    until: datetime
    given: str
    document: UUID | None = None  # the one referral it is for


@dataclass(frozen=True)
class Denial:
    """What one denial keeps from one facility, or from all."""

    because: UUID  # the event
    facility: str | None  # None: from every facility
    classes: tuple[RecordClass, ...]  # none: all of them


@dataclass(frozen=True)
class Proxy:
    """Who sees what the patient sees, from *since* (inclusive) until *until* (exclusive)."""

    because: UUID  # the event
    person: str
    relation: ProxyRelation
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Emergency:
    """What one person at one facility opened, from *since* (inclusive) until *until* (exclusive)."""

    because: UUID  # the event
    person: str
    facility: str
    since: datetime
    until: datetime
    shows_undelivered: bool
    widened: bool = False  # the second step was taken: more than the emergency table


@dataclass(frozen=True)
class Consents:
    """What one patient has said about who may see her record. A patient never seen has said nothing."""

    patient: UUID
    version: int = 0
    grants: tuple[Grant, ...] = ()  # in the order in which they were given
    denials: tuple[Denial, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    emergencies: tuple[Emergency, ...] = ()  # which need no consent, and are decided from the same state


ConsentEvent = (
    ConsentGranted
    | ConsentWithdrawn
    | ConsentDenied
    | DenialLifted
    | ProxyAppointed
    | ProxyEnded
    | EmergencyDeclared
    | EmergencyWidened
    | EmergencyEnded
    | Erased
)


def together(all_of_her: Sequence[Consents]) -> Consents:
    """The consents of patients who are one person: what any of them gave. The version is the first one's."""
    return replace(
        all_of_her[0],
        grants=tuple(grant for consents in all_of_her for grant in consents.grants),
        denials=tuple(denial for consents in all_of_her for denial in consents.denials),
        proxies=tuple(proxy for consents in all_of_her for proxy in consents.proxies),
        emergencies=tuple(emergency for consents in all_of_her for emergency in consents.emergencies),
    )


def evolve(consents: Consents, event: ConsentEvent) -> Consents:
    """A grant takes the place of what was given before in the same way, to the same facility, for the same purpose.

    So a new consent at the card reader replaces the one of yesterday, and leaves alone what the patient set herself.
    Grants that are over when a new one begins are forgotten here; the log keeps them.
    """
    said = replace(consents, version=event.originator_version)
    match event:
        case ConsentGranted():
            grant = Grant(
                event.event_id,
                event.facility,
                event.purpose,
                event.classes,
                event.since,
                event.until,
                event.given,
                event.document,
            )
            kept = [
                held for held in consents.grants if held.until > event.since and not _replaces(grant, held)
            ]
            return replace(said, grants=(*kept, grant))
        case ConsentWithdrawn():
            rest = [_without(held, event) for held in consents.grants]
            return replace(said, grants=tuple(held for held in rest if held.classes))
        case ConsentDenied():
            denial = Denial(event.event_id, event.facility, event.classes)
            return replace(said, denials=(*consents.denials, denial))
        case DenialLifted():
            left = tuple(held for held in consents.denials if held.because != event.denial)
            return replace(said, denials=left)
        case ProxyAppointed():
            proxy = Proxy(event.event_id, event.person, event.relation, event.since, event.until)
            others = tuple(held for held in consents.proxies if held.until > event.since)
            return replace(said, proxies=(*others, proxy))
        case ProxyEnded():
            others = tuple(held for held in consents.proxies if held.because != event.proxy)
            return replace(said, proxies=others)
        case EmergencyDeclared():
            declared = Emergency(
                event.event_id,
                event.person,
                event.facility,
                event.since,
                event.until,
                event.shows_undelivered,
            )
            running = tuple(held for held in consents.emergencies if held.until > event.since)
            return replace(said, emergencies=(*running, declared))
        case EmergencyWidened():
            widened = tuple(
                replace(held, widened=True) if held.because == event.emergency else held
                for held in consents.emergencies
            )
            return replace(said, emergencies=widened)
        case EmergencyEnded():
            rest_of_them = tuple(held for held in consents.emergencies if held.because != event.emergency)
            return replace(said, emergencies=rest_of_them)
        case Erased():
            return said
        case _:
            assert_never(event)


def _replaces(new: Grant, held: Grant) -> bool:
    return (new.facility, new.purpose, new.given, new.document) == (
        held.facility,
        held.purpose,
        held.given,
        held.document,
    )


def _without(held: Grant, event: ConsentWithdrawn) -> Grant:
    """What is left of a grant after a withdrawal. No classes listed means all of them."""
    if held.facility != event.facility or event.given not in (None, held.given):
        return held
    if event.document not in (None, held.document):
        return held
    left = tuple(c for c in held.classes if event.classes and c not in event.classes)
    return replace(held, classes=left)


def grant(
    consents: Consents,
    *,
    event_id: UUID,
    facility: str,
    classes: tuple[RecordClass, ...],
    purpose: PurposeOfUse,
    since: datetime,
    until: datetime,
    given: str,
    recorded_by: str,
    document: UUID | None = None,
) -> ConsentGranted:
    """Let *facility* read *classes* from *since* (inclusive) until *until* (exclusive), aware, UTC.

    *document*: only this one referral, which is addressed to the facility.

    Raises:
        UselessConsent: no class is listed, or for one referral another than REFERRAL; the period is empty, or longer
            than the card reader's 24 hours.
    """
    if not classes:
        raise UselessConsent("a consent lists at least one class")
    if document is not None and set(classes) != {RecordClass.REFERRAL}:
        raise UselessConsent("a consent for one referral lists REFERRAL, and nothing else")
    if until <= since:
        raise UselessConsent("a consent ends after it begins")
    if given == CARD_READER and until - since > CARD_READER_PERIOD:
        raise UselessConsent("a consent given at the card reader lasts at most 24 hours")
    return ConsentGranted(
        originator_id=originator(consents.patient, Stream.CONSENT),
        originator_version=consents.version + 1,
        event_id=event_id,
        patient=consents.patient,
        facility=facility,
        classes=tuple(sorted(set(classes), key=list(RecordClass).index)),
        purpose=purpose,
        since=since,
        until=until,
        given=given,
        recorded_by=recorded_by,
        document=document,
    )


def withdraw(
    consents: Consents,
    *,
    event_id: UUID,
    facility: str,
    classes: tuple[RecordClass, ...] = (),
    recorded_by: str,
    given: str | None = None,
    document: UUID | None = None,
) -> ConsentWithdrawn:
    """Take back what *facility* may read: the listed classes, or all of them when none is listed.

    *given*: only consents that were given in this way; None means however they were given. *document*: only those
    for this one referral.

    Raises:
        NothingToWithdraw: the facility holds no consent for any of them, in force or expired.
    """
    withdrawn = ConsentWithdrawn(
        originator_id=originator(consents.patient, Stream.CONSENT),
        originator_version=consents.version + 1,
        event_id=event_id,
        patient=consents.patient,
        facility=facility,
        classes=classes,
        recorded_by=recorded_by,
        given=given,
        document=document,
    )
    if all(_without(held, withdrawn) == held for held in consents.grants):
        raise NothingToWithdraw("the facility holds no consent of this patient for these classes")
    return withdrawn
