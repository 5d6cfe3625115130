"""The entries and documents of a patient, now and as of any moment.

Rows are closed, not deleted. What must not be seen any more at any `asOf` (a cancelled Bundle, an entry that was
marked later) says so on every one of its rows: `cancelled`, `flags_now`.
"""

from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace

from tsuzuri.domain.events import (
    BundleAccepted,
    BundleCancelled,
    BundleRegistered,
    BundleReplaced,
    Event,
    PayloadErased,
    RecordErased,
)
from tsuzuri.domain.units import load_document
from tsuzuri.projections.record_rows import (
    DocumentRow,
    EntryRow,
    document_row,
    entry_rows,
)
from tsuzuri.projections.rows import Look, Recorded, Row, Rows, look
from tsuzuri.projections.view import View

NAME, VERSION = "record_index", 1

TABLES = """
CREATE TABLE document (
    patient_id uuid NOT NULL, document uuid NOT NULL, from_pos bigint NOT NULL, to_pos bigint,
    registered_at timestamptz NOT NULL, closed_at timestamptz, cancelled boolean NOT NULL,
    visible_until timestamptz, event_id uuid NOT NULL, kind text NOT NULL, record_class text, flags_now text[] NOT NULL,
    facility text NOT NULL, facility_name text, department text, author text, title text NOT NULL,
    system text NOT NULL, value text NOT NULL, timestamp timestamptz NOT NULL, dated timestamptz,
    recipient text, recipient_name text, attachments text NOT NULL, received uuid NOT NULL,
    sort_at timestamptz NOT NULL
);
CREATE TABLE entry (
    patient_id uuid NOT NULL, entry uuid NOT NULL, from_pos bigint NOT NULL, to_pos bigint,
    registered_at timestamptz NOT NULL, closed_at timestamptz, cancelled boolean NOT NULL,
    visible_until timestamptz, document uuid NOT NULL, document_kind text NOT NULL, unit uuid NOT NULL,
    record_class text NOT NULL,
    resource_type text NOT NULL, resource_place integer NOT NULL, sender text NOT NULL,
    fact text NOT NULL, analyte text, name text NOT NULL,
    codings text NOT NULL,
    codes text[] NOT NULL, effective text, effective_at timestamptz, issued_at timestamptz,
    sort_at timestamptz NOT NULL,
    facility text NOT NULL, department text, author text, status text, verification text,
    flags text[] NOT NULL, flags_now text[] NOT NULL, flagged_at timestamptz,
    value text, interpretation text, reference_range text,
    ended text, ended_at timestamptz, detail text
);
"""

INDEXES = """
ALTER TABLE document ADD PRIMARY KEY (patient_id, document, from_pos);
ALTER TABLE entry ADD PRIMARY KEY (patient_id, entry, from_pos);
CREATE INDEX document_page ON document (patient_id, sort_at DESC, document DESC);
CREATE INDEX entry_page ON entry (patient_id, sort_at DESC, entry DESC);
CREATE INDEX entry_class_page ON entry (patient_id, record_class, sort_at DESC, entry DESC);
CREATE INDEX entry_document ON entry (patient_id, document);
CREATE INDEX entry_fact ON entry (patient_id, sender, fact);
"""


ROWS: tuple[type[Row], ...] = (DocumentRow, EntryRow)
EVENTS: tuple[type[Event], ...] = (
    BundleRegistered,
    BundleReplaced,
    BundleCancelled,
    PayloadErased,
    RecordErased,
)


def payloads(event: Event) -> Sequence[UUID]:
    """What `apply` needs of an event beside itself."""
    if isinstance(event, BundleRegistered | BundleReplaced):
        return [event.head, *(unit.payload for unit in event.units)]
    return []


def looks(event: Event) -> Sequence[Look]:
    """The document's versions and their entries; for a mark that hides, what its sender said of the same facts."""
    match event:
        case BundleAccepted(document=document):
            hidden = [look(EntryRow, sender=event.facility, fact=fact) for fact in event.hides]
            return [look(DocumentRow, document=document), look(EntryRow, document=document), *hidden]
        case BundleCancelled(document=document) | PayloadErased(document=document):
            return [look(DocumentRow, document=document), look(EntryRow, document=document)]
        case _:
            return []


