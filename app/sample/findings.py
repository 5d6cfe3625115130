"""FHIR resources about what was found: diagnoses, allergies, laboratory results."""

from dataclasses import dataclass
from datetime import datetime

from tsuzuri.app.sample.codes import Allergen, Disease
from tsuzuri.app.sample.laboratory import Analyte
from tsuzuri.app.sample.people import Person
from tsuzuri.app.sample.resources import (
    CLINS,
    CORE,
    ECS,
    UCUM,
    Json,
    Visit,
    coded,
    coding,
    contained_encounter,
    contained_practitioner,
    department_extension,
    fixed,
    head,
    identified,
    narrative,
    resource_number,
    stamp,
)

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_LOCAL_CODES = f"{CLINS}CodeSystem/JP_CLINS_ObsLabResult_LocalCode_CS"
_CORE_LABO = f"{CLINS}CodeSystem/JLAC10/JP_CLINS_ObsLabResult_CoreLabo_CS"
_INFECTION_LABO = f"{CLINS}CodeSystem/JLAC10/JP_CLINS_ObsLabResult_InfectionLabo_CS"
_GENERAL_LABO = "http://medis.or.jp/CodeSystem/master-JLAC10-17digits"
_ALLERGEN_SYSTEMS = {
    "medication": f"{CORE}CodeSystem/YCM/JP_JfagyMedicationAllergen_CS",
    "food": f"{CORE}CodeSystem/JP_JfagyFoodAllergen_CS",
    "environment": f"{CORE}CodeSystem/JP_JfagyNonFoodNonMedicationAllergen_CS",
}
LEFT, RIGHT = ("27000358", "左"), ("27000366", "右")


@dataclass(frozen=True)
class Diagnosis:
    """One line of a facility's problem list."""

    disease: Disease
    onset: str  # FHIR dateTime, may be partial
    recorded: datetime  # when the line was written or last changed: a flag dates from here
    ended: str | None = None
    flags: tuple[str, ...] = ()
    principal: bool = False
    side: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        return f"{self.side[1] if self.side else ''}{self.disease.name}"


@dataclass(frozen=True)
class Sensitivity:
    """One line of a facility's allergy list."""

    allergen: Allergen
    onset: str
    recorded: datetime
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    analyte: Analyte
    value: float | bool  # a bool answers a qualitative test: True is positive
    flags: tuple[str, ...] = ()


def condition(person: Person, visit: Visit, subject: str, diagnosis: Diagnosis) -> Json:
    disease = diagnosis.disease
    made = head(
        "Condition",
        f"{ECS}StructureDefinition/JP_Condition_eCS",
        visit.place,
        diagnosis.recorded,
        diagnosis.flags,
    )
    made["extension"].append(department_extension(visit.department))
    if diagnosis.principal:
        made["extension"].append(
            {
                "url": f"{ECS}Extension/StructureDefinition/JP_eCS_DiagnosisType",
                "valueCodeableConcept": coded(f"{_TERMINOLOGY}ex-diagnosistype", "principal", "主病名"),
            }
        )
    made["contained"] = [contained_encounter(person, visit)]
    made["identifier"] = identified(resource_number(person, visit.place, f"C{disease.number}"))
    made["clinicalStatus"] = coded(
        f"{_TERMINOLOGY}condition-clinical",
        *("resolved", "Resolved") if diagnosis.ended else ("active", "Active"),
    )
    made["verificationStatus"] = coded(f"{_TERMINOLOGY}condition-ver-status", "confirmed", "Confirmed")
    made["category"] = [coded(f"{_TERMINOLOGY}condition-category", "problem-list-item")]
    made["code"] = {
        "coding": [
            coding("http://medis.or.jp/CodeSystem/master-disease-keyNumber", disease.number, disease.name),
            coding(f"{CORE}mhlw/CodeSystem/ICD10-2013-full", disease.icd10, disease.icd10_name),
        ],
        "text": diagnosis.name,
    }
    if diagnosis.side:
        made["code"]["extension"] = [
            {
                "url": f"{CORE}Extension/StructureDefinition/JP_Condition_DiseasePrefixModifier",
                "valueCodeableConcept": coded(
                    "http://medis.or.jp/CodeSystem/master-disease-modKeyNumber", *diagnosis.side
                ),
            }
        ]
    made["subject"] = {"reference": subject}
    made["encounter"] = {"reference": "#encounter"}
    made["onsetDateTime"] = diagnosis.onset
    if diagnosis.ended:
        made["abatementDateTime"] = diagnosis.ended
    made["recordedDate"] = diagnosis.recorded.date().isoformat()
    made["recorder"] = {"display": f"{visit.department}　{visit.doctor.name}"}
    return made


