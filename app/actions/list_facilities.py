"""The operating body enters facilities: their kind, place, departments and emergency right."""

import asyncio
from collections.abc import Callable, Sequence

from eventsourcing.persistence import OperationalError

from tsuzuri.app.actions.change_facility import change_facility, may_keep
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import FacilityListed
from tsuzuri.domain.facilities import Facility, FacilityEntry, checked, enter, evolve, new_entry
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.appending import Beside, LogUnavailable, Write
from tsuzuri.eventlog.bulk import BulkAppender, NotStored

_AT_ONCE = 1_000  # entries that are decided and appended together: the nation has 200,000


async def list_facilities(services: Services, caller: Caller, facilities: Sequence[Facility]) -> int:
    """Enter or change each facility, or open it again; returns how many said something new.

    Of several with one number the last counts.

    Raises:
        NotPermitted: the caller is not an operator.
        tsuzuri.domain.facilities.FacilityMalformed: one cannot be entered; then none is.
        Busy, LogUnavailable: some may be entered; do it again, which changes nothing about those.
    """
    may_keep(caller)
    sound = list({facility.number: checked(facility) for facility in facilities}.values())
    changed = 0
    for first in range(0, len(sound), _AT_ONCE):
        changed += await _enter(services, caller, sound[first : first + _AT_ONCE])
    return changed


async def _enter(services: Services, caller: Caller, facilities: Sequence[Facility]) -> int:
    """In few transactions; an entry that somebody else came before is decided anew, by itself."""
    unknown = [new_entry(facility.number) for facility in facilities]
    owners = [entry.owner for entry in unknown]
    entries = await services.log.fold_many(owners, Stream.RECORD, evolve, FacilityEntry)
    decided = [
        (facility, event)
        for facility, owner in zip(facilities, owners, strict=True)
        if (event := _decide(services, caller, facility)(entries[owner])) is not None
    ]
    # An entry may lose its emergency right, or move to another municipality: what rests on the old one is asked again.
    writes = [
        Write([services.log.mapper.to_stored_event(event)], Beside(narrows=True)) for _, event in decided
    ]
    appender = BulkAppender(services.log.application.part_recorder)
    try:
        outcomes = await asyncio.to_thread(appender.append, writes)
    except OperationalError as error:
        raise LogUnavailable("the log cannot be written now: enter the facilities again") from error
    changed = outcomes.count(None)
    for (facility, _), outcome in zip(decided, outcomes, strict=True):
        if isinstance(outcome, NotStored):
            anew = _decide(services, caller, facility)
            changed += await change_facility(services, new_entry(facility.number), anew)
    return changed


def _decide(
    services: Services, caller: Caller, facility: Facility
) -> Callable[[FacilityEntry], FacilityListed | None]:
    def decide(entry: FacilityEntry) -> FacilityListed | None:
        return enter(entry, facility, recorded_by=caller.person, event_id=services.new_id())

    return decide
