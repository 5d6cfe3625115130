"""Synthetic resources that keep every rule of JP-CLINS 1.10, each the fullest its profile's table knows."""

import copy
from typing import Any

Json = dict[str, Any]

INSTITUTION = "1310000001"
_ECS = "http://jpfhir.jp/fhir/eCS/StructureDefinition"
_CORE = "http://jpfhir.jp/fhir/core/StructureDefinition"
_CLINS = "http://jpfhir.jp/fhir/clins"
_HL7 = "http://terminology.hl7.org/CodeSystem"
RESOURCE_IDENTIFIER = "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"
INSTITUTION_SYSTEM = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"
INSURED_SYSTEM = f"{_CLINS}/Idsystem/JP_Insurance_memberID"
LOCAL_CODE = f"{_CLINS}/CodeSystem/JP_CLINS_ObsLabResult_LocalCode_CS"
CORE_LABO = f"{_CLINS}/CodeSystem/JLAC10/JP_CLINS_ObsLabResult_CoreLabo_CS"
INFECTION_LABO = f"{_CLINS}/CodeSystem/JLAC10/JP_CLINS_ObsLabResult_InfectionLabo_CS"
INDICATION = f"{_CLINS}/CodeSystem/JP_ehrshrs_indication"
YJ = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code"
USAGE = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUsage_ePrescription"
USAGE_DUMMY = f"{_CLINS}/CodeSystem/JP_CLINS_MedicationUsage_Uncoded_CS"
JFAGY_FOOD = "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyFoodAllergen_CS"
PATIENT = {"reference": "urn:uuid:patient"}


def of(base: Json, **changes: Any) -> Json:
    """A copy with other elements; None takes one away."""
    changed = copy.deepcopy(base) | changes
    return {name: value for name, value in changed.items() if value is not None}


def meta(profile: str, root: str = _ECS) -> Json:
    return {"lastUpdated": "2026-01-02T03:04:05+09:00", "profile": [f"{root}/{profile}"]}


def coding(system: str, code: str, display: str = "見本") -> Json:
    return {"system": system, "code": code, "display": display}


def concept(system: str, code: str) -> Json:
    return {"coding": [coding(system, code)], "text": "見本"}


def named(value: str = "r-1") -> list[Json]:
    return [{"system": RESOURCE_IDENTIFIER, "value": value}]


def institution(number: str = INSTITUTION) -> Json:
    return {
        "url": f"{_CLINS}/Extension/StructureDefinition/JP_eCS_InstitutionNumber",
        "valueIdentifier": {"system": INSTITUTION_SYSTEM, "value": number},
    }


def department() -> Json:
    return {
        "url": "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_Department",
        "valueCodeableConcept": {"text": "見本科"},
    }


def visit() -> Json:
    """What is contained: an Encounter of JP Core, and who answers for a test."""
    return {
        "resourceType": "Encounter",
        "id": "visit",
        "meta": {"profile": [f"{_CORE}/JP_Encounter"]},
        "status": "finished",
        "class": coding(f"{_HL7}/v3-ActCode", "AMB"),
    }


def answering() -> Json:
    return {"resourceType": "Practitioner", "id": "doctor", "meta": {"profile": [f"{_CORE}/JP_Practitioner"]}}


def name(text: str, representation: str) -> Json:
    url = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
    family, _, given = text.partition(" ")
    return {
        "extension": [{"url": url, "valueCode": representation}],
        "text": text,
        "family": family,
        "given": [given],
    }


def patient() -> Json:
    return {
        "resourceType": "Patient",
        "meta": meta("JP_Patient_eCS"),
        "identifier": [
            {"system": f"urn:oid:1.2.392.100495.20.3.51.1{INSTITUTION}", "value": "0001"},
            {"system": INSURED_SYSTEM, "value": "00012345:あい:１２:01"},
        ],
        "name": [name("見本 花子", "IDE"), name("ミホン ハナコ", "SYL")],
        "gender": "female",
        "birthDate": "1961-02-03",
        "address": [{"text": "見本県見本市1-1"}],
    }


def condition() -> Json:
    return {
        "resourceType": "Condition",
        "meta": meta("JP_Condition_eCS"),
        "extension": [institution(), department()],
        "contained": [visit()],
        "identifier": named(),
        "clinicalStatus": {"coding": [coding(f"{_HL7}/condition-clinical", "active")]},
        "verificationStatus": {"coding": [coding(f"{_HL7}/condition-ver-status", "confirmed")]},
        "category": [concept(f"{_HL7}/condition-category", "encounter-diagnosis")],
        "code": concept("http://medis.or.jp/CodeSystem/master-disease-keyNumber", "99999999"),
        "subject": PATIENT,
        "encounter": {"reference": "#visit"},
        "onsetDateTime": "2025-12-01",
    }


def allergy() -> Json:
    return {
        "resourceType": "AllergyIntolerance",
        "meta": meta("JP_AllergyIntolerance_eCS"),
        "extension": [institution(), department()],
        "identifier": named(),
        "clinicalStatus": {"coding": [coding(f"{_HL7}/allergyintolerance-clinical", "active")]},
        "verificationStatus": {"coding": [coding(f"{_HL7}/allergyintolerance-verification", "confirmed")]},
        "category": ["food"],
        "code": concept(JFAGY_FOOD, "J9FZ00000000"),
        "patient": PATIENT,
        "reaction": [{"manifestation": [{"text": "見本の症状"}]}],
    }


