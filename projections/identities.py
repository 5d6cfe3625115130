"""Which numbers and names a patient has had, and which numbers two patients were named by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.events import Event, PatientIdentified, StreamErased
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.projections.rows import Recorded, Row, Rows
from tsuzuri.projections.view import View

NAME, VERSION = "identities", 1

TABLES = """
CREATE TABLE person (
    patient_id uuid PRIMARY KEY, name text NOT NULL, kana text, birth_date text, sex text, postal_code text,
    facility text NOT NULL, stated_at timestamptz NOT NULL
);
CREATE TABLE number (
    patient_id uuid NOT NULL, system text NOT NULL, value text NOT NULL, facility text NOT NULL,
    disputed boolean NOT NULL, first_stated_at timestamptz NOT NULL,
    PRIMARY KEY (patient_id, system, value)
);
CREATE INDEX number_disputed ON number (first_stated_at, patient_id) WHERE disputed;
"""


@dataclass(frozen=True, kw_only=True)
class PersonRow(Row):
    """How the last facility that said something new about her wrote the patient."""

    TABLE, KEY, FOLDED = "person", ("patient_id",), False

    patient_id: UUID
    name: str
    kana: str | None
    birth_date: str | None
    sex: str | None
    postal_code: str | None
    facility: str
    stated_at: datetime


@dataclass(frozen=True, kw_only=True)
class NumberRow(Row):
    """One number a facility named the patient by. Disputed: it belongs to another patient; a person must look."""

    TABLE, KEY = "number", ("patient_id", "system", "value")

    patient_id: UUID
    system: str
    value: str
    facility: str
    disputed: bool
    first_stated_at: datetime


ROWS: tuple[type[Row], ...] = (PersonRow, NumberRow)
EVENTS: tuple[type[Event], ...] = (PatientIdentified, StreamErased)


def payloads(event: Event) -> Sequence[UUID]:
    return []


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
                    if not rows.of(NumberRow, event.patient, **key):
                        rows.put(
                            NumberRow(
                                patient_id=event.patient,
                                **key,
                                facility=event.facility,
                                disputed=disputed,
                                first_stated_at=recorded.recorded_at,
                            )
                        )
        case StreamErased(erased=Stream.RECORD) as event:
            for kind in (PersonRow, NumberRow):
                rows.remove_all(kind, event.owner)


VIEW = View(
    "person",
    fields={"name": "name", "kana": "kana", "birthDate": "birth_date", "sex": "sex"},
    order=("patient_id",),
)
