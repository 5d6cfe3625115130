"""What a facility says of itself: when it is open, and who works there. The rules for unusual access read it."""

from collections.abc import Callable, Mapping
from datetime import date

from tsuzuri.app.actions.change_register import change_register
from tsuzuri.app.actions.load_policies import facility_entry
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import FacilityHoursSet, StaffNamed
from tsuzuri.domain.facilities import FacilityEntry
from tsuzuri.domain.hours_changes import set_hours
from tsuzuri.domain.identifiers import facility_number
from tsuzuri.domain.opening_hours import OpenPeriod, checked_hours
from tsuzuri.domain.owners import facility_owner
from tsuzuri.domain.staff_names import name_staff
from tsuzuri.domain.vocabulary import Role

Decide = Callable[[FacilityEntry], FacilityHoursSet | StaffNamed | None]


async def set_facility_hours(
    services: Services,
    caller: Caller,
    number: str,
    weekly: list[OpenPeriod],
    closed_days: list[date],
) -> bool:
    """From now on; whether that is news.

    Raises:
        NotPermitted, Busy; MalformedNumber; tsuzuri.domain.opening_hours.HoursMalformed.
    """
    facility, hours = facility_number(number), checked_hours(weekly, closed_days)
    own = caller.role is Role.FACILITY_ADMIN and caller.facility == facility
    if not (own or caller.role is Role.OPERATOR):
        raise NotPermitted("the facility's administrator says when it is open, or the operating body")

    def decide(entry: FacilityEntry) -> FacilityHoursSet | None:
        return set_hours(entry, hours, recorded_by=caller.person, event_id=services.new_id())

    return await _changed(services, facility, decide)


async def name_facility_staff(services: Services, caller: Caller, names: Mapping[str, str]) -> bool:
    """Person, as her token says → family name in kana, from now on; whether any is news.

    Raises:
        NotPermitted, Busy; tsuzuri.domain.staff_names.StaffMalformed.
    """
    facility = caller.facility
    if caller.role is not Role.FACILITY_ADMIN or facility is None:
        raise NotPermitted("the administrator of the facility names who works there")

    def decide(entry: FacilityEntry) -> StaffNamed | None:
        return name_staff(entry, facility, names, recorded_by=caller.person, event_id=services.new_id())

    return await _changed(services, facility, decide)


async def _changed(services: Services, facility: str, decide: Decide) -> bool:
    owner = facility_owner(facility)
    told = await change_register(services, lambda: facility_entry(services, owner), decide, narrows=False)
    return told is not None
