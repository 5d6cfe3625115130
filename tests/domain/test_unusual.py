"""The rules for unusual access: what an auditor would ask about, and the ordinary care that must not be accused."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from examples import CLINIC, HOSPITAL
from tsuzuri.domain.opening_hours import JAPAN, OpeningHours, OpenPeriod
from tsuzuri.domain.past_accesses import Encounter, PastAccess, PastEmergency
from tsuzuri.domain.unusual import findings
from tsuzuri.domain.unusual_found import UnusualAccess
from tsuzuri.domain.unusual_rules import RULES_OF, UnknownRules, rules_named
from tsuzuri.domain.vocabulary import AccessBasis, Role

RULES = RULES_OF["2026-11"]
MONDAY = datetime(2026, 6, 1, 10, 0, tzinfo=JAPAN)
SINCE_EVER = datetime(2020, 1, 1, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
WEEK = OpeningHours(
    weekly=tuple(OpenPeriod(weekday=day, opens=time(9), closes=time(18)) for day in (1, 2, 3, 4, 5)),
    closed_days=(date(2026, 6, 4),),
)
HOURS = {CLINIC: [(SINCE_EVER, WEEK)]}
STAFF = {(CLINIC, "dr-sakai"): [(SINCE_EVER, "サカイ")]}


def patient(number: int) -> UUID:
    return UUID(int=0x10000000000040008000000000000000 + number)


def read(at: datetime, of: int = 1, *, number: int | None = None, **changes: Any) -> PastAccess:
    """By the clinic's doctor, under a standing consent."""
    usual: dict[str, Any] = {
        "id": UUID(int=round(at.timestamp()) * 1000 + (of if number is None else number)),
        "at": at,
        "person": "dr-sakai",
        "role": Role.CLINICIAN,
        "facility": CLINIC,
        "patient": patient(of),
        "bases": (AccessBasis.CONSENT,),
    }
    return PastAccess(**usual | changes)


def met(at: datetime, of: int = 1, facility: str = CLINIC) -> Encounter:
    return Encounter(at=at, facility=facility, patient=patient(of))


def declared(at: datetime) -> PastEmergency:
    return PastEmergency(id=UUID(int=7), at=at)


def found(
    accesses: Iterable[PastAccess],
    encounters: Iterable[Encounter] = (),
    emergencies: Iterable[PastEmergency] = (),
    *,
    hours: Mapping[str, Any] = HOURS,
    staff: Mapping[tuple[str, str], Any] = STAFF,
    complete_until: datetime | None = None,
) -> list[UnusualAccess]:
    return findings(accesses, encounters, emergencies, hours, staff, RULES, complete_until=complete_until)


def rules_of(unusual: Sequence[UnusualAccess]) -> list[str]:
    return [one.rule for one in unusual]


# --- many patients


@pytest.mark.parametrize(("patients", "noticed"), [(7, []), (8, ["MANY_PATIENTS"])])
def test_many_patients_within_an_hour(patients: int, noticed: list[str]) -> None:
    assert rules_of(found(read(MONDAY + n * 7 * MINUTE, n) for n in range(patients))) == noticed


@pytest.mark.parametrize(("patients", "noticed"), [(11, []), (12, ["MANY_PATIENTS"])])
def test_many_patients_over_a_day(patients: int, noticed: list[str]) -> None:
    assert rules_of(found(read(MONDAY + n * 40 * MINUTE, n) for n in range(patients))) == noticed


def test_one_patient_read_often_is_one_patient() -> None:
    assert found(read(MONDAY + n * MINUTE, 1, number=n) for n in range(40)) == []


def test_a_full_surgery_is_ordinary_care() -> None:
    reads = [read(MONDAY + n * 5 * MINUTE, n) for n in range(60)]

    assert found(reads, [met(one.at + 4 * MINUTE, n) for n, one in enumerate(reads)]) == []


@pytest.mark.parametrize(
    ("of_encounter", "noticed"),
    [(-14 * DAY, 0), (-14 * DAY - MINUTE, 1), (10 * DAY, 0), (10 * DAY + MINUTE, 1)],
)
def test_an_encounter_explains_for_days_before_and_after_and_not_longer(
    of_encounter: timedelta, noticed: int
) -> None:
    reads = [read(MONDAY + n * MINUTE, n) for n in range(8)]

    assert len(found(reads, [met(reads[0].at + of_encounter, 0)])) == noticed


