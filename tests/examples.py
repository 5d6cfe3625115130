"""Valid values for tests; a test states only what it changes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import ConsentGranted, ConsentWithdrawn, originator
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.scopes import scopes_of, usual_scopes
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Role, Stream

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)  # noon in Japan
PATIENT = UUID("11111111-1111-4111-8111-111111111111")
STRANGER = UUID("22222222-2222-4222-8222-222222222222")
CLINIC = "1311234567"
HOSPITAL = "1319876543"
NUMBER = "00012345:あいう:187:05"
SIX = (
    RecordClass.CONDITION,
    RecordClass.DRUG_ALLERGY,
    RecordClass.OTHER_ALLERGY,
    RecordClass.INFECTION,
    RecordClass.LAB_RESULT,
    RecordClass.PRESCRIPTION,
)


def a_caller(person: str, role: Role, facility: str | None = None, **more: Any) -> Caller:
    """Somebody whose token carries all the scopes that her role may have."""
    return Caller(
        person=person, role=role, facility=facility, **{"scopes": scopes_of(usual_scopes(role))} | more
    )


DOCTOR = a_caller("dr-hamada", Role.CLINICIAN, HOSPITAL, session="s-1")
CLINIC_SYSTEM = a_caller("clinic-system", Role.SYSTEM, CLINIC)
HOSPITAL_SYSTEM = a_caller("hospital-system", Role.SYSTEM, HOSPITAL)
AUDITOR = a_caller("auditor-abe", Role.AUDITOR)
OPERATOR = a_caller("operator-ono", Role.OPERATOR)

EVENT = UUID("eeeeeeee-0000-4000-8000-000000000001")


def herself(patient: UUID = PATIENT) -> Caller:
    return a_caller("patient", Role.PATIENT, patient=patient)


def a_request(**changes: Any) -> AccessRequest:
    usual: dict[str, Any] = {
        "person": "dr-hamada",
        "role": Role.CLINICIAN,
        "facility": HOSPITAL,
        "own_patient": None,
        "patient": PATIENT,
        "purpose": PurposeOfUse.TREAT,
        "readable": frozenset(RecordClass),
        "at": NOON,
    }
    return AccessRequest(**usual | changes)


def granted(**changes: Any) -> ConsentGranted:
    usual: dict[str, Any] = {
        "originator_id": originator(PATIENT, Stream.CONSENT),
        "originator_version": 1,
        "event_id": EVENT,
        "patient": PATIENT,
        "facility": HOSPITAL,
        "classes": SIX,
        "purpose": PurposeOfUse.TREAT,
        "since": NOON - timedelta(hours=1),
        "until": NOON + timedelta(hours=23),
        "given": "card-reader",
        "recorded_by": "reader-3",
    }
    return ConsentGranted(**usual | changes)


def withdrawn(**changes: Any) -> ConsentWithdrawn:
    usual: dict[str, Any] = {
        "originator_id": originator(PATIENT, Stream.CONSENT),
        "originator_version": 2,
        "event_id": UUID(int=EVENT.int + 1),
        "patient": PATIENT,
        "facility": HOSPITAL,
        "recorded_by": "patient",
    }
    return ConsentWithdrawn(**usual | changes)


def a_bundle(
    *,
    facility: str = CLINIC,
    local_id: str = "set-1",
    number: str = NUMBER,
    name: str = "試験 花子",
    timestamp: str = "2026-11-20T10:00:00+09:00",
    conditions: Mapping[str, str] | None = None,
    flags: Mapping[str, str] | None = None,
) -> bytes:
    """A collection of Conditions: *conditions* is code → name, *flags* is code → flag."""
    named = {"20065011": "上腹部痛"} if conditions is None else conditions
    institution = {
        "url": "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_InstitutionNumber",
        "valueIdentifier": {
            "system": "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no",
            "value": facility,
        },
    }
    patient = {
        "resourceType": "Patient",
        "identifier": [
            {"system": f"urn:oid:1.2.392.100495.20.3.51.1{facility}", "value": "P-1"},
            {"system": "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID", "value": number},
        ],
        "name": [{"text": name}],
        "gender": "female",
        "birthDate": "1970-01-02",
    }
    entries: list[dict[str, Any]] = [
        {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", "resource": patient}
    ]
    for place, (code, text) in enumerate(named.items()):
        tag = (
            [{"system": "http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication", "code": flags[code]}]
            if flags and code in flags
            else []
        )
        entries.append(
            {
                "fullUrl": f"urn:uuid:00000000-0000-4000-8000-0000000001{place:02}",
                "resource": {
                    "resourceType": "Condition",
                    "meta": {"lastUpdated": timestamp} | ({"tag": tag} if tag else {}),
                    "extension": [institution],
                    "identifier": [
                        {
                            "system": "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier",
                            "value": f"c-{code}",
                        }
                    ],
                    "clinicalStatus": {
                        "coding": [
                            {
                                "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                                "code": "active",
                            }
                        ]
                    },
                    "code": {
                        "coding": [
                            {"system": "http://medis.or.jp/CodeSystem/master-disease-keyNumber", "code": code}
                        ],
                        "text": text,
                    },
                    "subject": {"reference": "urn:uuid:00000000-0000-4000-8000-000000000001"},
                    "onsetDateTime": "2026-11-01",
                },
            }
        )
    return orjson.dumps(
        {
            "resourceType": "Bundle",
            "meta": {
                "tag": [
                    {
                        "system": "http://jpfhir.jp/fhir/clins/CodeSystem/BundleResourceType_CS",
                        "code": "Condition",
                    }
                ]
            },
            "identifier": {
                "system": "http://jpfhir.jp/fhir/clins/bundle-identifier",
                "value": f"{facility}^2026^{local_id}",
            },
            "type": "collection",
            "timestamp": timestamp,
            "entry": entries,
        }
    )
