"""One access in plain words: every basis, every role and every class has its own, in Japanese and in English."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from examples import HOSPITAL
from tsuzuri.domain.access_words import AccessFacts, words
from tsuzuri.domain.vocabulary import AccessBasis, Language, RecordClass, Role

JA, EN = Language.JA, Language.EN
LATE = datetime(2026, 11, 22, 15, 4, 59, tzinfo=UTC)  # four past midnight in Japan, the next day
JAPANESE = re.compile(r"[ぁ-んァ-ン一-龥]")


def facts(**changes: Any) -> AccessFacts:
    usual: dict[str, Any] = {
        "at": LATE,
        "role": Role.CLINICIAN,
        "facility_number": HOSPITAL,
        "facility_name": "見本救急病院",
        "bases": [AccessBasis.CONSENT],
        "classes_asked": [RecordClass.CONDITION, RecordClass.LAB_RESULT],
        "classes_permitted": [RecordClass.CONDITION],
    }
    return AccessFacts(**usual | changes)


@pytest.mark.parametrize(
    ("basis", "japanese", "english"),
    [
        (AccessBasis.CONSENT, "本人の同意にもとづいて", "with the patient's consent"),
        (AccessBasis.REFERRAL, "紹介を受けた医療機関として", "as a referral was addressed to it"),
        (AccessBasis.OWN_FACILITY, "自ら登録した記録について", "in what it had registered itself"),
        (
            AccessBasis.EMERGENCY,
            "救急のため、本人の同意によらずに",
            "in an emergency, without the patient's consent",
        ),
        (
            AccessBasis.DISASTER,
            "災害のため、本人の同意によらずに",
            "in a disaster, without the patient's consent",
        ),
    ],
)
def test_who_where_when_what_and_why_at_a_facility(basis: AccessBasis, japanese: str, english: str) -> None:
    told = facts(bases=[basis])

    assert words(told, JA) == (
        f"2026年11月23日0時04分、見本救急病院の医師または歯科医師が、{japanese}、"
        "傷病名、検査を調べました（見ることができた種類：傷病名）。"
    )
    assert words(told, EN) == (
        "On 23 November 2026 at 0:04 (Japan time), a doctor or dentist at 見本救急病院 looked for diagnoses and "
        f"laboratory results {english} (could be seen: diagnoses)."
    )


@pytest.mark.parametrize(
    ("basis", "japanese", "english"),
    [
        (AccessBasis.SELF, "本人が、自分の記録として、", "the patient looked for"),
        (AccessBasis.PROXY, "代理人が、本人に代わって、", "a person who stands for the patient looked for"),
    ],
)
def test_the_patient_herself_and_who_stands_for_her(basis: AccessBasis, japanese: str, english: str) -> None:
    own = facts(bases=[basis], role=Role.PATIENT, facility_number=None, facility_name=None)

    assert words(own, JA).startswith(f"2026年11月23日0時04分、{japanese}傷病名、検査を調べました")
    assert english in words(own, EN)


def test_an_audit_looks_at_the_trail_or_at_what_she_asked_of_facilities() -> None:
    audit: dict[str, Any] = {
        "role": Role.AUDITOR,
        "bases": [AccessBasis.AUDIT],
        "facility_number": None,
        "facility_name": None,
        "classes_asked": [],
        "classes_permitted": [],
    }

    assert words(facts(**audit, of_trail=True), JA) == (
        "2026年11月23日0時04分、監査担当者が、監査のため、閲覧履歴を調べました。"
    )
    assert words(facts(**audit, of_trail=True), EN) == (
        "On 23 November 2026 at 0:04 (Japan time), an auditor looked at the list of who had read the record, "
        "for an audit."
    )
    assert "訂正や利用停止などの請求を調べました" in words(facts(**audit), JA)
    assert "an auditor looked at requests for correction, for an audit." in words(facts(**audit), EN)


@pytest.mark.parametrize("basis", AccessBasis)
def test_every_basis_has_words_of_its_own(basis: AccessBasis) -> None:
    others = [words(facts(bases=[one]), language) for language in Language for one in AccessBasis]

    assert others.count(words(facts(bases=[basis]), JA)) == 1
    assert others.count(words(facts(bases=[basis]), EN)) == 1


@pytest.mark.parametrize("role", Role)
def test_every_role_has_words_and_english_ones_are_english(role: Role) -> None:
    told = facts(role=role, facility_name=None, classes_asked=list(RecordClass))

    assert len({words(facts(role=one), JA) for one in Role}) == len(Role)
    assert f"医療機関（番号{HOSPITAL}）の" in words(told, JA)
    assert not JAPANESE.search(words(told, EN))
    assert f" at facility {HOSPITAL} looked for" in words(told, EN)


@pytest.mark.parametrize("record_class", RecordClass)
def test_every_class_is_told_apart(record_class: RecordClass) -> None:
    for language in Language:
        one = words(facts(classes_asked=[record_class]), language)
        assert len({words(facts(classes_asked=[c]), language) for c in RecordClass} - {one}) == 9


def test_several_reasons_are_all_told_and_nothing_asked_for_is_the_record() -> None:
    told = facts(bases=[AccessBasis.CONSENT, AccessBasis.OWN_FACILITY], classes_asked=[])

    assert "本人の同意にもとづいて、自ら登録した記録について、記録を調べました" in words(told, JA)
    assert "looked for the record with the patient's consent and in what it had" in words(told, EN)


def test_whoever_may_see_all_is_told_so_in_one_word() -> None:
    told = facts(classes_permitted=list(RecordClass))

    assert words(told, JA).endswith("（見ることができた種類：すべて）。")
    assert words(told, EN).endswith("(could be seen: all).")


def test_a_refusal_says_that_it_was_one() -> None:
    told = facts(bases=[], classes_permitted=[])

    assert words(told, JA).endswith("傷病名、検査を見ようとしましたが、認められませんでした。")
    assert words(told, EN).endswith("asked for diagnoses and laboratory results and was refused.")
