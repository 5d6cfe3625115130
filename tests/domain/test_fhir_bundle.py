"""What a Bundle says, field by field, on synthetic Bundles built here."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tsuzuri.domain.fhir.bundle import BundleRejected, read_bundle
from tsuzuri.domain.identifiers import InsuredPersonNumber, LocalNumber
from tsuzuri.domain.record import Coding, Entry, Reading, ReferenceRange, Value
from tsuzuri.domain.vocabulary import DocumentKind, Flag, RecordClass

Json = dict[str, Any]

FACILITY = "1310000001"
OTHER_FACILITY = "1410000002"
EN_REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
INSTITUTION_SYSTEM = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"
INSURED_SYSTEM = "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID"
RESOURCE_SYSTEM = "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"
CORE_LABO = "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC10/JP_CLINS_ObsLabResult_CoreLabo_CS"
INFECTION_LABO = "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC11/JP_CLINS_ObsLabResult_InfectionLabo_CS"
FLAG_SYSTEM = "http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication"
TYPE_SYSTEM = "http://jpfhir.jp/fhir/Common/CodeSystem/doc-typecodes"
LOINC = "http://loinc.org"
LABORATORY = {
    "coding": [
        {
            "system": "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS",
            "code": "laboratory",
        }
    ]
}


def spelled(text: str, representation: str) -> Json:
    return {"extension": [{"url": EN_REPRESENTATION, "valueCode": representation}], "text": text}


def institution(number: str = FACILITY, root: str = "clins") -> Json:
    """The extension by which a resource names its institution; the guide has spelled its URL in two ways."""
    url = f"http://jpfhir.jp/fhir/{root}/Extension/StructureDefinition/JP_eCS_InstitutionNumber"
    return {"url": url, "valueIdentifier": {"system": INSTITUTION_SYSTEM, "value": number}}


def department(name: str) -> Json:
    url = "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_Department"
    return {"url": url, "valueCodeableConcept": {"text": name}}


def a_patient(**changes: Any) -> Json:
    return {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [
            {"system": f"urn:oid:1.2.392.100495.20.3.51.1{FACILITY}", "value": "0001"},
            {"system": INSURED_SYSTEM, "value": "00012345:あい:１２:01"},
        ],
        "name": [spelled("サンプル ハナコ", "SYL"), spelled("見本 花子", "IDE")],
        "gender": "female",
        "birthDate": "1961-02",
        "address": [{"text": "見本市", "postalCode": "100-0000"}],
    } | changes


def a_resource(resource_type: str, **changes: Any) -> Json:
    """The least that FHIR R4 and our reading ask of one."""
    least: dict[str, Json] = {
        "Condition": {"code": {"text": "見本病"}, "subject": {"reference": "Patient/p"}},
        "AllergyIntolerance": {"code": {"text": "見本"}, "patient": {"reference": "Patient/p"}},
        "Observation": {"status": "final", "code": {"text": "見本値"}, "category": [LABORATORY]},
        "MedicationRequest": {
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": "見本錠"},
            "subject": {"reference": "Patient/p"},
        },
        "CarePlan": {"status": "active", "intent": "plan", "subject": {"reference": "Patient/p"}},
        "DocumentReference": {
            "status": "current",
            "content": [{"attachment": {"contentType": "text/plain"}}],
        },
    }
    return {"resourceType": resource_type} | least.get(resource_type, {}) | changes


def a_collection(*resources: Json, patient: Json | None = None, **changes: Any) -> Json:
    carried = [patient or a_patient(), *resources]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": "urn:sample", "value": f"{FACILITY}^2026^a-1"},
        "timestamp": "2026-01-02T03:04:05+09:00",
        "entry": [{"fullUrl": f"urn:uuid:{n}", "resource": r} for n, r in enumerate(carried)],
    } | changes


def a_document(
    *resources: Json, code: str = "57133-1", composition: Json | None = None, **changes: Any
) -> Json:
    """Composition, Patient, three Organizations and a doctor; then what the test is about."""
    head = {
        "resourceType": "Composition",
        "status": "final",
        "type": {"coding": [{"system": TYPE_SYSTEM, "code": code}]},
        "date": "2026-01-02T12:00:00+09:00",
        "title": "見本の文書",
        "author": [{"reference": "Practitioner/d"}],
        "custodian": {"reference": "Organization/from"},
        "section": [
            {
                "code": {"coding": [{"system": "urn:sections", "code": "300"}]},
                "section": [
                    {
                        "code": {"coding": [{"system": "urn:sections", "code": "910"}]},
                        "entry": [{"reference": "Organization/to"}],
                    }
                ],
            }
        ],
    } | (composition or {})
    others = [
        an_organization("from", FACILITY, "見本診療所"),
        an_organization("to", OTHER_FACILITY, "見本病院"),
        {
            "resourceType": "Organization",
            "id": "ward",
            "name": "見本科",
            "partOf": {"reference": "Organization/from"},
        },
        {
            "resourceType": "Practitioner",
            "id": "d",
            "name": [spelled("イシ", "SYL"), spelled("医師 一", "IDE")],
        },
    ]
    bundle = a_collection(*others, *resources, type="document", **changes)
    bundle["entry"].insert(0, {"resource": head})
    return bundle


def an_organization(identity: str, number: str, name: str) -> Json:
    identifier = {"system": INSTITUTION_SYSTEM, "value": number}
    return {"resourceType": "Organization", "id": identity, "identifier": [identifier], "name": name}


def read(bundle: Json) -> Reading:
    return read_bundle(json.dumps(bundle, ensure_ascii=False).encode())


def rejected(bundle: Json) -> BundleRejected:
    with pytest.raises(BundleRejected) as caught:
        read(bundle)
    return caught.value


def only_entry(bundle: Json) -> Entry:
    (entry,) = read(bundle).entries
    return entry


def coded(system: str, code: str, text: str | None = None) -> Json:
    return {"coding": [{"system": system, "code": code}]} | ({"text": text} if text else {})


def quantity(value: Any, unit: str) -> Json:
    return {"value": value, "unit": unit}


# Whom it is about


def test_both_spellings_of_the_name_and_both_numbers_are_read() -> None:
    subject = read(a_collection(a_resource("Condition"))).subject

    assert subject.insured_person == InsuredPersonNumber("00012345:あい:12:01")
    assert subject.local == LocalNumber(FACILITY, "0001")
    who = subject.demographics
    assert (who.name, who.kana, who.birth_date) == ("見本 花子", "サンプル ハナコ", "1961-02")
    assert (who.sex, who.postal_code) == ("female", "100-0000")


def test_a_local_number_without_digits_in_its_system_belongs_to_the_facility_of_the_bundle() -> None:
    patient = a_patient(identifier=[{"system": "urn:oid:1.2.392.200119.6.102.1", "value": "77"}])

    subject = read(a_collection(a_resource("Condition"), patient=patient)).subject

    assert subject.local == LocalNumber(FACILITY, "77")
    assert subject.insured_person is None


def test_a_malformed_insured_person_number_is_rejected_without_being_repeated() -> None:
    patient = a_patient(identifier=[{"system": INSURED_SYSTEM, "value": "9999:見本"}])

    answer = rejected(a_collection(a_resource("Condition"), patient=patient))

    assert answer.place == "Bundle.entry[0].resource.identifier[0].value"
    assert "9999" not in str(answer)


@pytest.mark.parametrize("others", [[], [a_patient(id="q")]], ids=["none", "two"])
def test_a_bundle_is_about_exactly_one_patient(others: list[Json]) -> None:
    bundle = a_collection(a_resource("Condition"), *others)
    if not others:
        del bundle["entry"][0]

    assert "exactly one" in rejected(bundle).reason


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "urn:uuid:2"},
        {"identifier": {"system": INSURED_SYSTEM, "value": "00012345:あい:12:02"}},
    ],
    ids=["another resource", "another number"],
)
def test_an_entry_about_somebody_else_stops_the_bundle(subject: Json) -> None:
    somebody = {"resourceType": "Practitioner", "id": "d"}

    answer = rejected(a_collection(a_resource("Condition", subject=subject), somebody))

    assert answer.place == "Bundle.entry[1].resource.subject"


# What kind it is, and from whom


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("57133-1", DocumentKind.REFERRAL),
        ("18842-5", DocumentKind.DISCHARGE_SUMMARY),
        ("53576-5", DocumentKind.CHECKUP_REPORT),
        ("JPGCHKUP01", DocumentKind.CHECKUP_REPORT),
        ("56447-6", DocumentKind.PATIENT_SUMMARY),
    ],
)
def test_the_composition_tells_the_kind(code: str, kind: DocumentKind) -> None:
    assert read(a_document(code=code)).document.kind is kind


def test_a_document_is_read_whole() -> None:
    document = read(a_document()).document

    assert (document.title, document.facility, document.facility_name) == (
        "見本の文書",
        FACILITY,
        "見本診療所",
    )
    assert (document.recipient, document.recipient_name) == (OTHER_FACILITY, "見本病院")
    assert (document.author, document.system) == ("医師 一", "urn:sample")
    assert document.timestamp == datetime(2026, 1, 1, 18, 4, 5, tzinfo=UTC)
    assert document.dated == datetime(2026, 1, 2, 3, 0, tzinfo=UTC)


def test_without_custodian_the_authors_institution_registers_also_as_part_of_another() -> None:
    author = [{"reference": "Practitioner/d"}, {"reference": "Organization/ward"}]

    document = read(a_document(composition={"custodian": None, "author": author})).document

    assert (document.facility, document.author) == (FACILITY, "医師 一")


def test_an_identifier_of_another_facility_is_told_and_the_custodian_believed() -> None:
    identifier = {"system": "urn:sample", "value": f"{OTHER_FACILITY}^2026^x"}

    reading = read(a_document(identifier=identifier))

    assert reading.document.facility == FACILITY
    assert reading.warnings == ("bundle-identifier-names-another-facility",)


@pytest.mark.parametrize("root", ["clins", "eCS"])
def test_a_collection_is_sent_by_the_institution_of_its_resources(root: str) -> None:
    identifier = {"system": "urn:sample", "value": "no-facility-here"}
    condition = a_resource("Condition", extension=[institution(OTHER_FACILITY, root), department("見本科")])

    reading = read(a_collection(condition, identifier=identifier))

    assert reading.document.facility == reading.entries[0].facility == OTHER_FACILITY
    assert reading.document.department == reading.entries[0].department == "見本科"


def test_where_nothing_names_a_facility_the_bundle_is_rejected() -> None:
    bundle = a_collection(a_resource("Condition"), identifier={"system": "s", "value": "v"})

    assert "names no facility" in rejected(bundle).reason


@pytest.mark.parametrize(
    ("resource_type", "kind"),
    [
        ("Condition", DocumentKind.CONDITIONS),
        ("AllergyIntolerance", DocumentKind.ALLERGIES),
        ("Observation", DocumentKind.OBSERVATIONS),
        ("MedicationRequest", DocumentKind.PRESCRIPTIONS),
    ],
)
def test_a_collection_is_of_the_type_it_carries_or_is_tagged_with(
    resource_type: str, kind: DocumentKind
) -> None:
    tag = {"system": "http://jpfhir.jp/fhir/clins/CodeSystem/BundleResourceType_CS", "code": resource_type}

    carrying = read(a_collection(a_resource(resource_type)))
    clearing = read(a_collection(meta={"tag": [tag]}))

    assert carrying.document.kind is clearing.document.kind is kind
    assert len(carrying.entries) == 1 and clearing.entries == ()


def test_mixed_types_are_rejected_by_name() -> None:
    bundle = a_collection(a_resource("Condition"), a_resource("Observation"))

    assert "Condition and Observation" in rejected(bundle).reason


@pytest.mark.parametrize("absent", ["identifier", "timestamp"])
def test_identifier_and_timestamp_are_required(absent: str) -> None:
    bundle = a_collection(a_resource("Condition"))
    del bundle[absent]

    assert rejected(bundle).place.startswith(f"Bundle.{absent}")


def test_what_the_index_does_not_read_is_passed_over_by_name() -> None:
    location = {"resourceType": "Location", "name": "見本"}

    reading = read(a_collection(a_resource("Condition"), location))

    assert reading.warnings == ("passed-over: Location",)
    assert len(reading.entries) == 1


# Entries


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


def test_an_unconfirmed_condition_is_kept_and_says_so() -> None:
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
        clinicalStatus=coded("urn:s", "active"),
        verificationStatus=coded("urn:v", "unconfirmed"),
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
    assert (entry.status, entry.verification, entry.author) == ("active", "unconfirmed", "記録 者")
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


# Flags


@pytest.mark.parametrize("flag", list(Flag))
def test_a_flag_and_its_date_are_read(flag: Flag) -> None:
    meta = {"tag": [{"system": FLAG_SYSTEM, "code": flag}], "lastUpdated": "2026-01-01T00:00:00+09:00"}

    entry = only_entry(a_collection(a_resource("Condition", meta=meta)))

    assert entry.flags == (flag,)
    assert entry.flagged_at == datetime(2025, 12, 31, 15, tzinfo=UTC)


def test_a_hiding_flag_hides_whatever_its_system() -> None:
    reading = read(a_collection(a_resource("Condition", meta={"tag": [{"code": "UNINFORMED"}]})))

    assert reading.entries[0].flags == (Flag.UNINFORMED,)
    assert reading.warnings == ("hiding-flag-of-another-system",)


def test_a_flag_nobody_knows_stops_the_bundle() -> None:
    meta = {"tag": [{"system": FLAG_SYSTEM, "code": "uninformed"}]}

    assert "LTS, UNINFORMED, UNDELIVERED" in rejected(a_collection(a_resource("Condition", meta=meta))).reason


# Keys


def test_a_key_outlives_new_urls_order_values_and_wording() -> None:
    shared = {
        "identifier": [{"system": RESOURCE_SYSTEM, "value": "same for both"}],
        "effectiveDateTime": "2026",
    }
    first = a_resource("Observation", code=coded(CORE_LABO, "1", "あ"), **shared)
    second = a_resource("Observation", code=coded(CORE_LABO, "2", "い"), **shared)
    reworded = first | {"code": coded(CORE_LABO, "1", "う"), "valueInteger": 9}

    before = [entry.key for entry in read(a_collection(first, second)).entries]
    after = [entry.key for entry in read(a_collection(second, reworded)).entries]

    assert len(set(before)) == 2
    assert before == after[::-1]


def test_equals_are_told_apart_by_their_order() -> None:
    same = a_resource("MedicationRequest", authoredOn="2026-01-01")

    keys = [entry.key for entry in read(a_collection(same, same, same)).entries]

    assert len(set(keys)) == 3
    assert keys[:2] == [entry.key for entry in read(a_collection(same, same)).entries]
