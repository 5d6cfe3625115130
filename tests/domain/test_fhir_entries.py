"""What the entries of a Bundle say, field by field: conditions, allergies, results, prescriptions and plans."""

import json
from datetime import UTC, datetime

import pytest

from fhir_examples import (
    CORE_LABO,
    FACILITY,
    LABORATORY,
    Json,
    a_collection,
    a_document,
    a_resource,
    an_organization,
    coded,
    only_entry,
    quantity,
    read,
)
from tsuzuri.domain.fhir.bundle import read_bundle
from tsuzuri.domain.record import Coding, ReferenceRange, Value
from tsuzuri.domain.vocabulary import RecordClass

INFECTION_LABO = "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC11/JP_CLINS_ObsLabResult_InfectionLabo_CS"


@pytest.mark.parametrize(
    ("onset", "moment"),
    [
        ({"onsetDateTime": "2018"}, datetime(2017, 12, 31, 15, tzinfo=UTC)),
        ({"onsetDateTime": "2022-05"}, datetime(2022, 4, 30, 15, tzinfo=UTC)),
        ({"onsetDateTime": "2022-06-09"}, datetime(2022, 6, 8, 15, tzinfo=UTC)),
        ({"onsetDateTime": "2022-06-09T01:02:03.5-05:00"}, datetime(2022, 6, 9, 6, 2, 3, 500000, tzinfo=UTC)),
        ({"onsetDateTime": "2016-12-31T23:59:60Z"}, datetime(2017, 1, 1, tzinfo=UTC)),
        ({"onsetPeriod": {"start": "2020-01-01"}}, datetime(2019, 12, 31, 15, tzinfo=UTC)),
        ({"onsetDateTime": "0001-01-01"}, None),
    ],
)
def test_a_date_counts_from_its_earliest_moment_in_japan(onset: Json, moment: datetime | None) -> None:
    entry = only_entry(a_collection(a_resource("Condition", **onset)))

    assert entry.effective_at == moment
    assert entry.effective == onset.get("onsetDateTime", "2020-01-01")


def test_a_suspected_condition_is_not_taken_and_the_sender_is_told() -> None:
    suspected = a_resource("Condition", verificationStatus=coded("urn:v", "unconfirmed"))

    reading = read_bundle(json.dumps(a_collection(suspected, a_resource("Condition"))).encode())

    assert len(reading.entries) == 1
    assert "unconfirmed-diagnosis" in reading.warnings


def test_a_provisional_condition_is_kept_and_says_so() -> None:
    condition = a_resource(
        "Condition",
        code={
            "coding": [{"system": "urn:c", "code": "1", "display": "骨折"}],
            "extension": [
                {
                    "url": "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Condition_DiseasePrefixModifier",
                    "valueCodeableConcept": {"coding": [{"code": "2", "display": "左"}]},
                }
            ],
        },
        clinicalStatus=coded("urn:s", "resolved"),
        verificationStatus=coded("urn:v", "provisional"),
        onsetAge={"value": 30, "code": "a"},
        abatementDateTime="2021-03",
        recordedDate="2021-04-01",
        recorder={"reference": "#r"},
        contained=[
            {"resourceType": "Practitioner", "id": "r", "name": [{"family": "記録", "given": ["者"]}]}
        ],
        note=[{"text": "一行目\n二行目"}],
    )

    entry = only_entry(a_collection(condition))

    assert entry.record_class is RecordClass.CONDITION
    assert (entry.name, entry.codings) == ("左骨折", (Coding(system="urn:c", code="1", display="骨折"),))
    assert (entry.status, entry.verification, entry.author) == ("resolved", "provisional", "記録 者")
    assert entry.issued_at == datetime(2021, 3, 31, 15, tzinfo=UTC)
    assert (entry.ended, entry.ended_at) == ("2021-03", datetime(2021, 2, 28, 15, tzinfo=UTC))
    assert entry.detail == "発症 30歳、一行目 二行目"


