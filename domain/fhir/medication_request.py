"""処方: MedicationRequest."""

import unicodedata

from tsuzuri.domain.fhir.elements import Element, label, one_line
from tsuzuri.domain.fhir.entry import Source, detail_of, moment_of, notes, read_entry
from tsuzuri.domain.fhir.quantities import quantity_text, range_text, ratio_text, unit_of
from tsuzuri.domain.record import Entry
from tsuzuri.domain.vocabulary import RecordClass


def medication_request(source: Source) -> Entry:
    resource = source.resource
    return read_entry(
        source,
        RecordClass.PRESCRIPTION,
        concept=_medication(source),
        name=_referred_display(resource) if not _medication(source) else None,
        effective=moment_of(resource, "authoredOn"),
        issued=["authoredOn"],
        authors=["requester", "recorder"],
        status=resource.text("status"),
        detail=_detail(resource),
    )


def _medication(source: Source) -> Element | None:
    """The drug: coded in place, or in the Medication referred to."""
    resource = source.resource
    if concept := resource.element("medicationCodeableConcept"):
        return concept
    reference = resource.element("medicationReference")
    found = source.references.find(reference, resource) if reference else None
    return found.element("code") if found else None


def _referred_display(resource: Element) -> str | None:
    reference = resource.element("medicationReference")
    return reference.text("display") if reference else None


def _detail(resource: Element) -> str | None:
    """How to take it, for how long. A prohibition comes first: without it the line means the opposite."""
    dosages = list(filter(None, map(_dosage, resource.elements("dosageInstruction"))))
    return detail_of(
        "投与しないこと" if resource.truth("doNotPerform") else None,
        *dosages,
        None if dosages else _supply(resource),
        *notes(resource),
    )


def _supply(resource: Element) -> str | None:
    dispense = resource.element("dispenseRequest")
    return quantity_text(dispense.element("quantity")) if dispense else None


def _dosage(dosage: Element) -> str | None:
    """ "内服・経口・１日３回朝昼夕食後 1回 1 錠 7 日分": the sender's line, then the figures it lacks."""
    timing = dosage.element("timing")
    repeat = timing.element("repeat") if timing else None
    said = (
        dosage.text("text") or (label(timing.element("code")) if timing else None),
        *map(label, dosage.elements("additionalInstruction")),
        dosage.text("patientInstruction"),
        "頓用" if dosage.truth("asNeededBoolean") else None,
    )
    line = " ".join(one_line(part) for part in dict.fromkeys(said) if part)
    return " ".join(part for part in (line, *_amounts(dosage, line), _days(repeat, line)) if part) or None


def _amounts(dosage: Element, line: str) -> list[str]:
    """Amount at a time, else per day; none where the line already counts in that unit."""
    for dose in dosage.elements("doseAndRate"):
        quantity, span, ratio = (dose.element(k) for k in ("doseQuantity", "doseRange", "rateRatio"))
        if quantity and not _counts(line, unit_of(quantity)):
            return [f"1回 {quantity_text(quantity)}"]
        if span and (text := range_text(span)):
            return [f"1回 {text}"]
        if ratio and quantity is None and (text := ratio_text(ratio)):
            numerator = ratio.element("numerator")
            return [] if numerator and _counts(line, unit_of(numerator)) else [text]
    return []


def _days(repeat: Element | None, line: str) -> str | None:
    bounds = repeat.element("boundsDuration") if repeat else None
    if bounds is None or "日分" in line or unit_of(bounds) not in ("日", "d"):
        return None
    number = bounds.number("value")
    return f"{number} 日分" if number else None


def _counts(line: str, unit: str | None) -> bool:
    """Whether the line has a number with this unit: "２錠" counts in 錠."""
    head, found, _ = unicodedata.normalize("NFKC", line).partition(unit or "\0")
    return bool(found) and head.rstrip()[-1:].isdigit()
