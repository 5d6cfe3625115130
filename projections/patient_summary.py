"""The six informations of a patient as ready JSON: one row for each class, group of marks and document.

An entry's JSON has the fields of the record index's view, so a summary reads like a page of entries.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from tsuzuri.domain.events import BundleCancelled, BundleRegistered, BundleReplaced, Event
from tsuzuri.domain.units import load_entries
from tsuzuri.domain.vocabulary import SIX_INFORMATIONS
from tsuzuri.projections.record_index import ENTRIES
from tsuzuri.projections.record_rows import EntryRow, entry_row
from tsuzuri.projections.rows import Recorded, Row, Rows
from tsuzuri.projections.view import View

NAME, VERSION = "patient_summary", 1

TABLES = """
CREATE TABLE summary (
    patient_id uuid NOT NULL, record_class text NOT NULL, marks text NOT NULL, document uuid NOT NULL,
    flags text[] NOT NULL, entries text NOT NULL, valid_until timestamptz,
    PRIMARY KEY (patient_id, record_class, marks, document)
);
"""


@dataclass(frozen=True, kw_only=True)
class SummaryRow(Row):
    """The current entries of one class with the same marks out of one document."""

    TABLE, KEY = "summary", ("patient_id", "record_class", "marks", "document")

    patient_id: UUID
    record_class: str
    marks: str  # the flags, joined: a key needs one value
    document: UUID
    flags: list[str]
    entries: str  # a JSON array
    valid_until: datetime | None = None


ROWS: tuple[type[Row], ...] = (SummaryRow,)
EVENTS: tuple[type[Event], ...] = (BundleRegistered, BundleReplaced, BundleCancelled)


def payloads(event: Event) -> Sequence[UUID]:
    if isinstance(event, BundleRegistered | BundleReplaced):
        return [unit.payload for unit in event.units if unit.record_class in SIX_INFORMATIONS]
    return []


def apply(rows: Rows, recorded: Recorded[Event]) -> None:
    """Fold one event into the rows of its patient. Sees nothing else."""
    match recorded.event:
        case BundleRegistered() | BundleReplaced() as event:
            _forget(rows, recorded.owner, event.document)
            groups: dict[tuple[str, str], list[EntryRow]] = defaultdict(list)
            for payload in payloads(event):
                body = recorded.payloads.get(payload)
                for entry in load_entries(body) if body is not None else ():
                    row = entry_row(recorded, event, entry)
                    groups[row.record_class, ",".join(row.flags)].append(row)
            for (record_class, marks), entries in groups.items():
                rows.put(
                    SummaryRow(
                        patient_id=event.patient,
                        record_class=record_class,
                        marks=marks,
                        document=event.document,
                        flags=entries[0].flags,
                        entries=msgspec.json.encode([_shown(entry) for entry in entries]).decode(),
                    )
                )
        case BundleCancelled() as event:
            _forget(rows, recorded.owner, event.document)


def _forget(rows: Rows, patient: UUID, document: UUID) -> None:
    for row in rows.of(SummaryRow, patient, document=document):
        rows.remove(row)


def _shown(row: EntryRow) -> dict[str, object]:
    return {field: getattr(row, column) for field, column in ENTRIES.fields.items()} | {"sortAt": row.sort_at}


SUMMARY = View(
    "summary",
    fields={"recordClass": "record_class", "entries": "entries"},
    order=("record_class", "marks", "document"),
    guarded=True,
)
VIEW = (SUMMARY,)