def test_an_encounter_elsewhere_explains_nothing() -> None:
    reads = [read(MONDAY + n * MINUTE, n) for n in range(8)]

    assert rules_of(found(reads, [met(one.at, n, HOSPITAL) for n, one in enumerate(reads)])) == [
        "MANY_PATIENTS"
    ]


def test_an_encounter_under_another_number_of_hers_explains_once_they_are_linked() -> None:
    reads = [read(MONDAY + n * MINUTE, n) for n in range(8)]
    encounter = met(MONDAY, 99)

    assert len(found(reads, [encounter])) == 1
    assert found([replace(reads[0], linked=(patient(99),)), *reads[1:]], [encounter]) == []


def test_letters_and_disasters_are_not_counted() -> None:
    for bases in (
        [AccessBasis.REFERRAL],
        [AccessBasis.DISASTER, AccessBasis.OWN_FACILITY],
        [AccessBasis.SELF],
    ):
        assert found(read(MONDAY + n * MINUTE, n, bases=tuple(bases)) for n in range(30)) == []


def test_a_few_each_day_are_noticed_once_they_are_many() -> None:
    reads = [read(MONDAY + day * DAY + n * HOUR, 2 * day + n) for day in range(0, 14) for n in range(2)]

    (one,) = found(reads, hours={})

    assert one.rule == "MANY_PATIENTS" and len(one.patients) == 28
    assert found(reads[:19], hours={}) == []


def test_two_people_together_are_not_one() -> None:
    reads = [read(MONDAY + n * MINUTE, n, person=f"dr-{n % 2}") for n in range(14)]

    assert found(reads) == []


# --- the reader's own family name


def test_the_own_family_name_without_an_encounter() -> None:
    (one,) = found(
        [read(MONDAY, patient_family_name="さかい"), read(MONDAY + HOUR, patient_family_name="サカイ")]
    )

    assert one.rule == "OWN_FAMILY_NAME"
    assert len(one.accesses) == 2
    assert "サカイ" not in one.says + one.says_ja


@pytest.mark.parametrize("of_encounter", [-29 * DAY, HOUR, 9 * DAY])
def test_a_namesake_who_comes_is_a_patient(of_encounter: timedelta) -> None:
    assert found([read(MONDAY, patient_family_name="サカイ")], [met(MONDAY + of_encounter)]) == []


def test_another_name_and_a_name_not_known_then_are_nothing() -> None:
    later = {(CLINIC, "dr-sakai"): [(MONDAY + DAY, "サカイ")]}

    assert found([read(MONDAY, patient_family_name="ハマダ")]) == []
    assert found([read(MONDAY, patient_family_name=None)]) == []
    assert found([read(MONDAY, patient_family_name="サカイ")], staff=later) == []


# --- while the facility was closed

NIGHT, SUNDAY = MONDAY.replace(hour=23), MONDAY - DAY + 2 * HOUR


@pytest.mark.parametrize(
    ("at", "noticed"),
    [
        (MONDAY.replace(hour=8, minute=0), []),
        (MONDAY.replace(hour=7, minute=59), ["OFF_HOURS"]),
        (MONDAY.replace(hour=19, minute=30), []),
        (MONDAY.replace(hour=19, minute=31), ["OFF_HOURS"]),
        (NIGHT, ["OFF_HOURS"]),
        (SUNDAY, ["OFF_HOURS"]),
        (MONDAY + 3 * DAY, ["OFF_HOURS"]),  # a day on which it is closed
    ],
)
def test_a_read_while_the_clinic_is_closed(at: datetime, noticed: list[str]) -> None:
    assert rules_of(found([read(at)])) == noticed


def test_a_hospital_never_closes() -> None:
    assert found([read(NIGHT, facility=HOSPITAL)]) == []


@pytest.mark.parametrize(
    ("at", "encounter"),
    [
        (NIGHT, NIGHT + 30 * MINUTE),  # 往診, a house call
        (NIGHT, MONDAY),  # charts finished late
        (NIGHT, MONDAY + DAY),  # the next day's appointment
        (MONDAY + 4 * DAY + 12 * HOUR, MONDAY + 7 * DAY),  # on Friday for Monday
        (MONDAY - 7 * HOUR, MONDAY - 10 * HOUR),  # behind midnight
    ],
)
def test_what_explains_a_late_read(at: datetime, encounter: datetime) -> None:
    assert rules_of(found([read(at)])) == ["OFF_HOURS"]
    assert found([read(at)], [met(encounter)]) == []


def test_an_encounter_on_an_earlier_day_does_not_explain_a_night() -> None:
    assert rules_of(found([read(NIGHT)], [met(MONDAY - 6 * HOUR)])) == ["OFF_HOURS"]


