"""Who saw what of whom, when, on which basis; who was refused; and who read this trail."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tsuzuri.domain.events import (
    AccessesErased,
    AccessPermitted,
    AccessRefused,
    Event,
    TrailRead,
    WatcherTold,
)
from tsuzuri.domain.vocabulary import AccessBasis, PurposeOfUse
from tsuzuri.projections.rows import Look, Recorded, Row, Rows
from tsuzuri.projections.view import View

NAME, VERSION = "audit_trail", 4

TABLES = """
CREATE TABLE access (
    owner_id uuid NOT NULL, access uuid NOT NULL, part smallint NOT NULL, pos bigint NOT NULL,
    at timestamptz NOT NULL, outcome text NOT NULL, patient_id uuid,
    person text NOT NULL, role text NOT NULL, facility text, purpose text NOT NULL,
    bases text[] NOT NULL, classes_asked text[] NOT NULL, classes_permitted text[] NOT NULL, reason text,
    because uuid[] NOT NULL, grounds text NOT NULL, consent_version integer,
    entries_shown integer NOT NULL, shown_by_class text NOT NULL, incomplete boolean NOT NULL, as_of text,
    operation_name text, operation_sha256 text NOT NULL, variables text,
    shown_sha256 text, answer_sha256 text, session text, client text, linked uuid[] NOT NULL,
    identified_by text, flags text[] NOT NULL, read_at bigint
);
"""

INDEXES = """
ALTER TABLE access ADD PRIMARY KEY (access);
CREATE INDEX access_patient ON access (patient_id, at DESC, access DESC);
CREATE INDEX access_person ON access (person, at DESC, access DESC);
CREATE INDEX access_facility ON access (facility, at DESC, access DESC);
CREATE INDEX access_linked ON access USING gin (linked) WHERE linked <> '{}';
CREATE INDEX access_page ON access (at DESC, access DESC);
"""


class AccessRow(Row, frozen=True, kw_only=True):
    """One answered read, one thing told to who watches, one refusal, or one look at the trail."""

    TABLE, KEY, OWNER, ADDED_ONCE = "access", ("access",), "owner_id", True

    owner_id: UUID
    access: UUID
    part: int
    pos: int
    at: datetime
    outcome: str  # PERMITTED, WATCHER_TOLD, REFUSED, TRAIL_READ
    patient_id: UUID | None
    person: str
    role: str
    facility: str | None
    purpose: str
    bases: list[str] = msgspec.field(default_factory=list)
    classes_asked: list[str] = msgspec.field(default_factory=list)
    classes_permitted: list[str] = msgspec.field(default_factory=list)
    reason: str | None = None
    because: list[UUID] = msgspec.field(default_factory=list)  # the events the decision cites
    grounds: str = "[]"  # JSON
    consent_version: int | None = None
    entries_shown: int = 0
    shown_by_class: str = "{}"  # JSON
    incomplete: bool = False
    as_of: str | None = None
    operation_name: str | None
    operation_sha256: str
    variables: str | None = None  # JSON; a refusal keeps only its digest
    shown_sha256: str | None = None
    answer_sha256: str | None = None
    session: str | None
    client: str | None = None
    linked: list[UUID] = msgspec.field(default_factory=list)  # who else was the same person then
    identified_by: str | None = None  # how the caller named her
    flags: list[str] = msgspec.field(default_factory=list)  # entries under these marks could be seen
    read_at: int | None = None  # position in the patient's part that the answer stood on


OWN_OUTCOMES = ("PERMITTED", "TRAIL_READ")
"""What the patient herself is shown of the trail."""

ROWS: tuple[type[Row], ...] = (AccessRow,)
EVENTS: tuple[type[Event], ...] = (AccessPermitted, WatcherTold, AccessRefused, TrailRead, AccessesErased)


def payloads(event: Event) -> Sequence[UUID]:
    return []


def looks(event: Event) -> Sequence[Look]:
    return []


def apply(rows: Rows, recorded: Recorded[Event]) -> None:
    """Fold one event into a row of its own. Sees nothing else."""
    place: dict[str, Any] = {
        "owner_id": recorded.owner,
        "access": recorded.event.event_id,
        "part": recorded.part,
        "pos": recorded.pos,
        "at": recorded.recorded_at,
    }
    match recorded.event:
        case (AccessPermitted() | WatcherTold()) as event:
            told, audit = event.told, event.audit
            rows.put(
                AccessRow(
                    **place,
                    outcome="PERMITTED" if isinstance(event, AccessPermitted) else "WATCHER_TOLD",
                    patient_id=event.patient,
                    person=told.person,
                    role=told.role,
                    facility=told.facility,
                    purpose=told.purpose,
                    bases=[str(basis) for basis in told.bases],
                    classes_asked=[str(c) for c in told.classes_asked],
                    classes_permitted=[str(c) for c in told.classes_permitted],
                    because=[ground.because for ground in audit.grounds if ground.because is not None],
                    grounds=msgspec.json.encode(audit.grounds).decode(),
                    consent_version=audit.consent_version,
                    linked=sorted(audit.linked),
                    entries_shown=audit.entries_shown,
                    shown_by_class=msgspec.json.encode(audit.shown_by_class).decode(),
                    incomplete=audit.incomplete,
                    as_of=audit.as_of,
                    operation_name=audit.operation_name,
                    operation_sha256=audit.operation_sha256,
                    variables=audit.variables,
                    shown_sha256=audit.shown_sha256,
                    answer_sha256=audit.answer_sha256,
                    session=audit.session,
                    client=audit.client,
                    identified_by=audit.identified_by,
                    flags=sorted({str(flag) for ground in audit.grounds for flag in ground.flags}),
                    read_at=audit.read_at,
                )
            )
        case AccessesErased():
            rows.remove_all(AccessRow)
        case AccessRefused() as event:
            rows.put(
                AccessRow(
                    **place,
                    outcome="REFUSED",
                    patient_id=event.patient,
                    person=event.person,
                    role=event.role,
                    facility=event.facility,
                    purpose=event.purpose,
                    reason=event.reason,
                    consent_version=event.consent_version,
                    identified_by=event.identified_by,
                    client=event.client,
                    operation_name=event.operation_name,
                    operation_sha256=event.operation_sha256,
                    session=event.session,
                )
            )
        case TrailRead() as event:
            rows.put(
                AccessRow(
                    **place,
                    outcome="TRAIL_READ",
                    patient_id=event.patient,
                    person=event.person,
                    role=event.role,
                    facility=None,
                    purpose=PurposeOfUse.HSYSADMIN,
                    bases=[AccessBasis.AUDIT],
                    entries_shown=event.shown,
                    operation_name=event.operation_name,
                    operation_sha256=event.operation_sha256,
                    variables=event.variables,
                    session=event.session,
                    client=event.client,
                )
            )


VIEW = View(
    "access",
    fields={
        "id": "access",
        "at": "at",
        "outcome": "outcome",
        "patient": "patient_id",
        "person": "person",
        "role": "role",
        "facility": "facility",
        "purpose": "purpose",
        "bases": "bases",
        "classesAsked": "classes_asked",
        "classesPermitted": "classes_permitted",
        "reason": "reason",
        "because": "because",
        "entriesShown": "entries_shown",
        "incomplete": "incomplete",
        "operationName": "operation_name",
        "operationSha256": "operation_sha256",
        "consentVersion": "consent_version",
        "grounds": "grounds",
        "shownByClass": "shown_by_class",
        "identifiedBy": "identified_by",
        "client": "client",
        "session": "session",
        "asOf": "as_of",
        "part": "part",
        "pos": "pos",
    },
    order=("at", "access"),
)
