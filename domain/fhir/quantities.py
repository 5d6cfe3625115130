"""Results and amounts: numbers with their unit, words, and both readable in one line."""

from tsuzuri.domain.fhir.elements import Element, codings, label, one_line
from tsuzuri.domain.record import Value

_PLAIN = ("valueString", "valueTime", "valueDateTime")


def value_of(owner: Element) -> Value | None:
    """value[x] of an Observation or one of its components."""
    if quantity := owner.element("valueQuantity"):
        return quantity_value(quantity)
    if concept := owner.element("valueCodeableConcept"):
        text = label(concept)
        return Value(text=text, coding=next(iter(codings(concept)), None)) if text else None
    for key in _PLAIN:
        if text := owner.text(key):
            return Value(text=one_line(text))
    if (number := owner.number("valueInteger")) is not None:
        return Value(text=number, number=number)
    if (truth := owner.truth("valueBoolean")) is not None:
        return Value(text="はい" if truth else "いいえ")
    if text := _composed(owner):
        return Value(text=text)
    return None


def _composed(owner: Element) -> str | None:
    if span := owner.element("valueRange"):
        return range_text(span)
    if ratio := owner.element("valueRatio"):
        return ratio_text(ratio)
    if period := owner.element("valuePeriod"):
        return f"{period.text('start') or ''} 〜 {period.text('end') or ''}".strip()
    return "波形データ" if owner.has("valueSampledData") else None


def quantity_value(quantity: Element) -> Value | None:
    number, unit = quantity.number("value"), unit_of(quantity)
    if number is None:
        return None
    comparator = quantity.text("comparator")
    text = " ".join(part for part in (comparator, number, unit) if part)
    return Value(text=text, number=number, comparator=comparator, unit=unit)


def quantity_text(quantity: Element | None) -> str | None:
    value = quantity_value(quantity) if quantity else None
    return value.text if value else None


def unit_of(quantity: Element) -> str | None:
    return quantity.text("unit") or quantity.text("code")


def range_text(span: Element) -> str | None:
    """ "1 〜 3 mg": the unit once when both ends share it."""
    low, high = span.element("low"), span.element("high")
    if low and high and unit_of(low) == unit_of(high):
        return f"{low.number('value') or ''} 〜 {quantity_text(high) or ''}".strip()
    if low is None and high is None:
        return None
    return f"{quantity_text(low) or ''} 〜 {quantity_text(high) or ''}".strip()


def ratio_text(ratio: Element) -> str | None:
    """A titre "1 : 80", or an amount in another "3 錠 / 1 日"."""
    numerator, denominator = ratio.element("numerator"), ratio.element("denominator")
    over, under = quantity_text(numerator), quantity_text(denominator)
    if numerator is None or denominator is None or over is None or under is None:
        return over
    return f"{over} / {under}" if unit_of(numerator) or unit_of(denominator) else f"{over} : {under}"
