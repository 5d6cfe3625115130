"""Whose events a projection has reached since one looked last: what wakes those who wait for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.freshness import served

_SERVED = served("%(name)b", "%(version)b")


@dataclass(frozen=True)
class Reached:
    """How far the served generation has come in one part."""

    pos: int
    owners: Sequence[UUID]  # of whom an event lies between there and the last look
    anybody: bool  # one lies there that may be about anybody: it is in the stream of who did it


async def reached(
    connection: AsyncConnection[Any],
    name: str,
    after: Mapping[int, int | None],
    *,
    topics: Sequence[str],
    about_anybody: Sequence[str] = (),
) -> dict[int, Reached]:
    """Of the parts in *after* those in which it has come further, in one look by keys.

    After None is wherever it stands: nobody's events lie behind that. Events of other topics count for the position
    alone. Empty while no generation is of this program's version.
    """
    cursor = await connection.execute(
        f"""
        SELECT c.part, c.pos, coalesce(e.owners, '{{}}'), coalesce(e.anybody, false)
        FROM unnest(%(parts)b::smallint[], %(after)b::bigint[]) AS n (part, after)
        JOIN projection_checkpoint c ON c.name = %(name)b AND c.generation = {_SERVED} AND c.part = n.part
        CROSS JOIN LATERAL (
            SELECT array_agg(DISTINCT e.patient_id) AS owners, bool_or(e.topic = ANY (%(anybody)b)) AS anybody
            FROM event e
            WHERE e.part = c.part AND e.pos > n.after AND e.pos <= c.pos AND e.topic = ANY (%(topics)b)
        ) AS e
        WHERE n.after IS NULL OR c.pos > n.after
        """.encode(),
        {
            "parts": list(after),
            "after": list(after.values()),
            "topics": [*topics, *about_anybody],
            "anybody": list(about_anybody),
            "name": name,
            "version": PROJECTIONS[name].version,
        },
        prepare=True,
        binary=True,
    )
    return {part: Reached(*found) for part, *found in await cursor.fetchall()}
