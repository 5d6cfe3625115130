"""What a section names beside entries: institutions, people, stays; and what our index takes no entry of."""

from tsuzuri.domain.fhir.elements import Element, label
from tsuzuri.domain.fhir.entry import moment_of
from tsuzuri.domain.fhir.people import department_of, kanji_and_kana
from tsuzuri.domain.fhir.references import References
from tsuzuri.domain.identifiers import FACILITY_SYSTEM
from tsuzuri.domain.rendering.dates import sent_in_words

_FACTS = frozenset(
    "Procedure Immunization FamilyMemberHistory MedicationStatement MedicationAdministration MedicationDispense "
    "DiagnosticReport ImagingStudy ServiceRequest ClinicalImpression Device DeviceUseStatement Goal RiskAssessment "
    "ResearchSubject".split()
)
_NAMED_BY = ("code", "vaccineCode", "medicationCodeableConcept", "relationship", "type")
_DATES = (
    "performedDateTime",
    "performedPeriod",
    "occurrenceDateTime",
    "effectiveDateTime",
    "effectivePeriod",
    "started",
    "date",
)


def party(resource: Element, references: References) -> str | None:
    """An institution, a person or a stay in one line: nothing in it tells of the patient's illness.

    None for any other resource. A stay is told by its dates alone, for its reasons are clinical.
    """
    match resource.text("resourceType"):
        case "Organization":
            return _line(
                resource.text("name"), department_of(resource), _number(resource), *_contacts(resource)
            )
        case "Practitioner":
            name, kana = kanji_and_kana(resource)
            return name or kana
        case "PractitionerRole":
            return _line(
                *(
                    party(found, references)
                    for key in ("practitioner", "organization")
                    if (reference := resource.element(key))
                    and (found := references.find(reference, resource))
                    if found.text("resourceType") in ("Practitioner", "Organization")
                )
            )
        case "Encounter":
            period = resource.element("period")
            return f"受診・入院 {told}" if period and (told := span(period)) else None
        case _:
            return None


def span(period: Element) -> str | None:
    """ "2024年11月8日 〜 2024年11月16日"."""
    start, end = (sent_in_words(text) if (text := period.text(key)) else "" for key in ("start", "end"))
    if start == end:
        return start or None
    return f"{start} 〜 {end}".strip()


def fact(resource: Element) -> str | None:
    """A procedure, a vaccination, a relative's illness in one line; None for what is neither, or has no name."""
    if resource.text("resourceType") not in _FACTS:
        return None
    named = [label(concept) for key in _NAMED_BY for concept in resource.elements(key)[:1]]
    named += [label(condition.element("code")) for condition in resource.elements("condition")]
    name = _line(*named)
    date, _ = moment_of(resource, *_DATES)
    return _line(name, sent_in_words(date) if date else None) if name else None


def _number(organization: Element) -> str | None:
    numbers = (
        i.text("value") for i in organization.elements("identifier") if i.text("system") == FACILITY_SYSTEM
    )
    number = next(numbers, None)
    return f"医療機関番号 {number}" if number else None


def _contacts(organization: Element) -> list[str]:
    addresses = [address.text("text") for address in organization.elements("address")]
    phones = [
        f"電話 {one.text('value')}"
        for one in organization.elements("telecom")
        if one.text("system") == "phone"
    ]
    return [told for told in (*addresses, *phones) if told]


def _line(*parts: str | None) -> str | None:
    return "　".join(part for part in parts if part) or None
