"""What a Bundle says of itself: whom it is about, what kind it is, and from whom."""

from datetime import UTC, datetime

import pytest

from fhir_examples import (
    FACILITY,
    INSURED_SYSTEM,
    OTHER_FACILITY,
    Json,
    a_collection,
    a_document,
    a_patient,
    a_resource,
    department,
    institution,
    read,
    rejected,
)
from tsuzuri.domain.identifiers import InsuredPersonNumber, LocalNumber
from tsuzuri.domain.vocabulary import DocumentKind

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
