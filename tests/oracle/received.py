"""What a received Bundle says, read a second time from its JSON alone: nothing of the product's reading is used.

A fact is one resource that is of the 6情報, in the words in which GraphQL tells an Entry.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

Json = Mapping[str, Any]
JAPAN = timezone(timedelta(hours=9))

INSTITUTION = "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_InstitutionNumber"
RESOURCE_INSTANCE = "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"
INDICATION = "http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication"
RESOURCE_TYPE = "http://jpfhir.jp/fhir/clins/CodeSystem/BundleResourceType_CS"
DEPARTMENT = "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_Department"
LAB_RESULT = "http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_Observation_LabResult_eCS"
CORE_LABO, INFECTION_LABO = "_CoreLabo_CS", "_InfectionLabo_CS"  # of JLAC10 and JLAC11 alike
DOCUMENTS = {
    "57133-1": "REFERRAL",
    "18842-5": "DISCHARGE_SUMMARY",
    "53576-5": "CHECKUP_REPORT",
    "JPGCHKUP01": "CHECKUP_REPORT",
    "56447-6": "PATIENT_SUMMARY",
}
COLLECTIONS = {
    "Condition": "CONDITIONS",
    "AllergyIntolerance": "ALLERGIES",
    "Observation": "OBSERVATIONS",
    "MedicationRequest": "PRESCRIPTIONS",
}
HIDING = ("UNINFORMED", "UNDELIVERED")


@dataclass(frozen=True)
class Fact:
    record_class: str
    instance: str  # resourceInstance-identifier: the sender's own name of the fact; may be empty
    moment: datetime | None  # the earliest at which it holds
    measures: str  # what its last three are counted of: an analyte, a drug
    flags: tuple[str, ...]
    updated: datetime | None  # meta.lastUpdated: when its flags were set
    told: Json  # all else, as GraphQL names it


@dataclass(frozen=True)
class Bundle:
    system: str
    value: str
    kind: str
    timestamp: datetime
    facts: tuple[Fact, ...]


@cache
def read(body: bytes, sender: str) -> Bundle:
    """*sender*: the facility's number, 10 digits, as its token names it."""
    tree = json.loads(body, parse_float=str, parse_int=str)  # a number keeps the sender's decimals
    kind = _kind(tree)
    facts = [_fact(one["resource"], sender, kind) for one in tree["entry"]]
    return Bundle(
        tree["identifier"]["system"],
        tree["identifier"]["value"],
        kind,
        moment(tree["timestamp"]),
        tuple(fact for fact in facts if fact is not None),
    )


def moment(text: str) -> datetime:
    """The first moment of a FHIR dateTime, which may be partial: then of Japan's day, month or year."""
    if "T" in text:
        return datetime.fromisoformat(text).astimezone(UTC)
    year, month, day = (*(int(part) for part in text.split("-")), 1, 1)[:3]
    return datetime(year, month, day, tzinfo=JAPAN).astimezone(UTC)


def _kind(tree: Json) -> str:
    if tree["type"] == "document":
        return DOCUMENTS[tree["entry"][0]["resource"]["type"]["coding"][0]["code"]]
    (tag,) = (tag["code"] for tag in tree["meta"]["tag"] if tag["system"] == RESOURCE_TYPE)
    return COLLECTIONS[tag]


def _fact(resource: Json, sender: str, kind: str) -> Fact | None:
    record_class = _record_class(resource, kind)
    if record_class is None:
        return None
    concept = resource.get("code") or resource["medicationCodeableConcept"]
    effective = next(
        (resource[name] for name in ("onsetDateTime", "effectiveDateTime", "authoredOn") if name in resource),
        None,
    )
    updated = resource["meta"].get("lastUpdated")
    tags = {tag["code"] for tag in resource["meta"].get("tag", []) if tag.get("system") == INDICATION}
    name = concept.get("text") or concept["coding"][0]["display"]
    return Fact(
        record_class,
        next((one["value"] for one in resource["identifier"] if one["system"] == RESOURCE_INSTANCE), ""),
        moment(effective) if effective else None,
        _measures(resource["resourceType"], concept, name),
        tuple(flag for flag in ("LTS", *HIDING) if flag in tags),
        moment(updated) if updated else None,
        {
            "name": name,
            "codings": [
                {"system": one["system"], "code": one["code"], "display": one.get("display")}
                for one in concept.get("coding", [])
            ],
            "effective": effective,
            "status": _status(resource),
            "verification": _code(resource.get("verificationStatus")),
            "value": _value(resource),
            "interpretation": next(iter(_codes(resource.get("interpretation", []))), None),
            "referenceRange": _range(resource),
            "ended": resource.get("abatementDateTime"),
            "resourceType": resource["resourceType"],
            "documentKind": kind,
            "author": _author(resource),
            "department": _department(resource),
            "facility": {"number": _institution(resource) or sender},
            "registeredBy": {"number": sender},
        },
    )


