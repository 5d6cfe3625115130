"""Marks that hide a fact, kept so that they cover what their sender said of it until then, however late that comes.

A mark (未告知, 未提供) in one Bundle covers the same fact in every Bundle of its facility that is not newer by its
`Bundle.timestamp`: no `asOf` may show what it covers. What a newer Bundle says without the mark is shown again. Whose
fact it is goes by who registered it: what an entry says of its facility could be anybody's.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

from tsuzuri.domain.events import BundleAccepted
from tsuzuri.projections import fences
from tsuzuri.projections.rows import Look, Row, Rows, look

TABLE = f"""
CREATE TABLE hiding_mark (
    patient_id uuid NOT NULL, document uuid NOT NULL, sender text NOT NULL, fact text NOT NULL,
    marks text[] NOT NULL, marked_at timestamptz, timestamp timestamptz NOT NULL
);
{fences.of_patients("hiding_mark")}"""
INDEX = "ALTER TABLE hiding_mark ADD PRIMARY KEY (patient_id, document, fact, timestamp);"


class MarkRow(Row, frozen=True, kw_only=True):
    """What one version of a document marked. It stays when that is replaced, cancelled or erased."""

    TABLE, KEY = "hiding_mark", ("patient_id", "document", "fact", "timestamp")

    patient_id: UUID
    document: UUID
    sender: str
    fact: str
    marks: list[str]
    marked_at: datetime | None  # when its sender set or changed them, as far as it says so
    timestamp: datetime  # of the Bundle


class Marks(NamedTuple):
    """What hides a fact, and since when."""

    flags: frozenset[str] = frozenset()
    at: datetime | None = None

    def beside(self, flags: Iterable[str], at: datetime | None) -> Self:
        """Together with others; the date is that of the last change."""
        return self._replace(flags=self.flags.union(flags), at=latest(self.at, at))


NO_MARKS = Marks()


def marks_looked_at(event: BundleAccepted) -> Sequence[Look]:
    return [look(MarkRow, sender=event.facility)]


def marks_of(event: BundleAccepted, fact: str) -> Marks:
    """What a Bundle itself puts on a fact."""
    return Marks(frozenset(event.hides.get(fact, ())), event.marked_at.get(fact))


def keep_marks(rows: Rows, event: BundleAccepted) -> None:
    """Note what a Bundle marks, beside what an earlier version of the same time marked."""
    for fact in event.hides:
        marks = marks_of(event, fact)
        for row in rows.of(MarkRow, sender=event.facility, document=event.document, fact=fact):
            if row.timestamp == event.timestamp:
                marks = marks.beside(row.marks, row.marked_at)
        rows.put(
            MarkRow(
                patient_id=event.patient,
                document=event.document,
                sender=event.facility,
                fact=fact,
                marks=sorted(marks.flags),
                marked_at=marks.at,
                timestamp=event.timestamp,
            )
        )


def marks_on(rows: Rows, event: BundleAccepted) -> dict[str, Marks]:
    """Fact → what hides it in this Bundle: its own marks, and those of other Bundles that are not older.

    Of its own versions the last to arrive counts alone.
    """
    found = {fact: marks_of(event, fact) for fact in event.hides}
    for row in rows.of(MarkRow, sender=event.facility):
        if row.document != event.document and row.timestamp >= event.timestamp:
            found[row.fact] = found.get(row.fact, NO_MARKS).beside(row.marks, row.marked_at)
    return found


def covers(event: BundleAccepted, stated_at: datetime) -> bool:
    """Whether the marks of a Bundle reach what was stated then."""
    return stated_at <= event.timestamp


def latest(*times: datetime | None) -> datetime | None:
    return max((time for time in times if time is not None), default=None)
