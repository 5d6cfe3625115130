"""The operating body enters facilities: their kind, place, departments and emergency right."""

from collections.abc import Sequence
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from tsuzuri.app.actions.refusals import ATTEMPTS, Busy, NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import FacilityListed, originator
from tsuzuri.domain.facilities import Facility
from tsuzuri.domain.owners import facility_owner
from tsuzuri.domain.vocabulary import Role, Stream


async def list_facilities(services: Services, caller: Caller, facilities: Sequence[Facility]) -> int:
    """Enter or change each facility; returns how many said something new.

    Raises:
        NotPermitted: the caller is not an operator.
        Busy: try again.
    """
    if caller.role is not Role.OPERATOR:
        raise NotPermitted("only an operator enters facilities")
    changed = 0
    for facility in facilities:
        changed += await _list(services, caller, facility)
    return changed


async def _list(services: Services, caller: Caller, facility: Facility) -> bool:
    owner: UUID = facility_owner(facility.number)
    for _ in range(ATTEMPTS):
        before = list(await services.log.stream(owner, Stream.RECORD))
        if before and isinstance(before[-1], FacilityListed) and Facility.of(before[-1]) == facility:
            return False
        event = FacilityListed(
            originator_id=originator(owner, Stream.RECORD),
            originator_version=len(before) + 1,
            event_id=services.new_id(),
            facility=facility.number,
            name=facility.name,
            kind=facility.kind,
            municipality=facility.municipality,
            municipality_name=facility.municipality_name,
            departments=facility.departments,
            emergency=facility.emergency,
            recorded_by=caller.person,
        )
        try:
            await services.log.save(event)
            return True
        except IntegrityError:
            continue
    raise Busy("the facility's entry was being changed; try again")
