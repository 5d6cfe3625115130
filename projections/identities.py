"""Which numbers and names a patient has had, and which numbers two patients were named by."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.events import Event, PatientIdentified, RecordErased
from tsuzuri.projections.rows import Look, Recorded, Row, Rows, look
from tsuzuri.projections.view import View

NAME, VERSION = "identities", 1

TABLES = """
CREATE TABLE person (
    patient_id uuid NOT NULL, name text NOT NULL, kana text, birth_date text, sex text, postal_code text,
    facility text NOT NULL, stated_at timestamptz NOT NULL
);
CREATE TABLE number (
    patient_id uuid NOT NULL, system text NOT NULL, value text NOT NULL, facility text NOT NULL,
    disputed boolean NOT NULL, first_stated_at timestamptz NOT NULL
);
"""

INDEXES = """
ALTER TABLE person ADD PRIMARY KEY (patient_id);
ALTER TABLE number ADD PRIMARY KEY (patient_id, system, value);
CREATE INDEX number_disputed ON number (first_stated_at, patient_id) WHERE disputed;
"""


class PersonRow(Row, frozen=True, kw_only=True):
    """How the last facility that said something new about her wrote the patient."""

    TABLE, KEY = "person", ("patient_id",)

    patient_id: UUID
    name: str
    kana: str | None
    birth_date: str | None
    sex: str | None
    postal_code: str | None
    facility: str
    stated_at: datetime


class NumberRow(Row, frozen=True, kw_only=True):
    """One number a facility named the patient by. Disputed: it belongs to another patient; a person must look."""

    TABLE, KEY = "number", ("patient_id", "system", "value")

    patient_id: UUID
    system: str
    value: str
    facility: str
    disputed: bool
    first_stated_at: datetime


ROWS: tuple[type[Row], ...] = (PersonRow, NumberRow)
EVENTS: tuple[type[Event], ...] = (PatientIdentified, RecordErased)


def payloads(event: Event) -> Sequence[UUID]:
    return []


def looks(event: Event) -> Sequence[Look]:
    return [look(NumberRow)] if isinstance(event, PatientIdentified) else []


def apply(rows: Rows, recorded: Recorded[Event]) -> None:
    """Fold one event into the rows of its patient. Sees nothing else."""
    match recorded.event:
        case PatientIdentified() as event:
            rows.put(
                PersonRow(
                    patient_id=event.patient,
                    name=event.demographics.name,
                    kana=event.demographics.kana,
                    birth_date=event.demographics.birth_date,
                    sex=event.demographics.sex,
                    postal_code=event.demographics.postal_code,
                    facility=event.facility,
                    stated_at=recorded.recorded_at,
                )
            )
            for disputed, identifiers in ((False, event.identifiers), (True, event.disputed)):
                for identifier in identifiers:
                    key = {"system": identifier.system, "value": identifier.value}
                    if not rows.of(NumberRow, **key):
                        rows.put(
                            NumberRow(
                                patient_id=event.patient,
                                **key,
                                facility=event.facility,
                                disputed=disputed,
                                first_stated_at=recorded.recorded_at,
                            )
                        )
        case RecordErased():
            for kind in (PersonRow, NumberRow):
                rows.remove_all(kind)


VIEW = View(
    "person",
    fields={"name": "name", "kana": "kana", "birthDate": "birth_date", "sex": "sex"},
    order=("patient_id",),
)
