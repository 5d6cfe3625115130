"""Unusual access: reads that a person must look at, found by rules among what has happened. Pure, and in any order.

Each rule judges a day or a week of one person at one facility, when it can no longer change: so whoever asks later,
for a longer time or a shorter one, finds the same, under the same ids.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from tsuzuri.domain.past_accesses import (
    Encounter,
    Encounters,
    PastAccess,
    PastEmergency,
    Stated,
    begin_of,
    day_of,
    end_of,
    end_of_week,
    stood,
    week_of,
)
from tsuzuri.domain.staff_names import family_name_spelled
from tsuzuri.domain.unusual_found import Past, UnusualAccess, explained, found, grouped, patients_of
from tsuzuri.domain.unusual_hours import Hours, off_hours
from tsuzuri.domain.unusual_rules import UnusualRule, UnusualRules
from tsuzuri.domain.vocabulary import AccessBasis

_FOR_CARE = frozenset({AccessBasis.CONSENT, AccessBasis.OWN_FACILITY, AccessBasis.EMERGENCY})
"""What is judged. A letter addressed to the facility explains itself, and a disaster is reviewed read by read."""

StaffNames = Mapping[tuple[str, str], Stated[str]]
"""Facility and person → family name in kana."""


def findings(
    accesses: Iterable[PastAccess],
    encounters: Iterable[Encounter],
    emergencies: Iterable[PastEmergency],
    hours: Hours,
    staff_names: StaffNames,
    rules: UnusualRules,
    *,
    complete_until: datetime | None = None,
) -> list[UnusualAccess]:
    """What the rules find, the oldest first.

    *complete_until*: up to when nothing is missing from what is given (aware); None: there is nothing later.
    """
    each = {one.id: one for one in accesses if _FOR_CARE & set(one.bases)}
    judged = [one for one in each.values() if AccessBasis.DISASTER not in one.bases]
    past = Past(
        rules,
        sorted(judged, key=lambda one: (one.at, one.id)),
        Encounters(encounters),
        None if complete_until is None else judged_until(complete_until, rules),
    )
    noticed = [
        *_many_patients(past),
        *_own_family_name(past, staff_names),
        *off_hours(past, hours),
        *_no_encounter(past, {one.id: one for one in emergencies}.values()),
    ]
    return sorted(noticed, key=lambda one: (one.since, one.rule, one.id))


def judged_until(complete_until: datetime, rules: UnusualRules) -> datetime:
    """Up to which day's end everything can be judged: an encounter may be registered days later."""
    return begin_of(day_of(complete_until - rules.encounter_after))


# --- many patients


def _many_patients(past: Past) -> Iterator[UnusualAccess]:
    rules = past.rules
    lone = (one for one in past.accesses if not explained(past, one, rules.encounter_before))
    for reads in grouped(lone, lambda one: (one.person, one.facility)):
        noticed = set[date]()
        for today in grouped(reads, lambda one: day_of(one.at)):
            day, patients, hour = day_of(today[0].at), len(patients_of(today)), _most_in_an_hour(today)
            if patients >= rules.many_a_day or hour >= rules.many_an_hour:
                noticed.add(day)
                if past.over(end_of(day)):
                    yield found(
                        UnusualRule.MANY_PATIENTS,
                        rules,
                        f"day/{day}",
                        today,
                        f"{patients} patients of whom the facility knows no encounter were read within a day, "
                        f"{hour} of them within an hour.",
                        f"当該施設での受診等の記録がない患者{patients}名を1日のうちに閲覧(1時間に最大{hour}名)。",
                    )
        yield from _a_few_each_day(past, [one for one in reads if day_of(one.at) not in noticed])


def _a_few_each_day(past: Past, reads: Sequence[PastAccess]) -> Iterator[UnusualAccess]:
    """When the weeks that end with one reach the number, and while they stay above it once in as many weeks."""
    number = past.rules.many_weeks
    by_week = {
        week_of(day_of(week[0].at)): week for week in grouped(reads, lambda one: week_of(day_of(one.at)))
    }

    def counted(last: int) -> list[PastAccess]:
        return [one for week in range(last - number + 1, last + 1) for one in by_week.get(week, [])]

    def reached(last: int) -> bool:
        return len(patients_of(counted(last))) >= past.rules.many_in_weeks

    for week in by_week:
        if not past.over(end_of_week(week)) or not reached(week):
            continue
        if reached(week - 1) and week % number:
            continue
        patients = len(patients_of(counted(week)))
        yield found(
            UnusualRule.MANY_PATIENTS,
            past.rules,
            f"week/{week}",
            counted(week),
            f"{patients} patients of whom the facility knows no encounter were read over {number} weeks.",
            f"当該施設での受診等の記録がない患者{patients}名を{number}週間にわたり閲覧。",
        )


def _most_in_an_hour(reads: Sequence[PastAccess]) -> int:
    """Of how many patients, at most; *reads* in order of time."""
    most, first, within = 0, 0, Counter[UUID]()
    for last in reads:
        within[last.patient] += 1
        while reads[first].at <= last.at - timedelta(hours=1):
            within[reads[first].patient] -= 1
            first += 1
        most = max(most, len(+within))
    return most


# --- the reader's own family name


def _own_family_name(past: Past, staff_names: StaffNames) -> Iterator[UnusualAccess]:
    own = (one for one in past.accesses if _same_family_name(one, staff_names))
    lone = (one for one in own if not explained(past, one, past.rules.family_before))
    for reads in grouped(lone, lambda one: (one.person, one.facility, one.patient, week_of(day_of(one.at)))):
        week = week_of(day_of(reads[0].at))
        if past.over(end_of_week(week)):
            yield found(
                UnusualRule.OWN_FAMILY_NAME,
                past.rules,
                f"week/{week}",
                reads,
                "Reader and patient have the same family name, and the facility knows no encounter.",
                "閲覧者と患者の姓(カナ)が同じで、当該施設での受診等の記録がない。",
            )


def _same_family_name(one: PastAccess, staff_names: StaffNames) -> bool:
    own = stood(staff_names.get((one.facility, one.person), ()), one.at)
    hers = one.patient_family_name
    return own is not None and hers is not None and family_name_spelled(own) == family_name_spelled(hers)


# --- an emergency without the patient


def _no_encounter(past: Past, emergencies: Iterable[PastEmergency]) -> Iterator[UnusualAccess]:
    """Of an emergency under which something was read: otherwise nothing was shown."""
    reads = defaultdict[UUID, list[PastAccess]](list)
    for one in past.accesses:
        if one.emergency is not None:
            reads[one.emergency].append(one)
    days = past.rules.encounter_after.days
    for emergency in emergencies:
        under = reads.get(emergency.id)
        if not under or not past.over(end_of(day_of(emergency.at))):
            continue
        since, until = emergency.at - past.rules.emergency_before, emergency.at + past.rules.encounter_after
        if not any(past.encounters.of(one, since, until) for one in under):
            yield found(
                UnusualRule.NO_ENCOUNTER,
                past.rules,
                f"emergency/{emergency.id}",
                under,
                f"An emergency was declared, and the facility knows no encounter up to {days} days after it.",
                f"救急時の閲覧の後{days}日以内に、当該施設での受診等の記録がない。",
                emergency.id,
            )
