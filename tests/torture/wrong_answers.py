"""Ways to answer a document from its plan: the right one, and for controls some that are a little wrong."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson
from graphql.execution.values import VariableValues

from torture.both_ways import StandingStill, Way, compiling
from tsuzuri.domain.callers import Caller
from tsuzuri.graphql.compile.planning import Plans
from tsuzuri.graphql.compile.plans import ObjectPlan
from tsuzuri.graphql.context import Application
from tsuzuri.graphql.execution import Answer
from tsuzuri.graphql.preparing import Prepared
from world import SCHEMA

_PLACES = 16  # for plans, of a program that mixes them up


def as_planned() -> Way:
    return compiling(Plans(SCHEMA))


def without_typename() -> Way:
    """A page does not say that it is one."""
    return _spoilt(lambda body: re.sub(rb'"\w+":"PageInfo",?|,"\w+":"PageInfo"(?=})', b"", body))


def in_another_order() -> Way:
    return _spoilt(lambda body: orjson.dumps(_turned(orjson.loads(body))))


def by_another_plan() -> Way:
    """Where a plan is kept, another document's lies already."""

    class Mixed(Plans):
        def _plan(self, prepared: Prepared, values: VariableValues) -> ObjectPlan | None:
            place = int(prepared.sha256, 16) % _PLACES
            return mixed.setdefault(place, super()._plan(prepared, values))

    mixed: dict[int, ObjectPlan | None] = {}
    return compiling(Mixed(SCHEMA))


def unnoted() -> Way:
    """The answer is right; the trail is told that nothing was shown."""
    planned = as_planned()

    async def way(
        application: Application, caller: Caller, prepared: Prepared, variables: Mapping[str, Any]
    ) -> Answer:
        answer = await planned(application, caller, prepared, variables)
        assert isinstance(application, StandingStill)
        application.noted = [re.sub(r"\[\('[0-9a-f]{32}', .*?\)\]", "[]", one) for one in application.noted]
        return answer

    return way


def _spoilt(spoil: Callable[[bytes], bytes]) -> Way:
    planned = as_planned()

    async def way(
        application: Application, caller: Caller, prepared: Prepared, variables: Mapping[str, Any]
    ) -> Answer:
        answer = await planned(application, caller, prepared, variables)
        return replace(answer, body=spoil(answer.body)) if answer.compiled else answer

    return way


def _turned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _turned(inner) for key, inner in reversed(value.items())}
    return [_turned(one) for one in value] if isinstance(value, list) else value


CONTROLS: Mapping[str, Callable[[], Way]] = {
    "a page without __typename": without_typename,
    "keys in another order": in_another_order,
    "another document's plan": by_another_plan,
    "nothing noted as shown": unnoted,
}
