"""For every row of the rules' tables, an example that keeps it and one that breaks it."""

import copy
from collections.abc import Callable
from functools import cache

import rule_bundles
import rule_resources
from rule_resources import Json
from tsuzuri.domain.rules.catalogue import TABLED
from tsuzuri.domain.rules.demands import Demand, Row, Shape
from tsuzuri.domain.rules.part import Part, choices
from tsuzuri.domain.rules.resources import Resource
from tsuzuri.domain.rules.rule import Guide, Rule
from tsuzuri.domain.rules.slices import finder

BUILDERS: dict[str, Callable[[], Json]] = {
    "JP_Patient_eCS": rule_resources.patient,
    "JP_Condition_eCS": rule_resources.condition,
    "JP_AllergyIntolerance_eCS": rule_resources.allergy,
    "JP_Observation_LabResult_eCS": rule_resources.observation,
    "JP_MedicationRequest_eCS": rule_resources.prescription,
    "JP_Encounter_eCS": rule_resources.encounter,
    "JP_Organization_eCS": rule_resources.organization,
    "JP_Practitioner_eCS": rule_resources.practitioner,
    "JP_CarePlan_eCS": rule_resources.care_plan,
    "JP_CarePlan_ePCS": rule_resources.care_plan_of_summary,
    "JP_FamilyMemberHistory_eCS": rule_resources.family_history,
    "JP_DiagnosticReport_Radiology": rule_resources.radiology_report,
    "JP_DiagnosticReport_LabResult": rule_resources.laboratory_report,
    "JP_Bundle_CLINS": rule_bundles.collection,
    "JP_Bundle_eReferral": rule_bundles.referral,
    "JP_Bundle_eDischargeSummary": rule_bundles.discharge_summary,
    "JP_Bundle_ePCS": rule_bundles.patient_summary,
    "JP_Bundle_eCheckupGeneral": rule_bundles.checkup,
    "JP_Bundle_eReferral-0.9": rule_bundles.old_referral,
    "JP_Composition_eReferral": lambda: _head(rule_bundles.referral()),
    "JP_Composition_eDischargeSummary": lambda: _head(rule_bundles.discharge_summary()),
    "JP_Composition_ePCS": lambda: _head(rule_bundles.patient_summary()),
    "JP_Composition_eCheckupGeneral": lambda: _head(rule_bundles.checkup()),
    "JP_Composition_eReferral-0.9": lambda: _head(rule_bundles.old_referral()),
}
DOCUMENTS = (
    rule_bundles.referral,
    rule_bundles.discharge_summary,
    rule_bundles.patient_summary,
    rule_bundles.checkup,
)
POLICY = {
    Guide.FHIR_R4: "shape",
    Guide.JP_CORE: "clins-1.10",
    Guide.CLINS_1_5: "clins-1.5",
    Guide.CLINS_1_10: "clins-1.10",
    Guide.CHECKUP_1_5: "checkup-1.5",
    Guide.REFERRAL_0_9: "referral-0.9",
}


def _head(document: Json) -> Json:
    head: Json = document["entry"][0]["resource"]
    return head


def name_of(rule: Rule) -> str:
    """The line of the table a rule is of: "T:JP_Bundle_eReferral-0.9.identifier" → "JP_Bundle_eReferral-0.9"."""
    known = [name for name in BUILDERS if rule.id.startswith(f"T:{name}.")]
    return max(known, key=len) if known else rule.on[0]


def kept(rule: Rule) -> Json:
    builder = BUILDERS.get(name_of(rule))
    return builder() if builder else copy.deepcopy(_least(rule.on[0]))


def broken(rule: Rule) -> Json:
    """The same, but for what the rule asks."""
    tree = kept(rule)
    if isinstance(rule, Row):
        parents = Resource(Part(tree, tree["resourceType"])).all(rule.demand.parent)
        assert parents, f"the example of {rule.id} lacks {rule.demand.parent}"
        _spoil(parents[0], rule.demand)
    else:
        carried = rule.id.rpartition(":")[2]
        tree["entry"] = [entry for entry in tree["entry"] if entry["resource"]["resourceType"] != carried]
    return _in_its_bundle(tree) if rule.id.endswith(".meta.profile") else tree


def _in_its_bundle(tree: Json) -> Json:
    """Where its place tells what it is, since the resource does not."""
    if tree["resourceType"] == "Composition":
        code = tree["type"]["coding"][0]["code"]
        document = next(d() for d in DOCUMENTS if _head(d())["type"]["coding"][0]["code"] == code)
        return rule_resources.of(document, entry=rule_bundles.entries(tree, *_others(document)))
    if tree["resourceType"] == "Patient":
        return rule_resources.of(rule_bundles.collection(), entry=rule_bundles.entries(tree))
    return tree if tree["resourceType"] == "Bundle" else rule_bundles.collection(tree)


def _others(document: Json) -> list[Json]:
    return [entry["resource"] for entry in document["entry"][1:]]


def _spoil(parent: Part, demand: Demand) -> None:
    name = demand.step.partition(":")[0]
    found = [part.value for part in finder(demand.step)(parent)]
    if demand.high == 0:
        parent.value[name] = {"display": "見本"}
    elif demand.values:
        parent.value[name] = ["no-such-code"] if isinstance(parent.value.get(name), list) else "no-such-code"
    elif demand.low == 0:
        parent.value[name] = found * ((demand.high or 0) + 1)
    elif ":" in demand.step:
        parent.value[name] = [value for value in parent.value[name] if value not in found]
    else:
        for key in choices(name) if name.endswith("[x]") else (name,):
            parent.value.pop(key, None)


@cache
def _least(resource_type: str) -> Json:
    """The least that FHIR's table asks of a type, with everything that it asks something of."""
    tree: Json = {"resourceType": resource_type}
    for rule in TABLED:
        if isinstance(rule, Row) and rule.on == (resource_type,):
            _put(tree, rule.demand)
    return tree


def _put(tree: Json, demand: Demand) -> None:
    *above, last = demand.path.split(".")
    for step in above:
        tree = tree.setdefault(step, {})
    if last.endswith("[x]"):
        tree[last.replace("[x]", "String")] = "見本"
    elif demand.values:
        tree[last] = demand.values[0]
    else:
        tree.setdefault(last, {"display": "見本"} if demand.shape is Shape.OBJECT else "見本")
