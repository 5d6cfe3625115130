"""The call of the append function: what goes in beside the events, and what its refusals mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from eventsourcing.persistence import IntegrityError
from psycopg import Error

from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.mapper import SealedEvent
from tsuzuri.eventlog.places import Place, Stored, part_of


class NarrowedMeanwhile(Exception):
    """An event that narrows sight came between the decision and its append: decide again."""


class ClaimedElsewhere(Exception):
    """A number was claimed for another patient meanwhile: look it up again and use that patient."""


@dataclass(frozen=True)
class Payload:
    """Bytes kept beside an event: a received Bundle, or a unit taken from it."""

    payload_id: UUID
    body: bytes


@dataclass(frozen=True)
class Claim:
    """A number, as its keyed hash, for the patient whose first event this append stores."""

    digest: bytes
    patient: UUID


@dataclass(frozen=True)
class Guard:
    """Nothing may have narrowed the patient's sight since the position the decision read."""

    patient: UUID
    guard_pos: int


@dataclass(frozen=True)
class Beside:
    """What is written or checked in the same transaction as the events."""

    narrows: bool = False  # these events may narrow what is seen of their patient
    consents: bytes | None = None  # the consent stream folded up to these events
    payloads: Sequence[Payload] = ()
    claims: Sequence[Claim] = ()
    guards: Sequence[Guard] = ()


STATEMENT = """
    SELECT place_part, place_pos, place_recorded_at FROM append_events(
        %b::smallint[], %b::uuid[], %b::uuid[], %b::smallint[], %b::bigint[],
        %b::text[], %b::uuid[], %b::bytea[], %b::boolean[],
        %b::smallint[], %b::uuid[], %b::bigint[],
        %b::smallint[], %b::uuid[], %b::bytea[],
        %b::smallint[], %b::uuid[], %b::uuid[], %b::bytea[],
        %b::bytea[], %b::uuid[])
"""


def split(originator_id: UUID | str) -> tuple[UUID, Stream]:
    """The owner and the stream of an originator id, "<owner>/<stream>"."""
    owner, _, stream = str(originator_id).partition("/")
    return UUID(owner), Stream[stream.upper()]


def parameters(events: Sequence[SealedEvent], beside: Beside, parts: int) -> list[Any]:
    """The arrays of STATEMENT, in its order."""
    routes = [split(event.originator_id) for event in events]
    owners = [owner for owner, _ in routes]
    part = {owner: part_of(owner, parts) for owner in owners}
    first = owners[0]
    consents = [] if beside.consents is None else [beside.consents]
    return [
        [part[owner] for owner in owners],
        [event.event_id for event in events],
        owners,
        [stream.value for _, stream in routes],
        [
            None if stream is Stream.ACCESS else event.originator_version
            for event, (_, stream) in zip(events, routes, strict=True)
        ],
        [event.topic for event in events],
        [event.key_id for event in events],
        [event.state for event in events],
        [beside.narrows and stream is not Stream.ACCESS for _, stream in routes],
        [part_of(guard.patient, parts) for guard in beside.guards],
        [guard.patient for guard in beside.guards],
        [guard.guard_pos for guard in beside.guards],
        [part[first] for _ in consents],
        [first for _ in consents],
        consents,
        [part[first] for _ in beside.payloads],
        [payload.payload_id for payload in beside.payloads],
        [None for _ in beside.payloads],
        [payload.body for payload in beside.payloads],
        [claim.digest for claim in beside.claims],
        [claim.patient for claim in beside.claims],
    ]


def stored(rows: Sequence[tuple[int, int, Any]]) -> list[Stored]:
    return [Stored(Place(part, pos), recorded_at) for part, pos, recorded_at in rows]


def meaning(error: Error) -> Exception | None:
    """What a refusal of the append function means to its caller; None for any other error."""
    match error.sqlstate:
        case "TZ001":
            return NarrowedMeanwhile("an event that narrows sight came in between")
        case "TZ002":
            return ClaimedElsewhere("a number was claimed for another patient")
        case "TZ003" | "TZ004" | "23505":
            return IntegrityError("the stream has moved on: load it again and decide again")
        case _:
            return None
