"""Whatever JSON comes: checking never fails, tells nothing the sender wrote, and takes work in proportion to it."""

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from rule_bundles import collection, referral
from rule_resources import Json, condition, observation, of, organization, patient, prescription
from tsuzuri.domain.rules.catalogue import RULES
from tsuzuri.domain.rules.checking import check
from tsuzuri.domain.rules.part import Part
from tsuzuri.domain.rules.policies import POLICIES
from tsuzuri.domain.rules.resources import Resource
from written_rule_examples import deep, put

CANARY = "カナリア"
NEWEST = POLICIES["clins-1.10"]

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.just(CANARY), st.just("#x"), st.text(max_size=5)
)
steps = sorted(
    {step for rule in RULES.values() for step in rule.path.replace("[x]", "String").split(".")[1:]}
)
types = st.sampled_from(
    ["Bundle", "Patient", "Condition", "Observation", "MedicationRequest", "Composition", CANARY]
)
json = st.recursive(
    scalars,
    lambda inside: st.one_of(
        st.lists(inside, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(steps), st.just(CANARY)), inside, max_size=5),
        st.fixed_dictionaries({"resourceType": types, "entry": inside, "contained": inside, "meta": inside}),
    ),
    max_leaves=25,
)
GOOD = [
    collection(condition(), patient()), collection(observation()), collection(prescription()), referral(),
    organization(),
]  # fmt: skip


def told(tree: Any) -> list[str]:
    """Everything that is said of a tree under every policy."""
    return [
        text
        for policy in POLICIES.values()
        for found in check(tree, policy)
        for text in (found.rule, found.path, found.message.en, found.message.ja, found.fix.en, found.fix.ja)
    ]


@for_all(json)
def test_no_json_makes_it_fail_and_nothing_of_the_senders_is_told(tree: Any) -> None:
    assert not any(CANARY in text for text in told(tree))


@settings(max_examples=60)
@for_all(st.sampled_from(GOOD), st.integers(min_value=0), json)
def test_no_damage_to_a_good_bundle_makes_it_fail(good: Json, place: int, damage: Any) -> None:
    places = list(paths(good))

    assert not any(CANARY in text for text in told(put(good, places[place % len(places)], [damage])))


def paths(tree: Any, path: str = "") -> Iterator[str]:
    """The way to everything in a tree."""
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inside:
        yield f"{path}{key}"
        yield from paths(value, f"{path}{key}.")


@for_all(
    st.one_of(json, st.sampled_from([entry["resource"] for good in GOOD[:-1] for entry in good["entry"]]))
)
def test_a_rule_that_is_not_asked_would_have_found_nothing(tree: Any) -> None:
    for rule in RULES.values():
        if rule.only_with and isinstance(tree, dict):
            without = {name: value for name, value in tree.items() if name not in rule.only_with}
            assert list(rule.broken(Resource(Part(without, "Resource")))) == [], rule.id


@pytest.mark.parametrize(
    "tree",
    [
        None, 1, "text", [], {}, [[]], {"resourceType": []}, {"resourceType": {"a": 1}}, {"resourceType": CANARY},
        {"resourceType": "Bundle", "entry": 5}, {"resourceType": "Bundle", "entry": [5, [], {"resource": 7}]},
        {"resourceType": "Bundle", "type": ["document"], "meta": {"profile": {"a": [None]}, "tag": [3]}},
        {"resourceType": "Bundle", "type": "collection", "identifier": [{"system": {}, "value": 3}]},
        {"resourceType": "Patient", "identifier": "x", "name": [1, {"extension": 3}]},
        {"resourceType": "Observation", "code": [{"coding": {"system": 1}}], "valueQuantity": []},
        {"resourceType": "Condition", "subject": {"reference": ["#"]}, "contained": {"id": "a"}},
        {"resourceType": "Encounter", "period": {"start": "2026-13-99T99:99", "end": "x" * 9999}},
    ],
)  # fmt: skip
def test_the_wrong_kinds_of_json_are_told_without_a_word_of_theirs(tree: Any) -> None:
    assert not any(CANARY in text for text in told(tree))


def test_depth_is_refused_and_does_no_harm() -> None:
    for tree in (deep(100_000), {"resourceType": "Patient", "name": deep(5000)}):
        assert "T0006" in {found.rule for found in check(tree, NEWEST)}


def test_bundles_within_bundles_are_followed_only_so_far() -> None:
    tree: Json = {"resourceType": "Bundle", "type": "document"}
    for _ in range(3000):
        tree = {"resourceType": "Bundle", "type": "document", "entry": [{"resource": tree}]}

    found = check(tree, NEWEST)

    assert max(one.path.count("entry") for one in found) < 70 and len(found) < 2000


def test_circles_and_doubles_among_references_and_ids_end() -> None:
    part_of_each_other = [
        of(organization(), id="same", partOf={"reference": "Organization/same"}),
        of(organization(), id="same", partOf={"reference": "#same"}, contained=[organization()]),
    ]
    bundle = put(referral(), "entry", referral()["entry"] + [{"resource": one} for one in part_of_each_other])

    assert {found.rule for found in check(bundle, POLICIES["shape"])} == set()


def test_what_a_sender_claims_to_follow_is_not_remembered() -> None:
    claims = [f"http://jpfhir.jp/fhir/eCS/StructureDefinition/{CANARY}{n}" for n in range(50)]

    for resource_type in ("Condition", CANARY):
        check({"resourceType": resource_type, "meta": {"profile": claims}}, NEWEST)

    assert CANARY not in str(vars(NEWEST))


def calls(tree: Any) -> int:
    """How many calls a check takes: the work it does, whatever else the machine is doing."""
    made = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        check(tree, NEWEST)
    finally:
        sys.setprofile(None)
    return made


@pytest.mark.parametrize(
    "grown",
    [
        lambda n: collection(*[observation() for _ in range(n)]),
        lambda n: collection(*[{"resourceType": "Condition"} for _ in range(n)]),
        lambda n: {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:a"}] * (5 * n)},
        lambda n: of(patient(), identifier=[{"system": f"urn:{i}", "value": "1"} for i in range(20 * n)]),
        lambda n: of(
            condition(), contained=[{"resourceType": "Patient", "id": str(i)} for i in range(2 * n)]
        ),
        lambda n: of(patient(), **{f"x{i}": i for i in range(50 * n)}),
    ],
    ids=["entries", "broken entries", "empty entries", "identifiers", "contained", "unknown names"],
)
def test_work_grows_with_the_size_and_no_faster(grown: Any) -> None:
    check(grown(1), NEWEST)  # what is worked out once

    assert calls(grown(480)) < 9 * calls(grown(60))  # eight times as large; a square would take 64 times
