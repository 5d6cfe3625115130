"""From the bytes a facility sent to what they say: the one door of this room.

bytes ─▶ shape (size, JSON, rules, FHIR R4) ─▶ kind ─▶ facility ─▶ patient ─▶ document ─▶ entries
"""

from dataclasses import dataclass
from typing import Any

import orjson

from tsuzuri.domain.fhir.allergy_intolerance import allergy_intolerance
from tsuzuri.domain.fhir.care_plan import care_plan
from tsuzuri.domain.fhir.collection import collection_kind, read_collection
from tsuzuri.domain.fhir.composition import document_kind, read_document, the_composition
from tsuzuri.domain.fhir.condition import condition
from tsuzuri.domain.fhir.document_reference import document_reference
from tsuzuri.domain.fhir.elements import Element
from tsuzuri.domain.fhir.entry import Source, numbered
from tsuzuri.domain.fhir.heading import heading
from tsuzuri.domain.fhir.medication_request import medication_request
from tsuzuri.domain.fhir.observation import observation
from tsuzuri.domain.fhir.patient import check_subject, subject, the_patient
from tsuzuri.domain.fhir.references import References
from tsuzuri.domain.fhir.rejection import BundleRejected
from tsuzuri.domain.fhir.shape import ENTRIES_MAX, checked
from tsuzuri.domain.record import Document, Entry, Reading, Subject
from tsuzuri.domain.rules.limits import SIZE_MAX_BYTES
from tsuzuri.domain.rules.policies import POLICIES, Policy
from tsuzuri.domain.vocabulary import DOCUMENT_CLASSES

__all__ = ["ENTRIES_MAX", "SIZE_MAX_BYTES", "BundleRejected", "identify_bundle", "read_bundle"]

_INFORMATION = {
    "Condition": condition,
    "AllergyIntolerance": allergy_intolerance,
    "Observation": observation,
    "MedicationRequest": medication_request,
}
_OF_A_DOCUMENT = {"CarePlan": care_plan, "DocumentReference": document_reference}
_ABOUT_THE_PATIENT = frozenset({*_INFORMATION, *_OF_A_DOCUMENT, "Composition", "Encounter"})
_READ_WITH_OTHERS = frozenset(
    "Patient Composition Encounter Practitioner PractitionerRole Organization Specimen Medication Binary".split()
)


def read_bundle(received: bytes, policy: Policy = POLICIES["shape"]) -> Reading:
    """Everything one Bundle says. Pure, and slow for big ones (0.2 to 0.6 ms a KB): call it in a worker.

    Whatever the policy lets pass, what reading rests on must hold: one Patient, an identifier, a kind, a facility.

    Raises:
        BundleRejected: it can't be taken. Nothing else is ever raised, whatever the bytes.
    """
    tree, warnings = checked(received, policy)
    opened = _opened(tree, warnings)
    document, references = opened.document, opened.references
    found = []
    for place, resource in enumerate(opened.resources):
        if resource.text("resourceType") in _ABOUT_THE_PATIENT:
            check_subject(resource, opened.patient, opened.subject, references, warnings)
        source = Source(
            resource, place, references, DOCUMENT_CLASSES.get(document.kind), document.facility, warnings
        )
        if entry := entry_of(source):
            found.append(entry)
    return Reading(
        document=document,
        subject=opened.subject,
        entries=numbered(found),
        rules=policy.version,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def identify_bundle(received: bytes) -> tuple[Document, Subject]:
    """Which document a Bundle is and whom it is about, if it is one that was taken before. Nothing is checked.

    Of any other bytes it tells anything, or raises anything.
    """
    opened = _opened(orjson.loads(received), [])
    return opened.document, opened.subject


@dataclass(frozen=True)
class _Opened:
    """A Bundle as a whole, before its entries are read."""

    resources: list[Element]
    references: References
    patient: Element
    document: Document
    subject: Subject


def _opened(tree: dict[str, Any], warnings: list[str]) -> _Opened:
    bundle = Element(tree, "Bundle")
    entries = bundle.elements("entry")
    resources = [resource for entry in entries if (resource := entry.element("resource"))]
    urls = [entry.text("fullUrl") for entry in entries]
    references = References(zip(urls, resources, strict=True))
    patient = the_patient(resources)
    told = heading(bundle)
    if bundle.text("type") == "document":
        head = the_composition(resources, warnings)
        document = read_document(head, document_kind(head), told, resources, references, warnings)
    else:
        document = read_collection(collection_kind(bundle, resources), told, resources, warnings)
    whose = subject(patient, document.facility, warnings)
    return _Opened(resources, references, patient, document, whose)


def entry_of(source: Source) -> Entry | None:
    """The entry of one resource; None for what only serves others and for what the guide passes over."""
    kind = source.resource_type
    if read := _INFORMATION.get(kind):
        return read(source)
    if (of_document := _OF_A_DOCUMENT.get(kind)) and source.document_class:
        return of_document(source, source.document_class)
    if kind not in _READ_WITH_OTHERS:
        source.warnings.append(f"passed-over: {kind}")
    return None
