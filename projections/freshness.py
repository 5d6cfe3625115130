"""Where a live projection stands for one part, and how far that is behind the log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection


@dataclass(frozen=True)
class Freshness:
    """A projection's position in a part, and the age of what it has not applied yet."""

    generation: int
    position: int
    recorded_at: datetime | None  # of the last event it has applied there; None when it has applied none
    lag_seconds: float  # 0 when it stands at the head
    at_head: bool


async def freshness(connection: AsyncConnection[Any], projection: str, part: int) -> Freshness:
    """One look, by keys alone."""
    cursor = await connection.execute(
        """
        SELECT p.live, coalesce(c.pos, 0),
               (SELECT e.recorded_at FROM event e WHERE e.part = %(part)b AND e.pos = c.pos),
               (SELECT extract(epoch FROM clock_timestamp() - e.recorded_at)::float8
                FROM event e WHERE e.part = %(part)b AND e.pos = coalesce(c.pos, 0) + 1)
        FROM projection p
        LEFT JOIN projection_checkpoint c ON c.name = p.name AND c.generation = p.live AND c.part = %(part)b
        WHERE p.name = %(name)b
        """,
        {"part": part, "name": projection},
        prepare=True,
        binary=True,
    )
    row = await cursor.fetchone()
    assert row is not None, f"projection {projection} has not been prepared"
    return Freshness(row[0], row[1], row[2], max(0.0, row[3] or 0.0), row[3] is None)
