"""傷病名: Condition."""

from datetime import datetime

from tsuzuri.domain.fhir.elements import Element, code_of, label, one_line
from tsuzuri.domain.fhir.entry import Source, detail_of, moment_of, notes, read_entry, status_code
from tsuzuri.domain.fhir.quantities import quantity_text, range_text
from tsuzuri.domain.record import Entry
from tsuzuri.domain.vocabulary import RecordClass

UNCONFIRMED = "unconfirmed-diagnosis"
"""The warning for a suspected diagnosis that is not taken as an entry."""


def condition(source: Source) -> Entry | None:
    """None for a suspected one (疑い病名, unconfirmed): these are not shared. The document itself still has it."""
    resource = source.resource
    verification = status_code(resource, "verificationStatus")
    if verification == "unconfirmed":
        source.warnings.append(UNCONFIRMED)
        return None
    concept = resource.element("code")
    return read_entry(
        source,
        RecordClass.CONDITION,
        concept=concept,
        name=_modified(concept),
        effective=moment_of(resource, "onsetDateTime", "onsetPeriod"),
        issued=["recordedDate"],
        authors=["recorder", "asserter"],
        status=status_code(resource, "clinicalStatus"),
        verification=verification,
        ended=_end(resource),
        detail=detail_of(_principal(resource), onset(resource), *notes(resource)),
    )


def _modified(concept: Element | None) -> str | None:
    """Prefix, name, postfix, where the sender gives no text of her own (which holds all three already)."""
    if concept is None or concept.text("text"):
        return None
    parts = [
        _modifier(concept, "JP_Condition_DiseasePrefixModifier"),
        label(concept),
        _modifier(concept, "JP_Condition_DiseasePostfixModifier"),
    ]
    return "".join(part for part in parts if part) or None


def _modifier(concept: Element, name: str) -> str | None:
    extension = concept.extension(name)
    return label(extension.element("valueCodeableConcept")) if extension else None


def _principal(resource: Element) -> str | None:
    extension = resource.extension("JP_eCS_DiagnosisType")
    kind = code_of(extension.element("valueCodeableConcept")) if extension else None
    return "主病名" if kind == "principal" else None


def onset(resource: Element) -> str | None:
    """An onset that is no date: an age, a range of ages, or words."""
    age, span = resource.element("onsetAge"), resource.element("onsetRange")
    text = _years(age) or (range_text(span) if span else None) or resource.text("onsetString")
    return f"発症 {one_line(text)}" if text else None


def _years(age: Element | None) -> str | None:
    if age and age.text("code") == "a" and not age.has("comparator"):
        number = age.number("value")
        return f"{number}歳" if number else None
    return quantity_text(age)


def _end(resource: Element) -> tuple[str | None, datetime | None]:
    """Abatement as sent, and its earliest moment where it is a date."""
    ended, ended_at = moment_of(resource, "abatementDateTime", "abatementPeriod")
    text = ended or resource.text("abatementString") or _years(resource.element("abatementAge"))
    return (one_line(text) if text else None), ended_at
