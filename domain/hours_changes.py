"""A facility says when it is open."""

from uuid import UUID

from tsuzuri.domain.events import FacilityHoursSet, originator
from tsuzuri.domain.facilities import FacilityEntry
from tsuzuri.domain.opening_hours import HoursMalformed, OpeningHours
from tsuzuri.domain.vocabulary import FacilityKind, Stream


def set_hours(
    entry: FacilityEntry, hours: OpeningHours, *, recorded_by: str, event_id: UUID
) -> FacilityHoursSet | None:
    """The event that gives a facility its hours; None when it has them already.

    Raises:
        HoursMalformed: it is not listed, or is a hospital, which never closes.
    """
    listed = entry.listed
    if listed is None or entry.closed:
        raise HoursMalformed("no facility of that number is listed")
    if listed.kind == FacilityKind.HOSPITAL:
        raise HoursMalformed("a hospital never closes: it has no hours")
    if hours == entry.hours:
        return None
    return FacilityHoursSet(
        originator_id=originator(entry.owner, Stream.RECORD),
        originator_version=entry.version + 1,
        event_id=event_id,
        facility=listed.facility,
        hours=hours,
        recorded_by=recorded_by,
    )
