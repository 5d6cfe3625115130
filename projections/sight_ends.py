"""Until when what the record index has of each payload may be seen, by anybody and at any `asOf`; who has some past it.

The same rules as in `sight.py`, read the other way round: what is cancelled is seen at no time, what has no end and
what is one of the last of its group at all times.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import scalar_row
from psycopg.sql import SQL, Composed, Identifier, Literal

from tsuzuri.domain.expiry import Indexed
from tsuzuri.domain.grounds import PATIENT_FLAGS
from tsuzuri.domain.retention import LAST
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.fences import sees_whole
from tsuzuri.projections.record_index import NAME
from tsuzuri.projections.record_rows import DocumentRow, EntryRow

FIRST = UUID(int=0)
"""In front of every patient."""

_PATIENTS = SQL(
    "SELECT DISTINCT patient_id FROM {patients} WHERE patient_id > {after} ORDER BY patient_id LIMIT {limit}"
)

# The own row of a collection says nothing of its end: what it carries does, and of one that carries nothing the caller.
# Who looks decides what the last of a group are. Kept is what is one of them for its own sender, who sees only what it
# sent itself, or for the patient, who sees nothing hidden. What a letter holds is seen as long as the letter.
_ENDS = SQL(
    """SELECT patient_id, payload, count(DISTINCT entry) AS entries, max(registered_at) AS registered_at,
           CASE WHEN bool_or(endless) FILTER (WHERE cancelled_by IS NULL) THEN NULL
                ELSE coalesce(max(visible_until) FILTER (WHERE cancelled_by IS NULL), max(registered_at))
           END AS seen_until
    FROM (
        SELECT patient_id, unit AS payload, entry, registered_at, cancelled_by,
               greatest(visible_until, recipient_until) AS visible_until,
               visible_until IS NULL OR (ranked_as IS NOT NULL AND to_pos IS NULL AND {last} > least(
                   count(*) OVER (
                       PARTITION BY patient_id, record_class, ranked_as, to_pos IS NULL, sender {newer}),
                   count(*) FILTER (WHERE flags_now <@ {shown}::text[]) OVER (
                       PARTITION BY patient_id, record_class, ranked_as, to_pos IS NULL {newer})
               )) AS endless
        FROM {entries} WHERE {seen} AND patient_id = ANY ({patients})
        UNION ALL
        SELECT patient_id, received, NULL, registered_at, cancelled_by, visible_until,
               CASE WHEN record_class IS NOT NULL THEN visible_until IS NULL ELSE EXISTS (
                   SELECT FROM {entries} AS e WHERE e.patient_id = d.patient_id AND e.document = d.document
               ) END
        FROM {documents} AS d WHERE {seen} AND patient_id = ANY ({patients})
    ) AS rows GROUP BY patient_id, payload"""
)


async def patients_behind(
    connection: AsyncConnection[Any], generation: int, after: UUID, limit: int
) -> list[UUID]:
    """The next patients whose ids come behind *after*, of whom the index has anything."""
    statement = _PATIENTS.format(
        patients=_table(generation, "patient"), after=Literal(after), limit=Literal(limit)
    )
    async with connection.cursor(row_factory=scalar_row) as cursor:
        return await (await cursor.execute(statement)).fetchall()


async def past_their_time(
    connection: AsyncConnection[Any], generation: int, patients: list[UUID], at: datetime
) -> list[UUID]:
    """Those of the patients of whom a payload may be seen no more. Whether it goes is decided on her record."""
    statement = SQL("SELECT DISTINCT patient_id FROM ({}) AS ends WHERE seen_until <= {} ORDER BY 1").format(
        _ends(generation, patients), Literal(at)
    )
    async with connection.cursor(row_factory=scalar_row) as cursor:
        return await (await cursor.execute(statement)).fetchall()


async def sight_ends(connection: AsyncConnection[Any], generation: int, patient: UUID) -> dict[UUID, Indexed]:
    """What the index has of each of a patient's payloads."""
    cursor = await connection.execute(
        SQL("SELECT payload, entries, registered_at, seen_until FROM ({}) AS ends").format(
            _ends(generation, [patient])
        )
    )
    return {
        payload: Indexed(entries=entries, registered_at=registered_at, seen_until=seen_until)
        async for payload, entries, registered_at, seen_until in cursor
    }


def _ends(generation: int, patients: list[UUID]) -> Composed:
    return _ENDS.format(
        documents=_table(generation, DocumentRow.TABLE),
        entries=_table(generation, EntryRow.TABLE),
        seen=sees_whole(patients),
        patients=Literal(patients),
        last=Literal(LAST),
        newer=SQL("ORDER BY sort_at DESC, entry DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"),
        shown=Literal([str(flag) for flag in PATIENT_FLAGS]),
    )


def _table(generation: int, name: str) -> Identifier:
    return Identifier(PROJECTIONS[NAME].schema(generation), name)