def apply(rows: Rows, recorded: Recorded[Event]) -> None:
    """Fold one event into the rows of its patient. Sees nothing else."""
    match recorded.event:
        case BundleRegistered() | BundleReplaced() as event:
            _close(rows, recorded, event.document)
            _open(rows, recorded, event)
        case BundleCancelled() as event:
            _close(rows, recorded, event.document)
            for row in rows.of(DocumentRow, document=event.document):
                rows.put(replace(row, cancelled=True))
            for entry in rows.of(EntryRow, document=event.document):
                rows.put(replace(entry, cancelled=True))
        case PayloadErased() as event:
            for row in rows.of(DocumentRow, document=event.document):
                if row.received in event.payloads:
                    rows.remove(row)
            for entry in rows.of(EntryRow, document=event.document):
                if entry.unit in event.payloads:
                    rows.remove(entry)
        case RecordErased():
            for kind in (DocumentRow, EntryRow):
                rows.remove_all(kind)


def _close(rows: Rows, recorded: Recorded[Event], document: UUID) -> None:
    """End the version in force, if there is one."""
    for kind in (DocumentRow, EntryRow):
        for row in rows.of(kind, document=document, to_pos=None):
            assert isinstance(row, DocumentRow | EntryRow)
            rows.put(replace(row, to_pos=recorded.pos, closed_at=recorded.recorded_at))


def _open(rows: Rows, recorded: Recorded[Event], event: BundleRegistered | BundleReplaced) -> None:
    head = recorded.payloads.get(event.head)
    if head is not None:
        rows.put(document_row(recorded, event, load_document(head)))
    entries = entry_rows(recorded, event)
    if event.hides:
        _hide_earlier(rows, event)
    for entry in entries:
        rows.put(entry)


def _hide_earlier(rows: Rows, event: BundleAccepted) -> None:
    """A mark that hides a fact hides what the same facility sent of it before, in whichever Bundle.

    No `asOf` may show what the mark covers now. A version sent later without the mark is shown again. Whose fact
    it is goes by who registered it: what an entry says of its facility could be anybody's.
    """
    for fact, marks in event.hides.items():
        for earlier in rows.of(EntryRow, fact=fact, sender=event.facility):
            rows.put(replace(earlier, flags_now=sorted({*earlier.flags_now, *marks})))


ENTRIES = View(
    "entry",
    fields={
        "id": "entry",
        "recordClass": "record_class",
        "name": "name",
        "codings": "codings",
        "effective": "effective",
        "effectiveAt": "effective_at",
        "issuedAt": "issued_at",
        "registeredAt": "registered_at",
        "facility": "facility",
        "sender": "sender",
        "department": "department",
        "author": "author",
        "status": "status",
        "verification": "verification",
        "flags": "flags_now",
        "flaggedAt": "flagged_at",
        "value": "value",
        "interpretation": "interpretation",
        "referenceRange": "reference_range",
        "ended": "ended",
        "detail": "detail",
        "documentId": "document",
        "documentKind": "document_kind",
        "resourceType": "resource_type",
    },
    order=("sort_at", "entry"),
    guarded=True,
    history=True,
    facts=True,
)
PLACES = View(
    "entry",
    fields={
        "id": "entry",
        "recordClass": "record_class",
        "place": "resource_place",
        "flags": "flags_now",
        "flaggedAt": "flagged_at",
        "sender": "sender",
        "fact": "fact",
    },
    order=("sort_at", "entry"),
    guarded=True,
    history=True,
    facts=True,
)
"""Where in its Bundle each entry lies: a document is shown by its entries."""
DOCUMENTS = View(
    "document",
    fields={
        "id": "document",
        "recordClass": "record_class",
        "kind": "kind",
        "title": "title",
        "facility": "facility",
        "facilityName": "facility_name",
        "department": "department",
        "author": "author",
        "dated": "dated",
        "timestamp": "timestamp",
        "registeredAt": "registered_at",
        "recipient": "recipient",
        "recipientName": "recipient_name",
        "attachments": "attachments",
        "received": "received",
    },
    order=("sort_at", "document"),
    guarded=True,
    history=True,
)
