"""What a result measures, under one release of the codes: what "the last three of each" and a trend go by."""

from datetime import date, timedelta, timezone

from tsuzuri.domain.codes import NATIONAL, Codes
from tsuzuri.domain.record import Entry
from tsuzuri.domain.rules.systems import last_name
from tsuzuri.domain.vocabulary import RESULT_CLASSES, RecordClass

NAMED = "name/"
"""In front of what has no group. A group's id has no "/": no facility's name for a test can pass for a group."""
_JAPAN = timezone(timedelta(hours=9))


def analyte(entry: Entry, codes: Codes) -> str | None:
    """The id of the result's group; else its name in the national list, else the sender's own; None for no result."""
    if entry.record_class not in RESULT_CLASSES:
        return None
    if (group := codes.group_of(entry.codings, measured_on(entry))) is not None:
        return group
    if entry.record_class is RecordClass.CHECKUP_REPORT:
        return None
    listed = (one.display for one in entry.codings if last_name(one.system) in NATIONAL and one.display)
    return NAMED + next(listed, entry.name)


def measured_on(entry: Entry) -> date | None:
    """The day in Japan under whose codes a result was reported."""
    moment = entry.effective_at or entry.issued_at
    return None if moment is None else moment.astimezone(_JAPAN).date()
