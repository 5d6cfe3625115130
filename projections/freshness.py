"""Which generation of a projection reads follow, where it stands for one patient, and how far behind that is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.checkpoints import ProjectionOutdated


@dataclass(frozen=True)
class Freshness:
    """A projection's position for one patient, and the age of what it has not applied yet."""

    generation: int
    position: (
        int  # in the patient's part; where the patient is quarantined, in front of the event that failed
    )
    recorded_at: datetime | None  # of the last event applied there; None when there is none
    lag_seconds: float  # 0 when it stands at the head
    at_head: bool
    quarantined: bool  # it does not get any further by waiting
    codes: str  # name of the code release that the generation is filled under


SERVED = """(
    SELECT g.generation FROM projection_generation g JOIN projection p USING (name)
    WHERE g.name = %(name)b AND g.version = %(version)b AND g.state <> 'FILLING'
    ORDER BY g.generation = p.live DESC, g.generation DESC LIMIT 1)"""
"""The live generation; for a program of another version than the live one's, the newest that is of its own."""


async def served_generation(connection: AsyncConnection[Any], name: str) -> int:
    """Raises ProjectionOutdated: no generation is of this program's version."""
    cursor = await connection.execute(
        f"SELECT {SERVED}".encode(), {"name": name, "version": PROJECTIONS[name].version}, prepare=True
    )
    row = await cursor.fetchone()
    return _served(name, None if row is None else row[0])


async def freshness(connection: AsyncConnection[Any], projection: str, part: int, patient: UUID) -> Freshness:
    """One look, by keys alone. Raises ProjectionOutdated."""
    cursor = await connection.execute(
        f"""
        SELECT s.generation, s.codes, s.pos, s.quarantined,
               (SELECT e.recorded_at FROM event e WHERE e.part = %(part)b AND e.pos = s.pos),
               (SELECT extract(epoch FROM clock_timestamp() - e.recorded_at)::float8
                FROM event e WHERE e.part = %(part)b AND e.pos = s.pos + 1)
        FROM (
            SELECT c.generation, g.codes, least(c.pos, q.pos - 1) AS pos, q.pos IS NOT NULL AS quarantined
            FROM projection_checkpoint c JOIN projection_generation g USING (name, generation)
            LEFT JOIN projection_quarantine q
            ON q.name = c.name AND q.generation = c.generation AND q.patient_id = %(patient)b
            WHERE c.name = %(name)b AND c.generation = {SERVED} AND c.part = %(part)b
        ) AS s
        """.encode(),
        {
            "part": part,
            "name": projection,
            "version": PROJECTIONS[projection].version,
            "patient": patient,
        },
        prepare=True,
        binary=True,
    )
    row = await cursor.fetchone()
    generation, codes, position, quarantined, recorded_at, lag = row or (None, "", 0, False, None, None)
    return Freshness(
        _served(projection, generation),
        position,
        recorded_at,
        max(0.0, lag or 0.0),
        lag is None and not quarantined,
        quarantined,
        codes,
    )


def _served(name: str, generation: int | None) -> int:
    if generation is None:
        raise ProjectionOutdated(
            f"projection {name}: no generation is of version {PROJECTIONS[name].version}, which this program reads; "
            f"run: tsuzuri projections rebuild {name}"
        )
    return generation
