"""One row for each version of a document, and of each of its entries: how what was read becomes columns."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from tsuzuri.domain.analytes import analyte
from tsuzuri.domain.events import BundleAccepted, Event
from tsuzuri.domain.owners import entry_id
from tsuzuri.domain.record import Document, Entry
from tsuzuri.domain.retention import ranked, visible_until
from tsuzuri.domain.units import load_entries
from tsuzuri.domain.vocabulary import DOCUMENT_CLASSES, RecordClass
from tsuzuri.projections.rows import Recorded, Row


class Standing(StrEnum):
    """How a version of an entry stands."""

    IN_FORCE = "IN_FORCE"
    ENDED = (
        "ENDED"  # a newer Bundle of its facility tells all there is; in force again should that be cancelled
    )
    CLOSED = "CLOSED"  # its own Bundle was replaced or cancelled


class DocumentRow(Row, frozen=True, kw_only=True):
    TABLE, KEY = "document", ("patient_id", "document", "from_pos")

    patient_id: UUID
    document: UUID
    from_pos: int
    to_pos: int | None = None
    registered_at: datetime
    closed_at: datetime | None = None
    cancelled_by: UUID | None = None  # event id of the cancellation
    visible_until: datetime | None = None
    event_id: UUID
    kind: str
    record_class: str | None
    flags_now: list[str]
    facility: str
    facility_name: str | None
    department: str | None
    author: str | None
    title: str
    system: str
    value: str
    timestamp: datetime
    dated: datetime | None
    recipient: str | None
    recipient_name: str | None
    attachments: str  # JSON
    received: UUID
    sort_at: datetime


class EntryRow(Row, frozen=True, kw_only=True):
    TABLE, KEY = "entry", ("patient_id", "entry", "from_pos")

    patient_id: UUID
    entry: UUID
    from_pos: int
    to_pos: int | None = None
    registered_at: datetime
    closed_at: datetime | None = None
    cancelled_by: UUID | None = None  # event id of the cancellation
    visible_until: datetime | None = None
    document: UUID
    document_kind: str
    unit: UUID  # the payload it was read from: erased together
    recipient: str | None  # of an entry that a referral holds: whom that is addressed to
    recipient_until: datetime | None  # and from when on its recipient does not see it as such any more
    record_class: str
    resource_type: str
    resource_place: int
    sender: str  # the facility that registered the Bundle; `facility` is whom the entry names
    scope: str  # the department whose set it belongs to, where sets are kept by department
    stated_at: datetime  # Bundle.timestamp
    standing: str  # see Standing
    fact: str  # see Entry.fact
    analyte: str | None  # what a result measures, for trends: see domain/analytes.py
    ranked_as: str | None  # of what it is one of the last: an analyte, a drug; None: its age alone counts
    name: str
    codings: str  # JSON
    codes: list[str]  # "code" and "system|code", to look for
    effective: str | None
    effective_at: datetime | None
    issued_at: datetime | None
    sort_at: datetime
    facility: str
    department: str | None
    author: str | None
    status: str | None
    verification: str | None
    flags: list[str]  # as sent with this version
    flags_now: list[str]  # these, and the hiding ones a later version brought
    flagged_at: datetime | None
    value: str | None  # JSON
    interpretation: str | None
    reference_range: str | None  # JSON
    ended: str | None
    ended_at: datetime | None
    detail: str | None


def document_row(recorded: Recorded[Event], event: BundleAccepted, document: Document) -> DocumentRow:
    own = DOCUMENT_CLASSES.get(event.kind)
    return DocumentRow(
        patient_id=event.patient,
        document=event.document,
        from_pos=recorded.pos,
        registered_at=recorded.recorded_at,
        visible_until=None if own is None else visible_until(own, registered_at=recorded.recorded_at),
        event_id=event.event_id,
        kind=event.kind,
        record_class=own,
        flags_now=[],
        facility=event.facility,
        facility_name=document.facility_name,
        department=document.department,
        author=document.author,
        title=document.title,
        system=event.system,
        value=event.value,
        timestamp=event.timestamp,
        dated=document.dated,
        recipient=document.recipient,
        recipient_name=document.recipient_name,
        attachments=msgspec.json.encode(document.attachments).decode(),
        received=event.received,
        sort_at=document.dated or event.timestamp,
    )


def entry_rows(recorded: Recorded[Event], event: BundleAccepted) -> list[EntryRow]:
    """One row for each entry that the projection's payloads hold.

    Two entries of one Bundle that the sender calls by one name are one fact: what hides one hides both.
    """
    return [
        _entry_row(recorded, event, unit.payload, entry)
        for unit in event.units
        if unit.payload in recorded.payloads
        for entry in load_entries(recorded.payloads[unit.payload])
    ]


def _ranked_as(entry: Entry, measures: str | None) -> str | None:
    """Of what an entry is one of the last, where these are seen however old they are. A drug goes by its first code."""
    if not ranked(entry.record_class):
        return None
    if measures is not None:
        return measures
    first = next(iter(entry.codings), None)
    return f"{first.system}|{first.code}" if first else entry.name


def _entry_row(recorded: Recorded[Event], event: BundleAccepted, unit: UUID, entry: Entry) -> EntryRow:
    fact, flags = entry.fact, [str(flag) for flag in entry.flags]
    letter = event.recipient is not None
    measures = analyte(entry, recorded.codes)
    return EntryRow(
        patient_id=event.patient,
        entry=entry_id(event.document, entry.key),
        from_pos=recorded.pos,
        registered_at=recorded.recorded_at,
        visible_until=visible_until(
            entry.record_class,
            registered_at=recorded.recorded_at,
            effective_at=entry.effective_at or entry.issued_at,
            flags=entry.flags,
        ),
        document=event.document,
        document_kind=event.kind,
        unit=unit,
        recipient=event.recipient,
        recipient_until=(
            visible_until(RecordClass.REFERRAL, registered_at=recorded.recorded_at) if letter else None
        ),
        record_class=entry.record_class,
        resource_type=entry.resource_type,
        resource_place=entry.resource_place,
        sender=event.facility,
        scope=event.scope,
        stated_at=event.timestamp,
        standing=Standing.IN_FORCE,
        fact=fact,
        analyte=measures,
        ranked_as=_ranked_as(entry, measures),
        name=entry.name,
        codings=msgspec.json.encode(entry.codings).decode(),
        codes=[text for coding in entry.codings for text in (coding.code, f"{coding.system}|{coding.code}")],
        effective=entry.effective,
        effective_at=entry.effective_at,
        issued_at=entry.issued_at,
        sort_at=entry.effective_at or entry.issued_at or event.timestamp,
        facility=entry.facility,
        department=entry.department,
        author=entry.author,
        status=entry.status,
        verification=entry.verification,
        flags=flags,
        flags_now=sorted({*flags, *event.hides.get(fact, ())}),
        flagged_at=entry.flagged_at,
        value=None if entry.value is None else msgspec.json.encode(entry.value).decode(),
        interpretation=entry.interpretation,
        reference_range=(
            None if entry.reference_range is None else msgspec.json.encode(entry.reference_range).decode()
        ),
        ended=entry.ended,
        ended_at=entry.ended_at,
        detail=entry.detail,
    )
