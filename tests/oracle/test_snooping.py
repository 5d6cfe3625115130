"""The stories of snooping are what they say: told the same again, mostly ordinary care, and their labels hold."""

from collections import Counter
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from oracle import snooping
from oracle.snooping import EMERGENCIES, RULES, History, a_history, scores
from oracle.snooping_records import JAPAN, Access
from oracle.snooping_region import EMERGENCY_HOSPITAL

SEEDS = (1, 2, 3)
WRITTEN_BEFORE_THE_RULES = "edf6955cea0c520e6932acc978206a1f1df544688f85399f310f9c681c4098ab"
seeds = pytest.mark.parametrize("seed", SEEDS)
told = cache(a_history)


def of_kind(history: History, kind: str) -> list[Access]:
    ids = {label.id for label in history.labels if label.kind == kind}
    return [one for one in history.accesses if one.id in ids]


def days_of(accesses: list[Access]) -> Counter[tuple[str, date]]:
    """How many accesses each person has on each of Japan's days."""
    return Counter((one.person, one.at.astimezone(JAPAN).date()) for one in accesses)


def test_nothing_of_ours_is_imported() -> None:
    files = sorted(Path(snooping.__file__ or "").parent.glob("snooping*.py"))

    assert len(files) == 6
    for file in files:
        assert "tsuzuri" not in file.read_text(encoding="utf-8"), file.name


def test_a_seed_tells_the_same_history() -> None:
    assert a_history(1) == told(1)
    assert told(1).accesses != told(2).accesses


def test_the_stories_are_those_that_were_written_before_the_rules() -> None:
    """Who changes a story changes this line too, and says why: a rule that fails is no reason."""
    labels = "".join(f"{label.id} {label.kind}\n" for label in told(1).labels)

    assert sha256(labels.encode()).hexdigest() == WRITTEN_BEFORE_THE_RULES


@seeds
def test_ordinary_care_dominates_and_hundreds_are_wanted(seed: int) -> None:
    history = told(seed)
    wanted = sum(one.id in history.wanted for one in history.accesses)

    assert wanted > 500
    assert len(history.accesses) > 20 * wanted
    assert min(Counter(label.kind for label in history.labels if label.kind in RULES).values()) > 30


@seeds
def test_labels_are_of_what_is_told(seed: int) -> None:
    history = told(seed)
    accesses, emergencies = {one.id for one in history.accesses}, {one.id for one in history.emergencies}

    assert len(accesses) == len(history.accesses) == len(history.stories)
    assert history.wanted <= accesses | emergencies
    assert {label.id for label in history.labels if label.kind != EMERGENCIES} <= accesses
    assert {one.emergency for one in history.accesses} - {None} == emergencies
    assert set(history.expected) == set(RULES)


@seeds
def test_every_kind_of_snooping_occurs(seed: int) -> None:
    others = {
        "one_patient_many_readers",
        "acquaintance",
        "same_patient_again",
        "relative_by_another_name",
        "relative_in_care",
        "off_duty",
    }

    assert {label.kind for label in told(seed).labels} == set(RULES) | others


@seeds
def test_relatives_bear_the_name_and_most_namesakes_are_innocent(seed: int) -> None:
    history = told(seed)
    namesakes = [
        one
        for one in history.accesses
        if one.family_name_kana and one.family_name_kana == one.patient_family_name_kana
    ]

    assert set(of_kind(history, "own_family_name")) <= set(namesakes)
    assert sum(one.id in history.wanted for one in namesakes) < len(namesakes) / 2


@seeds
def test_closed_clinics_are_closed_and_much_honest_work_is_done_in_them(seed: int) -> None:
    history = told(seed)
    facilities = {one.number: one for one in history.facilities}
    closed = [one for one in history.accesses if not facilities[one.facility].open_at(one.at)]

    assert set(of_kind(history, "off_hours")) <= set(closed)
    assert sum(one.id in history.wanted for one in closed) < len(closed) / 2


@seeds
def test_nobody_comes_after_a_labelled_emergency_and_somebody_does_after_every_other(seed: int) -> None:
    history = told(seed)
    seen = {(one.facility, one.patient): one.at for one in history.encounters}  # the last of each

    for emergency in history.emergencies:
        last = seen.get((emergency.facility, emergency.patient))
        came = last is not None and last > emergency.at
        assert emergency.facility == EMERGENCY_HOSPITAL.number
        assert came != (emergency.id in history.expected[EMERGENCIES])


@seeds
def test_honest_days_are_as_full_as_a_trawl(seed: int) -> None:
    history = told(seed)
    honest = days_of([one for one in history.accesses if one.id not in history.wanted])
    trawls = days_of(of_kind(history, "many_patients"))

    assert max(honest.values()) > 80
    assert sum(full > 40 for full in honest.values()) > sum(full > 40 for full in trawls.values()) > 1


def test_findings_are_counted_by_what_they_say() -> None:
    history = told(1)
    innocent = next(one.id for one in history.accesses if one.id not in history.wanted)
    emergencies = {one.emergency for one in history.accesses if one.id in history.expected[EMERGENCIES]}
    reads = [one.id for one in history.accesses if one.emergency in emergencies]
    findings = {**history.expected, "off_hours": [innocent], EMERGENCIES: reads}

    many, names, hours, emergency = scores(history, findings)

    assert (many.precision, many.recall, names.precision, names.recall) == (1, 1, 1, 1)
    assert (hours.precision, hours.recall) == (0, 0)
    assert dict(hours.false) == {history.stories[innocent]: 1}
    assert (emergency.precision, emergency.recall, emergency.expected) == (1, 1, len(emergencies))
