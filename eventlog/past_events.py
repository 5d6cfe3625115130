"""What stood in the log when something was decided: one event by its place, and streams up to a version or a moment."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.log import EventLog
from tsuzuri.eventlog.opened_events import EVENT_COLUMNS, open_event

Limit = int | datetime
"""A version, or a moment of recording (aware): what stands behind it is left out, what stands at it is not."""

_OF_EVENTS = f"SELECT {EVENT_COLUMNS} FROM event e LEFT JOIN data_key k USING (part, key_id) WHERE "


async def past_events(log: EventLog, owner: UUID, stream: Stream, limit: Limit) -> list[Any]:
    """The events of one stream up to *limit*, in order; one whose key was destroyed comes as `Erased`.

    A stream lies in one part, where what is appended later is recorded later: so each limit cuts it once.
    """
    column = "recorded_at" if isinstance(limit, datetime) else "version"
    asked = f"e.part = %b AND e.patient_id = %b AND e.stream = %b AND e.{column} <= %b ORDER BY e.pos"
    return await _read(log, asked, (log.part_of(owner), owner, stream.value, limit))


async def event_at(log: EventLog, part: int, pos: int) -> Any:
    """The one event that stands there."""
    (event,) = await _read(log, "e.part = %b AND e.pos = %b", (part, pos))
    return event


async def _read(log: EventLog, asked: str, values: tuple[Any, ...]) -> list[Any]:
    async with log.readers.connection() as connection:
        cursor = await connection.execute((_OF_EVENTS + asked).encode(), values, binary=True)
        rows = await cursor.fetchall()
    return await asyncio.to_thread(
        lambda: [log.mapper.to_domain_event(open_event(log.ring, *row)) for row in rows]
    )
