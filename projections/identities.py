"""Which numbers and names a patient has had, who else is the same person, and what of it a person must look at."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from tsuzuri.domain.events import (
    Event,
    IdentitySettled,
    PatientIdentified,
    PatientsLinked,
    PatientsUnlinked,
    RecordErased,
)
from tsuzuri.domain.unmatched import queued
from tsuzuri.projections import fences
from tsuzuri.projections.rows import Look, Recorded, Row, Rows, look
from tsuzuri.projections.view import View

NAME, VERSION = "identities", 4

TABLES = f"""
CREATE TABLE person (
    patient_id uuid NOT NULL, name text NOT NULL, kana text, birth_date text, sex text, postal_code text,
    facility text NOT NULL, stated_at timestamptz NOT NULL
);
CREATE TABLE number (
    patient_id uuid NOT NULL, system text NOT NULL, value text NOT NULL, facility text NOT NULL,
    disputed boolean NOT NULL, valid_from timestamptz, valid_to timestamptz, first_stated_at timestamptz NOT NULL
);
CREATE TABLE unmatched_identity (
    patient_id uuid NOT NULL, identity uuid NOT NULL, reason text NOT NULL, other uuid, facility text NOT NULL,
    since timestamptz NOT NULL, settled_at timestamptz
);
CREATE TABLE link (
    patient_id uuid NOT NULL, link uuid NOT NULL, survivor uuid NOT NULL, other uuid NOT NULL,
    since timestamptz NOT NULL, reason text NOT NULL, linked_by text NOT NULL, undone_at timestamptz
);
{fences.of_patients("person")}{fences.of_patients("number")}"""

INDEXES = """
ALTER TABLE person ADD PRIMARY KEY (patient_id);
ALTER TABLE number ADD PRIMARY KEY (patient_id, system, value);
ALTER TABLE unmatched_identity ADD PRIMARY KEY (patient_id, identity);
ALTER TABLE link ADD PRIMARY KEY (patient_id, link);
CREATE INDEX unmatched_identity_unsettled ON unmatched_identity (since, identity) WHERE settled_at IS NULL;
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
    valid_from: datetime | None  # as last stated; inclusive
    valid_to: datetime | None  # as last stated; exclusive
    first_stated_at: datetime


class UnmatchedIdentityRow(Row, frozen=True, kw_only=True):
    """A reason to look at whom a facility's Bundle was taken to be about. Holds no name and no number."""

    TABLE, KEY = "unmatched_identity", ("patient_id", "identity")

    patient_id: UUID
    identity: UUID
    reason: str
    other: UUID | None
    facility: str
    since: datetime
    settled_at: datetime | None


class LinkRow(Row, frozen=True, kw_only=True):
    """A link of the patient herself to somebody who is, or was taken to be, the same person."""

    TABLE, KEY = "link", ("patient_id", "link")

    patient_id: UUID
    link: UUID
    survivor: UUID
    other: UUID
    since: datetime
    reason: str
    linked_by: str
    undone_at: datetime | None


ROWS: tuple[type[Row], ...] = (PersonRow, NumberRow, UnmatchedIdentityRow, LinkRow)
EVENTS: tuple[type[Event], ...] = (
    PatientIdentified,
    IdentitySettled,
    PatientsLinked,
    PatientsUnlinked,
    RecordErased,
)


def payloads(event: Event) -> Sequence[UUID]:
    return []


def looks(event: Event) -> Sequence[Look]:
    match event:
        case PatientIdentified():
            return [look(NumberRow)]
        case IdentitySettled():
            return [look(UnmatchedIdentityRow, identity=event.identity)]
        case PatientsUnlinked():
            return [look(LinkRow, link=event.changed.link)]
        case _:
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
            _queue(rows, event, recorded.recorded_at)
            _number(rows, event, recorded.recorded_at)
        case IdentitySettled() as event:
            for row in rows.of(UnmatchedIdentityRow, identity=event.identity):
                rows.put(msgspec.structs.replace(row, settled_at=recorded.recorded_at))
        case PatientsLinked() as event if event.patient in (event.changed.survivor, event.changed.other):
            rows.put(
                LinkRow(
                    patient_id=event.patient,
                    link=event.changed.link,
                    survivor=event.changed.survivor,
                    other=event.changed.other,
                    since=recorded.recorded_at,
                    reason=event.reason,
                    linked_by=event.changed_by,
                    undone_at=None,
                )
            )
        case PatientsUnlinked() as event:
            for link in rows.of(LinkRow, link=event.changed.link):
                rows.put(msgspec.structs.replace(link, undone_at=recorded.recorded_at))
        case RecordErased():
            for kind in ROWS:
                rows.remove_all(kind)


def _queue(rows: Rows, event: PatientIdentified, at: datetime) -> None:
    disputed = {(row.system, row.value) for row in rows.of(NumberRow) if row.disputed}
    for identity, one in queued(event, disputed).items():
        rows.put(
            UnmatchedIdentityRow(
                patient_id=event.patient,
                identity=identity,
                reason=one.reason,
                other=one.other,
                facility=event.facility,
                since=at,
                settled_at=None,
            )
        )


def _number(rows: Rows, event: PatientIdentified, at: datetime) -> None:
    """A number stands as it was first stated, and with the period it was last given."""
    periods = {(period.system, period.value): period for period in event.periods}
    for disputed, identifiers in ((False, event.identifiers), (True, event.disputed)):
        for identifier in identifiers:
            key = {"system": identifier.system, "value": identifier.value}
            known = rows.of(NumberRow, **key)
            period = periods.get((identifier.system, identifier.value))
            if known and period is None and (known[0].disputed or not disputed):
                continue
            row = (
                known[0]
                if known
                else NumberRow(
                    patient_id=event.patient,
                    **key,
                    facility=event.facility,
                    disputed=disputed,
                    valid_from=None,
                    valid_to=None,
                    first_stated_at=at,
                )
            )
            if period is not None:
                row = msgspec.structs.replace(row, valid_from=period.since, valid_to=period.until)
            rows.put(msgspec.structs.replace(row, disputed=disputed or row.disputed))


VIEW = View(
    "person",
    fields={"name": "name", "kana": "kana", "birthDate": "birth_date", "sex": "sex"},
    order=("patient_id",),
)

UNMATCHED = View(
    "unmatched_identity",
    fields={
        "id": "identity",
        "reason": "reason",
        "patient": "patient_id",
        "other": "other",
        "facility": "facility",
        "since": "since",
    },
    order=("since", "identity"),
)

LINKS = View(
    "link",
    fields={
        "id": "link",
        "survivor": "survivor",
        "other": "other",
        "since": "since",
        "reason": "reason",
        "linkedBy": "linked_by",
        "undoneAt": "undone_at",
    },
    order=("since", "link"),
)
