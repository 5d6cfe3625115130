"""Marks that hide a fact, kept so that they cover what their sender said of it until then, however late that comes.

A mark (未告知, 未提供) in one Bundle covers the same fact in every Bundle of its facility that is not newer by its
`Bundle.timestamp`: no `asOf` may show what it covers. What a newer Bundle says without the mark is shown again. Whose
fact it is goes by who registered it: what an entry says of its facility could be anybody's.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.events import BundleAccepted
from tsuzuri.projections.rows import Look, Row, Rows, look

TABLE = """
CREATE TABLE hiding_mark (
    patient_id uuid NOT NULL, document uuid NOT NULL, sender text NOT NULL, fact text NOT NULL,
    marks text[] NOT NULL, timestamp timestamptz NOT NULL
);
"""
INDEX = "ALTER TABLE hiding_mark ADD PRIMARY KEY (patient_id, document, fact, timestamp);"


class MarkRow(Row, frozen=True, kw_only=True):
    """What one version of a document marked. It stays when that is replaced, cancelled or erased."""

    TABLE, KEY = "hiding_mark", ("patient_id", "document", "fact", "timestamp")

    patient_id: UUID
    document: UUID
    sender: str
    fact: str
    marks: list[str]
    timestamp: datetime  # of the Bundle


def marks_looked_at(event: BundleAccepted) -> Sequence[Look]:
    return [look(MarkRow, sender=event.facility)]


def keep_marks(rows: Rows, event: BundleAccepted) -> None:
    """Note what a Bundle marks, beside what an earlier version of the same time marked."""
    for fact, marks in event.hides.items():
        before = rows.of(MarkRow, sender=event.facility, document=event.document, fact=fact)
        earlier = {mark for row in before if row.timestamp == event.timestamp for mark in row.marks}
        rows.put(
            MarkRow(
                patient_id=event.patient,
                document=event.document,
                sender=event.facility,
                fact=fact,
                marks=sorted({*earlier, *marks}),
                timestamp=event.timestamp,
            )
        )


def marks_from_others(rows: Rows, event: BundleAccepted) -> dict[str, set[str]]:
    """Fact → the marks that other Bundles, not older than this one, have put on it. Its own word counts by arrival."""
    found: dict[str, set[str]] = {}
    for row in rows.of(MarkRow, sender=event.facility):
        if row.document != event.document and row.timestamp >= event.timestamp:
            found.setdefault(row.fact, set()).update(row.marks)
    return found


def covers(event: BundleAccepted, stated_at: datetime) -> bool:
    """Whether the marks of a Bundle reach what was stated then."""
    return stated_at <= event.timestamp