@pytest.mark.parametrize(
    ("category", "record_class"),
    [
        (["medication"], RecordClass.DRUG_ALLERGY),
        (["food", "biologic"], RecordClass.DRUG_ALLERGY),
        (["food"], RecordClass.OTHER_ALLERGY),
        (["environment"], RecordClass.OTHER_ALLERGY),
        (None, RecordClass.OTHER_ALLERGY),
    ],
)
def test_the_category_tells_drug_allergies_from_others(
    category: list[str] | None, record_class: RecordClass
) -> None:
    allergy = a_resource("AllergyIntolerance", category=category)

    assert only_entry(a_collection(allergy)).record_class is record_class


def test_an_allergy_tells_its_reactions_in_one_line() -> None:
    reaction = [{"manifestation": [{"text": "発疹"}, {"text": "嘔吐"}], "severity": "severe"}]

    entry = only_entry(a_collection(a_resource("AllergyIntolerance", reaction=reaction, criticality="high")))

    assert entry.detail == "重篤化のおそれが高い、発疹・嘔吐（重度）"


@pytest.mark.parametrize(
    ("code", "category", "in_referral", "in_checkup"),
    [
        (coded(INFECTION_LABO, "1"), [], RecordClass.INFECTION, RecordClass.CHECKUP_REPORT),
        (coded(CORE_LABO, "1"), [], RecordClass.LAB_RESULT, RecordClass.CHECKUP_REPORT),
        (coded("urn:x", "1"), [LABORATORY], RecordClass.LAB_RESULT, RecordClass.CHECKUP_REPORT),
        (coded("urn:x", "1"), [], RecordClass.REFERRAL, RecordClass.CHECKUP_REPORT),
    ],
)
def test_the_code_system_tells_infections_from_results_from_findings(
    code: Json, category: list[Json], in_referral: RecordClass, in_checkup: RecordClass
) -> None:
    finding = a_resource("Observation", code=code, category=category)

    assert only_entry(a_document(finding)).record_class is in_referral
    assert only_entry(a_document(finding, code="53576-5")).record_class is in_checkup


@pytest.mark.parametrize(
    ("said", "value"),
    [
        (
            '"valueQuantity": {"value": 0.40, "unit": "mg/dL"}',
            Value(text="0.40 mg/dL", number="0.40", unit="mg/dL"),
        ),
        (
            '"valueQuantity": {"value": 0.00000010, "code": "g"}',
            Value(text="0.00000010 g", number="0.00000010", unit="g"),
        ),
        ('"valueQuantity": {"value": 1.50E2}', Value(text="150", number="150")),
        (
            '"valueQuantity": {"value": 5, "comparator": "<", "unit": "U/L"}',
            Value(text="< 5 U/L", number="5", comparator="<", unit="U/L"),
        ),
        ('"valueString": "圧痛\\r\\nあり"', Value(text="圧痛 あり")),
        (
            '"valueCodeableConcept": {"coding": [{"system": "urn:r", "code": "1", "display": "陰性"}]}',
            Value(text="陰性", coding=Coding(system="urn:r", code="1", display="陰性")),
        ),
        ('"valueInteger": 3', Value(text="3", number="3")),
        ('"valueBoolean": false', Value(text="いいえ")),
        (
            '"valueRange": {"low": {"value": 1.0, "unit": "mg"}, "high": {"value": 3, "unit": "mg"}}',
            Value(text="1.0 〜 3 mg"),
        ),
        ('"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 80}}', Value(text="1 : 80")),
        (
            '"component": [{"code": {"coding": [{"code": "8462-4"}]}, "valueQuantity": {"value": 80, "unit": "mmHg"}},'
            ' {"code": {"coding": [{"code": "8480-6"}]}, "valueQuantity": {"value": 120, "unit": "mmHg"}}]',
            Value(text="120 / 80 mmHg", unit="mmHg"),
        ),
        (
            '"valueString": "あり", "component": [{"code": {"text": "所見"}, "valueString": "不整脈"}]',
            Value(text="あり（所見: 不整脈）"),
        ),
        ('"note": []', None),
    ],
)
def test_a_result_is_kept_as_it_was_sent_and_readable_in_one_line(said: str, value: Value | None) -> None:
    bundle = json.dumps(a_collection(a_resource("Observation", issued="2026-01-01T00:00:00Z")))

    (entry,) = read_bundle(bundle.replace('"issued":', f'{said}, "issued":').encode()).entries

    assert entry.value == value


