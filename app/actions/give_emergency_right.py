"""A facility's administrator names who may declare emergencies there, and takes the right back."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from tsuzuri.app.actions.change_register import change_register
from tsuzuri.app.actions.load_policies import facility_entry
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain import emergency_rights
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import EmergencyRightGiven, EmergencyRightTaken
from tsuzuri.domain.facilities import EmergencyRight, FacilityEntry
from tsuzuri.domain.owners import facility_owner
from tsuzuri.domain.vocabulary import Role

Decide = Callable[[FacilityEntry], EmergencyRightGiven | EmergencyRightTaken]


async def give_emergency_right(services: Services, caller: Caller, person: str, until: datetime) -> UUID:
    """From now on until *until* (aware; exclusive); returns the right's id.

    Raises:
        NotPermitted, Busy; tsuzuri.domain.emergency_rights.UselessRight.
    """
    since = services.now()

    def decide(entry: FacilityEntry) -> EmergencyRightGiven:
        return emergency_rights.give(
            entry,
            event_id=services.new_id(),
            person=person,
            since=since,
            until=until,
            recorded_by=caller.person,
        )

    return await _changed(services, _own(caller), decide)


async def take_emergency_right(services: Services, caller: Caller, right: UUID) -> UUID:
    """At once; what was declared under it shows nothing from here on.

    Raises:
        NotPermitted, Busy; tsuzuri.domain.emergency_rights.NothingToTake.
    """

    def decide(entry: FacilityEntry) -> EmergencyRightTaken:
        return emergency_rights.take(entry, right, event_id=services.new_id(), recorded_by=caller.person)

    return await _changed(services, _own(caller), decide)


async def emergency_rights_now(services: Services, caller: Caller) -> list[EmergencyRight]:
    """Those of the caller's facility that are in force or will be. Raises NotPermitted."""
    entry, now = await facility_entry(services, _own(caller)), services.now()
    return [right for right in entry.rights if right.until > now]


def _own(caller: Caller) -> UUID:
    if caller.role is not Role.FACILITY_ADMIN or caller.facility is None:
        raise NotPermitted("the administrator of the facility names who may declare emergencies")
    return facility_owner(caller.facility)


async def _changed(services: Services, owner: UUID, decide: Decide) -> UUID:
    event = await change_register(services, lambda: facility_entry(services, owner), decide)
    assert event is not None, "a right is given or taken, or refused"
    return event.event_id
