"""Who may see what of whom, now and then. A row is closed when the consent is withdrawn or given anew."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from tsuzuri.domain.events import ConsentGranted, ConsentsErased, ConsentWithdrawn, Event
from tsuzuri.projections.rows import Look, Recorded, Row, Rows, look
from tsuzuri.projections.view import View

NAME, VERSION = "consent_register", 2

TABLES = """
CREATE TABLE consent (
    patient_id uuid NOT NULL, facility text NOT NULL, purpose text NOT NULL, record_class text NOT NULL,
    from_pos bigint NOT NULL, to_pos bigint, since timestamptz NOT NULL, until timestamptz NOT NULL,
    given text NOT NULL, because uuid NOT NULL, granted_at timestamptz NOT NULL,
    ended_at timestamptz, withdrawn boolean NOT NULL, document uuid
);
"""

INDEXES = """
ALTER TABLE consent ADD PRIMARY KEY (patient_id, facility, purpose, record_class, from_pos);
"""


class ConsentRow(Row, frozen=True, kw_only=True):
    TABLE = "consent"
    KEY = ("patient_id", "facility", "purpose", "record_class", "from_pos")

    patient_id: UUID
    facility: str
    purpose: str
    record_class: str
    from_pos: int
    to_pos: int | None = None
    since: datetime
    until: datetime
    given: str
    because: UUID
    granted_at: datetime
    ended_at: datetime | None = None
    withdrawn: bool = False
    document: UUID | None = None  # the one referral it is for


ROWS: tuple[type[Row], ...] = (ConsentRow,)
EVENTS: tuple[type[Event], ...] = (ConsentGranted, ConsentWithdrawn, ConsentsErased)


def payloads(event: Event) -> Sequence[UUID]:
    return []


def looks(event: Event) -> Sequence[Look]:
    if isinstance(event, ConsentGranted | ConsentWithdrawn):
        return [look(ConsentRow, facility=event.facility)]
    return []


def apply(rows: Rows, recorded: Recorded[Event]) -> None:
    """Fold one event into the rows of its patient. Sees nothing else."""
    match recorded.event:
        case ConsentGranted() as event:
            same = {"facility": event.facility, "purpose": str(event.purpose), "given": event.given}
            _end(rows, recorded, {**same, "document": event.document}, withdrawn=False)
            for record_class in event.classes:
                rows.put(
                    ConsentRow(
                        patient_id=event.patient,
                        facility=event.facility,
                        purpose=event.purpose,
                        record_class=record_class,
                        from_pos=recorded.pos,
                        since=event.since,
                        until=event.until,
                        given=event.given,
                        because=event.event_id,
                        granted_at=recorded.recorded_at,
                        document=event.document,
                    )
                )
        case ConsentWithdrawn() as event:
            for scope in [{"record_class": str(c)} for c in event.classes] or [{}]:
                how = {} if event.given is None else {"given": event.given}
                which = {} if event.document is None else {"document": event.document}
                _end(rows, recorded, {"facility": event.facility, **how, **which, **scope}, withdrawn=True)
        case ConsentsErased():
            rows.remove_all(ConsentRow)


def _end(rows: Rows, recorded: Recorded[Event], scope: dict[str, Any], *, withdrawn: bool) -> None:
    for row in rows.of(ConsentRow, to_pos=None, **scope):
        ended = replace(row, to_pos=recorded.pos, ended_at=recorded.recorded_at, withdrawn=withdrawn)
        rows.put(ended)


VIEW = View(
    "consent",
    fields={
        "facility": "facility",
        "purpose": "purpose",
        "recordClass": "record_class",
        "since": "since",
        "until": "until",
        "given": "given",
        "grantedAt": "granted_at",
        "endedAt": "ended_at",
        "withdrawn": "withdrawn",
        "because": "because",
        "documentId": "document",
    },
    order=("granted_at", "from_pos", "record_class"),
)
