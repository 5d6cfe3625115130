"""Everything that a Bundle or a resource breaks, at once."""

from collections.abc import Iterator
from typing import Any

from tsuzuri.domain.rules.asking import codes
from tsuzuri.domain.rules.catalogue import PROFILE_TYPES, RULES
from tsuzuri.domain.rules.datatypes import RESOURCE_TYPES
from tsuzuri.domain.rules.limits import DEPTH_MAX
from tsuzuri.domain.rules.part import Part
from tsuzuri.domain.rules.policies import Policy
from tsuzuri.domain.rules.resources import Resource
from tsuzuri.domain.rules.rule import Broken, Severity

_COLLECTION = "JP_Bundle_CLINS"
_BUNDLE_OF_DOCUMENT = {
    "57133-1": "JP_Bundle_eReferral",
    "18842-5": "JP_Bundle_eDischargeSummary",
    "56447-6": "JP_Bundle_ePCS",
    "53576-5": "JP_Bundle_eCheckupGeneral",
    "JPGCHKUP01": "JP_Bundle_eCheckupGeneral",
}
_COMPOSITION_OF_BUNDLE = {
    "JP_Bundle_eReferral": "JP_Composition_eReferral",
    "JP_Bundle_eDischargeSummary": "JP_Composition_eDischargeSummary",
    "JP_Bundle_ePCS": "JP_Composition_ePCS",
    "JP_Bundle_eCheckupGeneral": "JP_Composition_eCheckupGeneral",
}
_PROFILE_OF_ENTRY = {
    "Patient": "JP_Patient_eCS",
    "Condition": "JP_Condition_eCS",
    "AllergyIntolerance": "JP_AllergyIntolerance_eCS",
    "Observation": "JP_Observation_LabResult_eCS",
    "MedicationRequest": "JP_MedicationRequest_eCS",
}
"""What a resource is read as in a collection, whether it claims it or not."""


def check(
    tree: Any, policy: Policy, *, size_bytes: int | None = None, depth: int | None = None
) -> list[Broken]:
    """The rules of *policy* that parsed JSON breaks, in the order of its resources; none when all are kept.

    A Bundle or a single resource. Never raises, whatever the JSON; takes time and memory in proportion to it. What is
    told holds no value of the sender's. Where they are known: *size_bytes*, as received, and *depth*, as `extent`
    counts it.
    """
    found: list[Broken] = []
    for resource, kinds in _resources(tree, size_bytes, depth):
        for rule, severity in policy.asked(tuple(kinds), resource.names):
            for place in rule.broken(resource):
                found.append(Broken(rule.id, severity, place, rule.message, rule.fix))
    return found


def too_large(policy: Policy) -> list[Broken]:
    """What is told of a file that was not even read to its end. No policy makes such a file good."""
    rule = RULES["T0001"]
    severity = policy.severity(rule) or Severity.ERROR
    return [Broken(rule.id, severity, "Bundle", rule.message, rule.fix)]


def has_errors(found: list[Broken]) -> bool:
    return any(broken.severity is Severity.ERROR for broken in found)


def _resources(tree: Any, size_bytes: int | None, depth: int | None) -> Iterator[tuple[Resource, list[str]]]:
    """Every resource there is, outermost first, with the kinds of things it is."""
    outermost = Resource(Part(tree, _name(tree)), size_bytes=size_bytes, depth=depth)
    waiting: list[tuple[Resource, list[str], int]] = [(outermost, [], 0)]
    while waiting:
        resource, by_place, inside_of = waiting.pop()
        kinds = _kinds(resource, by_place)
        yield resource, kinds
        if inside_of < DEPTH_MAX:  # deeper, the one rule that says so is enough
            inside = [*_entries(resource, kinds), *_contained(resource)]
            waiting += ((inner, by_its_place, inside_of + 1) for inner, by_its_place in reversed(inside))


def _name(tree: Any) -> str:
    """How a place begins: by the type, if it is one."""
    named = tree.get("resourceType") if isinstance(tree, dict) else None
    return named if isinstance(named, str) and named in RESOURCE_TYPES else "Resource"


def _entries(bundle: Resource, kinds: list[str]) -> Iterator[tuple[Resource, list[str]]]:
    """The resources of a Bundle's entries, with what they are in it."""
    for _, part in bundle.entries if bundle.type == "Bundle" else ():
        if part is None:
            continue
        entry = Resource(part, bundle=bundle)
        by_place = []
        if _COLLECTION in kinds:
            by_place = [f"{_COLLECTION} > {entry.type}", _PROFILE_OF_ENTRY.get(entry.type or "", "*")]
            if entry.type != "Patient":
                by_place.insert(0, f"{_COLLECTION} > *")
        elif entry.type == "Composition":
            by_place = [_COMPOSITION_OF_BUNDLE[kind] for kind in kinds if kind in _COMPOSITION_OF_BUNDLE]
        yield entry, by_place


def _contained(resource: Resource) -> Iterator[tuple[Resource, list[str]]]:
    """One level: FHIR has no second one."""
    for part in [] if resource.contained else resource.all("contained"):
        yield Resource(part, bundle=resource, contained=True), []


def _kinds(resource: Resource, by_place: list[str]) -> list[str]:
    """Its type, what its place makes of it, and the profiles it claims. A profile of another type is nobody's."""
    if resource.type is None:
        return ["*", *by_place]
    claimed = {name for name in resource.profiles() if PROFILE_TYPES.get(name) == resource.type}
    if resource.type == "Bundle" and not claimed:
        claimed = _unclaimed(resource)
    return list(dict.fromkeys(["*", resource.type, *by_place, *sorted(claimed)]))


def _unclaimed(bundle: Resource) -> set[str]:
    """What a Bundle without a profile of ours is read as: by its type, and the type of its Composition."""
    if bundle.part.text("type") == "collection":
        return {_COLLECTION}
    compositions = (part for _, part in bundle.entries if part and part.text("resourceType") == "Composition")
    composition = next(compositions, None)
    if composition is None or bundle.part.text("type") != "document":
        return set()
    return {_BUNDLE_OF_DOCUMENT[code] for code in codes(composition, "type") if code in _BUNDLE_OF_DOCUMENT}
