"""Our decision and the oracle's, on the same events: the refusal, and of every kind of thing whether it is seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import combinations, product

from examples import CLINIC, HOSPITAL
from oracle.access import Answer, Opening, Request, Thing, evaluate
from oracle.access_cases import LETTER, OTHER_LETTER, SITUATIONS, STATES, History, requests
from tsuzuri.domain import access, consents, disasters, facilities, scopes
from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.owners import disaster_owner, facility_owner
from tsuzuri.domain.policies import Policies, Windows
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import Flag, RecordClass

FLAG_SETS = [frozenset(chosen) for n in range(len(Flag) + 1) for chosen in combinations(Flag, n)]
_LETTERS = (
    (None, None),
    (HOSPITAL, LETTER),
    (HOSPITAL, OTHER_LETTER),
    (CLINIC, LETTER),
    (CLINIC, OTHER_LETTER),
)
_KINDS = list(product((HOSPITAL, CLINIC), _LETTERS, (False, True)))
THINGS = [
    Thing(record_class=record_class, flags=flags, sender=sender, recipient=to, document=letter, table=table)
    for record_class, flags, (sender, (to, letter), table) in product(RecordClass, FLAG_SETS, _KINDS)
]
"""Each class with each set of flags, by the hospital or another, in a letter to it, to another or none, and so on."""
CELLS = len(RecordClass) * len(FLAG_SETS)
"""Of one read; each asks for all kinds of such things."""


@dataclass(frozen=True)
class Standing:
    """What our folds make of a history."""

    consents: consents.Consents
    policies: Policies


def folded(history: History, request: Request) -> Standing:
    facility = request.facility or ""
    own = [one for one in history.facilities if getattr(one, "facility", None) == facility]
    entry = reduce(facilities.evolve, own, facilities.FacilityEntry(facility_owner(facility)))  # type: ignore[arg-type]
    windows = reduce(disasters.evolve, history.windows, Windows(disaster_owner()))  # type: ignore[arg-type]
    said = reduce(consents.evolve, history.patient, consents.Consents(request.patient))  # type: ignore[arg-type]
    return Standing(said, Policies(entry, windows))


def in_our_words(request: Request) -> AccessRequest:
    return AccessRequest(
        person=request.person,
        role=request.role,
        facility=request.facility,
        own_patient=request.own_patient,
        patient=request.patient,
        purpose=request.purpose,
        readable=scopes.readable(request.role, scopes.scopes_of(" ".join(request.scopes))),
        at=request.at,
        registered_here=request.registered_here,
    )


def decided(request: AccessRequest, standing: Standing) -> Permitted | Refused:
    return access.decide(request, standing.consents, standing.policies)


def shows(grounds: Sequence[Ground], thing: Thing) -> bool:
    """What is in the emergency table is seen on its grounds too: `covers` leaves that to whoever knows the table."""
    tables = [replace(one, emergency_table=False) for one in grounds if one.emergency_table and thing.table]
    return access.covers(
        [*grounds, *tables],
        thing.record_class,
        thing.flags,
        document=thing.document,
        recipient=thing.recipient,
        sender=thing.sender,
    )


@dataclass
class Comparison:
    """What was compared, and each difference in one sentence."""

    reads: int = 0
    permitted: int = 0
    faults: list[str] = field(default_factory=list)
    _seen: dict[tuple[tuple[Ground, ...], tuple[Opening, ...]], str | None] = field(default_factory=dict)

    @property
    def cells(self) -> int:
        return self.reads * CELLS

    def compare(
        self, name: str, ours: Permitted | Refused, theirs: Answer, things: Sequence[Thing] = THINGS
    ) -> None:
        """Of the same two answers all things are asked only once."""
        self.reads += 1
        if isinstance(ours, Refused) or theirs.refused:
            told = str(ours.reason) if isinstance(ours, Refused) else None
            fault = f"we say {told}, the oracle {theirs.refused}" if told != theirs.refused else None
        else:
            self.permitted += 1
            key = (tuple(replace(ground, because=None) for ground in ours.grounds), theirs.openings)
            if things is not THINGS:
                fault = _unlike(ours.grounds, theirs, things)
            elif key in self._seen:
                fault = self._seen[key]
            else:
                fault = self._seen[key] = _unlike(ours.grounds, theirs, THINGS)
        if fault:
            self.faults.append(f"{name}: {fault}")


def _unlike(grounds: Sequence[Ground], theirs: Answer, things: Sequence[Thing]) -> str | None:
    for thing in things:
        ours = shows(grounds, thing)
        if ours != theirs.sees(thing):
            return f"{'we' if ours else 'the oracle'} would show {thing}"
    return None


def compared(
    *, only: Callable[[Request], bool] = lambda _: True, until_first_fault: bool = False
) -> Comparison:
    """The whole product: every situation in every state, and everybody who may ask."""
    found = Comparison()
    asking = {
        here: [(name, request, in_our_words(request)) for name, request in requests(here) if only(request)]
        for here in (False, True)
    }
    for situation, state in product(SITUATIONS, STATES):
        history = STATES[state](SITUATIONS[situation])
        standing: dict[str | None, Standing] = {}
        for name, request, ours in asking[history.registered_here]:
            if request.facility not in standing:
                standing[request.facility] = folded(history, request)
            theirs = evaluate(request, history.patient, history.facilities, history.windows)
            found.compare(f"{name}, {situation}, {state}", decided(ours, standing[request.facility]), theirs)
        if until_first_fault and found.faults:
            break
    return found