def observation() -> Json:
    return {
        "resourceType": "Observation",
        "meta": meta("JP_Observation_LabResult_eCS"),
        "extension": [institution(), department()],
        "contained": [visit(), answering()],
        "identifier": named(),
        "status": "final",
        "category": [
            concept("http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS", "laboratory")
        ],
        "code": {
            "coding": [coding(LOCAL_CODE, "L-1"), coding(CORE_LABO, "9Z999000000000001")],
            "text": "見本検査",
        },
        "subject": PATIENT,
        "encounter": {"reference": "#visit"},
        "effectiveDateTime": "2026-01-02T08:00:00+09:00",
        "performer": [{"reference": "#doctor"}],
        "valueQuantity": {"value": 1.5, "unit": "mg"},
        "specimen": {"display": "血清"},
    }


def prescription() -> Json:
    core = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition"
    ids = "http://jpfhir.jp/fhir/core/mhlw/IdSystem"
    dosage = {
        "extension": [
            {"url": f"{core}/JP_MedicationDosage_PeriodOfUse", "valuePeriod": {"start": "2026-01-02"}}
        ],
        "text": "見本の用法",
        "timing": {"code": concept(USAGE, "1011000000000000")},
        "doseAndRate": [{"type": concept("urn:strength", "1")}],
    }
    return {
        "resourceType": "MedicationRequest",
        "meta": meta("JP_MedicationRequest_eCS"),
        "extension": [institution(), department()],
        "identifier": [
            *named(),
            {"system": f"{ids}/Medication-RPGroupNumber", "value": "1"},
            {"system": f"{ids}/MedicationAdministrationIndex", "value": "1"},
        ],
        "status": "completed",
        "intent": "order",
        "medicationCodeableConcept": concept(YJ, "9999999F9999"),
        "subject": PATIENT,
        "authoredOn": "2026-01-02",
        "dosageInstruction": [dosage],
        "dispenseRequest": {
            "quantity": {"value": 7, "unit": "錠", "system": "urn:units", "code": "TAB"},
            "expectedSupplyDuration": {
                "value": 7,
                "unit": "日",
                "system": "http://unitsofmeasure.org",
                "code": "d",
            },
        },
    }


def encounter() -> Json:
    return of(
        visit(),
        meta=meta("JP_Encounter_eCS"),
        identifier=[{"system": "urn:visits", "value": "1"}],
        period={"start": "2026-01-02"},
        classHistory=[{"class": coding(f"{_HL7}/v3-ActCode", "AMB"), "period": {"start": "2026-01-02"}}],
        reasonCode=[{"text": "見本の理由"}],
    )


def organization(number: str = INSTITUTION) -> Json:
    return {
        "resourceType": "Organization",
        "meta": meta("JP_Organization_eCS"),
        "identifier": [{"system": INSTITUTION_SYSTEM, "value": number}],
        "type": [concept(f"{_HL7}/organization-type", "prov")],
        "name": "見本診療所",
        "address": [{"text": "見本県見本市1-2"}],
    }


def practitioner() -> Json:
    return {
        "resourceType": "Practitioner",
        "meta": meta("JP_Practitioner_eCS"),
        "name": [name("医師 一", "IDE")],
        "qualification": [
            {
                "identifier": [{"system": "urn:register", "value": "1"}],
                "code": concept("urn:licence", "doctor"),
            }
        ],
    }


def care_plan() -> Json:
    return {
        "resourceType": "CarePlan",
        "meta": meta("JP_CarePlan_eCS"),
        "identifier": named(),
        "status": "active",
        "intent": "plan",
        "category": [concept("urn:plans", "followup-plan")],
        "title": "療養計画",
        "description": "見本の計画",
        "subject": PATIENT,
        "period": {"start": "2026-01-02"},
    }


def care_plan_of_summary() -> Json:
    return of(care_plan(), meta=meta("JP_CarePlan_ePCS"), created="2026-01-02")


def family_history() -> Json:
    return {
        "resourceType": "FamilyMemberHistory",
        "meta": meta("JP_FamilyMemberHistory_eCS"),
        "status": "completed",
        "patient": PATIENT,
        "relationship": concept(f"{_HL7}/v3-RoleCode", "FTH"),
        "sex": concept("http://hl7.org/fhir/administrative-gender", "male"),
    }


def radiology_report() -> Json:
    return {
        "resourceType": "DiagnosticReport",
        "meta": meta("JP_DiagnosticReport_Radiology", _CORE),
        "status": "final",
        "category": [concept("http://loinc.org", "LP29684-5")],
        "code": {"text": "見本の読影"},
    }


def laboratory_report() -> Json:
    return {
        "resourceType": "DiagnosticReport",
        "meta": meta("JP_DiagnosticReport_LabResult", _CORE),
        "status": "final",
        "code": concept("http://jpfhir.jp/fhir/core/CodeSystem/JP_DocumentCodes_CS", "11502-2"),
    }
