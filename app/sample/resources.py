"""FHIR resources about who and where: patient, encounter, practitioner, organization; and what all resources share."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from tsuzuri.app.sample.people import Person
from tsuzuri.app.sample.places import DEPARTMENT_CODES, Doctor, Place

Json = dict[str, Any]

CLINS = "http://jpfhir.jp/fhir/clins/"
ECS = "http://jpfhir.jp/fhir/eCS/"
CORE = "http://jpfhir.jp/fhir/core/"
UCUM = "http://unitsofmeasure.org"
RESOURCE_IDENTIFIER = f"{CORE}IdSystem/resourceInstance-identifier"
FACILITY_IDENTIFIER = f"{CORE}IdSystem/insurance-medical-institution-no"
FLAG_NAMES = {"LTS": "長期保存", "UNINFORMED": "未告知", "UNDELIVERED": "未提供"}
_REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_SETTINGS = {"AMB": "外来", "IMP": "入院"}


@dataclass(frozen=True)
class Visit:
    """Where, when and with whom something was found. Every clinical resource tells it."""

    place: Place
    doctor: Doctor
    at: datetime  # aware, Japan's zone
    setting: str = "AMB"  # v3 ActCode: AMB 外来, IMP 入院

    @property
    def department(self) -> str:
        return self.doctor.department


def full_url(rng: Random) -> str:
    """New for every send, as the guide has it: never a key."""
    return f"urn:uuid:{UUID(int=rng.getrandbits(128), version=4)}"


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def coded(system: str, code: str, display: str = "", text: str = "") -> Json:
    """A CodeableConcept of one coding."""
    concept: Json = {"coding": [coding(system, code, display)]}
    return concept | {"text": text} if text else concept


def coding(system: str, code: str, display: str = "") -> Json:
    made: Json = {"system": system, "code": code}
    return made | {"display": display} if display else made


def fixed(value: float, decimals: int) -> Decimal | int:
    """A number as a laboratory prints it: 0.80 keeps its zero."""
    return Decimal(f"{value:.{decimals}f}") if decimals else round(value)


def narrative(*lines: str) -> Json:
    paragraphs = "".join(f"<p>{line}</p>" for line in lines)
    return {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{paragraphs}</div>'}


def head(kind: str, profile: str, place: Place, at: datetime, flags: tuple[str, ...] = ()) -> Json:
    """What every resource of a Bundle begins with. Only a Patient carries no institution number."""
    made: Json = {
        "resourceType": kind,
        "meta": {"lastUpdated": stamp(at), "profile": [profile + place.profile_version]},
        "language": "ja",
    }
    if flags:
        system = f"{CLINS}CodeSystem/JP_ehrshrs_indication"
        made["meta"]["tag"] = [coding(system, flag, FLAG_NAMES[flag]) for flag in flags]
    if kind != "Patient":
        made["extension"] = [
            {
                "url": f"{CLINS}Extension/StructureDefinition/JP_eCS_InstitutionNumber",
                "valueIdentifier": {"system": FACILITY_IDENTIFIER, "value": place.number},
            }
        ]
    return made


def department_extension(department: str) -> Json:
    code, display = DEPARTMENT_CODES[department]
    system = "http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment"
    return {
        "url": f"{ECS}Extension/StructureDefinition/JP_eCS_Department",
        "valueCodeableConcept": coded(system, code, display, department),
    }


def identified(value: str) -> list[Json]:
    return [{"system": RESOURCE_IDENTIFIER, "value": value}]


def resource_number(person: Person, place: Place, tail: str) -> str:
    """The sender's own name of one fact. The same fact keeps it however often it is sent."""
    return f"{place.number}-{person.local_number(place)}-{tail}"


