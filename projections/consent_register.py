"""Who may see what of whom, now and then: consents, denials, proxies, emergencies.

A consent's row is closed when it is withdrawn or given anew.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from tsuzuri.domain.events import (
    ConsentDenied,
    ConsentGranted,
    ConsentsErased,
    ConsentWithdrawn,
    DenialLifted,
    EmergencyDeclared,
    EmergencyEnded,
    EmergencyWidened,
    Event,
    ProxyAppointed,
    ProxyEnded,
)
from tsuzuri.projections import declared_emergencies
from tsuzuri.projections.declared_emergencies import EmergencyRow
from tsuzuri.projections.rows import Look, Recorded, Row, Rows, look
from tsuzuri.projections.view import View

NAME, VERSION = "consent_register", 4

TABLES = f"""
CREATE TABLE consent (
    patient_id uuid NOT NULL, facility text NOT NULL, purpose text NOT NULL, record_class text NOT NULL,
    from_pos bigint NOT NULL, to_pos bigint, since timestamptz NOT NULL, until timestamptz NOT NULL,
    given text NOT NULL, because uuid NOT NULL, granted_at timestamptz NOT NULL,
    ended_at timestamptz, withdrawn boolean NOT NULL, document uuid
);
CREATE TABLE denial (
    patient_id uuid NOT NULL, denial uuid NOT NULL, facility text, record_classes text[] NOT NULL,
    denied_at timestamptz NOT NULL, lifted_at timestamptz
);
CREATE TABLE proxy (
    patient_id uuid NOT NULL, proxy uuid NOT NULL, person text NOT NULL, relation text NOT NULL,
    since timestamptz NOT NULL, until timestamptz NOT NULL, appointed_by text NOT NULL, ended_at timestamptz
);
{declared_emergencies.TABLE}"""

INDEXES = f"""
ALTER TABLE consent ADD PRIMARY KEY (patient_id, facility, purpose, record_class, from_pos);
ALTER TABLE denial ADD PRIMARY KEY (patient_id, denial);
ALTER TABLE proxy ADD PRIMARY KEY (patient_id, proxy);
{declared_emergencies.INDEX}"""


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


class DenialRow(Row, frozen=True, kw_only=True):
    TABLE, KEY = "denial", ("patient_id", "denial")

    patient_id: UUID
    denial: UUID
    facility: str | None  # None: every facility
    record_classes: list[str]  # none: all of them
    denied_at: datetime
    lifted_at: datetime | None = None


class ProxyRow(Row, frozen=True, kw_only=True):
    TABLE, KEY = "proxy", ("patient_id", "proxy")

    patient_id: UUID
    proxy: UUID
    person: str
    relation: str
    since: datetime
    until: datetime
    appointed_by: str
    ended_at: datetime | None = None


ROWS: tuple[type[Row], ...] = (ConsentRow, DenialRow, ProxyRow, EmergencyRow)
EVENTS: tuple[type[Event], ...] = (
    ConsentGranted,
    ConsentWithdrawn,
    ConsentDenied,
    DenialLifted,
    ProxyAppointed,
    ProxyEnded,
    *declared_emergencies.EVENTS,
    ConsentsErased,
)


def payloads(event: Event) -> Sequence[UUID]:
    return []


def looks(event: Event) -> Sequence[Look]:
    if isinstance(event, ConsentGranted | ConsentWithdrawn):
        return [look(ConsentRow, facility=event.facility)]
    if isinstance(event, DenialLifted):
        return [look(DenialRow, denial=event.denial)]
    if isinstance(event, ProxyEnded):
        return [look(ProxyRow, proxy=event.proxy)]
    return declared_emergencies.looks(event)


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
        case ConsentDenied() as event:
            rows.put(
                DenialRow(
                    patient_id=event.patient,
                    denial=event.event_id,
                    facility=event.facility,
                    record_classes=[str(one) for one in event.classes],
                    denied_at=recorded.recorded_at,
                )
            )
        case DenialLifted() as event:
            for denial in rows.of(DenialRow, denial=event.denial):
                rows.put(replace(denial, lifted_at=recorded.recorded_at))
        case ProxyAppointed() as event:
            rows.put(
                ProxyRow(
                    patient_id=event.patient,
                    proxy=event.event_id,
                    person=event.person,
                    relation=event.relation,
                    since=event.since,
                    until=event.until,
                    appointed_by=event.recorded_by,
                )
            )
        case ProxyEnded() as event:
            for proxy in rows.of(ProxyRow, proxy=event.proxy):
                rows.put(replace(proxy, ended_at=recorded.recorded_at))
        case EmergencyDeclared() | EmergencyWidened() | EmergencyEnded() as event:
            declared_emergencies.fold(rows, event, recorded.recorded_at)
        case ConsentsErased():
            for kind in ROWS:
                rows.remove_all(kind)


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
DENIALS = View(
    "denial",
    fields={
        "id": "denial",
        "facility": "facility",
        "recordClasses": "record_classes",
        "deniedAt": "denied_at",
        "liftedAt": "lifted_at",
    },
    order=("denied_at", "denial"),
)
PROXIES = View(
    "proxy",
    fields={
        "id": "proxy",
        "person": "person",
        "relation": "relation",
        "since": "since",
        "until": "until",
        "endedAt": "ended_at",
    },
    order=("since", "proxy"),
)