def test_a_duty_sunday_is_open() -> None:
    others = [read(SUNDAY + n * 10 * MINUTE, 50 + n) for n in range(2)]
    encounters = [met(one.at + 5 * MINUTE, 50 + n) for n, one in enumerate(others)]

    assert found([read(SUNDAY), *others], encounters) == []
    assert rules_of(found([read(SUNDAY), others[0]], encounters)) == ["OFF_HOURS"]


@pytest.mark.parametrize(("come", "noticed"), [(2, []), (1, ["OFF_HOURS"])])
def test_who_prepares_appointments_reads_of_somebody_who_stays_away(come: int, noticed: list[str]) -> None:
    evening = MONDAY.replace(hour=20)
    reads = [read(evening + n * MINUTE, n) for n in range(come + 1)]

    assert rules_of(found(reads, [met(MONDAY + DAY, n) for n in range(come)])) == noticed


# --- an emergency without the patient


def test_an_emergency_under_which_something_was_read_and_nobody_came() -> None:
    under = read(NIGHT + MINUTE, facility=HOSPITAL, person="dr-er", emergency=UUID(int=7))

    (one,) = found([under], [met(NIGHT - 3 * DAY, facility=HOSPITAL)], [declared(NIGHT)])

    assert (one.rule, one.emergency, one.accesses) == ("NO_ENCOUNTER", UUID(int=7), (under.id,))
    assert found([], [], [declared(NIGHT)]) == []


@pytest.mark.parametrize("of_encounter", [-50 * MINUTE, 3 * HOUR, 7 * DAY, 10 * DAY])
def test_an_admission_may_be_registered_days_later(of_encounter: timedelta) -> None:
    under = read(NIGHT + MINUTE, facility=HOSPITAL, person="dr-er", emergency=UUID(int=7))

    assert found([under], [met(NIGHT + of_encounter, facility=HOSPITAL)], [declared(NIGHT)]) == []


# --- whenever it is asked


def everything(weeks: int = 7) -> tuple[list[PastAccess], list[Encounter]]:
    """A busy clinic, whose doctor looks at some who never come, at night too, and sometimes at many."""
    random = Random(26)
    reads, encounters = [], []
    for number in range(200 * weeks):
        at = MONDAY + random.randrange(7 * weeks) * DAY + random.randrange(8 * 60) * MINUTE
        of = random.randrange(400)
        late = random.random() < 0.05
        reads.append(read(at + (12 * HOUR if late else 0 * HOUR), of, number=number))
        if of < 300:
            encounters.append(met(at + random.randrange(3) * DAY, of))
    return reads, encounters


def test_neither_the_order_nor_doubles_change_what_is_found() -> None:
    reads, encounters = everything()
    expected = found(reads, encounters)
    assert {one.rule for one in expected} == {"MANY_PATIENTS", "OFF_HOURS"}

    again, others = [*reads, *reads[:100]], list(encounters)
    Random(3).shuffle(again)
    Random(4).shuffle(others)

    assert found(again, others) == expected
    assert len({one.id for one in expected}) == len(expected)


def test_what_was_found_stays_found_and_nothing_is_found_too_early() -> None:
    reads, encounters = everything()
    whole = {one.id: one for one in found(reads, encounters)}
    for days in range(12, 70, 5):
        until = MONDAY + days * DAY

        by_then = found(
            [one for one in reads if one.at < until],
            [one for one in encounters if one.at < until],
            complete_until=until,
        )

        assert all(whole[one.id] == one for one in by_then)
        assert all(one.until <= until - RULES.encounter_after for one in by_then)
    assert len(by_then) == len(whole)


def test_whoever_asks_for_a_period_finds_what_belongs_to_it() -> None:
    reads, encounters = everything(weeks=16)
    whole = found(reads, encounters)
    for days in (45, 50, 58, 71):
        begin, end = MONDAY + days * DAY, MONDAY + (days + 9) * DAY
        since, until = begin - timedelta(weeks=6), end + 8 * DAY

        then = found(
            [one for one in reads if since <= one.at < until],
            [one for one in encounters if since - 30 * DAY <= one.at < until + 10 * DAY],
        )

        expected = [one for one in whole if begin <= one.until < end]
        assert [one for one in then if begin <= one.until < end] == expected
        assert expected


def test_rules_that_there_are_not() -> None:
    with pytest.raises(UnknownRules, match="2026-11"):
        rules_named("1999-01")
