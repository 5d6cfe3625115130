"""The SMART scope that each root field asks for, beside the role: of the FHIR resource that stands for what it touches.

A field that nobody listed asks for everything.
"""

from collections.abc import Mapping

from graphql import OperationType

from tsuzuri.domain.callers import Caller
from tsuzuri.domain.scopes import context_of, rights

_BY_CLASS = {
    "patientRecord",
    "patientRecords",
    "node",
    "me",
    "referralInbox",
    "referralOutbox",
    "recordChanged",
    "accessed",
}
_BY_KIND = {"registerBundle", "cancelBundle", "restoreBundle"}
DECIDED_WITHIN = frozenset(_BY_CLASS | _BY_KIND)
"""Of a record, class by class (tsuzuri.domain.scopes.readable); of Bundles, by their kind (SENT, beside it)."""

_EVERYTHING = "*.cruds"

WRITING: Mapping[str, str] = {
    "grantConsent": "Consent.c",
    "denyConsent": "Consent.c",
    "importConsent": "Consent.c",
    "appointProxy": "Consent.c",
    "withdrawConsent": "Consent.u",
    "liftDenial": "Consent.u",
    "endProxy": "Consent.u",
    "requestCorrection": "Task.c",
    "takeBackCorrectionRequest": "Task.u",
    "answerCorrection": "Task.u",
    "closeReview": "Task.u",
    "allowReplayContent": "AuditEvent.c",
    "declareEmergency": "Encounter.c",  # of class EMER
    "widenEmergency": "Encounter.u",
    "endEmergency": "Encounter.u",
    "giveEmergencyRight": "PractitionerRole.c",
    "takeEmergencyRight": "PractitionerRole.u",
    "nameStaff": "Practitioner.u",
    "receiveReferral": "DocumentReference.u",
    "listFacility": "Organization.u",
    "closeFacility": "Organization.u",
    "setFacilityHours": "Organization.u",
    "settleIdentity": "Patient.u",
    "linkPatients": "Patient.u",
    "unlinkPatients": "Patient.u",
    "openDisasterWindow": "*.c",
    "closeDisasterWindow": "*.u",
    "rebuildProjection": "*.u",
    "promoteProjection": "*.u",
    "rollbackProjection": "*.u",
    "pauseProjection": "*.u",
    "resumeProjection": "*.u",
    "retryQuarantined": "*.u",
    "skipQuarantined": "*.u",
}
"""`*`: no FHIR resource stands for it, so that only a scope for all of them covers it."""

READING: Mapping[str, str] = {
    "accessTrail": "AuditEvent.rs",
    "access": "AuditEvent.rs",
    "accessAt": "AuditEvent.rs",
    "accessesProof": "AuditEvent.rs",
    "consistencyProof": "AuditEvent.rs",
    "accessCounts": "AuditEvent.rs",
    "savedQuestions": "AuditEvent.rs",
    "ask": "AuditEvent.rs",
    "accessReviews": "AuditEvent.rs",
    "correctionRequests": "Task.rs",
    "overdueCorrections": "Task.rs",
    "unmatchedIdentities": "Patient.rs",
    "facilities": "Organization.rs",
    "emergencyRights": "PractitionerRole.rs",
    "disasterWindows": "*.rs",
    "projections": "*.rs",
    "quarantinedPatients": "*.rs",
    "projectionCheck": "*.rs",
    "projectionProgress": "*.rs",
}


def lacking_scope(caller: Caller, operation: OperationType, field: str) -> str | None:
    """The scope that *field* asks for and the caller's token lacks; None: it has it."""
    if field in DECIDED_WITHIN:
        return None
    listed = WRITING if operation is OperationType.MUTATION else READING
    needed = listed.get(field, _EVERYTHING)
    resource, _, letters = needed.partition(".")
    held = rights(caller.role, caller.scopes, resource)
    return None if held >= set(letters) else f"{context_of(caller.role)}/{needed}"
