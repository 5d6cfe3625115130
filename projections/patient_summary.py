"""The six informations of a patient as ready JSON: one row for each class, group of marks and document.

An entry's JSON has the fields of the record index's view, so a summary reads like a page of entries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tsuzuri.domain.events import BundleCancelled, BundleRegistered, BundleReplaced, Event
from tsuzuri.domain.vocabulary import SIX_INFORMATIONS
from tsuzuri.projections.record_index import ENTRIES
from tsuzuri.projections.record_rows import EntryRow, Fact, entry_rows, hidden_facts
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
            entries = entry_rows(recorded, event)
            for marked, hiding in hidden_facts(entries).items():
                _hide_earlier(rows, event.patient, marked, hiding)
            for entry in entries:
                _add(rows, event.patient, event.document, entry.record_class, entry.flags_now, _shown(entry))
        case BundleCancelled() as event:
            _forget(rows, recorded.owner, event.document)


def _forget(rows: Rows, patient: UUID, document: UUID) -> None:
    for row in rows.of(SummaryRow, patient, document=document):
        rows.remove(row)


def _add(
    rows: Rows,
    patient: UUID,
    document: UUID,
    record_class: str,
    flags: Sequence[str],
    entry: Mapping[str, Any],
) -> None:
    """Put one entry with its group: same class, same marks, same document."""
    marks = sorted(flags)
    group: dict[str, Any] = {"record_class": record_class, "marks": ",".join(marks), "document": document}
    before = [other for row in rows.of(SummaryRow, patient, **group) for other in _entries(row)]
    entries = _json([*before, {**entry, "flags": marks}])
    rows.put(SummaryRow(patient_id=patient, **group, flags=marks, entries=entries))


def _hide_earlier(rows: Rows, patient: UUID, marked: Fact, hiding: frozenset[str]) -> None:
    """As in the record index: what the facility sent before under the same name moves to the hidden group."""
    for row in rows.of(SummaryRow, patient, record_class=marked[0]):
        entries = _entries(row)
        covered = [entry for entry in entries if _fact(entry) == marked]
        if not covered or hiding <= set(row.flags):
            continue
        rows.remove(row)
        if rest := [entry for entry in entries if entry not in covered]:
            rows.put(replace(row, entries=_json(rest)))
        for entry in covered:
            _add(rows, patient, row.document, row.record_class, sorted({*row.flags, *hiding}), entry)


def _fact(entry: Mapping[str, Any]) -> Fact:
    return entry["recordClass"], entry["facility"], entry["source"] or UUID(entry["id"])


def _entries(row: SummaryRow) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = msgspec.json.decode(row.entries)
    return entries


def _json(entries: Sequence[Mapping[str, Any]]) -> str:
    return msgspec.json.encode(entries).decode()


def _shown(row: EntryRow) -> dict[str, Any]:
    shown = {field: getattr(row, column) for field, column in ENTRIES.fields.items()}
    return shown | {"sortAt": row.sort_at, "source": row.source}


SUMMARY = View(
    "summary",
    fields={"recordClass": "record_class", "entries": "entries"},
    order=("record_class", "marks", "document"),
    guarded=True,
)
VIEW = (SUMMARY,)
