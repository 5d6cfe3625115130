"""The sixteen published Bundles, read where they lie, against figures taken from them by eye.

They belong to others, some under a licence that forbids edited copies: none is copied into this project.
"""

import json
import os
import re
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from tsuzuri.domain.fhir.bundle import BundleRejected, read_bundle
from tsuzuri.domain.identifiers import InsuredPersonNumber, LocalNumber
from tsuzuri.domain.record import Coding, Entry, Reading, ReferenceRange, Value
from tsuzuri.domain.vocabulary import DocumentKind, Flag, RecordClass

DATA = Path(os.environ.get("TSUZURI_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason="no shared data"),
]

CLINS = "jp-clins-1.5.2/Bundle-Bundle-CLINS"
OBSERVATIONS = f"{CLINS}-Observations-Example-01.json"
REFERRAL = f"{CLINS}-Referral-Example-01.json"
REFERRAL_WITHOUT_ENTRIES = f"{CLINS}-Referral-NoEntry-Example-01.json"
PATIENT_SUMMARY = f"{CLINS}-PCS-Example-01.json"
CHECKUP = "jp-echeckup-1.5.0/Bundle-Bundle-eCheckupReport-Sample-02-GroupItems.json"
OLD_REFERRAL = "jp-ereferral-0.9/Bundle-bundleReferralExample01.json"
CLINOSIM = "clinosim-jp/seed-20240701-documents"

OTHER_FACILITY = "bundle-identifier-names-another-facility"
OTHER_NUMBER = "patient-number-of-another-facility"
LOCATION = "passed-over: Location"

Expected = tuple[DocumentKind, str, dict[str, int], set[str]]


def discharge(conditions: int, prescriptions: int) -> Expected:
    classes = {
        "CONDITION": conditions,
        "OTHER_ALLERGY": 1,
        "PRESCRIPTION": prescriptions,
        "DISCHARGE_SUMMARY": 1,
    }
    return DocumentKind.DISCHARGE_SUMMARY, "1300000000", classes, {LOCATION}


def referral(conditions: int, prescriptions: int) -> Expected:
    classes = {"CONDITION": conditions, "OTHER_ALLERGY": 1, "PRESCRIPTION": prescriptions}
    return DocumentKind.REFERRAL, "1300000000", classes, {LOCATION}


BUNDLES: dict[str, Expected] = {
    OBSERVATIONS: (DocumentKind.OBSERVATIONS, "1318814790", {"LAB_RESULT": 4}, set()),
    REFERRAL: (
        DocumentKind.REFERRAL,
        "1319876543",
        {"CONDITION": 5, "OTHER_ALLERGY": 2, "DRUG_ALLERGY": 1, "REFERRAL": 2},
        {OTHER_FACILITY, OTHER_NUMBER},
    ),
    REFERRAL_WITHOUT_ENTRIES: (DocumentKind.REFERRAL, "1319876543", {}, {OTHER_FACILITY, OTHER_NUMBER}),
    PATIENT_SUMMARY: (
        DocumentKind.PATIENT_SUMMARY,
        "1311234567",
        {"PATIENT_SUMMARY": 1, "CONDITION": 2},
        {OTHER_FACILITY, OTHER_NUMBER},
    ),
    CHECKUP: (
        DocumentKind.CHECKUP_REPORT,
        "1311234567",
        {"CHECKUP_REPORT": 49},
        {OTHER_FACILITY, "passed-over: Coverage"},
    ),
    OLD_REFERRAL: (
        DocumentKind.REFERRAL,
        "1319876543",
        {"CONDITION": 5, "OTHER_ALLERGY": 2, "REFERRAL": 2, "PRESCRIPTION": 2},
        {OTHER_NUMBER},
    ),
    f"{CLINOSIM}/discharge-01.json": discharge(8, 19),
    f"{CLINOSIM}/discharge-02.json": discharge(4, 14),
    f"{CLINOSIM}/discharge-03.json": discharge(8, 18),
    f"{CLINOSIM}/discharge-04.json": discharge(4, 12),
    f"{CLINOSIM}/discharge-05.json": discharge(9, 14),
    f"{CLINOSIM}/discharge-07.json": discharge(5, 5),
    f"{CLINOSIM}/discharge-09.json": discharge(8, 12),
    f"{CLINOSIM}/referral-00.json": referral(8, 12),
    f"{CLINOSIM}/referral-06.json": referral(4, 12),
    f"{CLINOSIM}/referral-08.json": referral(8, 15),
}


@cache
def reading_of(name: str) -> Reading:
    return read_bundle((DATA / name).read_bytes())


def entries(name: str, record_class: RecordClass) -> list[Entry]:
    return [entry for entry in reading_of(name).entries if entry.record_class is record_class]


@pytest.mark.parametrize("name", BUNDLES)
def test_each_is_read_to_its_kind_facility_classes_and_warnings(name: str) -> None:
    kind, facility, classes, warnings = BUNDLES[name]

    reading = reading_of(name)

    assert (reading.document.kind, reading.document.facility) == (kind, facility)
    assert Counter(entry.record_class.value for entry in reading.entries) == classes
    assert set(reading.warnings) == warnings
    assert len({entry.key for entry in reading.entries}) == len(reading.entries)


def test_no_published_bundle_is_left_out() -> None:
    found = {str(path.relative_to(DATA)) for path in DATA.glob("jp-*/Bundle-*.json")}
    found |= {str(path.relative_to(DATA)) for path in DATA.glob(f"{CLINOSIM}/*.json")}

    assert found == BUNDLES.keys()


@pytest.mark.parametrize("name", BUNDLES)
def test_new_urls_for_the_same_facts_leave_every_key(name: str) -> None:
    text = (DATA / name).read_text(encoding="utf-8")
    again = re.sub(r"urn:uuid:(........)-", lambda match: f"urn:uuid:{match[1][::-1]}-", text)

    keys = [entry.key for entry in read_bundle(again.encode()).entries]

    assert keys == [entry.key for entry in reading_of(name).entries]


def test_every_other_published_json_is_answered() -> None:
    for path in DATA.glob("*/*.json"):
        if path.relative_to(DATA).as_posix() in BUNDLES:
            continue
        received = path.read_bytes()
        with pytest.raises(BundleRejected) as caught:
            read_bundle(received)
        assert caught.value.not_a_bundle == (json.loads(received)["resourceType"] != "Bundle")


# The laboratory report


def test_the_four_results_of_the_laboratory_report() -> None:
    results = entries(OBSERVATIONS, RecordClass.LAB_RESULT)

    assert [(result.name, result.value) for result in results] == [
        ("アルブミン", Value(text="3.9 mg/L", number="3.9", unit="mg/L")),
        ("カリウム", Value(text="3.5 mEq/L", number="3.5", unit="mEq/L")),
        ("eGFR", Value(text="75 ml/min/1.73m2", number="75", unit="ml/min/1.73m2")),
        (
            "尿蛋⽩(定性)",
            Value(text="(±)", coding=Coding(system="urn:oid:1.2.392.200119.6.2102", code="2", display="±")),
        ),
    ]
    assert {result.effective for result in results} == {"2021-07-05T11:19:41+09:00"}
    assert {result.effective_at for result in results} == {datetime(2021, 7, 5, 2, 19, 41, tzinfo=UTC)}
    assert {result.issued_at for result in results} == {datetime(2021, 7, 5, 6, 38, 59, tzinfo=UTC)}
    assert {(r.author, r.department, r.facility, r.status) for r in results} == {
        ("田中 宏", "循環器診療科", "1318814790", "final")
    }
    assert [len(result.codings) for result in results] == [2, 3, 2, 2]


def test_the_laboratory_report_as_a_whole() -> None:
    reading = reading_of(OBSERVATIONS)

    assert reading.document.value == "1318814790^2024^0123-IDa-203949583949"
    assert reading.document.timestamp == datetime(2023, 11, 12, 1, 0, tzinfo=UTC)
    assert reading.subject.insured_person == InsuredPersonNumber("00012345:あいう:187:01")
    assert reading.subject.local == LocalNumber("1318814790", "000999739")
    who = reading.subject.demographics
    assert (who.name, who.kana, who.birth_date) == ("牧野 爛漫", "マキノ ランマン", "1930-06-28")
    assert (who.sex, who.postal_code) == ("female", "781-8125")


# The referral


def test_the_referral_names_sender_recipient_and_attachment() -> None:
    document = reading_of(REFERRAL).document

    assert (document.title, document.author) == ("診療情報提供書", "大河内 勘三郎")
    assert (document.facility_name, document.department) == ("港診療所", "眼科")
    assert (document.recipient, document.recipient_name) == ("1311234567", "東京第一テスト病院")
    assert document.dated == datetime(2020, 8, 21, 3, 12, 20, tzinfo=UTC)
    (attachment,) = document.attachments
    assert (attachment.title, attachment.content_type) == ("臨床経過", "application/pdf")
    assert attachment.resource_place == 17


def test_the_three_allergies_of_the_referral_are_kept_long() -> None:
    others, drugs = (entries(REFERRAL, c) for c in (RecordClass.OTHER_ALLERGY, RecordClass.DRUG_ALLERGY))

    assert [entry.name for entry in (*others, *drugs)] == ["さば", "キーウイ", "ヨードうがい液"]
    for entry in (*others, *drugs):
        assert entry.flags == (Flag.LTS,)
        assert entry.flagged_at == datetime(2023, 4, 1, 1, 0, tzinfo=UTC)
        assert entry.facility == "1318814790"
    kiwi = others[1]
    assert (kiwi.author, kiwi.effective, kiwi.verification) == ("看護師A", "2020-04-10", "confirmed")
    assert kiwi.detail == "食べると口の周りが痺れる感じ"
    assert drugs[0].detail == "反応 重度、ポビドンヨード含嗽後に嘔吐と全身に発疹"


def test_the_conditions_of_the_referral_with_their_partial_dates() -> None:
    assert [
        (entry.name, entry.effective, entry.effective_at, entry.status, entry.facility)
        for entry in entries(REFERRAL, RecordClass.CONDITION)
    ] == [
        ("上腹部痛", "2022-06-09", datetime(2022, 6, 8, 15, tzinfo=UTC), "active", "1319876543"),
        ("腰痛", "2022-05", datetime(2022, 4, 30, 15, tzinfo=UTC), "active", "1319876543"),
        ("上腹部痛", None, None, "active", "1318814790"),
        ("狭心症", "2018", datetime(2017, 12, 31, 15, tzinfo=UTC), "resolved", "1319876543"),
        ("左前腕骨折", "2021", datetime(2020, 12, 31, 15, tzinfo=UTC), "resolved", "1319876543"),
    ]


def test_the_finding_of_the_referral_is_the_referrals_own() -> None:
    finding, attached = entries(REFERRAL, RecordClass.REFERRAL)

    assert (finding.name, finding.author) == ("腹部所見", "田中 宏")
    assert finding.value == Value(text="上腹部圧痛あり、その他特に所見なし。")
    assert (attached.name, attached.resource_type) == ("臨床経過", "DocumentReference")


def test_the_first_draft_of_the_referral_reads_the_same_way() -> None:
    reading = reading_of(OLD_REFERRAL)

    assert reading.subject.insured_person is None
    assert reading.subject.local == LocalNumber("1319876543", "1234567890^12345")  # as this sender uses it
    assert (reading.document.recipient, reading.document.department) == ("1311234567", "眼科")
    first, second = entries(OLD_REFERRAL, RecordClass.PRESCRIPTION)
    assert first.detail == "内服・経口・１日３回朝昼夕食後 1回 1 錠 7 日分"
    assert second.name == "プレドニン錠５ｍｇ"
    assert first.effective_at == datetime(2020, 8, 21, 3, 28, 17, tzinfo=UTC)
    assert entries(OLD_REFERRAL, RecordClass.OTHER_ALLERGY)[0].detail == (
        "発症 30歳、サバ食後３時間ほどで全身に発疹と腹痛あり"
    )


# The patient summary and the check-up


def test_the_plan_of_the_patient_summary() -> None:
    (plan,) = entries(PATIENT_SUMMARY, RecordClass.PATIENT_SUMMARY)

    assert (plan.name, plan.status, plan.effective) == ("療養計画", "active", "2024-07-07")
    assert plan.detail == "高血圧について内服を継続してください。 1日30分でも軽い運動を継続しましょう。"
    assert reading_of(PATIENT_SUMMARY).document.facility_name == "みなと診療所"
    assert entries(PATIENT_SUMMARY, RecordClass.CONDITION)[1].detail == "主病名"


def test_the_check_up_holds_forty_nine_observations() -> None:
    by_name = {entry.name: entry for entry in entries(CHECKUP, RecordClass.CHECKUP_REPORT)}

    assert len(by_name) == 49
    assert {entry.effective for entry in by_name.values()} == {"2020-04-04"}
    assert {entry.effective_at for entry in by_name.values()} == {datetime(2020, 4, 3, 15, tzinfo=UTC)}
    assert by_name["身長"].value == Value(text="162.3 cm", number="162.3", unit="cm")
    hba1c = by_name["HbA1c(NGSP値)"]
    assert hba1c.value == Value(text="7 %", number="7", unit="%")
    assert (hba1c.interpretation, hba1c.reference_range) == ("H", ReferenceRange(low="4.3", high="5.8"))
    pressure = by_name["収縮期血圧(1回目)"]
    assert pressure.value == Value(text="149 mmHg", number="149", unit="mmHg")
    assert (pressure.interpretation, pressure.reference_range) == ("N", ReferenceRange(low="80", high="130"))
    assert by_name["既往歴"].value == Value(
        text="特記すべきことあり（具体的な既往歴: ヘルニア、膀胱炎）",
        coding=Coding(system="urn:oid:1.2.392.200119.6.2001", code="1", display="特記すべきことあり"),
    )
    judgement = by_name["医師の診断(判定)"]
    assert judgement.author == "東京 太郎"
    assert judgement.value == Value(text="肝機能がわずかに異常ですが支障はないと思われます。")
    assert sum(1 for entry in by_name.values() if entry.value is None) == 1  # the ECG group has only members


def test_the_check_up_as_a_whole() -> None:
    reading = reading_of(CHECKUP)

    assert (reading.document.title, reading.document.recipient) == ("健康診断結果のお知らせ", None)
    assert reading.document.timestamp == datetime(2024, 4, 5, 4, 28, 17, 239000, tzinfo=UTC)
    assert reading.subject.insured_person == InsuredPersonNumber("00012345:あいう:387476:01")
    assert reading.subject.demographics.kana == "ケンシン タロウ"


# The generator's documents


def test_a_generated_discharge_summary_names_its_patient_by_the_hospitals_own_number() -> None:
    reading = reading_of(f"{CLINOSIM}/discharge-01.json")

    assert reading.subject.local == LocalNumber("1300000000", "POP-000001")
    assert reading.subject.demographics.name == "山口 洋"
    assert (reading.document.facility_name, reading.document.author) == ("総合病院", "松岡 律子")
    (attachment,) = reading.document.attachments
    assert attachment.content_type == "text/plain"
    (pollen,) = (e for e in reading.entries if e.record_class is RecordClass.OTHER_ALLERGY)
    assert (pollen.name, pollen.detail) == ("花粉", "アレルギー性鼻炎（軽度）")


def test_a_generated_referral_finds_its_recipient() -> None:
    document = reading_of(f"{CLINOSIM}/referral-00.json").document

    assert (document.recipient, document.recipient_name) == ("1310000102", "東京中央総合病院")
