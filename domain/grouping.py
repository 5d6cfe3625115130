"""The same diagnosis or allergy as several facilities state it: one group, and who confirmed it last.

An old allergy never disappears by itself. So that a reader can weigh it, a group says how old its newest
statement is, and stands out as stale when nobody has stated it again for long.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from tsuzuri.domain.record import Coding
from tsuzuri.domain.rules.systems import DISEASE, JFAGY, MHLW, YJ, canonical, last_name
from tsuzuri.domain.vocabulary import RecordClass

T = TypeVar("T")

STALE_AFTER = {
    RecordClass.CONDITION: timedelta(days=365),  # a set of conditions is sent again at every visit
    RecordClass.DRUG_ALLERGY: timedelta(days=2 * 365),  # asked for less often, and does not pass by itself
    RecordClass.OTHER_ALLERGY: timedelta(days=2 * 365),
}
"""Our own choice: the national rules set no period."""

_ICD10 = f"{MHLW}/ICD10-2013-full"
_META_CODE = "YCM"  # J-FAGY: the YJ code of a product follows
_DUMMIES = ("D9F", "D9N", "D9M")  # J-FAGY: the words beside the code say what is meant
_UNCODED_DISEASES = frozenset({"99999999"})  # MEDIS: 未コード化傷病名


@dataclass(frozen=True, kw_only=True)
class Statement(Generic[T]):
    """One current entry: what it states, who registered its Bundle, and as of when that says so."""

    record_class: RecordClass
    name: str
    codings: Sequence[Coding]
    sender: str  # 保険医療機関番号
    confirmed_at: datetime  # aware; see `confirmed`
    entry: T


@dataclass(frozen=True, kw_only=True)
class Group(Generic[T]):
    """Statements of one thing, newest first."""

    record_class: RecordClass
    name: str  # as the newest statement names it
    codes: tuple[Coding, ...]  # of all statements, each once
    statements: tuple[Statement[T], ...]

    @property
    def last(self) -> Statement[T]:
        return self.statements[0]

    def is_stale(self, at: datetime) -> bool:
        """Whether nobody has confirmed it for longer than its class allows."""
        return at - self.last.confirmed_at > STALE_AFTER[self.record_class]


def confirmed(registered_at: datetime, made_at: datetime | None) -> datetime:
    """As of when a Bundle states what it carries: when its sender made it, but not after it came.

    What is brought in years later confirms nothing today. None: when it was made is not known any more.
    """
    return registered_at if made_at is None else min(registered_at, made_at)


def group(statements: Iterable[Statement[T]]) -> list[Group[T]]:
    """By class and what is stated, the group confirmed last first. Statements of equal age keep their order."""
    found: dict[tuple[RecordClass, str], list[Statement[T]]] = {}
    for statement in sorted(statements, key=lambda one: one.confirmed_at, reverse=True):
        found.setdefault((statement.record_class, _stated(statement)), []).append(statement)
    return [
        Group(
            record_class=record_class,
            name=members[0].name,
            codes=tuple(dict.fromkeys(coding for one in members for coding in one.codings)),
            statements=tuple(members),
        )
        for (record_class, _), members in found.items()
    ]


def _stated(statement: Statement[T]) -> str:
    """The code that names it, else its name. A dummy code names nothing, and must not bring strangers together."""
    coded = _disease if statement.record_class is RecordClass.CONDITION else _allergen
    code = coded(statement.codings)
    return code or f"name/{''.join(unicodedata.normalize('NFKC', statement.name).casefold().split())}"


def _disease(codings: Sequence[Coding]) -> str | None:
    """病名管理番号, else ICD-10."""
    by_system = {canonical(coding.system): coding.code for coding in reversed(codings)}
    number, icd10 = by_system.get(DISEASE), by_system.get(_ICD10)
    if number and number not in _UNCODED_DISEASES:
        return f"disease/{number}"
    return f"icd10/{icd10}" if icd10 else None


def _allergen(codings: Sequence[Coding]) -> str | None:
    """J-FAGY, whose codes of products hold the YJ code, else the YJ code itself: both are one thing."""
    for coding in codings:
        if last_name(coding.system) in JFAGY and not coding.code.startswith(_DUMMIES):
            return f"allergen/{coding.code.removeprefix(_META_CODE)}"
    return next((f"allergen/{c.code}" for c in codings if canonical(c.system) == YJ), None)
