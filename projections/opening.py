"""Events of the log, decoded; and the one at which an owner has to stop."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from eventsourcing.persistence import MapperDeserialisationError
from msgspec import Struct

from tsuzuri.domain.events import Event
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.following import LoggedEvent
from tsuzuri.eventlog.mapper import EventMapper
from tsuzuri.eventlog.sealing import SealBroken


class Step(StrEnum):
    """Where an event could not be applied."""

    DECODE = "decode"
    FOLD = "fold"
    MERGE = "merge"


@dataclass(frozen=True)
class Poison:
    """An event that cannot be applied, and why: the kind of error, never its words, which may repeat a row."""

    logged: LoggedEvent
    step: Step
    fault: str


class Opened(Struct, frozen=True, gc=False):
    """An event of the log, decoded."""

    logged: LoggedEvent
    event: Event


@dataclass
class OwnerEvents:
    """The events of one owner in one batch, in order, up to the one that cannot be applied."""

    opened: list[Opened] = field(default_factory=list)
    poison: Poison | None = None

    def only(self, kept: Collection[UUID]) -> "OwnerEvents | None":
        """Those of the events with these ids; None when there are none."""
        opened = [one for one in self.opened if one.logged.event_id in kept]
        poison = self.poison if self.poison and self.poison.logged.event_id in kept else None
        return OwnerEvents(opened, poison) if opened or poison else None


def open_by_owner(
    logged: Iterable[LoggedEvent], mapper: EventMapper, ring: KeyRing
) -> dict[UUID, OwnerEvents]:
    """Raises KeyUnavailable: that is a fault of this process, and of no event."""
    owners: dict[UUID, OwnerEvents] = {}
    for one in logged:
        events = owners.setdefault(one.patient_id, OwnerEvents())
        if events.poison is not None:
            continue
        try:
            events.opened.append(Opened(one, mapper.to_domain_event(one.opened(ring))))
        except (SealBroken, MapperDeserialisationError) as error:
            events.poison = Poison(one, Step.DECODE, type(error).__name__)
    return owners
