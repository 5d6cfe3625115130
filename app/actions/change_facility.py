"""What entering and closing facilities have in common: an operator decides on what the list says, and it is stored."""

from collections.abc import Callable

from tsuzuri.app.actions.change_register import change_register
from tsuzuri.app.actions.load_policies import facility_entry
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import FacilityClosed, FacilityListed
from tsuzuri.domain.facilities import FacilityEntry
from tsuzuri.domain.vocabulary import Role

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
    return (
        await change_register(services, lambda: facility_entry(services, unknown.owner), decide) is not None
    )
