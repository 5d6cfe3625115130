"""How long what was registered may be seen: by class, measured from what, and what is seen however old it is.

Periods count in Japan's calendar. They end at the moment that corresponds to the one they are measured from; where the
last month has no such day, with that month. Source: the papers of 厚生労働省's working group of 2024 and 2025; where
none gives a figure, the table says so.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from tsuzuri.domain.vocabulary import Flag, RecordClass

RECEIVED = timedelta(days=7)
"""A referral that its recipient has received is kept so long from there, for faults; then it is erased."""
LAST = 3
"""最新3回分: of each group of results (and of each drug) so many are seen however old they are."""
_JAPAN = timezone(timedelta(hours=9))


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """The rule of one class."""

    years: int = 0
    months: int = 0
    days: int = 0
    from_effective: bool = False  # measured from the result's or order's own time; else from the registration
    last: bool = False  # the newest `LAST` of each group are seen beyond the period
    long_term: bool = True  # LTS (長期保存) sets no end


RETENTION: Mapping[RecordClass, Keeping] = {
    RecordClass.CONDITION: Keeping(years=5),
    RecordClass.DRUG_ALLERGY: Keeping(years=5),
    RecordClass.OTHER_ALLERGY: Keeping(years=5),
    RecordClass.INFECTION: Keeping(years=5, last=True),
    RecordClass.LAB_RESULT: Keeping(years=1, from_effective=True, last=True),
    RecordClass.PRESCRIPTION: Keeping(days=100, from_effective=True, last=True),
    RecordClass.REFERRAL: Keeping(months=6, long_term=False),  # never received; no official figure was found
    RecordClass.DISCHARGE_SUMMARY: Keeping(
        years=5, long_term=False
    ),  # on its own: no figure yet; as a check-up
    RecordClass.CHECKUP_REPORT: Keeping(years=5, long_term=False),
    RecordClass.PATIENT_SUMMARY: Keeping(months=6, long_term=False),
}


def visible_until(
    record_class: RecordClass,
    *,
    registered_at: datetime,
    effective_at: datetime | None = None,
    flags: Collection[Flag] = (),
) -> datetime | None:
    """From when on it is seen no more (aware, UTC; exclusive end); None: no end.

    What is among the last of its group is seen beyond that: `ranked` tells of which classes.
    """
    keeping = RETENTION[record_class]
    if keeping.long_term and Flag.LTS in flags:
        return None
    start = (effective_at or registered_at) if keeping.from_effective else registered_at
    return _after(start, keeping)


def ends_after_receipt(until: datetime | None, received_at: datetime) -> datetime:
    """From when on a received referral is seen no more: a week later, unless it ended before."""
    ends = received_at + RECEIVED
    return ends if until is None else min(until, ends)


def ranked(record_class: RecordClass) -> bool:
    """Whether the last of each group are seen however old they are."""
    return RETENTION[record_class].last


def _after(start: datetime, keeping: Keeping) -> datetime | None:
    """None when it lies beyond the calendar: that is no end for anybody."""
    local = start.astimezone(_JAPAN)
    months = local.year * 12 + local.month - 1 + keeping.years * 12 + keeping.months
    try:
        month = local.replace(year=months // 12, month=months % 12 + 1, day=1)
        same_day = month + timedelta(days=local.day - 1)
        if same_day.month != month.month:  # there is no such day: the period ends with the month
            same_day = same_day.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return (same_day + timedelta(days=keeping.days)).astimezone(start.tzinfo)
    except (ValueError, OverflowError):
        return None
