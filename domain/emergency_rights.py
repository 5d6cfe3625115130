"""Whom an administrator lets declare emergencies: named, for a time, at a hospital that takes them."""

from datetime import datetime
from uuid import UUID

from tsuzuri.domain.events import EmergencyRightGiven, EmergencyRightTaken, originator
from tsuzuri.domain.facilities import FacilityEntry
from tsuzuri.domain.vocabulary import FacilityKind, Stream


class UselessRight(ValueError):
    """A right that would never let anybody do anything."""


class NothingToTake(ValueError):
    """No such right stands."""


def give(
    entry: FacilityEntry,
    *,
    event_id: UUID,
    person: str,
    since: datetime,
    until: datetime,
    recorded_by: str,
) -> EmergencyRightGiven:
    """*person* may declare emergencies there from *since* (inclusive) until *until* (exclusive), aware, UTC.

    Raises UselessRight: the facility is not listed as a hospital that takes emergencies, or the period is empty.
    """
    listed = entry.listed
    if listed is None or entry.closed or not listed.emergency or listed.kind != FacilityKind.HOSPITAL:
        raise UselessRight("the facility is not listed as a hospital that takes emergencies")
    if until <= since:
        raise UselessRight("a right ends after it begins")
    return EmergencyRightGiven(
        originator_id=originator(entry.owner, Stream.RECORD),
        originator_version=entry.version + 1,
        event_id=event_id,
        facility=listed.facility,
        person=person,
        since=since,
        until=until,
        recorded_by=recorded_by,
    )


def take(entry: FacilityEntry, right: UUID, *, event_id: UUID, recorded_by: str) -> EmergencyRightTaken:
    """Raises NothingToTake."""
    if entry.listed is None or all(held.because != right for held in entry.rights):
        raise NothingToTake("no such right stands at this facility")
    return EmergencyRightTaken(
        originator_id=originator(entry.owner, Stream.RECORD),
        originator_version=entry.version + 1,
        event_id=event_id,
        facility=entry.listed.facility,
        right=right,
        recorded_by=recorded_by,
    )
