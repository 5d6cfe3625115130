"""What a decision reads beside the patient's consents, when the purpose asks for it: rights, and disaster windows."""

from uuid import UUID

from tsuzuri.app.services import Services
from tsuzuri.domain import disasters, facilities
from tsuzuri.domain.access import EMERGENCY_PURPOSES
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.facilities import FacilityEntry
from tsuzuri.domain.owners import disaster_owner, facility_owner
from tsuzuri.domain.policies import NO_POLICIES, Policies, Windows
from tsuzuri.domain.vocabulary import PurposeOfUse, Stream
from tsuzuri.eventlog.appending import Guard

WITHOUT_CARD = EMERGENCY_PURPOSES | {PurposeOfUse.DISASTER}
"""The purposes for which a patient may be found by name and birth date."""


async def policies_for(
    services: Services, caller: Caller, purpose: PurposeOfUse
) -> tuple[Policies, tuple[Guard, ...]]:
    """From the log itself, with the guards under which they may be relied on: nothing may have ended since.

    Nothing for other purposes, which do not rest on them: they cost no statement more.
    """
    if caller.facility is None or purpose not in WITHOUT_CARD:
        return NO_POLICIES, ()
    owner = facility_owner(caller.facility)
    if purpose is not PurposeOfUse.DISASTER:
        right = await _guard(services, owner)
        return Policies(await facility_entry(services, owner)), (right,)
    guards = (await _guard(services, owner), await _guard(services, disaster_owner()))
    return Policies(await facility_entry(services, owner), await disaster_windows(services)), guards


async def facility_entry(services: Services, owner: UUID) -> FacilityEntry:
    """A facility as its record stream has it now."""
    folded = await services.log.fold_many([owner], Stream.RECORD, facilities.evolve, FacilityEntry)
    return folded[owner]


async def disaster_windows(services: Services) -> Windows:
    """All windows, as their record stream has them now."""
    owner = disaster_owner()
    folded = await services.log.fold_many([owner], Stream.RECORD, disasters.evolve, Windows)
    return folded[owner]


async def _guard(services: Services, owner: UUID) -> Guard:
    """Read before what it guards: what ends from here on is noticed."""
    return Guard(owner, (await services.log.head(owner)).guard_pos)
