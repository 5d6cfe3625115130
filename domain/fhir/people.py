"""Names of people and institutions, and the ten digits of a facility."""

from collections.abc import Iterable
from dataclasses import dataclass

from tsuzuri.domain.fhir.elements import Element, label, system_of
from tsuzuri.domain.fhir.references import References
from tsuzuri.domain.fhir.rejection import BundleRejected
from tsuzuri.domain.identifiers import FACILITY_SYSTEM, MalformedNumber, facility_number

_REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_FORMER_USES = frozenset({"old", "maiden", "nickname", "anonymous", "temp"})
_PART_OF_MAX = 4  # 0.9's example has an Organization that is part of itself


def kanji_and_kana(person: Element) -> tuple[str | None, str | None]:
    """Both spellings of a name: representation IDE (ideographic), and SYL (syllabic).

    A name without representation counts as the first; a former name only when there is no other.
    """
    names = person.elements("name")
    names = [n for n in names if n.text("use") not in _FORMER_USES] or names
    kana = next((n for n in names if _representation(n) == "SYL"), None)
    plain = [n for n in names if n is not kana]
    kanji = next((n for n in plain if _representation(n) == "IDE"), plain[0] if plain else None)
    return _spelled(kanji), _spelled(kana)


def _representation(name: Element) -> str | None:
    extensions = (e for e in name.elements("extension") if e.text("url") == _REPRESENTATION)
    return next((e.text("valueCode") for e in extensions), None)


def _spelled(name: Element | None) -> str | None:
    if name is None:
        return None
    parts = [name.text("family"), *name.texts("given")]
    return name.text("text") or " ".join(part for part in parts if part) or None


def name_of(reference: Element, owner: Element, references: References) -> str | None:
    """Who is meant, by name: from the resource, else the reference's display."""
    found = references.find(reference, owner)
    if found and found.text("resourceType") == "PractitionerRole":
        practitioner = found.element("practitioner")
        found = references.find(practitioner, owner) if practitioner else None
    if found and found.text("resourceType") == "Organization":
        return found.text("name")
    return (_person(found) if found else None) or reference.text("display")


def _person(found: Element) -> str | None:
    kanji, kana = kanji_and_kana(found)
    return kanji or kana


def first_name(candidates: Iterable[Element], owner: Element, references: References) -> str | None:
    """The first person named, else the first institution."""
    named = [(_is_institution(r, owner, references), name_of(r, owner, references)) for r in candidates]
    return next((name for _, name in sorted(named, key=lambda pair: pair[0]) if name), None)


def _is_institution(reference: Element, owner: Element, references: References) -> bool:
    found = references.find(reference, owner)
    if found is None:
        return reference.text("type") == "Organization" or "Organization/" in (
            reference.text("reference") or ""
        )
    return found.text("resourceType") == "Organization"


@dataclass(frozen=True)
class Facility:
    """A facility as a Bundle names it."""

    number: str  # 保険医療機関番号, 10 digits
    name: str | None = None
    department: str | None = None


def facility_of(reference: Element | None, owner: Element, references: References) -> Facility | None:
    """The facility a reference means: by its own identifier, or the Organization's, or what that is part of."""
    for _ in range(_PART_OF_MAX):
        if reference is None:
            return None
        logical = reference.element("identifier")
        if logical and system_of(logical) == FACILITY_SYSTEM:
            return Facility(number_in(logical), reference.text("display"))
        found = references.find(reference, owner)
        if found and found.text("resourceType") == "PractitionerRole":
            reference = found.element("organization")
            continue
        if found is None or found.text("resourceType") != "Organization":
            return None
        for identifier in found.elements("identifier"):
            if system_of(identifier) == FACILITY_SYSTEM:
                return Facility(number_in(identifier), found.text("name"), department_of(found))
        reference = found.element("partOf")
    return None


def number_in(identifier: Element) -> str:
    """The facility number of an Identifier, checked."""
    try:
        return facility_number(identifier.text("value") or "")
    except MalformedNumber as error:
        raise BundleRejected(f"{identifier.place}.value", str(error)) from None


def own_facility(resource: Element) -> str | None:
    """The institution a resource names in its extension JP_eCS_InstitutionNumber."""
    extension = resource.extension("JP_eCS_InstitutionNumber")
    identifier = extension.element("valueIdentifier") if extension else None
    return number_in(identifier) if identifier else None


def department_of(resource: Element) -> str | None:
    """診療科: extension JP_eCS_Department."""
    extension = resource.extension("JP_eCS_Department")
    return label(extension.element("valueCodeableConcept")) if extension else None
