"""The same thing stated by several facilities is one group; strangers under a dummy code are not."""

from datetime import timedelta

import pytest

from examples import CLINIC, HOSPITAL, NOON
from tsuzuri.domain.grouping import STALE_AFTER, Statement, confirmed, group
from tsuzuri.domain.record import Coding
from tsuzuri.domain.vocabulary import RecordClass

DISEASE = "http://medis.or.jp/CodeSystem/master-disease-keyNumber"
DISEASE_OID = "urn:oid:1.2.392.200119.4.101.2"
ICD10 = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full"
FOOD = "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyFoodAllergen_CS"
DRUG = "http://jpfhir.jp/fhir/core/CodeSystem/YCM/JP_JfagyMedicationAllergen_CS"
YJ = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code"

CONDITION, DRUG_ALLERGY = RecordClass.CONDITION, RecordClass.DRUG_ALLERGY
OTHER_ALLERGY = RecordClass.OTHER_ALLERGY


def stated(
    name: str,
    *codes: tuple[str, str],
    record_class: RecordClass = CONDITION,
    sender: str = CLINIC,
    days_ago: float = 1,
) -> Statement[str]:
    return Statement(
        record_class=record_class,
        name=name,
        codings=tuple(Coding(system=system, code=code) for system, code in codes),
        sender=sender,
        confirmed_at=NOON - timedelta(days=days_ago),
        entry=f"{name} of {sender}",
    )


def test_one_diagnosis_of_two_facilities_is_one_group_named_and_dated_by_the_newest() -> None:
    clinic = stated("２型糖尿病", (DISEASE, "20061565"), days_ago=30)
    hospital = stated("糖尿病（２型）", (DISEASE_OID, "20061565"), (ICD10, "E11"), sender=HOSPITAL)

    (found,) = group([clinic, hospital])

    assert found.name == "糖尿病（２型）"
    assert (found.last.sender, found.last.confirmed_at) == (HOSPITAL, NOON - timedelta(days=1))
    assert [one.entry for one in found.statements] == [hospital.entry, clinic.entry]
    assert [coding.code for coding in found.codes] == ["20061565", "E11", "20061565"]


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (stated("a", (ICD10, "E11")), stated("b", (ICD10, "E11")), True),
        (stated("a", (DISEASE, "1"), (ICD10, "E11")), stated("b", (DISEASE, "2"), (ICD10, "E11")), False),
        (stated("ＨＴ 高血圧"), stated("HT高血圧"), True),
        (stated("胃癌", (DISEASE, "99999999")), stated("肺癌", (DISEASE, "99999999")), False),
        (stated("胃癌", (DISEASE, "99999999")), stated("胃癌", (DISEASE, "99999999")), True),
        (
            stated("さば", (FOOD, "J9FC11190000"), record_class=OTHER_ALLERGY),
            stated("サバ", (FOOD, "J9FC11190000"), record_class=OTHER_ALLERGY),
            True,
        ),
        (
            stated("さば", (FOOD, "D9F000000000"), record_class=OTHER_ALLERGY),
            stated("かに", (FOOD, "D9F000000000"), record_class=OTHER_ALLERGY),
            False,
        ),
        (
            stated("アスピリン", (DRUG, "YCM1149019F1013"), record_class=DRUG_ALLERGY),
            stated("アスピリン錠", (YJ, "1149019F1013"), record_class=DRUG_ALLERGY),
            True,
        ),
        (
            stated("大豆", record_class=DRUG_ALLERGY),
            stated("大豆", record_class=OTHER_ALLERGY),
            False,
        ),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_what_belongs_together(one: Statement[str], other: Statement[str], together: bool) -> None:
    assert len(group([one, other])) == (1 if together else 2)


@pytest.mark.parametrize("record_class", STALE_AFTER)
def test_a_group_is_stale_once_nobody_has_confirmed_it_for_its_period(record_class: RecordClass) -> None:
    days = STALE_AFTER[record_class].days
    (found,) = group(
        [
            stated("x", record_class=record_class, days_ago=days),
            stated("x", record_class=record_class, days_ago=5_000),
        ]
    )

    assert not found.is_stale(NOON)
    assert found.is_stale(NOON + timedelta(seconds=1))


def test_a_bundle_confirms_as_of_when_it_was_made_and_never_after_it_came() -> None:
    earlier, later = NOON - timedelta(days=900), NOON + timedelta(days=9_000)

    assert confirmed(NOON, earlier) == earlier
    assert confirmed(NOON, later) == confirmed(NOON, None) == NOON


def test_groups_come_in_the_order_in_which_they_were_last_confirmed() -> None:
    assert [g.name for g in group([stated("old", days_ago=9), stated("new"), stated("mid", days_ago=5)])] == [
        "new",
        "mid",
        "old",
    ]
