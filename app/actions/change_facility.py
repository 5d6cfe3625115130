"""What entering and closing facilities have in common: an operator decides on what the list says, and it is stored."""

from collections.abc import Callable

from eventsourcing.persistence import IntegrityError

from tsuzuri.app.actions.refusals import ATTEMPTS, Busy, NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import FacilityClosed, FacilityListed
from tsuzuri.domain.facilities import FacilityEntry, evolve
from tsuzuri.domain.vocabulary import Role, Stream
from tsuzuri.eventlog.appending import Beside

Decide = Callable[[FacilityEntry], FacilityListed | FacilityClosed | None]


def may_keep(caller: Caller) -> None:
    """Raises NotPermitted: the list is kept by the operating body."""
    if caller.role is not Role.OPERATOR:
        raise NotPermitted("only an operator enters and closes facilities")


async def change_facility(services: Services, unknown: FacilityEntry, decide: Decide) -> bool:
    """Store what *decide* makes of the entry that begins as *unknown*; whether there was anything to store.

    Raises:
        Busy: try again; and whatever *decide* raises.
    """
    for _ in range(ATTEMPTS):
        entry = await services.log.fold(unknown.owner, Stream.RECORD, evolve, unknown)
        event = decide(entry)
        try:
            if event is not None:
                await services.log.save(event, beside=Beside(narrows=True))
            return event is not None
        except IntegrityError:
            continue
    raise Busy("the facility's entry was being changed; try again")
