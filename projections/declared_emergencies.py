"""救急: which emergencies opened a patient's record, for the patient: without the person, and without the reason.

The reason is the reviewer's.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from tsuzuri.domain.events import EmergencyDeclared, EmergencyEnded, EmergencyWidened, Event
from tsuzuri.projections import fences
from tsuzuri.projections.rows import Look, Row, Rows, look
from tsuzuri.projections.view import View

TABLE = f"""
CREATE TABLE emergency (
    patient_id uuid NOT NULL, emergency uuid NOT NULL, facility text NOT NULL, identified_by text NOT NULL,
    declared_at timestamptz NOT NULL, since timestamptz NOT NULL, until timestamptz NOT NULL,
    widened_at timestamptz, ended_at timestamptz
);
{fences.of_patients("emergency")}"""
INDEX = """
ALTER TABLE emergency ADD PRIMARY KEY (patient_id, emergency);
"""

EVENTS: tuple[type[Event], ...] = (EmergencyDeclared, EmergencyWidened, EmergencyEnded)


class EmergencyRow(Row, frozen=True, kw_only=True):
    TABLE, KEY = "emergency", ("patient_id", "emergency")

    patient_id: UUID
    emergency: UUID
    facility: str
    identified_by: str
    declared_at: datetime
    since: datetime
    until: datetime
    widened_at: datetime | None = None  # the first time
    ended_at: datetime | None = None


def looks(event: Event) -> Sequence[Look]:
    if isinstance(event, EmergencyWidened | EmergencyEnded):
        return [look(EmergencyRow, emergency=event.emergency)]
    return []


def fold(
    rows: Rows, event: EmergencyDeclared | EmergencyWidened | EmergencyEnded, recorded_at: datetime
) -> None:
    match event:
        case EmergencyDeclared():
            rows.put(
                EmergencyRow(
                    patient_id=event.patient,
                    emergency=event.event_id,
                    facility=event.facility,
                    identified_by=event.identified_by,
                    declared_at=recorded_at,
                    since=event.since,
                    until=event.until,
                )
            )
        case EmergencyWidened():
            for emergency in rows.of(EmergencyRow, emergency=event.emergency):
                rows.put(replace(emergency, widened_at=emergency.widened_at or recorded_at))
        case EmergencyEnded():
            for emergency in rows.of(EmergencyRow, emergency=event.emergency):
                rows.put(replace(emergency, ended_at=emergency.ended_at or recorded_at))


VIEW = View(
    "emergency",
    fields={
        "id": "emergency",
        "facility": "facility",
        "identifiedBy": "identified_by",
        "declaredAt": "declared_at",
        "since": "since",
        "until": "until",
        "widenedAt": "widened_at",
        "endedAt": "ended_at",
    },
    order=("declared_at", "emergency"),
)
