"""Synthetic Bundles built from the least that our reading asks for, and what is read from them."""

import json
from typing import Any

import pytest

from tsuzuri.domain.fhir.bundle import BundleRejected, read_bundle
from tsuzuri.domain.record import Entry, Reading

Json = dict[str, Any]

FACILITY = "1310000001"
OTHER_FACILITY = "1410000002"
EN_REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
INSTITUTION_SYSTEM = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"
INSURED_SYSTEM = "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID"
CORE_LABO = "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC10/JP_CLINS_ObsLabResult_CoreLabo_CS"
TYPE_SYSTEM = "http://jpfhir.jp/fhir/Common/CodeSystem/doc-typecodes"
LABORATORY = {
    "coding": [
        {
            "system": "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS",
            "code": "laboratory",
        }
    ]
}


def spelled(text: str, representation: str) -> Json:
    return {"extension": [{"url": EN_REPRESENTATION, "valueCode": representation}], "text": text}


def institution(number: str = FACILITY, root: str = "clins") -> Json:
    """The extension by which a resource names its institution; the guide has spelled its URL in two ways."""
    url = f"http://jpfhir.jp/fhir/{root}/Extension/StructureDefinition/JP_eCS_InstitutionNumber"
    return {"url": url, "valueIdentifier": {"system": INSTITUTION_SYSTEM, "value": number}}


def department(name: str) -> Json:
    url = "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_Department"
    return {"url": url, "valueCodeableConcept": {"text": name}}


def a_patient(**changes: Any) -> Json:
    return {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [
            {"system": f"urn:oid:1.2.392.100495.20.3.51.1{FACILITY}", "value": "0001"},
            {"system": INSURED_SYSTEM, "value": "00012345:あい:１２:01"},
        ],
        "name": [spelled("サンプル ハナコ", "SYL"), spelled("見本 花子", "IDE")],
        "gender": "female",
        "birthDate": "1961-02",
        "address": [{"text": "見本市", "postalCode": "100-0000"}],
    } | changes


def a_resource(resource_type: str, **changes: Any) -> Json:
    """The least that FHIR R4 and our reading ask of one."""
    least: dict[str, Json] = {
        "Condition": {"code": {"text": "見本病"}, "subject": {"reference": "Patient/p"}},
        "AllergyIntolerance": {"code": {"text": "見本"}, "patient": {"reference": "Patient/p"}},
        "Observation": {"status": "final", "code": {"text": "見本値"}, "category": [LABORATORY]},
        "MedicationRequest": {
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": "見本錠"},
            "subject": {"reference": "Patient/p"},
        },
        "CarePlan": {"status": "active", "intent": "plan", "subject": {"reference": "Patient/p"}},
        "DocumentReference": {
            "status": "current",
            "content": [{"attachment": {"contentType": "text/plain"}}],
        },
    }
    return {"resourceType": resource_type} | least.get(resource_type, {}) | changes


def a_collection(*resources: Json, patient: Json | None = None, **changes: Any) -> Json:
    carried = [patient or a_patient(), *resources]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": "urn:sample", "value": f"{FACILITY}^2026^a-1"},
        "timestamp": "2026-01-02T03:04:05+09:00",
        "entry": [{"fullUrl": f"urn:uuid:{n}", "resource": r} for n, r in enumerate(carried)],
    } | changes


def a_document(
    *resources: Json, code: str = "57133-1", composition: Json | None = None, **changes: Any
) -> Json:
    """Composition, Patient, three Organizations and a doctor; then what the test is about."""
    head = {
        "resourceType": "Composition",
        "status": "final",
        "type": {"coding": [{"system": TYPE_SYSTEM, "code": code}]},
        "date": "2026-01-02T12:00:00+09:00",
        "title": "見本の文書",
        "author": [{"reference": "Practitioner/d"}],
        "custodian": {"reference": "Organization/from"},
        "section": [
            {
                "code": {"coding": [{"system": "urn:sections", "code": "300"}]},
                "section": [
                    {
                        "code": {"coding": [{"system": "urn:sections", "code": "910"}]},
                        "entry": [{"reference": "Organization/to"}],
                    }
                ],
            }
        ],
    } | (composition or {})
    others = [
        an_organization("from", FACILITY, "見本診療所"),
        an_organization("to", OTHER_FACILITY, "見本病院"),
        {
            "resourceType": "Organization",
            "id": "ward",
            "name": "見本科",
            "partOf": {"reference": "Organization/from"},
        },
        {
            "resourceType": "Practitioner",
            "id": "d",
            "name": [spelled("イシ", "SYL"), spelled("医師 一", "IDE")],
        },
    ]
    bundle = a_collection(*others, *resources, type="document", **changes)
    bundle["entry"].insert(0, {"resource": head})
    return bundle


def an_organization(identity: str, number: str, name: str) -> Json:
    identifier = {"system": INSTITUTION_SYSTEM, "value": number}
    return {"resourceType": "Organization", "id": identity, "identifier": [identifier], "name": name}


def read(bundle: Json) -> Reading:
    return read_bundle(json.dumps(bundle, ensure_ascii=False).encode())


def rejected(bundle: Json) -> BundleRejected:
    with pytest.raises(BundleRejected) as caught:
        read(bundle)
    return caught.value


def only_entry(bundle: Json) -> Entry:
    (entry,) = read(bundle).entries
    return entry


def coded(system: str, code: str, text: str | None = None) -> Json:
    return {"coding": [{"system": system, "code": code}]} | ({"text": text} if text else {})


def quantity(value: Any, unit: str) -> Json:
    return {"value": value, "unit": unit}
