"""The rules with a predicate of their own: one example keeps each, another breaks it alone, in one place."""

import json

import pytest

from row_examples import kept
from rule_bundles import checkup, collection, discharge_summary, old_referral, patient_summary, referral
from rule_resources import (
    INSTITUTION,
    INSTITUTION_SYSTEM,
    Json,
    allergy,
    care_plan,
    condition,
    family_history,
    institution,
    laboratory_report,
    observation,
    of,
    patient,
    prescription,
    radiology_report,
)
from tsuzuri.domain.rules.catalogue import RULES, TABLED, WRITTEN
from tsuzuri.domain.rules.checking import check
from tsuzuri.domain.rules.policies import POLICIES
from tsuzuri.domain.rules.rule import Severity
from written_rule_examples import EXAMPLES, coded, put

PHARMACY = "1340000001"


def broken(tree: object, policy: str = "clins-1.10") -> set[str]:
    return {found.rule for found in check(tree, POLICIES[policy])}


def test_no_rule_lacks_its_two_examples() -> None:
    with_examples = EXAMPLES.keys() | {rule.id for rule in TABLED if kept(rule)}

    assert with_examples == RULES.keys()
    assert EXAMPLES.keys() == {rule.id for rule in WRITTEN}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_rule_is_kept_by_one_example_and_broken_by_another_in_one_place(rule: str) -> None:
    example = EXAMPLES[rule]
    policy = POLICIES[example.policy]

    assert rule not in {found.rule for found in check(example.kept, policy, size_bytes=1000)}
    found = check(example.broken, policy, size_bytes=example.size_bytes)

    assert [one.path for one in found if one.rule == rule] == [example.path]
    assert {one.rule for one in found} - example.also == {rule}


@pytest.mark.parametrize(
    "tree",
    [
        patient(), condition(), allergy(), observation(), prescription(), care_plan(), family_history(),
        radiology_report(), laboratory_report(), referral(), discharge_summary(), patient_summary(), checkup(),
        collection(condition()), collection(allergy()), collection(observation(), observation()),
    ],
    ids=lambda tree: str(tree["resourceType"]),
)  # fmt: skip
@pytest.mark.parametrize("policy", ["clins-1.10", "clins-1.5", "shape"])
def test_what_keeps_the_guide_breaks_nothing(tree: Json, policy: str) -> None:
    assert check(tree, POLICIES[policy]) == []


def test_the_older_guides_have_their_own_documents() -> None:
    assert check(old_referral(), POLICIES["referral-0.9"]) == []
    assert check(checkup(), POLICIES["checkup-1.5"]) == []
    assert "R02151" in broken(old_referral())


# --- all at once, and where


def test_everything_broken_is_told_at_once_in_the_order_of_the_entries() -> None:
    bundle = collection(of(condition(), code=None, encounter=None), of(condition(), extension=None))

    found = [(one.rule, one.path) for one in check(bundle, POLICIES["clins-1.10"])]

    assert found == [
        ("R9016C", "Bundle.entry[1].resource.encounter"),
        ("T:JP_Condition_eCS.code", "Bundle.entry[1].resource.code"),
        ("R9011", "Bundle.entry[2].resource.extension"),
        ("R9014C", "Bundle.entry[2].resource.extension"),
    ]


def test_an_entry_of_a_collection_is_read_as_its_profile_though_it_claims_none() -> None:
    bundle = put(collection(), "entry.1.resource.meta.profile", ["urn:another"])

    assert broken(put(bundle, "entry.1.resource.code.text", None)) == {"T:JP_Condition_eCS.code.text"}


def test_alone_a_resource_is_only_what_it_claims_to_be() -> None:
    assert broken(of(condition(), meta=None, code={"text": "見本"}, extension=[])) == set()


def test_a_contained_resource_is_checked_where_it_stands() -> None:
    found = check(put(condition(), "contained.0.status", None), POLICIES["shape"])

    assert [(one.rule, one.path) for one in found] == [
        ("T:Encounter.status", "Condition.contained[0].status")
    ]


def test_siblings_may_contain_resources_of_the_same_id() -> None:
    assert broken(collection(observation(), observation())) == set()


def test_an_empty_object_is_nothing_or_lacks_what_it_should_hold() -> None:
    assert broken(of(observation(), specimen={})) == {"T:JP_Observation_LabResult_eCS.specimen"}
    assert broken(of(care_plan(), period={})) == {"T:JP_CarePlan_eCS.period.start"}
    assert broken(of(observation(), code={})) >= {
        "T:Observation.code",
        "T:JP_Observation_LabResult_eCS.code.text",
    }


# --- two spellings


@pytest.mark.parametrize(
    "tree",
    [
        put(condition(), "code.coding.0.system", "urn:oid:1.2.392.200119.4.101.2"),
        put(prescription(), "medicationCodeableConcept.coding.0.system", "urn:oid:1.2.392.100495.20.1.73"),
        put(prescription(), "identifier.1.system", "urn:oid:1.2.392.100495.20.3.81"),
        coded({"system": "urn:oid:1.2.392.200119.4.504", "code": "9Z999000000000001", "display": "見本"}),
        put(condition(), "code.coding.0.system", "http://medis.or.jp/CodeSystem/master-disease-keyNumber|2026"),
        put(condition(), "meta.profile", ["http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_Condition_eCS|1.10.0"]),
    ],
)  # fmt: skip
def test_a_system_may_be_spelled_as_oid_or_url_and_with_a_version(tree: Json) -> None:
    assert broken(tree) - {"T0020"} == set()


def test_the_extensions_of_the_guide_are_known_under_any_of_its_roots() -> None:
    moved = institution() | {
        "url": "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_InstitutionNumber"
    }

    assert broken(put(collection(), "entry.1.resource.extension.0", moved)) == set()


# --- where the guide contradicts itself, or is narrower than the world


def test_a_patient_alone_and_prescriptions_alone_are_warned_of_and_no_more() -> None:
    for rule in ("T0011", "T0012", "R9018C", "R1011", "R1112"):
        assert set(RULES[rule].holds.values()) == {Severity.WARNING}
    assert broken(of(collection(), entry=collection()["entry"][:1])) == {"T0012"}


@pytest.mark.parametrize("policy", ["clins-1.10", "clins-1.5"])
def test_a_pharmacy_is_warned_of_wherever_it_is_named_and_no_more(policy: str) -> None:
    """As sender of a collection, in each of its resources; as recipient of a referral it is not even warned of."""
    text = json.dumps(collection(condition())).replace(INSTITUTION, PHARMACY)
    letter = referral()
    organizations = [
        e["resource"] for e in letter["entry"] if e["resource"]["resourceType"] == "Organization"
    ]
    organizations[0]["identifier"] = [{"system": INSTITUTION_SYSTEM, "value": PHARMACY}]

    assert broken(json.loads(text), policy) == {"T0025"}
    assert broken(letter, policy) == set()
    assert set(RULES["T0025"].holds.values()) == {Severity.WARNING}


def test_a_drug_without_standard_code_is_an_error_in_the_old_guide_and_a_warning_in_the_new() -> None:
    tree = EXAMPLES["R3010"].broken

    old, new = (check(tree, POLICIES[name])[0].severity for name in ("clins-1.5", "clins-1.10"))

    assert (old, new) == (Severity.ERROR, Severity.WARNING)