def allergy(person: Person, visit: Visit, subject: str, sensitivity: Sensitivity) -> Json:
    allergen = sensitivity.allergen
    is_drug = allergen.category == "medication"
    made = head(
        "AllergyIntolerance",
        f"{ECS}StructureDefinition/JP_AllergyIntolerance_eCS",
        visit.place,
        sensitivity.recorded,
        sensitivity.flags,
    )
    made["extension"].append(department_extension(visit.department))
    made["text"] = narrative(f"{allergen.name}: {allergen.reaction}")
    made["contained"] = [contained_encounter(person, visit)]
    made["identifier"] = identified(resource_number(person, visit.place, f"A{allergen.code}"))
    made["clinicalStatus"] = coded(f"{_TERMINOLOGY}allergyintolerance-clinical", "active", "Active")
    made["verificationStatus"] = coded(
        f"{_TERMINOLOGY}allergyintolerance-verification", "confirmed", "Confirmed"
    )
    made["type"] = "allergy"
    made["category"] = [allergen.category]
    # The guide sends a drug allergy as a contraindication: category medication with criticality high (R2011).
    made["criticality"] = "high" if is_drug else "low"
    made["code"] = coded(_ALLERGEN_SYSTEMS[allergen.category], allergen.code, allergen.name, allergen.name)
    made["patient"] = {"reference": subject}
    made["encounter"] = {"reference": "#encounter"}
    made["onsetDateTime"] = sensitivity.onset
    made["recordedDate"] = sensitivity.recorded.date().isoformat()
    made["recorder"] = {"display": visit.doctor.name}
    made["asserter"] = {"display": "本人"}
    made["reaction"] = [
        {"manifestation": [{"text": allergen.reaction}], "severity": "severe" if is_drug else "mild"}
    ]
    return made


def observation(person: Person, visit: Visit, subject: str, result: Result, issued: datetime) -> Json:
    """One analyte of a report. *visit* is when the specimen was taken."""
    analyte, laboratory = result.analyte, visit.place.index % 2
    name, jlac10 = analyte.names[laboratory], analyte.jlac10[laboratory]
    system = _INFECTION_LABO if analyte.infection else _GENERAL_LABO if analyte.general else _CORE_LABO
    local = f"{visit.place.index + 1}00{analyte.local}"
    made = head(
        "Observation",
        f"{ECS}StructureDefinition/JP_Observation_LabResult_eCS",
        visit.place,
        issued,
        result.flags,
    )
    made["extension"].append(department_extension(visit.department))
    made["contained"] = [
        contained_encounter(person, visit),
        {
            "resourceType": "Specimen",
            "id": "specimen",
            "meta": {"profile": [f"{CORE}StructureDefinition/JP_Specimen"]},
            "type": coded(
                f"{CORE}CodeSystem/JP_ObservationSampleMaterialCode_CS",
                *analyte.specimen,
                analyte.specimen[1],
            ),
        },
        contained_practitioner(visit),
    ]
    made["identifier"] = identified(resource_number(person, visit.place, f"L{visit.at:%Y%m%d}-{local}"))
    made["status"] = "final"
    made["category"] = [coded(f"{CORE}CodeSystem/JP_SimpleObservationCategory_CS", "laboratory")]
    made["code"] = {
        "coding": [coding(_LOCAL_CODES, local, name), coding(system, jlac10, analyte.display)],
        "text": name,
    }
    made["subject"] = {"reference": subject}
    made["encounter"] = {"reference": "#encounter"}
    made["effectiveDateTime"] = stamp(visit.at)
    made["issued"] = issued.isoformat(timespec="milliseconds")
    made["performer"] = [{"reference": "#doctor"}]
    if isinstance(result.value, bool):
        code, display = ("1", "陽性") if result.value else ("2", "陰性")
        positive = "http://jpfhir.jp/fhir/LaboResult/CodeSystem/JP_PosNegHold_CS"
        made["valueCodeableConcept"] = coded(positive, code, display, display)
        judged = "POS" if result.value else "NEG"
    else:
        made["valueQuantity"] = quantity(result.value, analyte)
        above = analyte.high is not None and result.value > analyte.high
        below = analyte.low is not None and result.value < analyte.low
        judged = "H" if above else "L" if below else "N"
    made["interpretation"] = [coded(f"{_TERMINOLOGY}v3-ObservationInterpretation", judged)]
    made["specimen"] = {"reference": "#specimen"}
    limits = {"low": analyte.low, "high": analyte.high}
    bounds = {side: quantity(limit, analyte) for side, limit in limits.items() if limit is not None}
    if bounds:
        made["referenceRange"] = [bounds]
    return made


def quantity(value: float, analyte: Analyte) -> Json:
    return {
        "value": fixed(value, analyte.decimals),
        "unit": analyte.unit,
        "system": UCUM,
        "code": analyte.ucum,
    }
