"""The entries and documents of a patient, now and as of any moment.

Rows are closed, not deleted. What must not be seen any more at any `asOf` (a cancelled Bundle, an entry that was
marked later) says so on every one of its rows: `cancelled_by`, `flags_now`.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

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
    ReferralReceived,
)
from tsuzuri.domain.retention import RECEIVED
from tsuzuri.domain.units import load_document
from tsuzuri.domain.vocabulary import DocumentKind, RecordClass
from tsuzuri.projections import fences, hiding_marks, replacement_sets
from tsuzuri.projections.hiding_marks import (
    MarkRow,
    Marks,
    covers,
    keep_marks,
    marks_looked_at,
    marks_of,
    marks_on,
)
from tsuzuri.projections.record_rows import DocumentRow, EntryRow, Standing, document_row, entry_rows
from tsuzuri.projections.replacement_sets import (
    Newest,
    SetRow,
    keep_set,
    may_bring_back,
    set_classes,
    sets_looked_at,
)
from tsuzuri.projections.rows import Look, Recorded, Row, Rows, look
from tsuzuri.projections.view import View

NAME, VERSION = "record_index", 5

TABLES = f"""
CREATE TABLE document (
    patient_id uuid NOT NULL, document uuid NOT NULL, from_pos bigint NOT NULL, to_pos bigint,
    registered_at timestamptz NOT NULL, closed_at timestamptz, cancelled_by uuid,
    visible_until timestamptz, event_id uuid NOT NULL, kind text NOT NULL, record_class text, flags_now text[] NOT NULL,
    facility text NOT NULL, facility_name text, department text, author text, title text NOT NULL,
    system text NOT NULL, value text NOT NULL, timestamp timestamptz NOT NULL, dated timestamptz,
    recipient text, recipient_name text, attachments text NOT NULL, received uuid NOT NULL,
    sort_at timestamptz NOT NULL
);
CREATE TABLE entry (
    patient_id uuid NOT NULL, entry uuid NOT NULL, from_pos bigint NOT NULL, to_pos bigint,
    registered_at timestamptz NOT NULL, closed_at timestamptz, cancelled_by uuid,
    visible_until timestamptz, document uuid NOT NULL, document_kind text NOT NULL, unit uuid NOT NULL,
    recipient text, recipient_until timestamptz,
    record_class text NOT NULL,
    resource_type text NOT NULL, resource_place integer NOT NULL, sender text NOT NULL,
    scope text NOT NULL, stated_at timestamptz NOT NULL, standing text NOT NULL,
    fact text NOT NULL, analyte text, ranked_as text, name text NOT NULL,
    codings text NOT NULL,
    codes text[] NOT NULL, effective text, effective_at timestamptz, issued_at timestamptz,
    sort_at timestamptz NOT NULL,
    facility text NOT NULL, department text, author text, status text, verification text,
    flags text[] NOT NULL, flags_now text[] NOT NULL, flagged_at timestamptz,
    value text, interpretation text, reference_range text,
    ended text, ended_at timestamptz, detail text
);
{replacement_sets.TABLE}{hiding_marks.TABLE}
-- Of whom there is anything at all: ids that stand in the open in the log too. The view is the projector's.
CREATE VIEW patient AS SELECT patient_id FROM document UNION ALL SELECT patient_id FROM entry;
{fences.of_documents("document")}{fences.of_entries("entry")}"""

INDEXES = f"""
ALTER TABLE document ADD PRIMARY KEY (patient_id, document, from_pos);
ALTER TABLE entry ADD PRIMARY KEY (patient_id, entry, from_pos);
CREATE INDEX document_page ON document (patient_id, sort_at DESC, document DESC);
CREATE INDEX entry_page ON entry (patient_id, sort_at DESC, entry DESC);
CREATE INDEX entry_class_page ON entry (patient_id, record_class, sort_at DESC, entry DESC);
CREATE INDEX entry_document ON entry (patient_id, document);
CREATE INDEX entry_fact ON entry (patient_id, sender, fact);
CREATE INDEX entry_ranked ON entry (patient_id, record_class, ranked_as, sort_at DESC, entry DESC)
    WHERE ranked_as IS NOT NULL AND to_pos IS NULL;
{replacement_sets.INDEX}{hiding_marks.INDEX}"""


ROWS: tuple[type[Row], ...] = (DocumentRow, EntryRow, SetRow, MarkRow)
EVENTS: tuple[type[Event], ...] = (
    BundleRegistered,
    BundleReplaced,
    BundleRestored,
    BundleCancelled,
    ReferralReceived,
    PayloadErased,
    RecordErased,
)


def payloads(event: Event) -> Sequence[UUID]:
    """What `apply` needs of an event beside itself."""
    if isinstance(event, BundleAccepted):
        return [event.head, *(unit.payload for unit in event.units)]
    return []


def looks(event: Event) -> Sequence[Look]:
    """The document's versions and their entries; for a mark that hides, what its sender said of the same facts.

    Of the classes that come in full sets, what of the facility's may end or begin by it.
    """
    match event:
        case BundleAccepted(document=document):
            hidden = [look(EntryRow, sender=event.facility, fact=fact) for fact in event.hides]
            return [*_of_document(document), *marks_looked_at(event), *hidden, *_of_sets(event)]
        case BundleCancelled(document=document):
            return [*_of_document(document), *_of_sets(event)]
        case ReferralReceived(document=document) | PayloadErased(document=document):
            return _of_document(document)
        case _:
            return []


def _of_document(document: UUID) -> list[Look]:
    return [look(DocumentRow, document=document), look(EntryRow, document=document)]


def _of_sets(event: BundleAccepted | BundleCancelled) -> list[Look]:
    standings = (Standing.IN_FORCE, Standing.ENDED) if may_bring_back(event) else (Standing.IN_FORCE,)
    return [
        *sets_looked_at(event),
        *(
            look(EntryRow, sender=event.facility, record_class=str(record_class), standing=str(standing))
            for record_class in set_classes(event)
            for standing in standings
        ),
    ]


def apply(rows: Rows, recorded: Recorded[Event]) -> None:
    """Fold one event into the rows of its patient. Sees nothing else."""
    match recorded.event:
        case BundleAccepted() as event:
            _close(rows, recorded, event.document)
            ends = _uncancel(rows, event) if isinstance(event, BundleRestored) else None
            _open(rows, recorded, event)
            if ends is not None and event.kind is DocumentKind.REFERRAL:
                _keep_no_longer(rows, event.document, ends)
            keep_set(rows, event)
            _settle_sets(rows, recorded, event)
        case BundleCancelled() as event:
            _close(rows, recorded, event.document)
            for row in rows.of(DocumentRow, document=event.document):
                if row.cancelled_by is None:
                    rows.put(replace(row, cancelled_by=event.event_id))
            for entry in rows.of(EntryRow, document=event.document):
                if entry.cancelled_by is None:
                    rows.put(replace(entry, cancelled_by=event.event_id))
            keep_set(rows, event)
            _settle_sets(rows, recorded, event)
        case ReferralReceived() as event:
            _keep_no_longer(rows, event.document, recorded.recorded_at + RECEIVED)
        case PayloadErased() as event:
            for row in rows.of(DocumentRow, document=event.document):
                if row.received in event.payloads:
                    rows.remove(row)
            for entry in rows.of(EntryRow, document=event.document):
                if entry.unit in event.payloads:
                    rows.remove(entry)
                elif entry.recipient is not None:
                    rows.put(replace(entry, recipient=None, recipient_until=None))  # the letter is gone
        case RecordErased():
            for kind in ROWS:
                rows.remove_all(kind)


def _close(rows: Rows, recorded: Recorded[Event], document: UUID) -> None:
    """End the version in force, if there is one; what had ended before will not come back."""
    for row in rows.of(DocumentRow, document=document):
        if row.to_pos is None:
            rows.put(replace(row, to_pos=recorded.pos, closed_at=recorded.recorded_at))
    for entry in rows.of(EntryRow, document=document):
        if entry.standing != Standing.CLOSED:
            rows.put(replace(_ended(entry, recorded), standing=Standing.CLOSED))


def _ended(entry: EntryRow, recorded: Recorded[Event]) -> EntryRow:
    """The row with the end it has, or else this one."""
    if entry.to_pos is not None:
        return entry
    return replace(entry, to_pos=recorded.pos, closed_at=recorded.recorded_at)


def _uncancel(rows: Rows, event: BundleRestored) -> datetime | None:
    """What this one cancellation had hidden was there, and may be seen as it was; until when, at most."""
    ends: datetime | None = None
    for row in rows.of(DocumentRow, document=event.document):
        if row.cancelled_by == event.restores:
            rows.put(replace(row, cancelled_by=None))
            ends = max(filter(None, (ends, row.visible_until)), default=None)
    for entry in rows.of(EntryRow, document=event.document):
        if entry.cancelled_by == event.restores:
            rows.put(replace(entry, cancelled_by=None))
    return ends


def _keep_no_longer(rows: Rows, document: UUID, until: datetime) -> None:
    """End a referral, in all its versions, at *until* or when it would have ended before.

    What was taken out of it lives on by the rule of its own class; its recipient sees it no more as the letter's.
    """
    for row in rows.of(DocumentRow, document=document):
        rows.put(replace(row, visible_until=_earlier(row.visible_until, until)))
    for entry in rows.of(EntryRow, document=document):
        shorter = replace(entry, recipient_until=_earlier(entry.recipient_until, until))
        if entry.record_class == RecordClass.REFERRAL:
            shorter = replace(shorter, visible_until=_earlier(entry.visible_until, until))
        rows.put(shorter)


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)


def _open(rows: Rows, recorded: Recorded[Event], event: BundleAccepted) -> None:
    head = recorded.payloads.get(event.head)
    if head is not None:
        rows.put(document_row(recorded, event, load_document(head)))
    entries = entry_rows(recorded, event)
    if event.hides:
        _hide_earlier(rows, event)
        keep_marks(rows, event)
    marks = marks_on(rows, event)
    for entry in entries:
        rows.put(_marked(entry, marks[entry.fact]) if entry.fact in marks else entry)


def _settle_sets(rows: Rows, recorded: Recorded[Event], event: BundleAccepted | BundleCancelled) -> None:
    """End what the newest set of the facility does not say any more; put in force again what no set ends."""
    if not (classes := set_classes(event)):
        return
    newest = Newest(rows, event.facility)
    for record_class in classes:
        of_class = {"record_class": str(record_class), "sender": event.facility}
        for entry in rows.of(EntryRow, standing=str(Standing.IN_FORCE), **of_class):
            if newest.ends(entry):
                rows.put(replace(_ended(entry, recorded), standing=Standing.ENDED))
        if not may_bring_back(event):
            continue
        for entry in rows.of(EntryRow, standing=str(Standing.ENDED), **of_class):
            if not newest.ends(entry):
                _bring_back(rows, recorded, entry)


def _bring_back(rows: Rows, recorded: Recorded[Event], entry: EntryRow) -> None:
    """The time in which it had ended stays in its history: what follows is a version of its own."""
    rows.put(replace(entry, standing=Standing.CLOSED))
    rows.put(
        replace(
            entry,
            from_pos=recorded.pos,
            to_pos=None,
            registered_at=recorded.recorded_at,
            closed_at=None,
            standing=Standing.IN_FORCE,
        )
    )


def _hide_earlier(rows: Rows, event: BundleAccepted) -> None:
    for fact in event.hides:
        for earlier in rows.of(EntryRow, fact=fact, sender=event.facility):
            if covers(event, earlier.stated_at):
                rows.put(_marked(earlier, marks_of(event, fact)))


def _marked(entry: EntryRow, marks: Marks) -> EntryRow:
    """The row with these marks too, and the date on which its flags were last changed."""
    flags, at = marks.beside(entry.flags_now, entry.flagged_at)
    return replace(entry, flags_now=sorted(flags), flagged_at=at)


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
        "owner": "patient_id",
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
CHECKUP_DATES = View(
    "document",
    fields={"dated": "dated", "timestamp": "timestamp"},
    order=("sort_at", "document"),
    guarded=True,
    history=True,
    dates=True,
)
"""When check-ups were made: all that the first step of an emergency shows of them."""
