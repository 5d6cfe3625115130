"""Is a result out of its range? The laboratory's own mark first, then its number against its own reference range."""

from decimal import Decimal, InvalidOperation

from tsuzuri.domain.record import ReferenceRange, Value

ABNORMAL = frozenset("A AA H HH HU HX H> > L LL LU LX L< <".split())
NORMAL = frozenset({"N"})
"""HL7 v3 ObservationInterpretation. Its other codes (susceptible, positive, better, …) say neither."""


def is_abnormal(
    value: Value | None, interpretation: str | None, reference_range: ReferenceRange | None
) -> bool | None:
    """None: nobody can tell from what was sent.

    The ends of a range are in the value's unit: reading puts ends in another unit into words. A number that is only
    a bound ("< 0.5") is not compared.
    """
    if interpretation in ABNORMAL:
        return True
    if interpretation in NORMAL:
        return False
    if value is None or value.comparator is not None or reference_range is None:
        return None
    number, low, high = map(_number, (value.number, reference_range.low, reference_range.high))
    if number is None or (low is None and high is None):
        return None
    return (low is not None and number < low) or (high is not None and number > high)


def _number(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None
