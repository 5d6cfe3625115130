"""docs/FHIR-CONSENT.md names every code that is read, and the systems of what is given out."""

from pathlib import Path

from tsuzuri.domain.fhir import consent_codes as codes
from tsuzuri.domain.vocabulary import PurposeOfUse

PAGE = (Path(__file__).parents[2] / "docs" / "FHIR-CONSENT.md").read_text("utf-8")


def test_the_page_names_every_code_of_a_class_on_a_line_with_its_system() -> None:
    lines = PAGE.splitlines()

    unnamed = [
        (system, code)
        for system, code in codes.CLASSES
        if not any(system in line and code in line for line in lines)
    ]

    assert unnamed == []


def test_the_page_names_all_other_codes_and_systems() -> None:
    pairs = [*codes.CATEGORIES, codes.SCOPE, codes.ACCESS, *codes.RECIPIENTS, *codes.RELATIONS.values()]
    words = [code for _, code in pairs] + [*PurposeOfUse, *codes.ASSENT, codes.DISSENT]
    ours = [codes.CONSENT_SYSTEM, codes.POLICY, codes.PERSON_SYSTEM, codes.DOCUMENT_SYSTEM, codes.GIVEN_URL]

    assert [word for word in [*words, *ours] if word not in PAGE] == []
