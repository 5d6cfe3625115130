"""検査, 感染症 and the findings of a document: Observation."""

from datetime import datetime

from msgspec.structs import replace

from tsuzuri.domain.fhir.elements import Element, code_of, codings, label, moment
from tsuzuri.domain.fhir.entry import Source, detail_of, moment_of, notes, read_entry
from tsuzuri.domain.fhir.quantities import quantity_text, unit_of, value_of
from tsuzuri.domain.record import Entry, ReferenceRange, Value
from tsuzuri.domain.vocabulary import RecordClass

_CLINS = (
    "http://jpfhir.jp/fhir/clins/CodeSystem/"  # then JLAC10/ or JLAC11/ or, before they were split, neither
)
_INFECTION = "JP_CLINS_ObsLabResult_InfectionLabo_CS"
_LABORATORY = frozenset({"JP_CLINS_ObsLabResult_CoreLabo_CS", "JP_CLINS_ObsLabResult_LocalCode_CS"})
_JLAC10_17_DIGITS = "http://medis.or.jp/CodeSystem/master-JLAC10-17digits"
_SYSTOLIC, _DIASTOLIC = "8480-6", "8462-4"  # LOINC, JP_Observation_VitalSigns


def observation(source: Source) -> Entry:
    resource = source.resource
    read = read_entry(
        source,
        _record_class(source),
        concept=resource.element("code"),
        effective=_effective(resource),
        issued=["issued"],
        authors=["performer"],
        status=resource.text("status"),
        detail=detail_of(_absence(resource), *notes(resource)),
    )
    value = _value(resource)
    interpretations = (code_of(concept) for concept in resource.elements("interpretation"))
    return replace(
        read,
        value=value,
        interpretation=next((code for code in interpretations if code), None),
        reference_range=_reference_range(resource, value),
    )


def _record_class(source: Source) -> RecordClass:
    """An infection is one even when it is coded as an ordinary laboratory result too: fewer may see it."""
    if source.document_class is RecordClass.CHECKUP_REPORT:
        return RecordClass.CHECKUP_REPORT
    systems = [coding.system.partition("|")[0] for coding in codings(source.resource.element("code"))]
    clins = {system.rpartition("/")[2] for system in systems if system.startswith(_CLINS)}
    if _INFECTION in clins:
        return RecordClass.INFECTION
    categories = (code_of(category) for category in source.resource.elements("category"))
    if not clins.isdisjoint(_LABORATORY) or _JLAC10_17_DIGITS in systems or "laboratory" in categories:
        return RecordClass.LAB_RESULT
    if source.document_class is None:
        source.warnings.append("observation-not-coded-as-laboratory")
    return source.document_class or RecordClass.LAB_RESULT


def _effective(resource: Element) -> tuple[str | None, datetime | None]:
    timing = resource.element("effectiveTiming")
    events = timing.texts("event") if timing else []
    if timing and events:
        return events[0], moment(events[0], f"{timing.place}.event[0]")
    return moment_of(resource, "effectiveDateTime", "effectivePeriod", "effectiveInstant")


def _value(resource: Element) -> Value | None:
    """The own value; components beside it in brackets, or alone."""
    own, components = value_of(resource), resource.elements("component")
    told = _blood_pressure(components)
    if told is None:
        named = "、".join(text for text in map(_component, components) if text)
        told = Value(text=named) if named else None
    if own and told:
        return replace(own, text=f"{own.text}（{told.text}）")
    return own or told


def _component(component: Element) -> str | None:
    value = value_of(component)
    if value is None:
        return None
    name = label(component.element("code"))
    return f"{name}: {value.text}" if name else value.text


def _blood_pressure(components: list[Element]) -> Value | None:
    """ "120 / 80 mmHg", systolic first however they were sent."""
    by_code = {c.code: component for component in components for c in codings(component.element("code"))}
    if len(components) != 2 or not {_SYSTOLIC, _DIASTOLIC} <= by_code.keys():
        return None
    over, under = value_of(by_code[_SYSTOLIC]), value_of(by_code[_DIASTOLIC])
    if over is None or under is None or over.unit != under.unit:
        return None
    return Value(text=f"{over.number} / {under.text}", unit=over.unit)


def _absence(resource: Element) -> str | None:
    reason = label(resource.element("dataAbsentReason"))
    return f"結果なし（{reason}）" if reason else None


def _reference_range(resource: Element, value: Value | None) -> ReferenceRange | None:
    """The first range. Ends in another unit than the value's are told in words, lest they be compared."""
    spans = resource.elements("referenceRange")
    if not spans:
        return None
    low, high, text = spans[0].element("low"), spans[0].element("high"), spans[0].text("text")
    units = {unit_of(end) for end in (low, high) if end}
    if value and value.unit and units - {value.unit, None}:
        ends = " 〜 ".join(quantity_text(end) or "" for end in (low, high))
        return ReferenceRange(text=" ".join(part for part in (ends.strip(), text) if part) or None)
    return ReferenceRange(
        low=low.number("value") if low else None, high=high.number("value") if high else None, text=text
    )
