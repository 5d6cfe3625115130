"""Reads that a person must look at: emergencies, disasters, and what the rules for unusual access noticed.

An emergency is reviewed from its declaration on, before anything was shown; a disaster from the first read by one
person of one patient. What is read after a review was closed opens the next one.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

import msgspec
from msgspec.structs import replace

from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.events import (
    AccessesErased,
    AccessPermitted,
    ConsentsErased,
    EmergencyDeclared,
    EmergencyWidened,
    Event,
    ReviewClosed,
    ReviewOpened,
)
from tsuzuri.domain.reviews import ReviewCause, review_of_emergency
from tsuzuri.domain.vocabulary import AccessBasis, RecordClass, Role
from tsuzuri.projections.rows import Look, Recorded, Row, Rows, look
from tsuzuri.projections.view import View

NAME, VERSION = "access_reviews", 1

TABLES = """
CREATE TABLE review (
    owner_id uuid NOT NULL, review uuid NOT NULL, cause text NOT NULL, rules text, because uuid,
    opened_at timestamptz NOT NULL, person text NOT NULL, role text NOT NULL, facility text NOT NULL,
    patients uuid[] NOT NULL, reason text, accesses uuid[] NOT NULL, last_read_at timestamptz,
    classes text[] NOT NULL, widened_at timestamptz, widened_because text, says text, says_ja text,
    closed_at timestamptz, finding text, words text, closed_by text
);
"""

INDEXES = """
ALTER TABLE review ADD PRIMARY KEY (review);
CREATE INDEX review_owner ON review (owner_id, because);
CREATE INDEX review_page ON review (opened_at DESC, review DESC);
CREATE INDEX review_facility ON review (facility, opened_at DESC, review DESC);
"""


class ReviewRow(Row, frozen=True, kw_only=True):
    """One review, open or closed."""

    TABLE, KEY, OWNER = "review", ("review",), "owner_id"

    owner_id: UUID  # in whose access stream it is closed
    review: UUID
    cause: str  # a ReviewCause
    rules: str | None = None  # the version of the rules that noticed it
    because: UUID | None = None  # event id of the declaration, or of the window's opening
    opened_at: datetime
    person: str  # who read
    role: str
    facility: str
    patients: list[UUID]
    reason: str | None = None  # given when the emergency was declared
    accesses: list[UUID] = msgspec.field(default_factory=list)
    last_read_at: datetime | None = None
    classes: list[str] = msgspec.field(default_factory=list)  # that could be seen in any of the reads
    widened_at: datetime | None = None  # an emergency's second step, and the reason given for it
    widened_because: str | None = None
    says: str | None = None  # what a rule noticed
    says_ja: str | None = None
    closed_at: datetime | None = None
    finding: str | None = None
    words: str | None = None
    closed_by: str | None = None


ROWS: tuple[type[Row], ...] = (ReviewRow,)
EVENTS: tuple[type[Event], ...] = (
    EmergencyDeclared,
    EmergencyWidened,
    AccessPermitted,
    ReviewOpened,
    ReviewClosed,
    ConsentsErased,
    AccessesErased,
)
_CAUSES = {
    AccessBasis.EMERGENCY: ReviewCause.EMERGENCY,
    AccessBasis.DISASTER: ReviewCause.DISASTER,
}


def payloads(event: Event) -> Sequence[UUID]:
    return []


def looks(event: Event) -> Sequence[Look]:
    match event:
        case EmergencyWidened():
            return [look(ReviewRow, because=event.emergency, cause=ReviewCause.EMERGENCY)]
        case AccessPermitted():
            return [
                look(ReviewRow, because=ground.because, cause=_CAUSES[ground.basis])
                for ground in _reviewed(event)
            ]
        case ReviewClosed():
            return [look(ReviewRow, review=event.review)]
        case ConsentsErased():
            return [look(ReviewRow, cause=ReviewCause.EMERGENCY)]
        case _:
            return []


def apply(rows: Rows, recorded: Recorded[Event]) -> None:
    """Fold one event into the reviews of its owner. Sees nothing else."""
    at = recorded.recorded_at
    match recorded.event:
        case EmergencyDeclared() as event:
            rows.put(
                ReviewRow(
                    owner_id=recorded.owner,
                    review=review_of_emergency(event.event_id),
                    cause=ReviewCause.EMERGENCY,
                    because=event.event_id,
                    opened_at=at,
                    person=event.person,
                    role=Role.CLINICIAN,  # nobody else may declare one
                    facility=event.facility,
                    patients=[event.patient],
                    reason=event.reason,
                )
            )
        case EmergencyWidened() as event:
            for row in rows.of(ReviewRow, because=event.emergency, cause=ReviewCause.EMERGENCY):
                if row.closed_at is None:
                    rows.put(replace(row, widened_at=at, widened_because=event.reason))
        case AccessPermitted() as event:
            for ground in _reviewed(event):
                _attach(rows, recorded.owner, event, ground, at)
        case ReviewOpened() as event:
            rows.put(_noticed(event, recorded.owner, at))
        case ReviewClosed() as event:
            for row in rows.of(ReviewRow, review=event.review):
                closed = {"finding": event.finding, "words": event.words, "closed_by": event.closed_by}
                rows.put(replace(row, closed_at=at, **closed))
        case ConsentsErased():  # the declarations are gone; what else is reviewed lies in the access stream
            for row in rows.of(ReviewRow, cause=ReviewCause.EMERGENCY):
                rows.remove(row)
        case AccessesErased():
            rows.remove_all(ReviewRow)


def _reviewed(event: AccessPermitted) -> list[Ground]:
    """The grounds of a read that make it one to be reviewed: each once."""
    found = {ground.because: ground for ground in event.audit.grounds if ground.basis in _CAUSES}
    return list(found.values())


def _attach(rows: Rows, owner: UUID, event: AccessPermitted, ground: Ground, at: datetime) -> None:
    told = event.told
    assert told.facility is not None, "an emergency or a disaster is one of a facility"
    before = rows.of(
        ReviewRow,
        because=ground.because,
        cause=_CAUSES[ground.basis],
        person=told.person,
        facility=told.facility,
    )
    opened = [row for row in before if row.closed_at is None] or [
        ReviewRow(
            owner_id=owner,
            review=uuid5(event.event_id, f"review/{ground.because}"),
            cause=_CAUSES[ground.basis],
            because=ground.because,
            opened_at=at,
            person=told.person,
            role=told.role,
            facility=told.facility,
            patients=[event.patient],
            reason=next((row.reason for row in before), None),
        )
    ]
    row = opened[0]
    seen = {*row.classes, *ground.classes}
    rows.put(
        replace(
            row,
            accesses=[*row.accesses, event.event_id],
            last_read_at=at,
            classes=[str(one) for one in RecordClass if one in seen],
        )
    )


def _noticed(event: ReviewOpened, owner: UUID, at: datetime) -> ReviewRow:
    return ReviewRow(
        owner_id=owner,
        review=event.event_id,
        cause=event.rule,
        rules=event.rules,
        because=event.emergency,
        opened_at=at,
        person=event.person,
        role=event.role,
        facility=event.facility,
        patients=list(event.patients),
        accesses=list(event.accesses),
        last_read_at=event.until,
        says=event.says,
        says_ja=event.says_ja,
    )


VIEW = View(
    "review",
    fields={
        "id": "review",
        "cause": "cause",
        "rules": "rules",
        "because": "because",
        "openedAt": "opened_at",
        "person": "person",
        "role": "role",
        "facility": "facility",
        "patients": "patients",
        "reason": "reason",
        "accesses": "accesses",
        "lastReadAt": "last_read_at",
        "classes": "classes",
        "widenedAt": "widened_at",
        "widenedBecause": "widened_because",
        "says": "says",
        "saysJa": "says_ja",
        "closedAt": "closed_at",
        "finding": "finding",
        "words": "words",
        "closedBy": "closed_by",
    },
    order=("opened_at", "review"),
)
