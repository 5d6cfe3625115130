"""The operating body closes a facility. Its entry stays, and it may be listed anew."""

from tsuzuri.app.actions.change_facility import change_facility, may_keep
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import FacilityClosed
from tsuzuri.domain.facilities import FacilityEntry, close, new_entry


async def close_facility(services: Services, caller: Caller, number: str, reason: str | None) -> bool:
    """False when it is closed already.

    Raises:
        NotPermitted: the caller is not an operator.
        tsuzuri.domain.identifiers.MalformedNumber; tsuzuri.domain.facilities.NothingToClose.
        Busy: try again.
    """
    may_keep(caller)

    def decide(entry: FacilityEntry) -> FacilityClosed | None:
        return close(entry, reason=reason, recorded_by=caller.person, event_id=services.new_id())

    return await change_facility(services, new_entry(number), decide)
