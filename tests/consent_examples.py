"""FHIR R4 Consents that can be expressed; a test states only what it changes."""

from typing import Any

import orjson

from examples import HOSPITAL, NUMBER

Json = dict[str, Any]

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
POLICY = [{"uri": "urn:tsuzuri:consent-policy"}]
HERSELF = {
    "identifier": {
        "system": "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID",
        "value": NUMBER,
    }
}
END = "2090-01-01T00:00:00+09:00"


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def a_class(code: str, system: str = "urn:tsuzuri:record-class") -> Json:
    return {"system": system, "code": code}


def a_purpose(code: str) -> Json:
    return {"system": f"{TERMINOLOGY}v3-ActReason", "code": code}


def a_facility(number: str = HOSPITAL, role: str = "PRCP") -> Json:
    identifier = {
        "system": "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no",
        "value": number,
    }
    return {
        "role": concept(f"{TERMINOLOGY}v3-ParticipationType", role),
        "reference": {"identifier": identifier},
    }


def a_person(person: str, role: Json) -> Json:
    return {"role": role, "reference": {"identifier": {"system": "urn:tsuzuri:person", "value": person}}}


def permit(**changes: Any) -> Json:
    """The hospital may see conditions for treatment. None takes an element out."""
    usual: Json = {
        "type": "permit",
        "period": {"end": END},
        "actor": [a_facility()],
        "purpose": [a_purpose("TREAT")],
        "class": [a_class("CONDITION")],
    }
    return {key: value for key, value in (usual | changes).items() if value is not None}


def deny(**changes: Any) -> Json:
    """Everything is denied to everyone."""
    usual: Json = {"type": "deny", "purpose": [a_purpose("TREAT")]}
    return {key: value for key, value in (usual | changes).items() if value is not None}


def a_consent(provision: Json | None = None, **changes: Any) -> Json:
    usual: Json = {
        "resourceType": "Consent",
        "status": "active",
        "scope": concept(f"{TERMINOLOGY}consentscope", "patient-privacy"),
        "category": [concept("http://loinc.org", "59284-0")],
        "patient": HERSELF,
        "policy": POLICY,
        "provision": permit() if provision is None else provision,
    }
    return {key: value for key, value in (usual | changes).items() if value is not None}


def a_rule(code: str) -> Json:
    """Consent.policyRule."""
    return concept(f"{TERMINOLOGY}v3-ActCode", code)


def sent(consent: Json) -> bytes:
    return orjson.dumps(consent)
