"""An access as FHIR R4 AuditEvents, one for each patient touched, after the patterns of IHE BALP.

An answered read is a PatientQuery of BALP, whole. A refusal is none, since BALP speaks of success alone, and names no
profile; a look at the trail is the audit log being used, as DICOM has it.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from tsuzuri.domain.identifiers import FACILITY_SYSTEM
from tsuzuri.projections.audit_trail import AccessRow

PATIENT_QUERY = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientQuery"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_HL7 = "http://terminology.hl7.org/CodeSystem/"
_PARTICIPATION, _ROLE_CLASS = f"{_HL7}v3-ParticipationType", f"{_HL7}v3-RoleClass"
_ACT_REASON = f"{_HL7}v3-ActReason"
_ENTITY, _OBJECT_ROLE = f"{_HL7}audit-entity-type", f"{_HL7}object-role"
_BALP_ENTITY = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_OURS = "urn:tsuzuri:role"
_DETAILS = (
    *("outcome", "bases", "consentState", "emergency", "identifiedBy", "because", "consentVersion"),
    *("classesAsked", "classesPermitted", "marks", "shown", "entriesShown", "asOf", "position"),
)
"""Facts that FHIR has no place of its own for: they are details of the patient's entity."""


def audit_events(row: AccessRow, told: Mapping[str, Any], address: str) -> Iterator[dict[str, Any]]:
    """*told*: its facts. *address*: of the service, a URI. Of nobody known there is one without a patient."""
    for patient in (row.patient_id, *row.linked):
        yield _event(row, told, patient, address)


def _event(row: AccessRow, told: Mapping[str, Any], patient: UUID | None, address: str) -> dict[str, Any]:
    answered = row.outcome in ("PERMITTED", "WATCHER_TOLD")
    of_trail = row.outcome == "TRAIL_READ"
    return {
        "resourceType": "AuditEvent",
        "id": str(row.access if patient in (None, row.patient_id) else uuid5(row.access, str(patient))),
        **({"meta": {"profile": [PATIENT_QUERY]}} if answered else {}),
        "type": _coding(_DICOM, "110101", "Audit Log Used")
        if of_trail
        else _coding(f"{_HL7}audit-event-type", "rest", "Restful Operation"),
        **(
            {}
            if of_trail
            else {"subtype": [_coding("http://hl7.org/fhir/restful-interaction", "search", "search")]}
        ),
        "action": "R" if of_trail else "E",
        "recorded": row.at.isoformat(timespec="milliseconds"),
        "outcome": "8" if row.outcome == "REFUSED" else "0",
        **({"outcomeDesc": row.reason} if row.reason else {}),
        "agent": _agents(row, address),
        "source": {
            "site": address,
            "observer": {"display": "Tsuzuri"},
            "type": [_coding(f"{_HL7}security-source-type", "4", "Application Server")],
        },
        "entity": _entities(row, told, patient),
    }


def _agents(row: AccessRow, address: str) -> Sequence[Mapping[str, Any]]:
    user: dict[str, Any] = {
        "type": _concept(_PARTICIPATION, "IRCP", "information recipient"),
        "role": [_concept(_OURS, row.role)],
        "who": {"identifier": {"value": row.person}, "display": row.person},
        "requestor": True,
        "purposeOfUse": [_concept(_ACT_REASON, row.purpose)],
    }
    if row.session:
        user["policy"] = [f"urn:tsuzuri:session:{row.session}"]
    agents: list[dict[str, Any]] = [
        {
            "type": _concept(_DICOM, "110153", "Source Role ID"),
            "who": {"display": row.client or "unknown"},
            "requestor": False,
            "network": _absent("unknown"),
        },
        {
            "type": _concept(_DICOM, "110152", "Destination Role ID"),
            "who": {"display": "Tsuzuri"},
            "requestor": False,
            "network": {"address": address, "type": "5"},
        },
        user,
    ]
    if row.facility:
        agents.append(
            {
                "type": _concept(_ROLE_CLASS, "PROV"),
                "who": {"identifier": {"system": FACILITY_SYSTEM, "value": row.facility}},
                "requestor": False,
            }
        )
    return agents


def _entities(row: AccessRow, told: Mapping[str, Any], patient: UUID | None) -> Sequence[Mapping[str, Any]]:
    operation = f"{row.operation_name or ''} sha256:{row.operation_sha256}".strip()
    entities: list[dict[str, Any]] = [
        {
            "type": _coding(_ENTITY, "2", "System Object"),
            "role": _coding(_OBJECT_ROLE, "24", "Query"),
            "description": operation,
            "query": b64encode(operation.encode()).decode(),
        },
        {
            "type": _coding(_BALP_ENTITY, "XrequestId"),
            "what": {"identifier": {"value": str(row.access)}},
        },
    ]
    if patient is not None:
        entities.append(
            {
                "type": _coding(_ENTITY, "1", "Person"),
                "role": _coding(_OBJECT_ROLE, "1", "Patient"),
                "what": {"reference": f"Patient/{patient}"},
                "detail": [
                    {"type": name, "valueString": text}
                    for name in _DETAILS
                    if (text := _text(told[name])) != ""
                ],
            }
        )
    return entities


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return " ".join(map(str, value))
        case dict():
            return " ".join(f"{name}={count}" for name, count in value.items())
    return str(value)


def _coding(system: str, code: str, display: str | None = None) -> dict[str, str]:
    return {"system": system, "code": code} | ({"display": display} if display else {})


def _concept(system: str, code: str, display: str | None = None) -> dict[str, Any]:
    return {"coding": [_coding(system, code, display)]}


def _absent(why: str) -> dict[str, Any]:
    """BALP wants an element that we do not have: the address of a client, which the trail does not keep."""
    return {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": why}]
    }
