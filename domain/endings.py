"""What was over before its time, and by which event: the states that are decided on have forgotten it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args
from uuid import UUID

from tsuzuri.domain import consents, disasters, facilities
from tsuzuri.domain.consents import ConsentEvent, Consents, Denial, Emergency, Grant, Proxy
from tsuzuri.domain.events import DisasterWindowClosed, DisasterWindowOpened, Erased, Event
from tsuzuri.domain.facilities import EmergencyRight, FacilityEntry, FacilityEvent
from tsuzuri.domain.policies import Window, Windows
from tsuzuri.domain.vocabulary import Stream

Held = Grant | Denial | Proxy | Emergency | Window | EmergencyRight
State = Consents | Windows | FacilityEntry

_OF_CONSENTS, _OF_FACILITIES = get_args(ConsentEvent), get_args(FacilityEvent)


@dataclass(frozen=True)
class Ending:
    """One thing that an event ended, or took something of."""

    held: Held  # as it was before
    left: Held | None  # what is left of it
    by: Event


def endings(told: Iterable[Event]) -> tuple[Ending, ...]:
    """Of the events of one or more streams, those of each in their order. What was erased says nothing."""
    states: dict[str, State] = {}
    found: list[Ending] = []
    for event in told:
        if isinstance(event, Erased):
            continue
        before = states.get(event.originator_id) or _new(event)
        states[event.originator_id] = after = _evolve(before, event)
        left = _held(after)
        found += [
            Ending(held, left.get(because), event)
            for because, held in _held(before).items()
            if because not in left or _narrowed(held, left[because])
        ]
    return tuple(found)


def _new(event: Event) -> State:
    owner = UUID(event.originator_id.partition("/")[0])
    if event.STREAM is Stream.CONSENT:
        return Consents(owner)
    if isinstance(event, DisasterWindowOpened | DisasterWindowClosed):
        return Windows(owner)
    return FacilityEntry(owner)


def _evolve(state: State, event: Event) -> State:
    """An event of another kind says nothing of what ends."""
    if isinstance(state, Consents):
        return consents.evolve(state, event) if isinstance(event, _OF_CONSENTS) else state
    if isinstance(state, Windows):
        if isinstance(event, DisasterWindowOpened | DisasterWindowClosed):
            return disasters.evolve(state, event)
        return state
    return facilities.evolve(state, event) if isinstance(event, _OF_FACILITIES) else state


def _held(state: State) -> Mapping[UUID, Held]:
    held: Iterable[Held]
    match state:
        case Consents():
            held = (*state.grants, *state.denials, *state.proxies, *state.emergencies)
        case Windows():
            held = state.opened
        case FacilityEntry():
            held = state.rights
    return {one.because: one for one in held}


def _narrowed(held: Held, left: Held) -> bool:
    """An emergency that was widened is another one, and none that ended."""
    match held, left:
        case Grant(), Grant():
            return held.classes != left.classes
        case Window(), Window():
            return held.municipalities != left.municipalities
    return False
