"""Given what the log has of a Bundle's numbers, whom it is about, and what a person must look at."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from examples import CLINIC, NOON, PATIENT, STRANGER
from tsuzuri.domain.identifiers import (
    InsuredPersonNumber,
    LocalNumber,
    NationalNumber,
    PatientNumber,
    PublicAssistanceNumber,
    identifier,
)
from tsuzuri.domain.matching import Known, Matching, match
from tsuzuri.domain.record import Demographics, Period, Subject
from tsuzuri.domain.registrations import PatientRecord
from tsuzuri.domain.vocabulary import UnmatchedReason

HERS = InsuredPersonNumber.parse("00012345:あ:187:05")
NO_BRANCH = InsuredPersonNumber.parse("00012345:あ:187:")
FAMILY = InsuredPersonNumber.parse("00012345:あ:187:06")
OTHER = InsuredPersonNumber.parse("00054321:い:9:01")
ASSISTANCE = PublicAssistanceNumber.parse("12345678::1234567:")
LOCAL, LOCAL_2 = (LocalNumber.parse(CLINIC, number) for number in ("P-1", "P-2"))
HANAKO = Demographics(name="試験 花子", kana="シケン ハナコ", birth_date="1970-01-02", sex="female")
TARO = Demographics(name="試験 太郎", kana="シケン タロウ", birth_date="1999-09-09", sex="male")
SPRING = datetime(2026, 4, 1, tzinfo=UTC)


def known(
    *numbers: PatientNumber,
    others: Mapping[PatientNumber, UUID] | None = None,
    kin: bool = False,
    until: datetime | None = None,
    since: datetime | None = None,
) -> Known:
    """Hanako, with these numbers; others have theirs."""
    owners = dict.fromkeys(numbers, PATIENT) | dict(others or {})
    record = PatientRecord(
        PATIENT,
        identifiers=frozenset(map(identifier, numbers)),
        demographics=HANAKO,
        periods={identifier(n): Period(since=since, until=until) for n in numbers if since or until},
    )
    return Known(
        owners=owners,
        kin=frozenset({PATIENT}) if kin else frozenset(),
        records={PATIENT: record, STRANGER: PatientRecord(STRANGER)},
    )


def matched(
    national: NationalNumber | None,
    local: LocalNumber | None,
    has: Known,
    said: Demographics = HANAKO,
    since: datetime | None = None,
) -> Matching:
    insured = national if isinstance(national, InsuredPersonNumber) else None
    assistance = national if isinstance(national, PublicAssistanceNumber) else None
    asked = {n: owner for n, owner in has.owners.items() if n in (national, local)}
    subject = Subject(
        insured_person=insured,
        public_assistance=assistance,
        local=local,
        demographics=said,
        periods={national: Period(since=since)} if national and since else {},
    )
    return match(subject, replace(has, owners=asked), NOON)


def reasons(found: Matching) -> list[tuple[UnmatchedReason, UUID | None]]:
    return [(one.reason, one.other) for one in found.unmatched]


@pytest.mark.parametrize(
    ("national", "local"), [(HERS, LOCAL), (HERS, None), (None, LOCAL), (HERS, LOCAL_2), (ASSISTANCE, LOCAL)]
)
def test_any_known_number_names_her_and_brings_the_new_ones_along(
    national: NationalNumber | None, local: LocalNumber | None
) -> None:
    found = matched(national, local, known(HERS, LOCAL))

    assert (found.patient, found.disputed, reasons(found)) == (PATIENT, (), [])
    assert found.hers == tuple(n for n in (national, local) if n is not None)


def test_somebody_nobody_knows_is_new_with_all_her_numbers() -> None:
    assert matched(HERS, LOCAL, Known(owners={})) == Matching(patient=None, hers=(HERS, LOCAL))


def test_a_public_assistance_number_alone_names_her() -> None:
    assert matched(ASSISTANCE, None, known(ASSISTANCE)).patient == PATIENT


@pytest.mark.parametrize(("had", "sent"), [(HERS, NO_BRANCH), (NO_BRANCH, HERS)], ids=["lost", "found"])
def test_where_a_branch_was_lost_the_local_number_decides_and_the_new_number_stays_nobodys(
    had: InsuredPersonNumber, sent: InsuredPersonNumber
) -> None:
    found = matched(sent, LOCAL, known(had, LOCAL))

    assert (found.patient, found.hers, found.disputed) == (PATIENT, (LOCAL,), ())
    assert reasons(found) == [(UnmatchedReason.BRANCH_DIFFERS, None)]


def test_another_branch_is_somebody_else_whatever_the_local_number_says() -> None:
    found = matched(FAMILY, LOCAL, known(HERS, LOCAL))

    assert (found.patient, found.hers, found.disputed) == (None, (FAMILY,), (LOCAL,))
    assert reasons(found) == [(UnmatchedReason.BRANCH_DIFFERS, PATIENT)]


@pytest.mark.parametrize(
    ("said", "told"),
    [(HANAKO, [(UnmatchedReason.BRANCH_DIFFERS, PATIENT)]), (TARO, []), (replace(HANAKO, kana=None), [])],
    ids=["the same person", "her brother", "no kana"],
)
def test_without_a_local_number_a_lost_branch_is_kept_apart_and_looked_at(
    said: Demographics, told: list[object]
) -> None:
    found = matched(NO_BRANCH, None, known(HERS, kin=True), said)

    assert (found.patient, found.hers) == (None, (NO_BRANCH,))
    assert reasons(found) == told


def test_a_known_number_with_another_birth_date_is_looked_at() -> None:
    found = matched(HERS, LOCAL, known(HERS, LOCAL), TARO)

    assert found.patient == PATIENT
    assert reasons(found) == [(UnmatchedReason.DEMOGRAPHICS_DIFFER, None)]


@pytest.mark.parametrize("said", [{"birth_date": None}, {"sex": "unknown"}, {"sex": None}])
def test_what_is_not_said_does_not_differ(said: dict[str, Any]) -> None:
    assert matched(HERS, LOCAL, known(HERS, LOCAL), replace(HANAKO, **said)).unmatched == ()


def test_a_number_without_branch_that_another_of_the_family_comes_with_is_disputed() -> None:
    """Both were sent without 枝番: by the number alone the two would share one record."""
    found = matched(NO_BRANCH, LOCAL_2, known(NO_BRANCH, LOCAL), TARO)

    assert (found.patient, found.hers, found.disputed) == (None, (LOCAL_2,), (NO_BRANCH,))
    assert reasons(found) == [(UnmatchedReason.DEMOGRAPHICS_DIFFER, PATIENT)]


def test_a_number_of_another_patient_is_disputed_and_says_whose_it_is() -> None:
    found = matched(HERS, LOCAL_2, known(HERS, others={LOCAL_2: STRANGER}))

    assert (found.patient, found.hers, found.disputed) == (PATIENT, (HERS,), (LOCAL_2,))
    assert reasons(found) == [(UnmatchedReason.NUMBER_OF_ANOTHER, STRANGER)]


@pytest.mark.parametrize(
    ("has", "since"),
    [
        (known(HERS, LOCAL, until=SPRING), None),
        (known(HERS, LOCAL, until=SPRING), SPRING),
        (known(HERS, LOCAL, since=datetime(2020, 4, 1, tzinfo=UTC)), SPRING),
    ],
    ids=["the old one ended", "the new one follows", "the new one begins later"],
)
def test_a_changed_number_keeps_one_patient(has: Known, since: datetime | None) -> None:
    found = matched(OTHER, LOCAL, has, since=since)

    assert (found.patient, found.hers, found.disputed) == (PATIENT, (OTHER, LOCAL), ())
    assert reasons(found) == [(UnmatchedReason.NUMBER_CHANGED, None)]


@pytest.mark.parametrize(
    ("has", "since"),
    [
        (known(HERS, LOCAL), None),
        (known(HERS, LOCAL), SPRING),
        (known(HERS, LOCAL, until=datetime(2027, 1, 1, tzinfo=UTC)), None),
        (known(HERS, LOCAL, since=SPRING), SPRING),
    ],
    ids=["nothing is said", "only the new one says", "the old one still holds", "both begin at once"],
)
def test_a_second_number_while_the_first_may_hold_is_somebody_else(
    has: Known, since: datetime | None
) -> None:
    found = matched(OTHER, LOCAL, has, since=since)

    assert (found.patient, found.hers, found.disputed) == (None, (OTHER,), (LOCAL,))
    assert reasons(found) == [(UnmatchedReason.NUMBER_OF_ANOTHER, PATIENT)]


def test_another_branch_is_no_change_of_number_whatever_the_dates_say() -> None:
    assert matched(FAMILY, LOCAL, known(HERS, LOCAL, until=SPRING), since=SPRING).patient is None
