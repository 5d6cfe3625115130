"""One patient's consents in force: what `decide` reads, kept folded in the log beside her events."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from tsuzuri.domain.events import ConsentGranted, ConsentWithdrawn, originator
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Stream

CARD_READER_PERIOD = timedelta(hours=24)
"""How long a consent given at the card reader lasts (オンライン資格確認: 24 hours from its registration)."""


class NothingToWithdraw(ValueError):
    """The facility holds no consent of this patient for those classes."""


class UselessConsent(ValueError):
    """A consent that would cover nothing: no class, or a period that is over or ends before it begins."""


@dataclass(frozen=True)
class Scope:
    """What one grant is about; a later grant of the same scope takes its place."""

    facility: str
    purpose: PurposeOfUse
    record_class: RecordClass


@dataclass(frozen=True)
class Grant:
    """From when (inclusive) until when (exclusive), and the event that says so."""

    since: datetime
    until: datetime
    because: UUID


@dataclass(frozen=True)
class Consents:
    """One patient's consents. A patient never seen has none."""

    patient: UUID
    version: int = 0
    grants: Mapping[Scope, Grant] = field(default_factory=dict)


def evolve(consents: Consents, event: ConsentGranted | ConsentWithdrawn) -> Consents:
    grants = dict(consents.grants)
    match event:
        case ConsentGranted():
            for record_class in event.classes:
                scope = Scope(event.facility, event.purpose, record_class)
                grants[scope] = Grant(event.since, event.until, event.event_id)
        case ConsentWithdrawn():
            grants = {scope: grant for scope, grant in grants.items() if not _covers(event, scope)}
        case _:
            assert_never(event)
    return replace(consents, version=event.originator_version, grants=grants)


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
) -> ConsentGranted:
    """Let *facility* read *classes* from *since* (inclusive) until *until* (exclusive), aware, UTC.

    Raises:
        UselessConsent: no class is listed, or the period is empty.
    """
    if not classes:
        raise UselessConsent("a consent lists at least one class")
    if until <= since:
        raise UselessConsent("a consent ends after it begins")
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
    )


def withdraw(
    consents: Consents,
    *,
    event_id: UUID,
    facility: str,
    classes: tuple[RecordClass, ...] = (),
    recorded_by: str,
) -> ConsentWithdrawn:
    """Take back what *facility* may read: the listed classes, or all of them when none is listed.

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
    )
    if not any(_covers(withdrawn, scope) for scope in consents.grants):
        raise NothingToWithdraw("the facility holds no consent of this patient for these classes")
    return withdrawn


def _covers(event: ConsentWithdrawn, scope: Scope) -> bool:
    return scope.facility == event.facility and (not event.classes or scope.record_class in event.classes)
