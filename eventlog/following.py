"""Reading on from a checkpoint over many parts: each event once, in the order of its part."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import args_row

from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.mapper import ErasedEvent, MappedEvent
from tsuzuri.eventlog.opened_events import open_event
from tsuzuri.eventlog.places import Vector


class LoggedEvent(Struct, frozen=True, gc=False):
    """One row of the log as a follower gets it."""

    part: int
    pos: int
    event_id: UUID
    patient_id: UUID
    stream: int
    version: int | None
    topic: str
    state: bytes  # sealed
    recorded_at: datetime
    key_id: UUID
    use: str
    epoch: int
    wrapped: bytes | None

    def opened(self, ring: KeyRing) -> MappedEvent | ErasedEvent:
        """Raises SealBroken and KeyUnavailable."""
        return open_event(
            ring,
            self.event_id,
            self.patient_id,
            self.stream,
            self.version,
            self.topic,
            self.state,
            self.key_id,
            self.use,
            self.epoch,
            self.wrapped,
        )


LOGGED_EVENT = """e.part, e.pos, e.event_id, e.patient_id, e.stream, e.version, e.topic, e.state, e.recorded_at,
    e.key_id, k.use, k.epoch, k.wrapped"""
"""What makes a LoggedEvent, of `event e LEFT JOIN data_key k USING (part, key_id)`."""


def heads(connection: Connection[Any]) -> Vector:
    """The last position of each part: what "all of it" means at this moment."""
    return dict(connection.execute("SELECT part, pos FROM part_head").fetchall())


@dataclass(frozen=True)
class Batch:
    """Events in the order of their parts, and the checkpoint a follower may set once it has applied them."""

    events: list[LoggedEvent]
    covers: Vector

    def first(self, number: int, after: Vector) -> "Batch":
        """Only the first events, and the checkpoint that they alone allow; *after* is where the batch began."""
        kept, left = self.events[:number], self.events[number:]
        reached = {event.part: event.pos for event in kept}
        undone = {event.part: reached.get(event.part, after.get(event.part, 0)) for event in left}
        return Batch(kept, {**self.covers, **undone})


def follow(
    connection: Connection[Any], after: Vector, *, upto: Vector, topics: Sequence[str], limit: int
) -> Batch:
    """The next events behind *after* and not beyond *upto*: about *limit*, shared by the parts that have any.

    Topics that are not listed are passed over. A batch with no events still moves the checkpoint on.
    """
    behind = [(part, after.get(part, 0), pos) for part, pos in upto.items() if after.get(part, 0) < pos]
    if not behind:
        return Batch([], dict(after))
    each = max(1, limit // len(behind))
    with connection.cursor(row_factory=args_row(LoggedEvent), binary=True) as cursor:
        cursor.execute(
            f"""
            SELECT {LOGGED_EVENT}
            FROM unnest(%b::smallint[], %b::bigint[], %b::bigint[]) AS c (part, after, upto)
            CROSS JOIN LATERAL (
                SELECT * FROM event e
                WHERE e.part = c.part AND e.pos > c.after AND e.pos <= c.upto AND e.topic = ANY (%b)
                ORDER BY e.pos LIMIT %b
            ) AS e
            LEFT JOIN data_key k ON k.part = e.part AND k.key_id = e.key_id
            ORDER BY e.part, e.pos
            """.encode(),
            (*map(list, zip(*behind, strict=True)), list(topics), each),
            prepare=True,
        )
        events = cursor.fetchall()
    count = Counter(event.part for event in events)
    last = {event.part: event.pos for event in events}
    covers = {part: last[part] if count[part] == each else upto for part, _, upto in behind}
    return Batch(events, {**after, **covers})


def events_of_owner(
    connection: Connection[Any],
    part: int,
    owner: UUID,
    *,
    streams: Sequence[int],
    topics: Sequence[str],
    after: int,
    upto: int,
) -> list[LoggedEvent]:
    """What one owner's streams hold behind *after* and not beyond *upto*, in the order of the log."""
    with connection.cursor(row_factory=args_row(LoggedEvent), binary=True) as cursor:
        return cursor.execute(
            f"""SELECT {LOGGED_EVENT} FROM event e LEFT JOIN data_key k ON k.part = e.part AND k.key_id = e.key_id
                WHERE e.part = %b AND e.patient_id = %b AND e.stream = ANY (%b) AND e.topic = ANY (%b)
                AND e.pos > %b AND e.pos <= %b ORDER BY e.pos""".encode(),
            (part, owner, list(streams), list(topics), after, upto),
            prepare=True,
        ).fetchall()


def events_by_owner(
    connection: Connection[Any],
    part: int,
    *,
    streams: Sequence[int],
    topics: Sequence[str],
    after: UUID,
    upto: int,
    limit: int,
) -> list[LoggedEvent]:
    """A part's events not beyond *upto*, of owners whose ids come behind *after*, owner by owner; the first *limit*."""
    with connection.cursor(row_factory=args_row(LoggedEvent), binary=True) as cursor:
        return cursor.execute(
            f"""SELECT {LOGGED_EVENT} FROM (
                    SELECT * FROM event e WHERE e.part = %b AND e.patient_id > %b AND e.stream = ANY (%b)
                    AND e.topic = ANY (%b) AND e.pos <= %b ORDER BY e.patient_id, e.stream, e.version LIMIT %b
                ) AS e LEFT JOIN data_key k ON k.part = e.part AND k.key_id = e.key_id
                ORDER BY e.patient_id, e.pos""".encode(),
            (part, after, list(streams), list(topics), upto, limit),
            prepare=True,
        ).fetchall()
