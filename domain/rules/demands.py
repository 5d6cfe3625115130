"""The table's rows: what must be there, what it may say, and how many there may be. Each row becomes a rule.

A demand on "code.coding.display" is made of every coding there is, and of none where there is no code: that is another
row's business. So a missing element is told once, and nothing is told of what it would have held.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from tsuzuri.domain.rules.part import is_there
from tsuzuri.domain.rules.resources import Resource, elements
from tsuzuri.domain.rules.rule import Guide, Rule, Words, errors
from tsuzuri.domain.rules.slices import finder
from tsuzuri.domain.rules.systems import canonical

_SHOWN_VALUES = 12


class Shape(Enum):
    """What FHIR's JSON has at a place; an object may stand in a list."""

    OBJECT = "object"
    PRIMITIVE = "primitive"


@dataclass(frozen=True, kw_only=True)
class Demand:
    """One row: `low` to `high` of what `path` names, in each thing it may lie in, and which values it may have."""

    path: str
    low: int = 1
    high: int | None = None
    values: tuple[str, ...] = ()
    shape: Shape | None = None
    what: Words = field(default=Words("", ""))  # what it is, for a reader who does not know the path
    guides: tuple[Guide, ...] = ()
    has_rows: bool = False  # other rows ask for what lies in it, and say what an empty one lacks

    @property
    def parent(self) -> str:
        return self.path.rpartition(".")[0]

    @property
    def step(self) -> str:
        return self.path.rpartition(".")[2]


def broken_places(demand: Demand) -> Callable[[Resource], Iterable[str]]:
    """Where a resource does not meet the demand."""
    parent_path, find, counts = demand.parent, finder(demand.step), _counting(demand)
    name = demand.step.partition(":")[0]
    low, high, values = demand.low, demand.high, frozenset(demand.values)
    kept = _kept(demand, counts)

    def places(resource: Resource) -> Iterator[str]:
        for parent in resource.all(parent_path):
            if not isinstance(parent.value, dict) or kept(parent.value):
                continue  # what is no object, its own row says
            found = [part for part in find(parent) if counts(part.value)]
            if len(found) < low and not (low == 1 and not values and parent.has(f"_{name}")):
                yield parent.below(name)
            elif high is not None and len(found) > high:
                yield found[high].place
            elif values:
                yield from (p.place for p in found if canonical(_text(p.value)) not in values)

    return places


def _kept(demand: Demand, counts: Callable[[Any], bool]) -> Callable[[dict[str, Any]], bool]:
    """Whether an object keeps the demand, where that is quickly seen. No is no answer: then its parts are looked at."""
    name, low, high, values = demand.step, demand.low, demand.high, frozenset(demand.values)
    if ":" in name or name.endswith("[x]"):
        return lambda _: False

    def kept(parent: dict[str, Any]) -> bool:
        value = parent.get(name)
        if isinstance(value, list):
            number = 0 if values else sum(1 for one in value if is_there(one) and counts(one))
            return not values and low <= number and (high is None or number <= high)
        number = 1 if is_there(value) and counts(value) else 0
        if number < low or (high is not None and number > high):
            return False
        return not number or not values or canonical(_text(value)) in values

    return kept


def _only_with(demand: Demand) -> frozenset[str]:
    """What must be there before the demand is made at all."""
    return elements(demand.path) if demand.parent or demand.low == 0 else frozenset()


def _counting(demand: Demand) -> Callable[[Any], bool]:
    """Which values can be what it asks for: an empty object is none, unless its own rows tell what it lacks."""
    if demand.high == 0:
        return lambda _: True
    if demand.shape is Shape.PRIMITIVE:
        return lambda value: not isinstance(value, (dict, list))
    if demand.shape is Shape.OBJECT:
        return lambda value: isinstance(value, dict) and value != {}
    if demand.has_rows:
        return lambda _: True
    return lambda value: bool(value != {})


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def entry_places(carried: str, low: int, high: int | None) -> Callable[[Resource], Iterable[str]]:
    """Where a Bundle has too few or too many entries of one type."""

    def places(bundle: Resource) -> Iterator[str]:
        found = [
            resource
            for _, resource in bundle.entries
            if resource and resource.text("resourceType") == carried
        ]
        if len(found) < low:
            yield bundle.part.below("entry")
        elif high is not None and len(found) > high:
            yield found[high].place

    return places


