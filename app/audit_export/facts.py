"""What is exported of one access: the same facts under the same names, however they are written."""

from collections.abc import Mapping
from typing import Any

import orjson

from tsuzuri.domain.accesses import consent_state
from tsuzuri.domain.vocabulary import AccessBasis
from tsuzuri.graphql.seals import Seals
from tsuzuri.projections.audit_trail import AccessRow

NAMES = (
    *("access", "at", "outcome", "patient", "linked", "person", "role", "facility", "purpose", "bases"),
    *("consentState", "emergency", "identifiedBy", "because", "consentVersion", "classesAsked"),
    *("classesPermitted", "marks", "shown", "entriesShown", "incomplete", "asOf", "reason", "operationName"),
    *("operationSha256", "client", "session", "position"),
)


def facts(row: AccessRow, seals: Seals) -> Mapping[str, Any]:
    """By NAMES. Variables are left out: they may hold a patient's number."""
    return {
        "access": str(row.access),
        "at": row.at.isoformat(),
        "outcome": row.outcome,
        "patient": None if row.patient_id is None else str(row.patient_id),
        "linked": [str(one) for one in row.linked],
        "person": row.person,
        "role": row.role,
        "facility": row.facility,
        "purpose": row.purpose,
        "bases": row.bases,
        "consentState": consent_state(row.bases),
        "emergency": AccessBasis.EMERGENCY in row.bases,
        "identifiedBy": row.identified_by,
        "because": [str(one) for one in row.because],
        "consentVersion": row.consent_version,
        "classesAsked": row.classes_asked,
        "classesPermitted": row.classes_permitted,
        "marks": row.flags,
        "shown": orjson.loads(row.shown_by_class),
        "entriesShown": row.entries_shown,
        "incomplete": row.incomplete,
        "asOf": row.as_of,
        "reason": row.reason,
        "operationName": row.operation_name,
        "operationSha256": row.operation_sha256,
        "client": row.client,
        "session": row.session,
        "position": seals.seal("log", (row.part, row.pos)),
    }
