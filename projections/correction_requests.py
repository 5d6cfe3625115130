"""訂正等請求・利用停止等請求: what patients ask of facilities, and what became of it. One row a request."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from tsuzuri.domain.correction_requests import CorrectionState
from tsuzuri.domain.events import (
    CorrectionAnswered,
    CorrectionRequested,
    CorrectionRequestTakenBack,
    Event,
    RecordErased,
)
from tsuzuri.projections import fences
from tsuzuri.projections.rows import Look, Recorded, Row, Rows, look
from tsuzuri.projections.view import View

NAME, VERSION = "correction_requests", 1

TABLES = f"""
CREATE TABLE correction_request (
    patient_id uuid NOT NULL, request uuid NOT NULL, facility text NOT NULL, kind text NOT NULL,
    document uuid, entry uuid, words text NOT NULL, requested_at timestamptz NOT NULL, state text NOT NULL,
    outcome text, answer text, answered_at timestamptz, taken_back_at timestamptz
);
{fences.of_requests("correction_request")}"""

INDEXES = """
ALTER TABLE correction_request ADD PRIMARY KEY (patient_id, request);
CREATE INDEX correction_request_inbox ON correction_request (facility, requested_at DESC, request DESC);
CREATE INDEX correction_request_waiting ON correction_request (requested_at DESC, request DESC) WHERE state = 'WAITING';
"""


class CorrectionRequestRow(Row, frozen=True, kw_only=True):
    TABLE, KEY = "correction_request", ("patient_id", "request")

    patient_id: UUID
    request: UUID
    facility: str  # who must answer
    kind: str
    document: UUID | None
    entry: UUID | None
    words: str  # the patient's
    requested_at: datetime
    state: str  # a CorrectionState
    outcome: str | None = None
    answer: str | None = None  # the facility's words
    answered_at: datetime | None = None
    taken_back_at: datetime | None = None


ROWS: tuple[type[Row], ...] = (CorrectionRequestRow,)
EVENTS: tuple[type[Event], ...] = (
    CorrectionRequested,
    CorrectionAnswered,
    CorrectionRequestTakenBack,
    RecordErased,
)


def payloads(event: Event) -> Sequence[UUID]:
    return []


def looks(event: Event) -> Sequence[Look]:
    if isinstance(event, CorrectionAnswered | CorrectionRequestTakenBack):
        return [look(CorrectionRequestRow, request=event.request)]
    return []


def apply(rows: Rows, recorded: Recorded[Event]) -> None:
    """Fold one event into the rows of its patient. Sees nothing else."""
    at = recorded.recorded_at
    match recorded.event:
        case CorrectionRequested() as event:
            rows.put(
                CorrectionRequestRow(
                    patient_id=event.patient,
                    request=event.event_id,
                    facility=event.facility,
                    kind=event.kind,
                    document=event.document,
                    entry=event.entry,
                    words=event.words,
                    requested_at=at,
                    state=CorrectionState.WAITING,
                )
            )
        case CorrectionAnswered() as event:
            for row in rows.of(CorrectionRequestRow, request=event.request):
                rows.put(
                    replace(
                        row,
                        state=CorrectionState.ANSWERED,
                        outcome=event.outcome,
                        answer=event.words,
                        answered_at=at,
                    )
                )
        case CorrectionRequestTakenBack() as event:
            for row in rows.of(CorrectionRequestRow, request=event.request):
                rows.put(replace(row, state=CorrectionState.TAKEN_BACK, taken_back_at=at))
        case RecordErased():
            rows.remove_all(CorrectionRequestRow)


VIEW = View(
    "correction_request",
    fields={
        "patient": "patient_id",
        "id": "request",
        "facility": "facility",
        "kind": "kind",
        "document": "document",
        "entry": "entry",
        "words": "words",
        "requestedAt": "requested_at",
        "state": "state",
        "outcome": "outcome",
        "answer": "answer",
        "answeredAt": "answered_at",
        "takenBackAt": "taken_back_at",
    },
    order=("requested_at", "request"),
)
