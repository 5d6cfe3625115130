"""What the rules for unusual access work on, and what they make of it."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid5

from tsuzuri.domain.past_accesses import Encounters, PastAccess
from tsuzuri.domain.unusual_rules import UnusualRule, UnusualRules
from tsuzuri.domain.vocabulary import Role

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class UnusualAccess:
    """What a rule found. The sentences name no patient."""

    id: UUID  # of the rule, its version, what it judged and the reads: the same whenever it is found
    rule: UnusualRule
    version: str
    person: str
    role: Role
    facility: str
    patients: tuple[UUID, ...]  # each once, by id
    accesses: tuple[UUID, ...]  # the reads it rests on, the oldest first
    emergency: UUID | None = None
    since: datetime  # the first of the reads
    until: datetime  # the last
    says: str
    says_ja: str


@dataclass(frozen=True)
class Past:
    """All that is judged, ready to be asked."""

    rules: UnusualRules
    accesses: Sequence[PastAccess]  # the oldest first
    encounters: Encounters
    upto: datetime | None  # what ends later is not judged yet

    def over(self, end: datetime) -> bool:
        return self.upto is None or end <= self.upto


def explained(past: Past, one: PastAccess, before: timedelta) -> bool:
    until = one.at + past.rules.encounter_after
    return past.encounters.of(one, one.at - before, until)


def found(
    rule: UnusualRule,
    rules: UnusualRules,
    judged: str,
    reads: Sequence[PastAccess],
    says: str,
    says_ja: str,
    emergency: UUID | None = None,
) -> UnusualAccess:
    return UnusualAccess(
        id=uuid5(min(one.id for one in reads), f"{rules.version}/{rule}/{judged}"),
        rule=rule,
        version=rules.version,
        person=reads[0].person,
        role=reads[0].role,
        facility=reads[0].facility,
        patients=tuple(sorted(patients_of(reads))),
        accesses=tuple(one.id for one in reads),
        emergency=emergency,
        since=reads[0].at,
        until=reads[-1].at,
        says=says,
        says_ja=says_ja,
    )


def patients_of(reads: Iterable[PastAccess]) -> set[UUID]:
    return {one.patient for one in reads}


def grouped(reads: Iterable[PastAccess], key: Callable[[PastAccess], K]) -> Iterable[list[PastAccess]]:
    """Reads of one key each, in the order in which the keys come first."""
    groups = defaultdict[K, list[PastAccess]](list)
    for one in reads:
        groups[key(one)].append(one)
    return groups.values()
