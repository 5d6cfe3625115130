"""Diagnoses and allergies of a patient as ready JSON: one row for each class, group of marks and document.

An entry's JSON has the fields of the record index's view, so a summary reads like a page of entries.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec.structs import replace

from tsuzuri.domain.events import (
    BundleAccepted,
    BundleCancelled,
    BundleRegistered,
    BundleReplaced,
    BundleRestored,
    Event,
    PayloadErased,
    RecordErased,
)
from tsuzuri.domain.retention import ranked
from tsuzuri.domain.vocabulary import SIX_INFORMATIONS
from tsuzuri.projections import fences, hiding_marks, replacement_sets
from tsuzuri.projections.hiding_marks import (
    NO_MARKS,
    MarkRow,
    covers,
    keep_marks,
    marks_looked_at,
    marks_of,
    marks_on,
)
from tsuzuri.projections.record_index import ENTRIES
from tsuzuri.projections.record_rows import EntryRow, entry_rows
from tsuzuri.projections.replacement_sets import Newest, SetRow, keep_set, set_classes, sets_looked_at
from tsuzuri.projections.rows import Look, Recorded, Row, Rows, look
from tsuzuri.projections.view import View

NAME, VERSION = "patient_summary", 5

READY_CLASSES = tuple(one for one in SIX_INFORMATIONS if not ranked(one))
"""Those of the six whose entries do not push each other out. Which results are the last is asked of the index."""

TABLES = f"""
CREATE TABLE summary (
    patient_id uuid NOT NULL, record_class text NOT NULL, marks text NOT NULL, document uuid NOT NULL,
    unit uuid NOT NULL, sender text NOT NULL, scope text NOT NULL, stated_at timestamptz NOT NULL,
    in_force boolean NOT NULL, flags text[] NOT NULL, entries text NOT NULL
);
{replacement_sets.TABLE}{hiding_marks.TABLE}{fences.of_groups("summary")}"""

INDEXES = f"""
ALTER TABLE summary ADD PRIMARY KEY (patient_id, record_class, marks, document);
{replacement_sets.INDEX}{hiding_marks.INDEX}"""


class SummaryRow(Row, frozen=True, kw_only=True):
    """The current entries of one class with the same marks out of one document."""

    TABLE, KEY = "summary", ("patient_id", "record_class", "marks", "document")

    patient_id: UUID
    record_class: str
    marks: str  # the flags, joined: a key needs one value
    document: UUID
    unit: UUID  # the payload they were read from: erased together
    sender: str
    scope: str
    stated_at: datetime  # Bundle.timestamp
    in_force: bool  # False: a newer set of the sender ended them, and should that be cancelled they are back
    flags: list[str]
    entries: str  # a JSON array; each says until when it may be seen


ROWS: tuple[type[Row], ...] = (SummaryRow, SetRow, MarkRow)
EVENTS: tuple[type[Event], ...] = (
    BundleRegistered,
    BundleReplaced,
    BundleRestored,
    BundleCancelled,
    PayloadErased,
    RecordErased,
)


def payloads(event: Event) -> Sequence[UUID]:
    if isinstance(event, BundleAccepted):
        return [unit.payload for unit in event.units if unit.record_class in READY_CLASSES]
    return []


def looks(event: Event) -> Sequence[Look]:
    match event:
        case BundleAccepted(document=document, facility=sender):
            hidden = [look(SummaryRow, sender=sender)] if event.hides else []
            return [look(SummaryRow, document=document), *hidden, *marks_looked_at(event), *_of_sets(event)]
        case BundleCancelled(document=document):
            return [look(SummaryRow, document=document), *_of_sets(event)]
        case PayloadErased(document=document):
            return [look(SummaryRow, document=document)]
        case _:
            return []


def _of_sets(event: BundleAccepted | BundleCancelled) -> list[Look]:
    classes = [look(SummaryRow, sender=event.facility, record_class=str(one)) for one in set_classes(event)]
    return [*sets_looked_at(event), *classes]


def apply(rows: Rows, recorded: Recorded[Event]) -> None:
    """Fold one event into the rows of its patient. Sees nothing else."""
    match recorded.event:
        case BundleAccepted() as event:
            _forget(rows, event.document)
            marks = marks_on(rows, event)
            groups: Groups = defaultdict(list)
            for entry in entry_rows(recorded, event):
                hidden = marks.get(entry.fact, NO_MARKS).beside(entry.flags_now, entry.flagged_at)
                flags = tuple(sorted(hidden.flags))
                group = Group(
                    entry.record_class,
                    flags,
                    event.document,
                    entry.unit,
                    event.facility,
                    event.scope,
                    entry.stated_at,
                )
                groups[group].append(_shown(entry) | {"flags": list(flags), "flaggedAt": hidden.at})
            if event.hides:
                _move_hidden(rows, event, groups)
                keep_marks(rows, event)
            _put(rows, event.patient, groups)
            keep_set(rows, event)
            _settle_sets(rows, event)
        case BundleCancelled() as event:
            _forget(rows, event.document)
            keep_set(rows, event)
            _settle_sets(rows, event)
        case PayloadErased() as event:
            for row in rows.of(SummaryRow, document=event.document):
                if row.unit in event.payloads:
                    rows.remove(row)
        case RecordErased():
            for kind in ROWS:
                rows.remove_all(kind)


class Group(NamedTuple):
    """What the entries of one row have in common. A class of one document lies in one unit."""

    record_class: str
    flags: tuple[str, ...]
    document: UUID
    unit: UUID
    sender: str
    scope: str
    stated_at: datetime
    in_force: bool = True


Groups = dict[Group, list[dict[str, Any]]]


def _forget(rows: Rows, document: UUID) -> None:
    for row in rows.of(SummaryRow, document=document):
        rows.remove(row)


def _move_hidden(rows: Rows, event: BundleAccepted, groups: Groups) -> None:
    """As in the record index: what the marks cover of the sender's other Bundles goes to the hidden group."""
    for row in rows.of(SummaryRow, sender=event.facility):
        entries = _entries(row)
        marked = [entry["fact"] in event.hides for entry in entries]
        if not any(marked) or not covers(event, row.stated_at):
            continue
        rows.remove(row)
        for entry, covered in zip(entries, marked, strict=True):
            own = marks_of(event, entry["fact"]) if covered else NO_MARKS
            marks = own.beside(row.flags, _moment(entry["flaggedAt"]))
            flags = tuple(sorted(marks.flags))
            group = Group(
                row.record_class,
                flags,
                row.document,
                row.unit,
                row.sender,
                row.scope,
                row.stated_at,
                row.in_force,
            )
            groups[group].append({**entry, "flags": flags, "flaggedAt": marks.at})


