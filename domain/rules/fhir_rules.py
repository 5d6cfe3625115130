"""What FHIR R4 demands of how things hang together: types, entries, URLs, references. Our numbers: it gives none."""

from collections.abc import Iterator

from tsuzuri.domain.rules.datatypes import RESOURCE_TYPES
from tsuzuri.domain.rules.limits import DEPTH_MAX, extent
from tsuzuri.domain.rules.resources import Resource, elements
from tsuzuri.domain.rules.rule import Guide, Rule, Words, errors

_REFERENCES = tuple(
    "subject patient encounter performer specimen recorder requester asserter basedOn author custodian serviceProvider "
    "medicationReference hasMember result context".split()
)
_ABOUT = {
    "AllergyIntolerance": ("patient", "Patient"),
    "CarePlan": ("subject", "Patient Group"),
    "Condition": ("subject", "Patient Group"),
    "Coverage": ("beneficiary", "Patient"),
    "DocumentReference": ("subject", "Patient Practitioner Group Device"),
    "Encounter": ("subject", "Patient Group"),
    "FamilyMemberHistory": ("patient", "Patient"),
    "Goal": ("subject", "Patient Group Organization"),
    "Immunization": ("patient", "Patient"),
    "MedicationAdministration": ("subject", "Patient Group"),
    "MedicationRequest": ("subject", "Patient Group"),
    "MedicationStatement": ("subject", "Patient Group"),
    "Observation": ("subject", "Patient Group Device Location"),
    "Procedure": ("subject", "Patient Group"),
    "ServiceRequest": ("subject", "Patient Group Location Device"),
}
"""Resource type → the element that says whom it is about, and what that may be."""


def _same_url(bundle: Resource) -> Iterator[str]:
    """The second entry of one URL, unless both tell their versions apart."""
    seen: set[tuple[str, str | None]] = set()
    for entry, resource in bundle.entries:
        url = entry.text("fullUrl")
        if not url:
            continue
        meta = resource.child("meta") if resource else None
        named = (url, meta.text("versionId") if meta else None)
        if named in seen:
            yield f"{entry.place}.fullUrl"
        seen.add(named)


def _unknown_type(resource: Resource) -> Iterator[str]:
    if resource.type is None:
        yield resource.part.below("resourceType")


def _too_deep(resource: Resource) -> Iterator[str]:
    if resource.is_inside:
        return
    depth = extent(resource.part.value)[0] if resource.depth is None else resource.depth
    if depth > DEPTH_MAX:
        yield resource.place


def _composition_first(bundle: Resource) -> Iterator[str]:
    if bundle.part.text("type") != "document":
        return
    entries = bundle.entries
    first = entries[0][1] if entries else None
    if first is None or first.text("resourceType") != "Composition":
        yield entries[0][0].below("resource") if entries else bundle.part.below("entry")


def _dangling(resource: Resource) -> Iterator[str]:
    """A reference into the contained resources that finds none."""
    for reference in resource.among(_REFERENCES):
        target = reference.text("reference")
        if target and target.startswith("#") and target != "#" and target[1:] not in resource.contained_ids:
            yield f"{reference.place}.reference"


def _about_something_else(resource: Resource) -> Iterator[str]:
    name, allowed = _ABOUT.get(resource.type or "", ("subject", ""))
    for reference in resource.all(name) if allowed else ():
        target = reference.text("reference") or ""
        told = target.rpartition("/")[0].rpartition("/")[2] if "/" in target else reference.text("type")
        if told in RESOURCE_TYPES and told not in allowed.split():
            yield reference.place


def _entry_without_resource(bundle: Resource) -> Iterator[str]:
    for entry, resource in bundle.entries:
        if resource is None and not entry.children("request") and not entry.children("response"):
            yield entry.below("resource")


_R4 = errors(Guide.FHIR_R4)

FHIR_RULES = (
    Rule(
        id="T0003",
        on=("Bundle",),
        path="Bundle.entry.fullUrl",
        holds=_R4,
        broken=_same_url,
        message=Words("Two entries have the same fullUrl", "同じ fullUrl の entry が2つあります"),
        fix=Words("Give every entry a URL of its own", "entry ごとに異なる fullUrl を付けてください"),
    ),
    Rule(
        id="T0005",
        on=("*",),
        path="resourceType",
        holds=_R4,
        broken=_unknown_type,
        message=Words(
            "resourceType is missing or no type of FHIR R4",
            "resourceType がないか、FHIR R4 のリソース型ではありません",
        ),
        fix=Words("Name the type, with its capital letters", "大文字小文字を含め正しい型名にしてください"),
    ),
    Rule(
        id="T0006",
        on=("*",),
        path="(whole)",
        holds=_R4,
        broken=_too_deep,
        message=Words(
            f"Objects and lists are nested more than {DEPTH_MAX} deep",
            f"入れ子が {DEPTH_MAX} 段を超えています",
        ),
        fix=Words("Send it flatter", "入れ子を浅くしてください"),
    ),
    Rule(
        id="T0007",
        on=("Bundle",),
        path="Bundle.entry[0].resource",
        holds=_R4,
        broken=_composition_first,
        message=Words(
            "A document begins with its Composition",
            "文書 Bundle の最初の entry が Composition ではありません",
        ),
        fix=Words("Put the Composition first", "Composition を最初の entry にしてください"),
    ),
    Rule(
        id="T0008",
        on=("*",),
        path="reference",
        holds=_R4,
        broken=_dangling,
        only_with=elements(*_REFERENCES),
        message=Words(
            "It refers to a contained resource that is not there", "参照先の contained リソースがありません"
        ),
        fix=Words(
            "Contain the resource, or mend the reference", "contained に含めるか、参照を直してください"
        ),
    ),
    Rule(
        id="T0019",
        on=tuple(_ABOUT),
        path="subject",
        holds=_R4,
        broken=_about_something_else,
        message=Words(
            "It is about something that is no patient", "対象が患者ではないリソースを参照しています"
        ),
        fix=Words("Refer to the Patient", "Patient を参照してください"),
    ),
    Rule(
        id="T0024",
        on=("Bundle",),
        path="Bundle.entry.resource",
        holds=_R4,
        broken=_entry_without_resource,
        message=Words("An entry holds no resource", "entry にリソースがありません"),
        fix=Words("Add the resource, or drop the entry", "リソースを追加するか entry を削除してください"),
    ),
)
