"""A document Bundle: what its Composition says of kind, sender, recipient and title."""

from collections.abc import Iterator

from tsuzuri.domain.fhir.document_reference import attachments
from tsuzuri.domain.fhir.elements import Element, code_of, one_line, system_of
from tsuzuri.domain.fhir.heading import Heading, settled
from tsuzuri.domain.fhir.people import Facility, facility_of, first_name
from tsuzuri.domain.fhir.references import References
from tsuzuri.domain.fhir.rejection import BundleRejected
from tsuzuri.domain.record import Document
from tsuzuri.domain.vocabulary import DOCUMENT_CLASSES, TERMS, DocumentKind

_TYPE_SYSTEM = "http://jpfhir.jp/fhir/Common/CodeSystem/doc-typecodes"
_KINDS = {
    "57133-1": DocumentKind.REFERRAL,
    "18842-5": DocumentKind.DISCHARGE_SUMMARY,
    "53576-5": DocumentKind.CHECKUP_REPORT,  # the check-up guide
    "JPGCHKUP01": DocumentKind.CHECKUP_REPORT,  # the CLINS package, same system
    "56447-6": DocumentKind.PATIENT_SUMMARY,
}
_SENDER, _RECIPIENT = (
    "920",
    "910",
)  # 紹介元, 紹介先: the sections' system changed between guides, the codes did not


def the_composition(resources: list[Element], warnings: list[str]) -> Element:
    """Raises BundleRejected unless there is exactly one."""
    found = [r for r in resources if r.text("resourceType") == "Composition"]
    if len(found) != 1:
        reason = f"holds {len(found)} Compositions; a document has exactly one, as its first entry"
        raise BundleRejected("Bundle.entry", reason)
    if found[0] is not resources[0]:
        warnings.append("composition-is-not-first")
    return found[0]


def document_kind(composition: Element) -> DocumentKind:
    concept = composition.element("type")
    for coding in concept.elements("coding") if concept else []:
        kind = _KINDS.get(coding.text("code") or "")
        if kind and system_of(coding) == _TYPE_SYSTEM:
            return kind
    raise BundleRejected(
        f"{composition.place}.type", f"must have a coding of {_TYPE_SYSTEM}: one of {', '.join(_KINDS)}"
    )


def read_document(
    composition: Element,
    kind: DocumentKind,
    told: Heading,
    resources: list[Element],
    references: References,
    warnings: list[str],
) -> Document:
    facility = settled(_registering_facility(composition, references), told, warnings)
    to = _recipient(composition, references, warnings) if kind is DocumentKind.REFERRAL else None
    title = composition.text("title")
    return Document(
        kind=kind,
        system=told.system,
        value=told.value,
        timestamp=told.timestamp,
        facility=facility.number,
        facility_name=facility.name,
        title=one_line(title) if title else TERMS[DOCUMENT_CLASSES[kind]],
        department=facility.department or _sender_department(composition, references),
        author=first_name(composition.elements("author"), composition, references),
        recipient=to.number if to else None,
        recipient_name=to.name if to else None,
        dated=composition.moment("date"),
        attachments=attachments(resources, references),
    )


def _registering_facility(composition: Element, references: References) -> Facility | None:
    """Who answers for the document: the custodian, else an author's institution."""
    candidates = [composition.element("custodian"), *composition.elements("author")]
    found = (facility_of(reference, composition, references) for reference in candidates)
    return next((facility for facility in found if facility), None)


def _recipient(composition: Element, references: References, warnings: list[str]) -> Facility | None:
    """The facility a referral is addressed to."""
    named: dict[str, Facility] = {}
    for reference in _section_entries(composition, _RECIPIENT):
        if found := facility_of(reference, composition, references):
            named.setdefault(found.number, found)
    if len(named) != 1:
        warnings.append("several-recipients" if named else "recipient-missing")
    return next(iter(named.values()), None)


def _sender_department(composition: Element, references: References) -> str | None:
    """紹介元診療科: in older guides an Organization of type dept in the sender's section."""
    for reference in _section_entries(composition, _SENDER):
        found = references.find(reference, composition)
        if found and "dept" in map(code_of, found.elements("type")):
            return found.text("name")
    return None


def _section_entries(composition: Element, code: str) -> Iterator[Element]:
    for section in _sections(composition):
        concept = section.element("code")
        codes = [coding.text("code") for coding in concept.elements("coding")] if concept else []
        if code in codes:
            yield from section.elements("entry")


def _sections(holder: Element) -> Iterator[Element]:
    for section in holder.elements("section"):
        yield section
        yield from _sections(section)