@dataclass(frozen=True, kw_only=True, eq=False)
class Row(Rule):
    """A rule that a table's row says."""

    demand: Demand


def rules_of(
    name: str, resource_type: str, demands: Iterable[Demand], guides: tuple[Guide, ...]
) -> Iterator[Row]:
    """The rules of one profile or type: T:JP_Condition_eCS.code.text."""
    rows = list(demands)
    holders = {demand.parent for demand in rows}
    for demand in (replace(demand, has_rows=demand.path in holders) for demand in rows):
        message, fix = _told(demand)
        yield Row(
            demand=demand,
            id=f"T:{name}.{demand.path}",
            on=(bare(name),),
            path=f"{resource_type}.{demand.path}",
            holds=errors(*(demand.guides or guides)),
            broken=broken_places(demand),
            only_with=_only_with(demand),
            message=message,
            fix=fix,
        )


def bare(name: str) -> str:
    """The profile a table's line is about: what an old guide's version of it is called by senders too."""
    return name.partition("-")[0]


def entry_rule(name: str, carried: str, low: int, high: int | None, guides: tuple[Guide, ...]) -> Rule:
    """A document holds so many entries of one type: T:JP_Bundle_ePCS.entry:CarePlan."""
    en, ja = _count(low, high)
    return Rule(
        id=f"T:{name}.entry:{carried}",
        on=(bare(name),),
        path="Bundle.entry",
        holds=errors(*guides),
        broken=entry_places(carried, low, high),
        message=Words(
            f"This document needs {en} {carried} among its entries",
            f"この文書の entry には {carried} が{ja}必要です",
        ),
        fix=Words(f"Send {en} {carried}", f"{carried} を{ja}にしてください"),
    )


def _told(demand: Demand) -> tuple[Words, Words]:
    path = demand.path
    what_en = f" ({demand.what.en})" if demand.what.en else ""
    what_ja = f"（{demand.what.ja}）" if demand.what.ja else ""
    if demand.high == 0:
        return (
            Words(f"{path} must not be used here{what_en}", f"{path} はここでは使用できません{what_ja}"),
            Words(f"Leave {path} out", f"{path} を削除してください"),
        )
    if demand.values:
        shown = list(demand.values[:_SHOWN_VALUES]) + ["…"] * (len(demand.values) > _SHOWN_VALUES)
        if demand.low == 0:
            said = Words(
                f"{path} must be one of FHIR's codes", f"{path} の値が決められたコードではありません"
            )
        else:
            said = Words(
                f"{path} is missing or not the value asked for{what_en}",
                f"{path} がないか、決められた値ではありません{what_ja}",
            )
        return said, Words(f"Use {' or '.join(shown)}", f"{' または '.join(shown)} を設定してください")
    if demand.low == 0:
        en, ja = _count(demand.low, demand.high)
        return (
            Words(f"{path} is there too often{what_en}", f"{path} が多すぎます{what_ja}"),
            Words(f"Send {en}", f"{ja}にしてください"),
        )
    said = Words(f"{path} is missing{what_en}", f"{path} がありません{what_ja}")
    if demand.high == 1:
        said = Words(f"There must be exactly one {path}{what_en}", f"{path} はちょうど1つ必要です{what_ja}")
    return said, Words(f"Add {path}", f"{path} を追加してください")


def _count(low: int, high: int | None) -> tuple[str, str]:
    if high is None:
        return f"at least {low}", f"{low}つ以上"
    if low == high:
        return f"exactly {low}", f"ちょうど{low}つ"
    return (f"at most {high}", f"{high}つまで") if low == 0 else (f"{low} to {high}", f"{low}〜{high}つ")
