"""FHIR resources about what was done: prescriptions, plans, and files handed on."""

import base64
from dataclasses import dataclass

from tsuzuri.app.sample.codes import Drug
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
    contained_practitioner,
    department_extension,
    head,
    identified,
    resource_number,
    stamp,
)

_DRUG_UNITS = f"{CORE}mhlw/CodeSystem/MedicationUnitMERIT9Code"
_DRUG_UNIT_CODES = {"錠": "TAB", "吸入": "IHL"}


@dataclass(frozen=True)
class Order:
    drug: Drug
    days: int


def medication_request(person: Person, visit: Visit, subject: str, order: Order, place_in_order: int) -> Json:
    drug, days = order.drug, order.days
    number = resource_number(person, visit.place, f"R{visit.at:%Y%m%d}-{place_in_order}")
    unit = {"unit": drug.unit, "system": _DRUG_UNITS, "code": _DRUG_UNIT_CODES[drug.unit]}
    per_day = drug.times * drug.dose
    made = head(
        "MedicationRequest", f"{ECS}StructureDefinition/JP_MedicationRequest_eCS", visit.place, visit.at
    )
    made["extension"].append(department_extension(visit.department))
    made["contained"] = [contained_practitioner(visit)]
    made["identifier"] = [
        {"system": f"{CORE}mhlw/IdSystem/Medication-RPGroupNumber", "value": str(place_in_order)},
        {"system": f"{CORE}mhlw/IdSystem/MedicationAdministrationIndex", "value": "1"},
        {"system": "urn:oid:1.2.392.100495.20.3.11", "value": number},
        *identified(number),
    ]
    made["status"] = "completed"
    made["intent"] = "order"
    category = ("DCG", "退院処方") if visit.setting == "IMP" else ("OHP", "外来処方")
    made["category"] = [coded(f"{CORE}CodeSystem/JP_MedicationCategoryMERIT9_CS", *category, category[1])]
    made["medicationCodeableConcept"] = {
        "coding": [
            coding("http://capstandard.jp/iyaku.info/CodeSystem/YJ-code", drug.yj, drug.name),
            coding("http://medis.or.jp/CodeSystem/master-HOT9", drug.hot9, drug.name),
        ],
        "text": drug.name,
    }
    made["subject"] = {"reference": subject}
    made["authoredOn"] = stamp(visit.at)
    made["requester"] = {"reference": "#doctor", "display": visit.doctor.name}
    usage = (
        coding(f"{CORE}mhlw/CodeSystem/MedicationUsage_ePrescription", drug.usage, f"{drug.usage_text}　服用")
        if drug.usage
        else coding(
            f"{CLINS}CodeSystem/JP_CLINS_MedicationUsage_Uncoded_CS", "0X0XXXXXXXXX0000", "ダミー用法コード"
        )
    )
    made["dosageInstruction"] = [
        {
            "extension": [
                {
                    "url": f"{CORE}Extension/StructureDefinition/JP_MedicationDosage_PeriodOfUse",
                    "valuePeriod": {"start": visit.at.date().isoformat()},
                }
            ],
            "text": f"{drug.usage_text} １回{drug.dose}{drug.unit} {days}日分",
            "timing": {
                "repeat": {
                    "boundsDuration": {"value": days, "unit": "日", "system": UCUM, "code": "d"},
                    "frequency": drug.times,
                    "period": 1,
                    "periodUnit": "d",
                },
                "code": {"coding": [usage], "text": drug.usage_text},
            },
            "doseAndRate": [
                {
                    "type": coded(
                        f"{CORE}mhlw/CodeSystem/MedicationIngredientStrengthStrengthType", "1", "製剤量"
                    ),
                    "doseQuantity": {"value": drug.dose, **unit},
                    "rateRatio": {
                        "numerator": {"value": per_day, **unit},
                        "denominator": {"value": 1, "unit": "日", "system": UCUM, "code": "d"},
                    },
                }
            ],
        }
    ]
    made["dispenseRequest"] = {
        "quantity": {"value": per_day * days, **unit},
        "expectedSupplyDuration": {"value": days, "unit": "日", "system": UCUM, "code": "d"},
    }
    return made


def care_plan(person: Person, visit: Visit, subject: str, words: str) -> Json:
    day = visit.at.date().isoformat()
    made = head("CarePlan", f"{ECS}StructureDefinition/JP_CarePlan_eCS", visit.place, visit.at)
    made["identifier"] = identified(resource_number(person, visit.place, f"P{visit.at:%Y%m%d}"))
    made["status"] = "active"
    made["intent"] = "plan"
    made["category"] = [
        coded("http://jpfhir.jp/fhir/CarePlan/CodeSystem/category", "followup-plan", "外来診療経過中プラン")
    ]
    made["title"] = "療養計画"
    made["description"] = words
    made["subject"] = {"reference": subject}
    made["period"] = {"start": day}
    made["created"] = day
    return made


def attached_text(person: Person, visit: Visit, subject: str, title: str, words: str) -> Json:
    """A DocumentReference that carries its file inside."""
    made = head(
        "DocumentReference", f"{ECS}StructureDefinition/JP_DocumentReference_eCS", visit.place, visit.at
    )
    made["identifier"] = identified(resource_number(person, visit.place, f"D{visit.at:%Y%m%d}"))
    made["status"] = "current"
    made["type"] = coded("http://loinc.org", "11506-3", "Progress note")
    made["subject"] = {"reference": subject}
    made["description"] = title
    made["content"] = [
        {
            "attachment": {
                "contentType": "text/plain; charset=utf-8",
                "language": "ja",
                "data": base64.b64encode(words.encode()).decode(),
                "title": title,
            }
        }
    ]
    return made
