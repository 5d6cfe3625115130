"""Looking into the log: whether events of these ids are in it, and what was recorded of some owners."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from eventsourcing.persistence import MapperDeserialisationError

from tsuzuri.domain.events import Event, Unreadable, originator
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.log import EventLog
from tsuzuri.eventlog.opened_events import EVENT_COLUMNS, open_event
from tsuzuri.eventlog.sealing import SealBroken


@dataclass(frozen=True)
class RecordedEvent:
    """An event, whose it is, and when the log took it in (aware, UTC)."""

    owner: UUID
    pos: int  # in the owner's part
    recorded_at: datetime
    event: Any  # an erased one is `Erased`; one that cannot be decoded `Unreadable`


async def stored_event(log: EventLog, owner: UUID, event_id: UUID) -> Any | None:
    """The event of this id, as the log has it; None when it has none."""
    found = await _opened(
        log,
        f"""SELECT e.pos, e.recorded_at, {EVENT_COLUMNS} FROM event e LEFT JOIN data_key k USING (part, key_id)
            WHERE e.part = %b AND e.event_id = %b""",
        (log.part_of(owner), event_id),
    )
    return found[0].event if found else None


async def stored_ids(log: EventLog, owned: Collection[tuple[UUID, UUID]]) -> set[UUID]:
    """Which of these events (owner and event id) are in the log."""
    async with log.readers.connection() as connection:
        cursor = await connection.execute(
            b"""SELECT e.event_id FROM unnest(%b::smallint[], %b::uuid[]) AS n (part, event_id)
                JOIN event e USING (part, event_id)""",
            ([log.part_of(owner) for owner, _ in owned], [event_id for _, event_id in owned]),
            binary=True,
        )
        return {event_id for (event_id,) in await cursor.fetchall()}


async def recorded_events(
    log: EventLog,
    owners: Sequence[UUID],
    kinds: Iterable[type[Event]],
    since: datetime,
    until: datetime,
) -> list[RecordedEvent]:
    """Of these kinds, recorded from *since* (inclusive) to *until* (exclusive), aware; each owner's in order."""
    wanted = list(kinds)
    return await _opened(
        log,
        f"""SELECT e.pos, e.recorded_at, {EVENT_COLUMNS}
            FROM unnest(%b::smallint[], %b::uuid[]) AS n (part, patient_id)
            JOIN event e ON e.part = n.part AND e.patient_id = n.patient_id AND e.stream = ANY (%b)
                AND e.topic = ANY (%b) AND e.recorded_at >= %b AND e.recorded_at < %b
            LEFT JOIN data_key k ON k.part = e.part AND k.key_id = e.key_id ORDER BY e.patient_id, e.pos""",
        (
            [log.part_of(owner) for owner in owners],
            list(owners),
            sorted({kind.STREAM.value for kind in wanted}),
            [kind.TOPIC for kind in wanted],
            since,
            until,
        ),
    )


async def events_within(
    log: EventLog, kinds: Iterable[type[Event]], since: datetime, until: datetime
) -> list[RecordedEvent]:
    """Of these kinds, whosever they are, recorded from *since* (inclusive) to *until* (exclusive), aware.

    In a part what stands further on was recorded later: where the period begins is found by halves, part by part, and
    what lies in front of it is never read. A position that is missing counts as one that may lie in the period.
    """
    wanted = list(kinds)
    return await _opened(
        log,
        f"""WITH RECURSIVE halved (part, low, high) AS (
                SELECT part, 0::bigint, pos FROM part_head
                UNION ALL
                SELECT h.part, CASE WHEN m.early THEN m.pos ELSE h.low END,
                    CASE WHEN m.early THEN h.high ELSE m.pos - 1 END
                FROM halved h
                CROSS JOIN LATERAL (
                    SELECT middle.pos, coalesce(e.recorded_at < %b, false) AS early
                    FROM (SELECT (h.low + h.high + 1) / 2 AS pos) AS middle
                    LEFT JOIN event e ON e.part = h.part AND e.pos = middle.pos
                ) AS m WHERE h.low < h.high
            )
            SELECT e.pos, e.recorded_at, {EVENT_COLUMNS}
            FROM halved h JOIN event e ON e.part = h.part AND e.pos > h.low AND e.topic = ANY (%b)
                AND e.recorded_at >= %b AND e.recorded_at < %b
            LEFT JOIN data_key k ON k.part = e.part AND k.key_id = e.key_id
            WHERE h.low = h.high ORDER BY e.recorded_at, e.event_id""",
        (since, [kind.TOPIC for kind in wanted], since, until),
    )


async def _opened(log: EventLog, statement: str, parameters: Sequence[Any]) -> list[RecordedEvent]:
    async with log.readers.connection() as connection:
        cursor = await connection.execute(statement.encode(), parameters, binary=True)
        rows = await cursor.fetchall()
    return await asyncio.to_thread(
        lambda: [RecordedEvent(row[3], row[0], row[1], _event(log, row[2:])) for row in rows]
    )


def _event(log: EventLog, row: Sequence[Any]) -> Any:
    event_id, owner, stream, version, topic, *_ = row
    try:
        return log.mapper.to_domain_event(open_event(log.ring, *row))
    except (SealBroken, MapperDeserialisationError):
        name = originator(owner, Stream(stream))
        return Unreadable(originator_id=name, originator_version=version or 0, event_id=event_id, topic=topic)
