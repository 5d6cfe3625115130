"""What a decision of the past was made on: consents and policies, folded up to a version or a moment of recording."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from uuid import UUID

from tsuzuri.app.services import Services
from tsuzuri.domain import consents, disasters, facilities
from tsuzuri.domain.consents import Consents, together
from tsuzuri.domain.events import Erased, Event
from tsuzuri.domain.facilities import FacilityEntry
from tsuzuri.domain.owners import disaster_owner, facility_owner
from tsuzuri.domain.policies import Policies, Windows
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.past_events import Limit, past_events


@dataclass(frozen=True)
class Past:
    """What was known then, and the events that said it."""

    consents: Consents
    policies: Policies
    told: tuple[Event, ...]
    erased: bool  # some of the patient's consents cannot be read any more


async def past_states(
    services: Services, patients: Mapping[UUID, Limit], facility: str | None, policies: Mapping[UUID, Limit]
) -> Past:
    """*patients*: all who were one person, the survivor first. *policies*: the owners that were read, and no others."""
    said = {one: await past_events(services.log, one, Stream.CONSENT, patients[one]) for one in patients}
    told = [event for events in said.values() for event in events]
    erased = any(isinstance(event, Erased) for event in told)
    held = together([reduce(consents.evolve, events, Consents(one)) for one, events in said.items()])
    entry = windows = None
    if facility is not None and (owner := facility_owner(facility)) in policies:
        of_facility = await past_events(services.log, owner, Stream.RECORD, policies[owner])
        entry = reduce(facilities.evolve, of_facility, FacilityEntry(owner))
        told += of_facility
    if (owner := disaster_owner()) in policies:
        of_windows = await past_events(services.log, owner, Stream.RECORD, policies[owner])
        windows = reduce(disasters.evolve, of_windows, Windows(owner))
        told += of_windows
    return Past(held, Policies(entry, windows), tuple(told), erased)