def _put(rows: Rows, patient: UUID, groups: Groups) -> None:
    for group, entries in groups.items():
        own: dict[str, Any] = {
            "document": group.document,
            "sender": group.sender,
            "record_class": group.record_class,
            "marks": ",".join(group.flags),
        }
        before = [entry for row in rows.of(SummaryRow, **own) for entry in _entries(row)]
        ordered = sorted([*before, *entries], key=lambda entry: str(entry["id"]))
        rows.put(
            SummaryRow(
                patient_id=patient,
                **own,
                unit=group.unit,
                scope=group.scope,
                stated_at=group.stated_at,
                in_force=group.in_force,
                flags=list(group.flags),
                entries=msgspec.json.encode(ordered).decode(),
            )
        )


def _settle_sets(rows: Rows, event: BundleAccepted | BundleCancelled) -> None:
    """As in the record index: what the newest set does not say is not in force, all else is."""
    if not (classes := set_classes(event)):
        return
    newest = Newest(rows, event.facility)
    for record_class in classes:
        for row in rows.of(SummaryRow, record_class=str(record_class), sender=event.facility):
            if row.in_force == newest.ends(row):
                rows.put(replace(row, in_force=not row.in_force))


def _entries(row: SummaryRow) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = msgspec.json.decode(row.entries)
    return entries


def _moment(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)


def _shown(row: EntryRow) -> dict[str, Any]:
    shown = {field: getattr(row, column) for field, column in ENTRIES.fields.items()}
    return shown | {"sortAt": row.sort_at, "visibleUntil": row.visible_until, "fact": row.fact}


VIEW = View(
    "summary",
    fields={"recordClass": "record_class", "entries": "entries", "inForce": "in_force"},
    order=("record_class", "marks", "document"),
    guarded=True,
)
