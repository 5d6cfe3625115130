"""How the rules do on published resources that break a profile on purpose, and on those that should break none.

Both are other people's, and read where they lie.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsuzuri.domain.rules.checking import check
from tsuzuri.domain.rules.policies import POLICIES
from tsuzuri.domain.rules.rule import Broken, Severity

Json = dict[str, Any]

NEWEST = POLICIES["clins-1.10"]
OTHERS = ("fhir-base", "jp-core", "extensions", "terminology", "jp-tier3", "positive-controls")

ECS_NAMES = {
    "jp-careplan-ecs-category-missing": "JP_CarePlan_eCS.category",
    "jp-careplan-ecs-title-missing": "JP_CarePlan_eCS.title",
    "jp-careplan-ecs-description-missing": "JP_CarePlan_eCS.description",
    "jp-composition-ereferral-identifier-system-missing": "JP_Composition_eReferral.identifier.system",
    "jp-composition-extension-version-missing": "JP_Composition_eReferral.extension:version",
    "jp-composition-ereferral-type-coding-code-missing": "JP_Composition_eReferral.type.coding.code",
    "jp-condition-category-missing": "JP_Condition_eCS.category",
    "jp-condition-medisrecordno-slice-missing": "JP_Condition_eCS.code.coding:medisRecordNo",
    "jp-condition-identifier-missing": "JP_Condition_eCS.identifier:resourceIdentifier",
    "jp-condition-slice-resource-identifier-missing": "JP_Condition_eCS.identifier:resourceIdentifier",
    "jp-condition-lastupdated-missing": "JP_Condition_eCS.meta.lastUpdated",
    "consent-status-missing": "Consent.status",
    "consent-scope-missing": "Consent.scope",
    "consent-category-missing": "Consent.category",
    "coverage-status-missing": "Coverage.status",
    "coverage-beneficiary-missing": "Coverage.beneficiary",
    "coverage-payor-missing": "Coverage.payor",
    "diagnosticreport-category-first-slice": "JP_DiagnosticReport_Radiology.category:first",
    "fixed-code-mismatch": "JP_DiagnosticReport_LabResult.code.coding:reportCode.code",
    "jp-encounter-ecs-identifier-system-missing": "JP_Encounter_eCS.identifier.system",
    "jp-encounter-ecs-identifier-value-missing": "JP_Encounter_eCS.identifier.value",
    "jp-encounter-ecs-period-start-missing": "JP_Encounter_eCS.period.start",
    "jp-familymemberhistory-ecs-relationship-coding-missing": "JP_FamilyMemberHistory_eCS.relationship.coding",
    "jp-familymemberhistory-ecs-sex-coding-missing": "JP_FamilyMemberHistory_eCS.sex.coding",
    "immunization-vaccinecode-missing": "Immunization.vaccineCode",
    "immunization-patient-missing": "Immunization.patient",
    "immunization-status-missing": "Immunization.status",
    "immunization-occurrence-missing": "Immunization.occurrence[x]",
    "medadmin-status-missing": "MedicationAdministration.status",
    "medadmin-medication-missing": "MedicationAdministration.medication[x]",
    "medadmin-subject-missing": "MedicationAdministration.subject",
    "medreq-dosage-periodofuse-extension-required": (
        "JP_MedicationRequest_eCS.dosageInstruction.extension:periodOfUse"
    ),
    "jp-medreq-request-identifier-slice-missing": "JP_MedicationRequest_eCS.identifier:requestIdentifier",
    "jp-medreq-lastupdated-missing": "JP_MedicationRequest_eCS.meta.lastUpdated",
    "jp-obs-lab-specimen-missing": "JP_Observation_LabResult_eCS.specimen",
    "jp-organization-ecs-medisrecord-slice-missing": "JP_Organization_eCS.identifier:medicalInstitutionCode",
    "jp-organization-ecs-name-missing": "JP_Organization_eCS.name",
    "jp-patient-ecs-name-given-missing": "JP_Patient_eCS.name.given",
    "jp-patient-ecs-gender-missing": "JP_Patient_eCS.gender",
    "jp-patient-ecs-birthdate-missing": "JP_Patient_eCS.birthDate",
    "jp-practitioner-ecs-qualification-code-coding-missing": "JP_Practitioner_eCS.qualification.code.coding",
}
OTHER_NAMES = {
    "jp-medreq-identifier-count-min3": {
        # each of the three is a slice of its own
        "T:JP_MedicationRequest_eCS.identifier:requestIdentifier",
        "T:JP_MedicationRequest_eCS.identifier:rpNumber",
        "T:JP_MedicationRequest_eCS.identifier:orderInRp",
    },
    "slice-not-matching-known-slice": {
        "T:JP_AllergyIntolerance_eCS.identifier:resourceIdentifier",
        "T:JP_Observation_LabResult_eCS.category:laboratory",
    },
    "descendent-of-vs-expansion": {"T0022"},
    "jp-observation-lab-value-type-restriction": {"T0023"},
    "tier2-violation-codeable-slice-unmatched": {"T0021"},
}
"""The issue a case says of itself that it has → the rules of ours that say it."""


def lines(file: Path) -> Iterator[Json]:
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield json.loads(line)


def named_rules(case: Json) -> dict[str, set[str]]:
    """Each issue a case names, with the rules that say it."""
    issues = [tag["code"] for tag in case["meta"]["tag"]]
    found: dict[str, set[str]] = {}
    for issue in issues:
        if issue == "resource-meta-lastupdated-missing":
            profile = case["meta"]["profile"][0].rpartition("/")[2]
            found[issue] = {f"T:{profile}.meta.lastUpdated"}
        else:
            found[issue] = OTHER_NAMES.get(issue) or {f"T:{ECS_NAMES[issue]}"}
    return found


@dataclass(frozen=True)
class Case:
    """What the rules said of one negative case."""

    case: Json
    found: list[Broken]

    @property
    def issues_seen(self) -> int:
        told = {one.rule for one in self.found}
        return sum(bool(told & rules) for rules in named_rules(self.case).values())

    @property
    def is_flagged(self) -> bool:
        """Every issue it names was seen."""
        return self.issues_seen == len(named_rules(self.case))

    @property
    def other_errors(self) -> list[Broken]:
        named = set().union(*named_rules(self.case).values())
        return [one for one in self.found if one.severity is Severity.ERROR and one.rule not in named]


def negative_cases(data: Path) -> list[Case]:
    file = data / "jp-negative-cases" / "jp-clins.ndjson"
    return [Case(case, check(case, NEWEST)) for case in lines(file)]


def is_absent(case: Json, path: str) -> bool:
    """Whether what a place names is not in the case at all. Asked of the JSON, not of our engine."""
    node: Any = case
    for step in path.split(".")[1:]:
        name, _, index = step.partition("[")
        if not isinstance(node, dict) or name not in node:
            return True
        node = node[name]
        if index and index != "x]":
            node = node[int(index.rstrip("]"))]
    return node in ({}, [])


def figures(data: Path) -> str:
    """The measured figures, as docs/rules.md gives them."""
    cases = negative_cases(data)
    others = [(one, case) for case in cases for one in case.other_errors]
    absent = sum(is_absent(case.case, one.path) for one, case in others)
    rows = [f"| jp-clins | {len(cases)} | {sum(bool(case.found) for case in cases)} |"]
    for name in OTHERS:
        found = [check(case, NEWEST) for case in lines(data / "jp-negative-cases" / f"{name}.ndjson")]
        rows.append(f"| {name} | {len(found)} | {sum(map(bool, found))} |")
    issues, seen = (
        sum(len(named_rules(case.case)) for case in cases),
        sum(case.issues_seen for case in cases),
    )
    flagged, alone = (sum(case.is_flagged for case in cases), sum(not case.other_errors for case in cases))
    mild = sum(all(one.severity is Severity.WARNING for one in case.found) for case in cases)
    return f"""\
Of {len(cases)} negative cases of JP-CLINS, {flagged} break the rules that their own tags name ({seen} of {issues}
named issues; {mild} case only by a warning: its tag calls it no error). {alone} of them break nothing else. The
others are fragments: they break {len(others)} more rules, {absent} of them by an element that the case does not have
at all, {len(others) - absent} by one that is there and does not hold what the profile fixes.

| file | cases | flagged |
|---|---|---|
""" + "\n".join(rows)
