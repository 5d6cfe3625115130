"""The six informations of a patient as ready JSON: one row for each class, group of marks and document.

An entry's JSON has the fields of the record index's view, so a summary reads like a page of entries.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tsuzuri.domain.events import (
    BundleAccepted,
    BundleCancelled,
    BundleRegistered,
    BundleReplaced,
    Event,
    PayloadErased,
    RecordErased,
)
from tsuzuri.domain.vocabulary import SIX_INFORMATIONS
from tsuzuri.projections.record_index import ENTRIES
from tsuzuri.projections.record_rows import EntryRow, entry_rows
from tsuzuri.projections.rows import Look, Recorded, Row, Rows, look
from tsuzuri.projections.view import View

NAME, VERSION = "patient_summary", 1

TABLES = """
CREATE TABLE summary (
    patient_id uuid NOT NULL, record_class text NOT NULL, marks text NOT NULL, document uuid NOT NULL,
    unit uuid NOT NULL, flags text[] NOT NULL, entries text NOT NULL, valid_until timestamptz
);
"""

INDEXES = """
ALTER TABLE summary ADD PRIMARY KEY (patient_id, record_class, marks, document);
"""


class SummaryRow(Row, frozen=True, kw_only=True):
    """The current entries of one class with the same marks out of one document."""

    TABLE, KEY = "summary", ("patient_id", "record_class", "marks", "document")

    patient_id: UUID
    record_class: str
    marks: str  # the flags, joined: a key needs one value
    document: UUID
    unit: UUID  # the payload they were read from: erased together
    flags: list[str]
    entries: str  # a JSON array
    valid_until: datetime | None = None


ROWS: tuple[type[Row], ...] = (SummaryRow,)
EVENTS: tuple[type[Event], ...] = (
    BundleRegistered,
    BundleReplaced,
    BundleCancelled,
    PayloadErased,
    RecordErased,
)


def payloads(event: Event) -> Sequence[UUID]:
    if isinstance(event, BundleRegistered | BundleReplaced):
        return [unit.payload for unit in event.units if unit.record_class in SIX_INFORMATIONS]
    return []


def looks(event: Event) -> Sequence[Look]:
    match event:
        case BundleAccepted(hides=hides) if hides:
            return [look(SummaryRow)]
        case BundleAccepted() | BundleCancelled() | PayloadErased():
            return [look(SummaryRow, document=event.document)]
        case _:
            return []


def apply(rows: Rows, recorded: Recorded[Event]) -> None:
    """Fold one event into the rows of its patient. Sees nothing else."""
    match recorded.event:
        case BundleRegistered() | BundleReplaced() as event:
            _forget(rows, event.document)
            entries = entry_rows(recorded, event)
            groups: Groups = defaultdict(list)
            for entry in entries:
                group = (entry.record_class, tuple(entry.flags_now), event.document, entry.unit)
                groups[group].append(_shown(entry))
            _move_hidden(rows, event, groups)
            _put(rows, event.patient, groups)
        case BundleCancelled() as event:
            _forget(rows, event.document)
        case PayloadErased() as event:
            for row in rows.of(SummaryRow, document=event.document):
                if row.unit in event.payloads:
                    rows.remove(row)
        case RecordErased():
            rows.remove_all(SummaryRow)


Groups = dict[tuple[str, tuple[str, ...], UUID, UUID], list[dict[str, Any]]]
"""Entries by class, marks, document and unit. A class of one document lies in one unit."""


def _forget(rows: Rows, document: UUID) -> None:
    for row in rows.of(SummaryRow, document=document):
        rows.remove(row)


def _move_hidden(rows: Rows, event: BundleAccepted, groups: Groups) -> None:
    """As in the record index: what the same facility sent before of a hidden fact goes to the hidden group."""
    for row in rows.of(SummaryRow) if event.hides else ():
        entries = _entries(row)
        marked = [e["sender"] == event.facility and e["fact"] in event.hides for e in entries]
        if not any(marked):
            continue
        rows.remove(row)
        for entry, covered in zip(entries, marked, strict=True):
            marks = event.hides[entry["fact"]] if covered else ()
            flags = tuple(sorted({*row.flags, *marks}))
            groups[row.record_class, flags, row.document, row.unit].append({**entry, "flags": flags})


def _put(rows: Rows, patient: UUID, groups: Groups) -> None:
    for (record_class, flags, document, unit), entries in groups.items():
        group: dict[str, Any] = {"record_class": record_class, "marks": ",".join(flags), "document": document}
        before = [entry for row in rows.of(SummaryRow, **group) for entry in _entries(row)]
        ordered = sorted([*before, *entries], key=lambda entry: str(entry["id"]))
        body = msgspec.json.encode(ordered).decode()
        rows.put(SummaryRow(patient_id=patient, **group, unit=unit, flags=list(flags), entries=body))


def _entries(row: SummaryRow) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = msgspec.json.decode(row.entries)
    return entries


def _shown(row: EntryRow) -> dict[str, Any]:
    shown = {field: getattr(row, column) for field, column in ENTRIES.fields.items()}
    return shown | {"sortAt": row.sort_at, "analyte": row.analyte, "fact": row.fact}


VIEW = View(
    "summary",
    fields={"recordClass": "record_class", "entries": "entries"},
    order=("record_class", "marks", "document"),
    guarded=True,
)