def _record_class(resource: Json, kind: str) -> str | None:
    """None: it is none of the 6情報, or it is a suspicion, which is out of scope."""
    match resource["resourceType"]:
        case "Condition":
            return None if _code(resource.get("verificationStatus")) == "unconfirmed" else "CONDITION"
        case "AllergyIntolerance":
            drug = {"medication", "biologic"} & set(resource.get("category", []))
            return "DRUG_ALLERGY" if drug else "OTHER_ALLERGY"
        case "Observation":
            systems = [coding["system"] for coding in resource["code"]["coding"]]
            if any(system.endswith(INFECTION_LABO) for system in systems):
                return "INFECTION"
            profiles = [profile.partition("|")[0] for profile in resource["meta"].get("profile", [])]
            listed = any(system.endswith(CORE_LABO) for system in systems)
            return "LAB_RESULT" if listed or LAB_RESULT in profiles or kind == "OBSERVATIONS" else None
        case "MedicationRequest":
            return "PRESCRIPTION"
    return None


def _measures(resource_type: str, concept: Json, name: str) -> str:
    """Of a listed test what is measured in which specimen, by the structure of JLAC10: 5 + 4 + 3 + 3 + 2 digits."""
    for coding in concept.get("coding", []):
        if resource_type == "Observation" and coding["system"].endswith((CORE_LABO, INFECTION_LABO)):
            return f"{coding['code'][:5]}/{coding['code'][9:12]}"
        if resource_type == "MedicationRequest" and coding["code"] != "NOCODED":
            return f"{coding['system']}|{coding['code']}"
    return name


def _extensions(resource: Json, url: str) -> Iterator[Json]:
    return (extension for extension in resource.get("extension", []) if extension["url"] == url)


def _institution(resource: Json) -> str | None:
    return next((one["valueIdentifier"]["value"] for one in _extensions(resource, INSTITUTION)), None)


def _department(resource: Json) -> str | None:
    return next((one["valueCodeableConcept"]["text"] for one in _extensions(resource, DEPARTMENT)), None)


def _author(resource: Json) -> str | None:
    """Who recorded, measured or ordered it: by the name told there, else by that of the contained person."""
    who = next((resource[name] for name in ("recorder", "performer", "requester") if name in resource), None)
    if who is None:
        return None
    person = who[0] if isinstance(who, list) else who
    names = {f"#{one['id']}": one.get("name") for one in resource.get("contained", [])}
    name: str = person.get("display") or names[person["reference"]][0]["text"]
    return name


def _status(resource: Json) -> str | None:
    return resource.get("status") or _code(resource.get("clinicalStatus"))


def _code(concept: Json | None) -> str | None:
    return concept["coding"][0]["code"] if concept else None


def _codes(concepts: list[Json]) -> Iterator[str]:
    yield from (coding["code"] for concept in concepts for coding in concept["coding"])


def _value(resource: Json) -> Json | None:
    if quantity := resource.get("valueQuantity"):
        return {name: quantity.get(of) for name, of in _QUANTITY.items()}
    if concept := resource.get("valueCodeableConcept"):
        return {"text": concept.get("text") or concept["coding"][0]["display"]}
    return {"text": resource["valueString"]} if "valueString" in resource else None


_QUANTITY = {"number": "value", "comparator": "comparator", "unit": "unit"}


def _range(resource: Json) -> Json | None:
    for span in resource.get("referenceRange", []):
        return {side: span.get(side, {}).get("value") for side in ("low", "high")}
    return None
