"""Which generation of a projection reads follow, where it stands for one patient, and how far behind that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tsuzuri.eventlog.quick_reads import QuickReads, rows_of
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


async def served_generation(reads: QuickReads, name: str) -> int:
    """Raises ProjectionOutdated: no generation is of this program's version; psycopg.Error."""
    return (await served_generations(reads, [name]))[0]


async def served_generations(reads: QuickReads, names: Sequence[str]) -> list[int]:
    """Of several projections at the same moment, in their order. Raises as `served_generation`."""
    found = await reads.fetch(_SERVED, (names, [PROJECTIONS[name].version for name in names]))
    generations = [found.get_value(row, 0) for row in range(found.ntuples)]
    return [
        _served(name, None if one is None else int(one)) for name, one in zip(names, generations, strict=True)
    ]


_SERVED = f"""
SELECT {served("asked.name", "asked.version")}
FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS asked (name, version, place) ORDER BY asked.place
"""


async def freshness(reads: QuickReads, projection: str, part: int, patient: UUID) -> Freshness:
    """One look, by keys alone. Raises ProjectionOutdated, psycopg.Error."""
    return (await freshness_of_each(reads, projection, [(part, patient)]))[patient]


async def freshness_of_each(
    reads: QuickReads, projection: str, asked: Sequence[tuple[int, UUID]]
) -> dict[UUID, Freshness]:
    """Of several patients, by part and id, in one look and in one generation: of one it costs as much as of several.

    Raises ProjectionOutdated, psycopg.Error.
    """
    parts, patients = [part for part, _ in asked], [patient for _, patient in asked]
    values = parts, patients, projection, PROJECTIONS[projection].version
    rows = {row["patient_id"]: row for row in rows_of(await reads.fetch(_EACH, values, binary=True))}
    return {patient: _of_row(projection, rows.get(patient)) for _, patient in asked}


_EACH = f"""
SELECT asked.patient_id, s.generation, s.codes, s.position, s.quarantined,
       (SELECT e.recorded_at FROM event e WHERE e.part = asked.part AND e.pos = s.position) AS recorded_at,
       (SELECT extract(epoch FROM clock_timestamp() - e.recorded_at)::float8
        FROM event e WHERE e.part = asked.part AND e.pos = s.position + 1) AS lag
FROM unnest($1::smallint[], $2::uuid[]) AS asked (part, patient_id)
CROSS JOIN {served("$3", "$4")} AS served (generation)
JOIN projection_generation g ON g.name = $3 AND g.generation = served.generation
CROSS JOIN LATERAL (
    SELECT c.generation, g.codes, least(c.pos, q.pos - 1) AS position, q.pos IS NOT NULL AS quarantined
    FROM projection_checkpoint c
    LEFT JOIN projection_quarantine q
    ON q.name = c.name AND q.generation = c.generation AND q.patient_id = asked.patient_id
    WHERE c.name = $3 AND c.generation = served.generation AND c.part = asked.part
) AS s
"""


def _of_row(projection: str, row: Mapping[str, Any] | None) -> Freshness:
    if row is None:
        return freshness_of(projection)
    known = {name: value for name, value in row.items() if name != "patient_id"}
    return freshness_of(projection, **known)


def freshness_of(
    projection: str,
    *,
    generation: int | None = None,
    codes: str = "",
    position: int = 0,
    quarantined: bool = False,
    recorded_at: datetime | None = None,
    lag: float | None = None,
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
