"""Weeks of a region's readings, with labels that say which of them a reviewer would want to look at. Seeded.

The stories and their labels were written before there was a rule to judge them, from the names of the rules alone:
"many patients, own family name, off-hours, no encounter after an emergency". They stand in three files: who lives and
works in the region (snooping_region), ordinary care (snooping_care, snooping_hospital), who snoops (snooping_staff).

What a rule is given: the accesses, encounters and emergencies, in the order of time, and the facilities with their
hours. What it is not given: labels, stories, rosters. Encounters go on after the last emergency.

How findings are counted, so that nobody chooses it afterwards. A finding is an access's or an emergency's id under the
name of a rule; one that stands for a bunch counts with every access it cites, and a read under an emergency counts as
that emergency where the rule is the one for emergencies. Recall asks for what the rule's name plainly says
(`expected`). Precision asks whether the reviewer's time was wasted: a finding is right when somebody would want to look
at it (`wanted`), whichever the story; that a trawl met a namesake is no false alarm.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from uuid import UUID

from oracle.snooping_care import care_outside_hospitals
from oracle.snooping_hospital import care_at_hospitals
from oracle.snooping_records import Access, Emergency, Encounter, Facility, Label, Notebook
from oracle.snooping_region import FACILITIES, a_region
from oracle.snooping_staff import snooping

EMERGENCIES = "no_encounter_after_emergency"
RULES = ("many_patients", "own_family_name", "off_hours", EMERGENCIES)


@dataclass(frozen=True)
class History:
    facilities: tuple[Facility, ...]
    accesses: tuple[Access, ...]
    encounters: tuple[Encounter, ...]
    emergencies: tuple[Emergency, ...]
    labels: tuple[Label, ...]
    stories: Mapping[UUID, str]  # of every access: what it was, for whoever asks why a rule was wrong

    @cached_property
    def wanted(self) -> frozenset[UUID]:
        """What a reviewer would want to look at."""
        return frozenset(label.id for label in self.labels)

    @cached_property
    def expected(self) -> Mapping[str, frozenset[UUID]]:
        """What the rule of that name should find of it: accesses, and the emergencies themselves."""
        return {rule: frozenset(label.id for label in self.labels if label.kind == rule) for rule in RULES}


@dataclass(frozen=True)
class Score:
    rule: str
    found: int
    right: int  # of those found: a reviewer would want to look
    expected: int
    hit: int  # of those expected: found
    missed: Mapping[str, int]  # story → expected and not found
    false: Mapping[str, int]  # story → found, and nobody wants to look

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.hit / self.expected

    def __str__(self) -> str:
        line = f"{self.rule}: precision {self.precision:.3f} ({self.right}/{self.found})"
        line += f", recall {self.recall:.3f} ({self.hit}/{self.expected})"
        return f"{line}; missed {dict(self.missed)}; false {dict(self.false)}"


def a_history(seed: int) -> History:
    """The same seed tells the same history, to the last id."""
    book = Notebook(Random(seed))
    region = a_region(book.random)
    care_outside_hospitals(region, book)
    care_at_hospitals(region, book)
    snooping(region, book)
    return History(
        FACILITIES,
        tuple(sorted(book.accesses, key=lambda one: (one.at, one.id))),
        tuple(sorted(book.encounters, key=lambda one: (one.at, one.facility, one.patient))),
        tuple(sorted(book.emergencies, key=lambda one: (one.at, one.id))),
        tuple(book.labels),
        book.stories,
    )


def scores(history: History, findings: Mapping[str, Collection[UUID]]) -> Iterator[Score]:
    """*findings*: rule → ids of accesses, or of emergencies, as counted above."""
    because = {one.id: one.emergency for one in history.accesses if one.emergency}
    story = dict(history.stories)
    story |= {emergency: story[access] for access, emergency in because.items()}

    def counted(rule: str, ids: Collection[UUID]) -> set[UUID]:
        return {because.get(one, one) if rule == EMERGENCIES else one for one in ids}

    for rule in RULES:
        found = counted(rule, findings.get(rule, ()))
        expected = counted(rule, history.expected[rule])
        right = found & history.wanted
        yield Score(
            rule,
            len(found),
            len(right),
            len(expected),
            len(found & expected),
            Counter(story[one] for one in expected - found),
            Counter(story[one] for one in found - right),
        )
