"""A result is abnormal by its laboratory's mark, else by its range, else nobody knows."""

import pytest

from tsuzuri.domain.record import ReferenceRange, Value
from tsuzuri.domain.results import is_abnormal


def measured(number: str | None, comparator: str | None = None) -> Value:
    return Value(text="x", number=number, comparator=comparator, unit="mg/dL")


RANGE = ReferenceRange(low="0.40", high="0.80")


@pytest.mark.parametrize(
    ("value", "interpretation", "reference_range", "abnormal"),
    [
        (measured("9"), "N", RANGE, False),
        (measured("0.5"), "HH", RANGE, True),
        (None, "A", None, True),
        (measured("0.81"), None, RANGE, True),
        (measured("0.39"), None, RANGE, True),
        (measured("0.4"), None, RANGE, False),
        (measured("0.8"), "R", RANGE, False),
        (measured("0.9"), None, ReferenceRange(low="0.4"), False),
        (measured("0.9"), None, ReferenceRange(high="0.4"), True),
        (measured("0.1", "<"), None, RANGE, None),
        (measured(None), None, RANGE, None),
        (measured("0.5"), None, ReferenceRange(text="陰性"), None),
        (measured("0.5"), None, None, None),
        (None, "S", None, None),
    ],
)
def test_by_the_mark_then_by_the_range(
    value: Value | None,
    interpretation: str | None,
    reference_range: ReferenceRange | None,
    abnormal: bool | None,
) -> None:
    assert is_abnormal(value, interpretation, reference_range) is abnormal
