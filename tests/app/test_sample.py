"""The sample is the same everywhere, well formed, and tells what the demonstration needs."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from tsuzuri.app.sample.generate import (
    SampleBundle,
    facilities,
    sample_bundles,
    sample_patients,
    write_sample,
)
from tsuzuri.domain.fhir.bundle import read_bundle
from tsuzuri.domain.identifiers import (
    INSURED_PERSON_SYSTEM,
    InsuredPersonNumber,
    LocalNumber,
    facility_number,
)
from tsuzuri.domain.rules.checking import check
from tsuzuri.domain.rules.policies import policy_named
from tsuzuri.domain.vocabulary import SIX_INFORMATIONS, DocumentKind, Flag, RecordClass

SEED = 7
# Of three patients and this seed. It may change when the sample is meant to change, and only then.
GOLDEN = "a9d01a8f8520d4e39bcd994258fd958fe8c665af6fbdd4acd3448b023244f2dc"
RESOURCE_TYPES = {
    "Bundle",
    "AllergyIntolerance",
    "CarePlan",
    "Composition",
    "Condition",
    "DocumentReference",
    "Encounter",
    "MedicationRequest",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
}
Json = dict[str, Any]


@cache
def thirty() -> tuple[tuple[SampleBundle, Json], ...]:
    return tuple((bundle, json.loads(bundle.body)) for bundle in sample_bundles(30, SEED))


def of_patient(number: int) -> list[Json]:
    return [tree for bundle, tree in thirty() if bundle.patient == number]


def resources(tree: Json, kind: str | None = None) -> list[Json]:
    found = [entry["resource"] for entry in tree["entry"]]
    return [resource for resource in found if kind in (None, resource["resourceType"])]


def flagged(flag: str) -> set[int]:
    """The patients with a resource that bears the flag."""
    return {
        bundle.patient
        for bundle, tree in thirty()
        for resource in resources(tree)
        if flag in [tag["code"] for tag in resource["meta"].get("tag", [])]
    }


def hba1c(tree: Json) -> Iterator[tuple[str, str, float]]:
    """Time, facility and value of each HbA1c a report holds."""
    for resource in resources(tree, "Observation"):
        if tree["type"] == "collection" and any(
            code["display"] == "HbA1c-NGSP" for code in resource["code"]["coding"]
        ):
            facility = resource["extension"][0]["valueIdentifier"]["value"]
            yield resource["effectiveDateTime"], facility, resource["valueQuantity"]["value"]


def test_no_bundle_breaks_a_rule_of_the_guide() -> None:
    policy = policy_named("clins-1.10")

    assert [(bundle.name, broken) for bundle, tree in thirty() for broken in check(tree, policy)] == []


def test_the_same_seed_gives_the_same_bytes() -> None:
    digest = hashlib.sha256()
    for bundle in sample_bundles(3, SEED):
        digest.update(bundle.name.encode() + b"\0" + bundle.facility.encode() + b"\0" + bundle.body + b"\0")

    assert digest.hexdigest() == GOLDEN
    assert next(sample_bundles(1, SEED + 1)).body != next(sample_bundles(1, SEED)).body


def test_a_patient_does_not_depend_on_how_many_are_asked_for() -> None:
    few, many = list(sample_bundles(9, SEED)), list(sample_bundles(14, SEED))

    assert few == many[: len(few)]
    assert sample_patients(9, SEED) == sample_patients(14, SEED)[:9]


def test_every_bundle_is_fhir_r4b_of_ordinary_size() -> None:
    for bundle, _ in thirty():
        Bundle.model_validate_json(bundle.body)
        assert 4_000 < len(bundle.body) < 60_000, bundle.name


def test_a_patient_sends_in_order_and_never_from_the_future() -> None:
    for number in range(30):
        sent = [tree["timestamp"] for tree in of_patient(number)]
        assert sent == sorted(sent)
        assert sent[-1] < "2026-11-01"
        assert 3 <= len(sent) <= (40 if number == 0 else 15)


def test_a_bundle_identifier_is_used_twice_for_the_one_correction_only() -> None:
    used = Counter(tree["identifier"]["value"] for _, tree in thirty())
    (corrected,) = [number for number, times in used.items() if times > 1]
    first, second = [tree for tree in of_patient(0) if tree["identifier"]["value"] == corrected]
    changed = [
        (before["code"]["text"], before["valueQuantity"]["value"], after["valueQuantity"]["value"])
        for before, after in zip(
            resources(first, "Observation"), resources(second, "Observation"), strict=True
        )
        if before["valueQuantity"] != after["valueQuantity"]
    ]

    ((name, slip, right),) = changed
    assert (used[corrected], name) == (2, "クレアチニン")
    assert slip == pytest.approx(right * 10)


def test_every_identifier_is_well_formed() -> None:
    numbers = {facility.number for facility in facilities()}
    for bundle, tree in thirty():
        pattern = r"([0-4][0-9][1-3][0-9]{7})\^20[2-3][0-9]\^[A-Za-z0-9-]{1,36}"  # rule R2152
        match = re.fullmatch(pattern, tree["identifier"]["value"])
        assert match and match[1] == bundle.facility in numbers
        (patient,) = resources(tree, "Patient")
        local, insured = patient["identifier"]
        assert local["system"] == f"urn:oid:1.2.392.100495.20.3.51.1{bundle.facility}"
        LocalNumber.parse(bundle.facility, local["value"])
        assert insured["system"] == INSURED_PERSON_SYSTEM
        assert not re.search(r"\s", insured["value"])
        assert patient["name"][0]["text"].count("　") == 0  # rule R1113
        for resource in resources(tree):
            assert resource["meta"]["lastUpdated"] and resource["meta"]["profile"]
            if resource["resourceType"] != "Patient":
                assert resource["extension"][0]["valueIdentifier"]["value"] == bundle.facility
        urls = [entry["fullUrl"] for entry in tree["entry"]]
        assert len(set(urls)) == len(urls)
        assert set(re.findall(r'"reference":"(urn:uuid:[^"]+)"', bundle.body.decode())) <= set(urls)


def test_clinical_resources_carry_what_the_rules_demand() -> None:
    for _, tree in thirty():
        if tree["type"] == "document":
            continue
        (tag,) = tree["meta"]["tag"]
        assert {resource["resourceType"] for resource in resources(tree)[1:]} == {tag["code"]}
        for resource in resources(tree)[1:]:
            contained = {inner["resourceType"] for inner in resource["contained"]}
            assert "Encounter" in contained and resource["encounter"]["reference"] == "#encounter"
            assert resource["extension"][1]["url"].endswith("JP_eCS_Department")
            assert resource["identifier"][0]["system"].endswith("resourceInstance-identifier")
            if resource["resourceType"] == "Observation":
                assert "Practitioner" in contained and resource["performer"]
            if resource["resourceType"] == "Condition":
                assert resource["onsetDateTime"]


def test_patients_are_told_apart_and_families_share_a_number() -> None:
    patients = sample_patients(200, SEED)
    numbers = [patient.insured_person for patient in patients]
    families = Counter(number.rpartition(":")[0] for number in numbers)

    assert [InsuredPersonNumber.parse(number).text for number in numbers] == numbers
    assert len(set(numbers)) == 200
    assert 10 < sum(1 for members in families.values() if members == 2) <= 40
    written = {
        tree["entry"][0]["resource"]["identifier"][1]["value"]
        for _, tree in thirty()
        if tree["type"] == "collection"
    }
    assert any(re.search("[０-９]", value) for value in written)


def test_a_local_number_belongs_to_one_patient() -> None:
    owners: dict[tuple[str, str], int] = {}
    for bundle in sample_bundles(60, SEED):
        local = re.search(r'"system":"urn:oid:[^"]+","value":"([^"]+)"', bundle.body.decode())
        assert local
        assert owners.setdefault((bundle.facility, local[1]), bundle.patient) == bundle.patient


def test_the_story_has_four_years_of_hba1c_from_two_facilities() -> None:
    points = {(at[:10], facility): value for tree in of_patient(0) for at, facility, value in hba1c(tree)}
    values = [value for _, value in sorted(points.items())]
    days = sorted(day for day, _ in points)

    assert len(points) >= 16
    assert len({facility for _, facility in points}) == 2
    assert (values[0], values[-1]) == (8.4, 6.7)
    assert days[0][:4] == "2022" and days[-1][:4] == "2026"
    assert all(abs(after - before) <= 0.8 for before, after in pairwise(values))


def test_the_story_hides_one_diagnosis_and_keeps_one_allergy() -> None:
    marked = {
        (resource["code"]["text"], tag["code"])
        for tree in of_patient(0)
        for resource in resources(tree)
        for tag in resource["meta"].get("tag", [])
    }

    assert {flag for _, flag in marked} == {"UNINFORMED", "LTS"}
    assert len(marked) == 2


def test_thirty_patients_show_every_kind_and_every_flag() -> None:
    types = Counter(
        resources(tree, "Composition")[0]["type"]["coding"][0]["code"]
        for _, tree in thirty()
        if tree["type"] == "document"
    )
    tags = {tree["meta"]["tag"][0]["code"] for _, tree in thirty() if tree["type"] == "collection"}

    assert types.keys() == {"57133-1", "18842-5", "53576-5", "JPGCHKUP01", "56447-6"}
    assert types["53576-5"] > types["JPGCHKUP01"]
    assert tags == {"Condition", "AllergyIntolerance", "Observation"}
    assert all(flagged(flag) for flag in Flag)
    assert {
        resource["resourceType"] for _, tree in thirty() for resource in resources(tree)
    } <= RESOURCE_TYPES


def test_facilities_are_eight_of_four_kinds() -> None:
    listed = facilities()

    kinds = Counter(facility.kind for facility in listed)
    assert kinds == {"HOSPITAL": 2, "CLINIC": 4, "PHARMACY": 1, "CHECKUP_CENTRE": 1}
    assert [facility_number(facility.number) for facility in listed] == [f.number for f in listed]
    assert all((facility.kind == "PHARMACY") == (facility.number[2] == "4") for facility in listed)
    assert any(facility.emergency for facility in listed)
    assert len({facility.number for facility in listed}) == 8


def test_writing_gives_one_file_a_bundle_and_the_facilities(tmp_path: Path) -> None:
    written = write_sample(tmp_path / "sample", 2, SEED)

    files = {path.name: path.read_bytes() for path in (tmp_path / "sample").iterdir()}
    assert files.keys() == {bundle.name for bundle in sample_bundles(2, SEED)} | {"facilities.json"}
    assert len(files) == written + 1
    assert len(json.loads(files["facilities.json"])) == 8


def test_our_own_reader_takes_every_bundle() -> None:
    who = {patient.number: patient for patient in sample_patients(12, SEED)}
    kinds: set[DocumentKind] = set()
    classes: dict[int, set[RecordClass]] = {}
    for bundle in sample_bundles(12, SEED):
        reading = read_bundle(bundle.body)
        patient = who[bundle.patient]
        kinds.add(reading.document.kind)
        classes.setdefault(bundle.patient, set()).update(entry.record_class for entry in reading.entries)
        assert reading.document.facility == bundle.facility
        assert reading.subject.insured_person == InsuredPersonNumber(patient.insured_person)
        assert reading.subject.demographics.name == patient.name
        assert reading.subject.demographics.kana == patient.kana
        assert reading.warnings == (), bundle.name

    assert classes[0] >= set(SIX_INFORMATIONS)
    assert kinds == set(DocumentKind) - {DocumentKind.PRESCRIPTIONS}
