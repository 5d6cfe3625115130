"""One document asked twice at the same moment: through ordinary execution and through compiled statements."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

import orjson

from torture.random_documents import Asked
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.graphql.compile.planning import Plans
from tsuzuri.graphql.context import Application
from tsuzuri.graphql.execution import Answer, run
from tsuzuri.graphql.preparing import Prepared, prepare
from tsuzuri.graphql.readings import Operation, Reading, Readings, RefusedReading
from tsuzuri.projections.comparing import Comparison
from tsuzuri.projections.standings import Standing
from world import SCHEMA

_MADE = 0xABCDEF00_0000_4000_8000_000000000000  # what new ids begin with here
_MADE_IDS = re.compile("abcdef00-0000-4000-8000-[0-9a-f]{12}")
_REQUEST = re.compile(r"(?<=quote )[0-9a-f-]{36}|(?<=\"requestId\":\")[0-9a-f-]{36}")

Way = Callable[[Application, Caller, Prepared, Mapping[str, Any]], Awaitable[Answer]]
"""How an operation becomes an answer."""


@dataclass
class Told:
    """An answer as it is sent, and what would be recorded of it. New ids are numbered as they come in it."""

    body: str
    noted: list[str]
    compiled: bool


@dataclass
class Still:
    """What an application shows of itself that moves by the clock, looked at once."""

    standings: list[Standing] = field(default_factory=list)
    complete_until: datetime | None = None
    checks: dict[str, Comparison | None] = field(default_factory=dict)


class StandingStill(TsuzuriApplication):
    """An application at one moment: nothing is recorded, so that nothing moves, and what would be is noted."""

    def __init__(self, services: Services, schema_sha256: str, at: datetime, still: Still):
        numbers = count(1)
        moment = replace(services, now=lambda: at, new_id=lambda: UUID(int=_MADE + next(numbers)))
        super().__init__(moment, schema_sha256)
        self.still = still
        self.noted: list[str] = []

    async def settle(
        self, caller: Caller, readings: Readings, operation: Operation, data: dict[str, Any] | None
    ) -> None:
        self.noted += [_permitted(one, data) for one in readings.permitted]
        self.noted += [_refused(one) for one in readings.refused]
        self.noted += [f"trail {one.access_id} {one.patient} {one.shown}" for one in readings.trail]
        self.noted.append(f"operation {operation}")

    async def projection_standings(self) -> list[Standing]:
        self.still.standings = self.still.standings or await super().projection_standings()
        return self.still.standings

    async def trail_complete_until(self) -> datetime:
        self.still.complete_until = self.still.complete_until or await super().trail_complete_until()
        return self.still.complete_until

    async def check_projection(self, caller: Caller, name: str) -> Comparison | None:
        if name not in self.still.checks:
            self.still.checks[name] = await super().check_projection(caller, name)
        return self.still.checks[name]


def _permitted(reading: Reading, data: Mapping[str, Any] | None) -> str:
    """All that settle_readings makes an event of."""
    asked = sorted(reading.asked)
    shown = sorted((one.hex(), str(of)) for one, of in reading.shown.items())
    return (
        f"permitted {reading.access_id} {reading.path} {reading.request} {reading.decision} {reading.sight}"
        f" {reading.guards} {reading.as_of} {reading.incomplete} {reading.problem} {reading.linked} {asked} {shown}"
        f" {sorted(map(str, reading.volatile))} {reading.answer_sha256(data)}"
    )


def _refused(one: RefusedReading) -> str:
    return f"refused {one.access_id} {one.request} {one.known_patient} {one.decision} {one.linked}"


async def ordinarily(
    application: Application, caller: Caller, prepared: Prepared, variables: Mapping[str, Any]
) -> Answer:
    return await run(SCHEMA, application, caller, prepared, variables)


def compiling(plans: Plans) -> Way:
    async def compiled(
        application: Application, caller: Caller, prepared: Prepared, variables: Mapping[str, Any]
    ) -> Answer:
        return await run(SCHEMA, application, caller, prepared, variables, plans=plans)

    return compiled


async def told(application: StandingStill, caller: Caller, asked: Asked, way: Way) -> Told:
    """Raises DocumentRefused."""
    prepared = prepare(SCHEMA, asked.document, asked.operation_name)
    answer = await way(application, caller, prepared, asked.variables)
    numbers: dict[str, int] = {}
    same_request = _REQUEST.sub("a request", answer.body.decode())
    body = _MADE_IDS.sub(lambda one: f"#{numbers.setdefault(one[0], len(numbers))}", same_request)
    noted = [_MADE_IDS.sub(lambda one: f"#{numbers.get(one[0], '')}", line) for line in application.noted]
    return Told(body, sorted(noted), answer.compiled)


def apart(ordinary: Told, compiled: Told) -> str:
    """Where two answers part, or what was noted of them; empty: they are the same, and no fault of ours.

    Of several errors that leave one null behind, ordinary execution tells whichever comes first, and does not wait for
    what the others would have read: there, that the same is null and that errors of one place are the same is all.
    """
    if '"code":"INTERNAL"' in ordinary.body:
        return "a fault of ours"
    if ordinary.body == compiled.body:
        only = sorted(set(ordinary.noted) ^ set(compiled.noted))
        if ordinary.noted == compiled.noted or '"errors":' in ordinary.body:
            return ""
        return f"noted {_parting(only[0], only[-1])}" if only else "noted twice what is noted once"
    one, other = orjson.loads(ordinary.body), orjson.loads(compiled.body)
    if _places_of_errors(one) == _places_of_errors(other) and _data(one) == _data(other):
        told_of = {str(error.get("path")): error for error in one["errors"]}
        if all(told_of.get(str(error.get("path")), error) == error for error in other["errors"]):
            return ""
    return _parting(ordinary.body, compiled.body)


def _data(answer: Mapping[str, Any]) -> bytes:
    return orjson.dumps(answer.get("data"))


def _places_of_errors(answer: Mapping[str, Any]) -> set[str]:
    """What is null for an error: of the path of each error the part that the answer still has."""
    places = set()
    for error in answer.get("errors", ()):
        here, place = answer.get("data"), []
        for step in error.get("path", ()):
            if here is None:
                break
            here = here[step]
            place.append(step)
        places.add(str(place))
    return places


def _parting(one: str, other: str) -> str:
    where = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    around = slice(max(0, where - 80), where + 80)
    return f"told {other[around]!r} and not {one[around]!r}"
