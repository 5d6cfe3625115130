"""A collection Bundle (JP_Bundle_CLINS): one kind of resource, about one patient, from one facility."""

from tsuzuri.domain.fhir.elements import Element, system_of
from tsuzuri.domain.fhir.heading import Heading, settled
from tsuzuri.domain.fhir.people import Facility, department_of, own_facility
from tsuzuri.domain.fhir.rejection import BundleRejected
from tsuzuri.domain.identifiers import FACILITY_SYSTEM
from tsuzuri.domain.record import Document
from tsuzuri.domain.vocabulary import DocumentKind

_TAG_SYSTEM = "http://jpfhir.jp/fhir/clins/CodeSystem/BundleResourceType_CS"
_KINDS = {
    "Condition": DocumentKind.CONDITIONS,
    "AllergyIntolerance": DocumentKind.ALLERGIES,
    "Observation": DocumentKind.OBSERVATIONS,
    "MedicationRequest": DocumentKind.PRESCRIPTIONS,
}
_TITLES = {
    DocumentKind.CONDITIONS: "傷病名",
    DocumentKind.ALLERGIES: "アレルギー等",
    DocumentKind.OBSERVATIONS: "検査・感染症",
    DocumentKind.PRESCRIPTIONS: "処方",
}


def collection_kind(bundle: Element, resources: list[Element]) -> DocumentKind:
    """By the Bundle's tag, else by the one type carried. A Patient alone, tagged, clears what was sent before.

    Raises:
        BundleRejected: mixed types, a tag that says otherwise, or nothing that tells.
    """
    carried = sorted({r.data["resourceType"] for r in resources} & _KINDS.keys())
    if len(carried) > 1:
        raise BundleRejected(
            "Bundle.entry", f"mixes {' and '.join(carried)}; send each type in a Bundle of its own"
        )
    tagged = _tagged(bundle)
    if len(tagged) > 1:
        raise BundleRejected(f"{bundle.place}.meta.tag", "names several resource types; name the one carried")
    if tagged and carried and tagged != carried:
        reason = f"names {tagged[0]}, while the entries hold {carried[0]}"
        raise BundleRejected(f"{bundle.place}.meta.tag", reason)
    if not tagged and not carried:
        reason = f"holds none of {', '.join(_KINDS)}, and no tag of {_TAG_SYSTEM} says which it is about"
        raise BundleRejected("Bundle.entry", reason)
    return _KINDS[(tagged or carried)[0]]


def _tagged(bundle: Element) -> list[str]:
    meta = bundle.element("meta")
    codes = {
        tag.text("code") for tag in (meta.elements("tag") if meta else []) if system_of(tag) == _TAG_SYSTEM
    }
    if codes - _KINDS.keys():
        raise BundleRejected(f"{bundle.place}.meta.tag", f"must name one of {', '.join(_KINDS)}")
    return sorted(code for code in codes if code)


def read_collection(
    kind: DocumentKind, told: Heading, resources: list[Element], warnings: list[str]
) -> Document:
    found = _sending_facility(resources, told.facility, warnings)
    facility = settled(Facility(found) if found else None, told, warnings)
    return Document(
        kind=kind,
        system=told.system,
        value=told.value,
        timestamp=told.timestamp,
        facility=facility.number,
        facility_name=_name_of(facility.number, resources),
        title=_TITLES[kind],
        department=_department(resources),
    )


def _sending_facility(resources: list[Element], of_identifier: str | None, warnings: list[str]) -> str | None:
    """The institution the resources name; of several, the one the Bundle's identifier names too."""
    named = {r.place: own_facility(r) for r in resources if r.data["resourceType"] in _KINDS}
    numbers = {number for number in named.values() if number}
    if len(numbers) <= 1:
        return next(iter(numbers), None)
    if of_identifier not in numbers:
        place = next(place for place, number in named.items() if number)
        raise BundleRejected(place, "and other entries name different institutions; send one's at a time")
    warnings.append("entries-of-several-facilities")
    return of_identifier


def _name_of(number: str, resources: list[Element]) -> str | None:
    for resource in resources:
        if resource.data["resourceType"] != "Organization":
            continue
        for identifier in resource.elements("identifier"):
            if system_of(identifier) == FACILITY_SYSTEM and identifier.text("value") == number:
                return resource.text("name")
    return None


def _department(resources: list[Element]) -> str | None:
    """The department, when all that name one name the same."""
    named = {department_of(r) for r in resources if r.data["resourceType"] in _KINDS} - {None}
    return named.pop() if len(named) == 1 else None
