"""Which generation of a projection reads follow, where it stands for one patient, and how far behind that is."""

from collections.abc import Sequence
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


def served(name: str, version: str) -> str:
    """The live generation; for a program of another version than the live one's, the newest that is of its own.

    *name* and *version*: where the statement has these values.
    """
    return f"""(
    SELECT g.generation FROM projection_generation g JOIN projection p USING (name)
    WHERE g.name = {name} AND g.version = {version} AND g.state <> 'FILLING'
    ORDER BY g.generation = p.live DESC, g.generation DESC LIMIT 1)"""


_SERVED = served("%(name)b", "%(version)b")


async def served_generation(connection: AsyncConnection[Any], name: str) -> int:
    """Raises ProjectionOutdated: no generation is of this program's version."""
    cursor = await connection.execute(
        f"SELECT {_SERVED}".encode(), {"name": name, "version": PROJECTIONS[name].version}, prepare=True
    )
    row = await cursor.fetchone()
    return _served(name, None if row is None else row[0])


async def freshness(connection: AsyncConnection[Any], projection: str, part: int, patient: UUID) -> Freshness:
    """One look, by keys alone. Raises ProjectionOutdated."""
    return (await freshness_of_each(connection, projection, [(part, patient)]))[patient]


async def freshness_of_each(
    connection: AsyncConnection[Any], projection: str, asked: Sequence[tuple[int, UUID]]
) -> dict[UUID, Freshness]:
    """Of several patients, by part and id, in one look and in one generation: of one it costs as much as of several.

    Raises ProjectionOutdated.
    """
    cursor = await connection.execute(
        f"""
        SELECT asked.patient_id, s.generation, s.codes, s.pos, s.quarantined,
               (SELECT e.recorded_at FROM event e WHERE e.part = asked.part AND e.pos = s.pos),
               (SELECT extract(epoch FROM clock_timestamp() - e.recorded_at)::float8
                FROM event e WHERE e.part = asked.part AND e.pos = s.pos + 1)
        FROM unnest(%(parts)b::smallint[], %(patients)b::uuid[]) AS asked (part, patient_id)
        CROSS JOIN {_SERVED} AS served (generation)
        JOIN projection_generation g ON g.name = %(name)b AND g.generation = served.generation
        CROSS JOIN LATERAL (
            SELECT c.generation, g.codes, least(c.pos, q.pos - 1) AS pos, q.pos IS NOT NULL AS quarantined
            FROM projection_checkpoint c
            LEFT JOIN projection_quarantine q
            ON q.name = c.name AND q.generation = c.generation AND q.patient_id = asked.patient_id
            WHERE c.name = %(name)b AND c.generation = served.generation AND c.part = asked.part
        ) AS s
        """.encode(),
        {
            "parts": [part for part, _ in asked],
            "patients": [patient for _, patient in asked],
            "name": projection,
            "version": PROJECTIONS[projection].version,
        },
        prepare=True,
        binary=True,
    )
    rows = {patient: row for patient, *row in await cursor.fetchall()}
    return {patient: _of_row(projection, rows.get(patient)) for _, patient in asked}


def _of_row(projection: str, row: Sequence[Any] | None) -> Freshness:
    generation, codes, position, quarantined, recorded_at, lag = row or (None, "", 0, False, None, None)
    return freshness_of(
        projection,
        generation=generation,
        codes=codes,
        position=position,
        quarantined=quarantined,
        recorded_at=recorded_at,
        lag=lag,
    )


def freshness_of(
    projection: str,
    *,
    generation: int | None,
    codes: str,
    position: int,
    quarantined: bool,
    recorded_at: datetime | None,
    lag: float | None,
) -> Freshness:
    """*lag*: seconds since the next event was recorded; None when there is none. Raises ProjectionOutdated."""
    return Freshness(
        generation=_served(projection, generation),
        position=position,
        recorded_at=recorded_at,
        lag_seconds=max(0.0, lag or 0.0),
        at_head=lag is None and not quarantined,
        quarantined=quarantined,
        codes=codes,
    )


def _served(name: str, generation: int | None) -> int:
    if generation is None:
        raise ProjectionOutdated(
            f"projection {name}: no generation is of version {PROJECTIONS[name].version}, which this program reads; "
            f"run: tsuzuri projections rebuild {name}"
        )
    return generation
