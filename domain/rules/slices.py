"""Which items of a list a guide means by the name of a slice: "identifier:resourceIdentifier", "section:920"."""

from collections.abc import Callable
from functools import cache
from operator import methodcaller

from tsuzuri.domain.rules.part import Part
from tsuzuri.domain.rules.systems import (
    DISEASE,
    INSTITUTION,
    ORDER_IN_RP,
    RESOURCE_IDENTIFIER,
    RP_NUMBER,
    SIMPLE_CATEGORY,
    canonical,
    last_name,
)

Slice = Callable[[Part], bool]
VERSION_NUMBER = "http://hl7.org/fhir/StructureDefinition/composition-clinicaldocument-versionNumber"
_LOINC = "http://loinc.org"


def _of_system(system: str) -> Slice:
    return lambda part: canonical(part.text("system")) == system


def _coded(system: str, code: str) -> Slice:
    """A CodeableConcept with this code."""

    def belongs(part: Part) -> bool:
        return any(
            canonical(coding.text("system")) == system and coding.text("code") == code
            for coding in part.children("coding")
        )

    return belongs


def _section(code: str) -> Slice:
    """By the code alone: its system changed between the guides, the codes did not."""

    def belongs(part: Part) -> bool:
        concept = part.child("code")
        return concept is not None and any(c.text("code") == code for c in concept.children("coding"))

    return belongs


def _extension(name: str) -> Slice:
    return lambda part: last_name(part.text("url")) == name


SLICES: dict[str, Slice] = {
    "identifier:resourceIdentifier": _of_system(RESOURCE_IDENTIFIER),
    "identifier:requestIdentifier": _of_system(RESOURCE_IDENTIFIER),
    "identifier:rpNumber": _of_system(RP_NUMBER),
    "identifier:orderInRp": _of_system(ORDER_IN_RP),
    "identifier:medicalInstitutionCode": _of_system(INSTITUTION),
    "coding:medisRecordNo": _of_system(DISEASE),
    "coding:reportCode": _of_system("http://jpfhir.jp/fhir/core/CodeSystem/JP_DocumentCodes_CS"),
    "category:laboratory": _coded(SIMPLE_CATEGORY, "laboratory"),
    "category:first": _coded(_LOINC, "LP29684-5"),
    "extension:version": lambda part: part.text("url") == VERSION_NUMBER,
    "extension:periodOfUse": _extension("JP_MedicationDosage_PeriodOfUse"),
    "extension:institution": _extension("JP_eCS_InstitutionNumber"),
    "extension:department": _extension("JP_eCS_Department"),
    "section:910": _section("910"),
    "section:920": _section("920"),
}


@cache  # asked with steps of the rules only
def finder(step: str) -> Callable[[Part], list[Part]]:
    """What is there under one step of a path, which may name a slice."""
    name, belongs = step.partition(":")[0], SLICES.get(step)
    if belongs is None:
        return methodcaller("children", step)
    return lambda parent: [part for part in parent.children(name) if belongs(part)]
