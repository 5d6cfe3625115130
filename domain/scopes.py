"""SMART App Launch 2.x scopes: what a token lets its bearer read and change, whoever consents to what.

Source: HL7 SMART App Launch 2.2, "Scopes for requesting FHIR resources". Only what can be kept exactly counts: a
scope of version 1 (`.read`), or one narrowed by a query (`?category=…`), lets nothing be done.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from tsuzuri.domain.vocabulary import DOCUMENT_CLASSES, DocumentKind, RecordClass, Role

_SCOPE = re.compile(r"(patient|user|system)/([A-Z][A-Za-z]+|\*)\.(c?r?u?d?s?)")
_READING = frozenset("rs")  # a record is read by looking for what there is

RESOURCES: Mapping[RecordClass, str] = {
    RecordClass.CONDITION: "Condition",
    RecordClass.DRUG_ALLERGY: "AllergyIntolerance",
    RecordClass.OTHER_ALLERGY: "AllergyIntolerance",
    RecordClass.INFECTION: "Observation",
    RecordClass.LAB_RESULT: "Observation",
    RecordClass.PRESCRIPTION: "MedicationRequest",
    RecordClass.REFERRAL: "DocumentReference",
    RecordClass.DISCHARGE_SUMMARY: "DocumentReference",
    RecordClass.CHECKUP_REPORT: "DocumentReference",
    RecordClass.PATIENT_SUMMARY: "DocumentReference",
}
"""The FHIR resource that a scope names for a class. A check-up's results belong to its report."""

SENT: Mapping[DocumentKind, str] = {
    **{kind: RESOURCES[record_class] for kind, record_class in DOCUMENT_CLASSES.items()},
    DocumentKind.CONDITIONS: "Condition",
    DocumentKind.ALLERGIES: "AllergyIntolerance",
    DocumentKind.OBSERVATIONS: "Observation",
    DocumentKind.PRESCRIPTIONS: "MedicationRequest",
}
"""And for what a facility sends: with `c` it registers such Bundles, with `d` it cancels, with `u` it restores them."""

_CONTEXTS: Mapping[Role, str] = {Role.PATIENT: "patient", Role.SYSTEM: "system"}


@dataclass(frozen=True)
class Scope:
    """One scope of a token."""

    context: str  # "patient", "user" or "system"
    resource: str  # a FHIR resource type, or "*"
    rights: frozenset[str]  # of c, r, u, d, s


def scopes_of(text: str) -> frozenset[Scope]:
    """The scopes of a token's `scope` claim, without those that say nothing here (openid, launch, …)."""
    found = (_SCOPE.fullmatch(word) for word in text.split(" "))
    return frozenset(Scope(one[1], one[2], frozenset(one[3])) for one in found if one)


def usual_scopes(role: Role) -> str:
    """Everything that a role's tokens may carry, as a `scope` claim."""
    return f"{context_of(role)}/*.cruds"


def context_of(role: Role) -> str:
    """What a role's scopes begin with: those of another context are not meant for it."""
    return _CONTEXTS.get(role, "user")


def rights(role: Role, scopes: Iterable[Scope], resource: str) -> frozenset[str]:
    """What a token of this role lets be done to a resource, of c, r, u, d, s. None without scopes: missing means no.

    *resource*: a FHIR resource type; "*": what no resource stands for.
    """
    of_role = (scope for scope in scopes if scope.context == context_of(role))
    return frozenset().union(*(scope.rights for scope in of_role if scope.resource in (resource, "*")))


def readable(role: Role, scopes: Iterable[Scope]) -> frozenset[RecordClass]:
    """The classes that a token of this role lets be read."""
    return _readable(role, tuple(scopes), _READING)


@lru_cache(maxsize=1_024)
def _readable(role: Role, held: tuple[Scope, ...], reading: frozenset[str]) -> frozenset[RecordClass]:
    return frozenset(
        record_class
        for record_class, resource in RESOURCES.items()
        if rights(role, held, resource) >= reading
    )