def patient(
    person: Person, place: Place, at: datetime, profile: str = f"{ECS}StructureDefinition/JP_Patient_eCS"
) -> Json:
    address = f"{person.prefecture}{person.city}{person.street}"
    made = head("Patient", profile, place, at)
    sex = {"female": "女性", "male": "男性"}[person.sex]
    made["text"] = narrative(
        f"{person.name}（{person.kana}）",
        f"{sex}　{person.birth.isoformat()} 生",
        f"{address}　電話 {person.phone}",
    )
    made["identifier"] = [
        {
            "system": f"urn:oid:1.2.392.100495.20.3.51.1{place.number}",
            "value": person.local_number(place),
        },
        {
            "system": f"{CLINS}Idsystem/JP_Insurance_memberID",
            "value": person.insured_person_at(place),
        },
    ]
    made["active"] = True
    made["name"] = _names(person.family, person.given, person.family_kana, person.given_kana)
    made["telecom"] = [{"system": "phone", "value": person.phone, "use": "home"}]
    made["gender"] = person.sex
    made["birthDate"] = person.birth.isoformat()
    made["address"] = [
        {
            "text": address,
            "line": [person.street],
            "city": person.city,
            "state": person.prefecture,
            "postalCode": person.postal_code,
            "country": "JP",
        }
    ]
    return made


def contained_encounter(person: Person, visit: Visit) -> Json:
    return {
        "resourceType": "Encounter",
        "id": "encounter",
        "meta": {"profile": [f"{CORE}StructureDefinition/JP_Encounter"]},
        "identifier": identified(encounter_number(person, visit)),
        "status": "finished",
        "class": act(visit.setting),
    }


def contained_practitioner(visit: Visit) -> Json:
    return {
        "resourceType": "Practitioner",
        "id": "doctor",
        "meta": {"profile": [f"{CORE}StructureDefinition/JP_Practitioner"]},
        "identifier": [_doctor_number(visit.place, visit.doctor)],
        "name": [_name("IDE", visit.doctor.family, visit.doctor.given)],
    }


def encounter(person: Person, visit: Visit, start: str, end: str | None = None, reason: str = "") -> Json:
    made = head("Encounter", f"{ECS}StructureDefinition/JP_Encounter_eCS", visit.place, visit.at)
    made["identifier"] = identified(encounter_number(person, visit))
    made["status"] = "finished"
    made["class"] = act(visit.setting)
    made["period"] = {"start": start} | ({"end": end} if end else {})
    if reason:
        made["reasonCode"] = [{"text": reason}]
    return made


def practitioner(place: Place, doctor: Doctor, at: datetime) -> Json:
    made = head("Practitioner", f"{ECS}StructureDefinition/JP_Practitioner_eCS", place, at)
    made["identifier"] = [_doctor_number(place, doctor)]
    made["name"] = _names(doctor.family, doctor.given, doctor.family_kana, doctor.given_kana)
    return made


def organization(place: Place, at: datetime, department: str = "", sender: Place | None = None) -> Json:
    """A facility. Its identifier names it; the institution extension names who sends (*sender*, else itself)."""
    made = head("Organization", f"{ECS}StructureDefinition/JP_Organization_eCS", sender or place, at)
    if department:
        made["extension"].append(department_extension(department))
    made["identifier"] = [{"system": FACILITY_IDENTIFIER, "value": place.number}]
    made["type"] = [coded("http://terminology.hl7.org/CodeSystem/organization-type", "prov")]
    made["name"] = place.name
    made["telecom"] = [{"system": "phone", "value": place.phone}]
    made["address"] = [{"text": place.address, "postalCode": place.postal_code, "country": "JP"}]
    return made


def encounter_number(person: Person, visit: Visit) -> str:
    return resource_number(person, visit.place, f"V{visit.at:%Y%m%d}")


def act(setting: str) -> Json:
    return coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", setting, _SETTINGS[setting])


def _doctor_number(place: Place, doctor: Doctor) -> Json:
    return {"system": f"urn:oid:1.2.392.100495.20.3.41.1{place.number}", "value": doctor.number}


def _names(family: str, given: str, family_kana: str, given_kana: str) -> list[Json]:
    return [_name("IDE", family, given), _name("SYL", family_kana, given_kana)]


def _name(representation: str, family: str, given: str) -> Json:
    return {
        "extension": [{"url": _REPRESENTATION, "valueCode": representation}],
        "use": "official",
        "text": f"{family} {given}",  # half-width space: R1113 refuses the full-width one
        "family": family,
        "given": [given],
    }