def test_a_result_has_its_range_and_interpretation() -> None:
    result = a_resource(
        "Observation",
        valueQuantity=quantity(7, "%"),
        interpretation=[coded("urn:i", "H")],
        referenceRange=[{"low": quantity(4, "%"), "high": quantity(6, "%"), "text": "成人"}],
        effectiveDateTime="2026-01-01",
        performer=[{"reference": "Organization/o"}, {"reference": "#t"}],
        contained=[{"resourceType": "Practitioner", "id": "t", "name": [{"text": "検査 技師"}]}],
    )

    entry = only_entry(a_collection(result, an_organization("o", FACILITY, "見本検査所")))

    assert (entry.interpretation, entry.author) == ("H", "検査 技師")
    assert entry.reference_range == ReferenceRange(low="4", high="6", text="成人")


def test_a_range_in_another_unit_is_told_in_words_only() -> None:
    span = {"low": quantity(1, "mmol/L"), "high": quantity(2, "mmol/L")}
    result = a_resource("Observation", valueQuantity=quantity(90, "mg/dL"), referenceRange=[span])

    assert only_entry(a_collection(result)).reference_range == ReferenceRange(text="1 mmol/L 〜 2 mmol/L")


@pytest.mark.parametrize(
    ("dosage", "detail"),
    [
        ({"text": "１日３回毎食後"}, "１日３回毎食後"),
        (
            {
                "timing": {
                    "code": {"text": "1日1回朝"},
                    "repeat": {"boundsDuration": {"value": 7, "unit": "日", "code": "d"}},
                },
                "doseAndRate": [{"doseQuantity": quantity(2, "錠")}],
            },
            "1日1回朝 1回 2 錠 7 日分",
        ),
        ({"text": "１回２錠", "doseAndRate": [{"doseQuantity": quantity(2, "錠")}]}, "１回２錠"),
        ({"text": "疼痛時", "asNeededBoolean": True}, "疼痛時 頓用"),
    ],
)
def test_a_prescription_says_how_to_take_it(dosage: Json, detail: str) -> None:
    request = a_resource("MedicationRequest", dosageInstruction=[dosage], authoredOn="2026-01-01")

    entry = only_entry(a_collection(request))

    assert (entry.record_class, entry.name) == (RecordClass.PRESCRIPTION, "見本錠")
    assert (entry.effective, entry.detail) == ("2026-01-01", detail)


def test_a_drug_that_must_not_be_given_says_so_first() -> None:
    request = a_resource("MedicationRequest", doNotPerform=True, dosageInstruction=[{"text": "毎食後"}])

    assert only_entry(a_collection(request)).detail == "投与しないこと、毎食後"


def test_plans_and_attachments_belong_to_their_document() -> None:
    plan = a_resource("CarePlan", title="療養計画", description="歩く", period={"start": "2026-01-01"})
    attached = a_resource(
        "DocumentReference", description="経過", content=[{"attachment": {"url": "Binary/b"}}]
    )
    binary = {"resourceType": "Binary", "id": "b", "contentType": "application/pdf"}

    reading = read(a_document(plan, attached, binary, code="56447-6"))

    assert [(e.name, e.record_class) for e in reading.entries] == [
        ("療養計画", RecordClass.PATIENT_SUMMARY),
        ("経過", RecordClass.PATIENT_SUMMARY),
    ]
    (attachment,) = reading.document.attachments
    assert (attachment.title, attachment.resource_place) == ("経過", 8)


def test_a_text_of_a_million_blanks_is_told_in_one_line() -> None:
    blanks = " " * 1_000_000  # looked at once each: in another way this test would not end

    entry = only_entry(a_collection(a_resource("Condition", code={"text": f"狭心症{blanks}\n\u2028 疑い"})))

    assert entry.name == "狭心症 疑い"


def test_thousands_of_references_to_thousands_of_contained_resources_are_found() -> None:
    many = 5_000  # each looked up in the others: millions of looks
    people = [
        {"resourceType": "Practitioner", "id": f"p{n}", "name": [{"text": f"医師 {n}"}]} for n in range(many)
    ]
    performers = [{"reference": f"#p{many - n}"} for n in range(1, many)]

    entry = only_entry(a_collection(a_resource("Observation", contained=people, performer=performers)))

    assert entry.author == f"医師 {many - 1}"
