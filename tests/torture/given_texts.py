"""What answers give out to readers of every kind, and where each text may be taken again."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from everything_examples import before_all, named
from torture.swapped_places import (
    FACILITIES,
    ITEM,
    ME,
    NODE,
    OWN,
    PATIENT,
    PLACES,
    POSITION,
    RECORD_CHANGED,
    WATCHED,
    Kind,
    Place,
    Whose,
)
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from world import World

NEVER_ONE = "none"
NO_ANSWER_SECONDS = 2.0  # of a watch that was let in and has nothing to tell
Scope = tuple[str, ...]
Belongs = tuple[str, Scope]
"""The name of a kind, and to whom texts of it belong."""
Asking = tuple[Caller, str, UUID]
"""Who asks about whom: her name in the world, and her id."""


@dataclass(frozen=True, eq=False)
class Seat:
    """One reader, about one patient."""

    caller: Caller
    name: str  # the patient's, in the world
    values: dict[str, Any]  # variables
    whose: str | None  # her id as a record told it; None: the reader is not let in

    def __str__(self) -> str:
        return f"{self.caller.person} ({self.caller.role}) about {self.name}"

    def scope(self, kind: Kind) -> Scope | None:
        """None: nothing of this kind was given out here."""
        caller = (self.caller.person, self.caller.role, self.caller.facility or "", str(self.caller.patient))
        match kind.whose:
            case Whose.PATIENT:
                return None if self.whose is None else (self.whose,)
            case Whose.FACILITY:
                return (self.caller.facility or "",)
            case Whose.ALL:
                return ()
            case Whose.CALLER:
                return caller
            case Whose.OWN:
                return (*caller, self.whose or "")


@dataclass
class Given:
    """What answers gave out: each text, and where it may be taken."""

    seats: list[Seat] = field(default_factory=list)
    texts: dict[str, set[Belongs]] = field(default_factory=dict)
    opens: dict[str, list[Seat]] = field(default_factory=dict)  # by place: to whom it is not forbidden

    def add(self, text: str, kind: Kind, seat: Seat) -> None:
        scope = seat.scope(kind)
        if scope is not None:
            self.texts.setdefault(text, set()).add((kind.name, scope))

    def belongs(self, text: str, kind: Kind, seat: Seat) -> bool:
        scope = seat.scope(kind)
        return scope is not None and (kind.name, scope) in self.texts.get(plain(text), ())


async def collected(world: World, asking: Iterable[Asking]) -> Given:
    """By each reader, of each patient beside whom it stands; every page of every list."""
    given = Given()
    for caller, name, patient in dict.fromkeys(asking):
        seat, record = await _seat(world, caller, name, patient)
        given.seats.append(seat)
        if record is not None:
            _keep_record(given, seat, record)
        for facility in (await world.data(caller, FACILITIES))["facilities"]["nodes"]:
            given.add(facility["nodeId"], NODE, seat)
        for place in PLACES:
            if place.is_list:
                await _walk(world, given, seat, place)
            else:
                _let_in(given, seat, place, await ask(world, seat, place, NEVER_ONE))
        for place in WATCHED:
            _let_in(given, seat, place, await ask(world, seat, place, NEVER_ONE))
        for position in texts_under(await ask(world, seat, RECORD_CHANGED, None), "position"):
            given.add(position, POSITION, seat)
    return given


async def known_besides(world: World, given: Given, asking: Iterable[Asking]) -> None:
    """Whom else these readers may read: so far they were not asked about, and are named by ids that others got."""
    for caller, name, patient in dict.fromkeys(asking):
        seat, record = await _seat(world, caller, name, patient)
        if record is not None:
            _keep_record(given, seat, record)


async def _seat(world: World, caller: Caller, name: str, patient: UUID) -> tuple[Seat, dict[str, Any] | None]:
    """And the record, if there is one for this reader."""
    own = caller.role is Role.PATIENT
    values: dict[str, Any] = {
        "patient": {"id": str(patient)},
        "her": str(patient) if own and caller.patient != patient else None,
        "purpose": "TREAT" if not own else "PATRQT" if caller.patient == patient else "FAMRQT",
        "since": NEVER_ONE,
    }
    seat = Seat(caller, name, values, None)
    record = ((await _told(world, seat, OWN)).get("data") or {}).get("patientRecord") or {}
    if "patient" not in record:
        return seat, None
    whose = record["patient"]["id"]
    values["since"] = await before_all(world, caller, UUID(whose), values)
    return replace(seat, whose=whose), record


def _let_in(given: Given, seat: Seat, place: Place, answer: dict[str, Any]) -> None:
    if "FORBIDDEN" not in codes_of(answer):
        given.opens.setdefault(place.name, []).append(seat)


def _keep_record(given: Given, seat: Seat, record: dict[str, Any]) -> None:
    given.add(record["asOf"]["position"], POSITION, seat)
    for patient in (record["patient"]["id"], seat.values["patient"]["id"]):
        given.add(patient, PATIENT, seat)
        if seat.caller.role is Role.PATIENT:
            given.add(patient, ME, seat)
    for node in texts_under(record, "nodeId"):
        given.add(node, NODE, seat)
    for name in ("entries", "documents"):
        for one in record[name]["nodes"]:
            given.add(one["id"], ITEM, seat)


async def _walk(world: World, given: Given, seat: Seat, place: Place) -> None:
    """All pages of a list: what stands on them, and their cursors."""
    cursor: str | None = None
    while True:
        answer = await ask(world, seat, place, cursor)
        if cursor is None:
            _let_in(given, seat, place, answer)
        for text in texts_under(answer, "id"):
            given.add(text, place.tells, seat)
        for key in ("cursor", "startCursor", "endCursor"):
            for text in texts_under(answer, key):
                given.add(text, place.takes, seat)
        ends = texts_under(answer, "endCursor" if place.name.endswith("(after)") else "startCursor")
        if not ends or ends[0] == cursor:
            return
        cursor = ends[0]


async def ask(world: World, seat: Seat, place: Place, given: str | None) -> dict[str, Any]:
    """The answer, or a watch's first."""
    if place not in WATCHED:
        return await _told(world, seat, place.document, given)
    values = named(place.document, seat.values | {"given": given})
    watch = world.watch(seat.caller, place.document, **values)
    try:
        async with asyncio.timeout(NO_ANSWER_SECONDS):
            return await anext(watch)
    except TimeoutError:
        return {"data": "it waits for what comes"}
    finally:
        await watch.aclose()


async def _told(world: World, seat: Seat, document: str, given: str | None = None) -> dict[str, Any]:
    return await world.ask(seat.caller, document, **named(document, seat.values | {"given": given}))


def plain(text: str) -> str:
    """An id may be written in several ways."""
    return str(UUID(text)) if is_uuid(text) else text


def is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def codes_of(answer: dict[str, Any]) -> set[str | None]:
    return {error.get("extensions", {}).get("code") for error in answer.get("errors") or ()}


def under(value: Any, key: str) -> list[Any]:
    """Every value of that name, however deep."""
    if isinstance(value, list):
        return [found for inner in value for found in under(inner, key)]
    if not isinstance(value, dict):
        return []
    here = [value[key]] if key in value else []
    return here + [found for inner in value.values() for found in under(inner, key)]


def texts_under(value: Any, key: str) -> list[str]:
    return [found for found in under(value, key) if isinstance(found, str)]
