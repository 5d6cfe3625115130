"""Whether a period ends before it starts, as far as its two dates say it."""

import re

from tsuzuri.domain.fhir.elements import moment
from tsuzuri.domain.fhir.rejection import BundleRejected

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\S{1,40})?)?)?", re.ASCII)


def ends_before_start(start: str | None, end: str | None) -> bool:
    """Dates are compared as exactly as the vaguer one is told: 2024 does not end before 2024-05 starts."""
    if not start or not end or not _DATE.fullmatch(start) or not _DATE.fullmatch(end):
        return False
    if "T" in start and "T" in end:
        try:
            first, last = moment(start, ""), moment(end, "")
        except BundleRejected:
            return False
        return first is not None and last is not None and last < first
    shared = min(len(start.partition("T")[0]), len(end.partition("T")[0]))
    return end[:shared] < start[:shared]
