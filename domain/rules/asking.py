"""Small questions that several rules ask of a part."""

import re
from collections.abc import Iterator

from tsuzuri.domain.rules.part import Part
from tsuzuri.domain.rules.resources import Resource
from tsuzuri.domain.rules.systems import INSTITUTION, canonical, last_name

TEN_DIGITS = re.compile(r"[0-4][0-9][1-4][0-9]{7}")
"""An institution number: prefecture 2, 点数表 1 (1 医科, 3 歯科, 4 調剤), number 7.

The guide's own form ends at 3 and so has no room for pharmacies. They have such numbers all the same and read, and
are referred to: what would refuse them for it is T0025, a warning.
"""
PHARMACY_DIGITS = re.compile(r"[0-4][0-9]4[0-9]{7}")


def codings(holder: Part, path: str) -> list[Part]:
    """The codings of a CodeableConcept, or of each of a list of them."""
    return [coding for concept in holder.children(path) for coding in concept.children("coding")]


def system_of(part: Part) -> str | None:
    return canonical(part.text("system"))


def codes(holder: Part, path: str) -> set[str]:
    """All codes under a CodeableConcept, whatever their system."""
    return {code for coding in codings(holder, path) if (code := coding.text("code"))}


def has_system(parts: list[Part], *systems: str) -> bool:
    return any(system_of(part) in systems for part in parts)


def has_last_name(parts: list[Part], *names: str) -> bool:
    """Whether a part is of a code system of the Japanese guides with one of these last names."""
    return any(last_name(part.text("system")) in names for part in parts)


def claims(resource: Part, *profiles: str) -> bool:
    """Whether a resource says that it follows one of the profiles; versions and roots are not compared."""
    return any(
        isinstance(profile.value, str) and last_name(profile.value) in profiles
        for meta in resource.children("meta")
        for profile in meta.children("profile")
    )


def tags(resource: Resource, system: str) -> list[Part]:
    return [tag for tag in resource.all("meta.tag") if system_of(tag) == system]


def institution_values(resource: Resource) -> Iterator[tuple[Part, str | None]]:
    """The institution a resource names in its extension: the identifier and its value."""
    for identifier in resource.all("extension:institution.valueIdentifier"):
        yield identifier, identifier.text("value")


def is_institution(identifier: Part) -> bool:
    return system_of(identifier) == INSTITUTION


def matches(pattern: re.Pattern[str], text: str | None) -> bool:
    """Whether a text is of this form, whole. What is far too long is not even tried."""
    return text is not None and len(text) <= 200 and pattern.fullmatch(text) is not None
