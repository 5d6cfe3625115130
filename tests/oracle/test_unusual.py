"""The rules for unusual access, measured on stories that were told and labelled before there were any rules."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from uuid import UUID

import pytest

from oracle.snooping import EMERGENCIES, RULES, History, a_history, scores
from tsuzuri.domain.opening_hours import OpeningHours, OpenPeriod
from tsuzuri.domain.past_accesses import Encounter, Encounters, PastAccess, PastEmergency
from tsuzuri.domain.unusual import findings
from tsuzuri.domain.unusual_found import UnusualAccess
from tsuzuri.domain.unusual_rules import RULES_OF, UnusualRule, UnusualRules
from tsuzuri.domain.vocabulary import AccessBasis, Role

SEEDS = (101, 102, 103, 104, 105)
BAR = 0.9
SAID_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
IN_STORIES = {
    UnusualRule.MANY_PATIENTS: "many_patients",
    UnusualRule.OWN_FAMILY_NAME: "own_family_name",
    UnusualRule.OFF_HOURS: "off_hours",
    UnusualRule.NO_ENCOUNTER: EMERGENCIES,
}
THE_RULES = RULES_OF["2026-11"]
lived = cache(a_history)


def judged(history: History, rules: UnusualRules, *, shuffled: bool = False) -> list[UnusualAccess]:
    """What the rules find of all that they are told."""
    accesses = [
        PastAccess(
            id=one.id,
            at=one.at,
            person=one.person,
            role=Role(one.role),
            facility=one.facility,
            patient=one.patient,
            bases=(AccessBasis(one.basis),),
            patient_family_name=one.patient_family_name_kana,
            emergency=one.emergency,
        )
        for one in history.accesses
    ]
    encounters = [
        Encounter(at=one.at, facility=one.facility, patient=one.patient) for one in history.encounters
    ]
    if shuffled:
        Random(1).shuffle(accesses)
        Random(2).shuffle(encounters)
    hours = {
        one.number: [
            (
                SAID_LONG_AGO,
                OpeningHours(
                    weekly=tuple(
                        OpenPeriod(weekday=day + 1, opens=opens, closes=closes)
                        for day, spans in one.hours.items()
                        for opens, closes in spans
                    ),
                    closed_days=tuple(sorted(one.holidays)),
                ),
            )
        ]
        for one in history.facilities
        if not one.never_closes
    }
    names = {
        (one.facility, one.person): [(SAID_LONG_AGO, one.family_name_kana)]
        for one in history.accesses
        if one.family_name_kana is not None
    }
    emergencies = [PastEmergency(id=one.id, at=one.at) for one in history.emergencies]
    return findings(accesses, encounters, emergencies, hours, names, rules)


def measured(rules: UnusualRules, seeds: Sequence[int] = SEEDS) -> Mapping[str, tuple[float, float]]:
    """Precision and recall of each rule over all histories."""
    counts: dict[str, Counter[str]] = {rule: Counter() for rule in RULES}
    for seed in seeds:
        history = lived(seed)
        found: dict[str, set[UUID]] = defaultdict(set)
        for one in judged(history, rules):
            found[IN_STORIES[one.rule]] |= set(one.accesses)
        for score in scores(history, found):
            counts[score.rule].update(
                found=score.found, right=score.right, expected=score.expected, hit=score.hit
            )
    return {
        rule: (count["right"] / max(1, count["found"]), count["hit"] / count["expected"])
        for rule, count in counts.items()
    }


def test_each_rule_finds_nine_of_ten_snoopers_reads_and_nine_of_ten_that_it_finds_are_worth_a_look() -> None:
    told = measured(THE_RULES)

    for rule, (precision, recall) in told.items():
        print(f"{rule}: precision {precision:.3f}, recall {recall:.3f}, bar {BAR}")
    assert {rule for rule, both in told.items() if min(both) < BAR} == set()


def test_asked_again_in_another_order_they_find_the_same() -> None:
    history = lived(SEEDS[0])

    assert judged(history, THE_RULES, shuffled=True) == judged(history, THE_RULES) != []


@pytest.mark.parametrize(
    ("rule", "place", "broken"),
    [
        ("many_patients", 1, replace(THE_RULES, many_an_hour=40, many_a_day=60, many_in_weeks=200)),
        (
            "own_family_name",
            0,
            replace(THE_RULES, family_before=timedelta(), encounter_after=timedelta(days=2)),
        ),
        ("off_hours", 1, replace(THE_RULES, closed_after_closing=timedelta(hours=8))),
        (EMERGENCIES, 0, None),
    ],
)
def test_a_rule_that_is_wrong_is_measured_to_be_wrong(
    rule: str, place: int, broken: UnusualRules | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken is None:  # it looks for no encounter at all
        monkeypatch.setattr(Encounters, "of", lambda *_: False)
    told = measured(broken or THE_RULES, SEEDS[:1])

    assert told[rule][place] < BAR
