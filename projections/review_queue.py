"""Single reviews, and those that the rules opened, as the served generation has them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL, Composable, Identifier, Literal

from tsuzuri.projections.access_reviews import NAME, ReviewRow
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.freshness import served_generation


async def review_of(connection: AsyncConnection[Any], review: UUID) -> ReviewRow | None:
    """Raises tsuzuri.projections.checkpoints.ProjectionOutdated."""
    rows = await _rows(connection, SQL("review = {}").format(Literal(review)))
    return rows[0] if rows else None


async def opened_by_rules(
    connection: AsyncConnection[Any], version: str, since: datetime, until: datetime
) -> Sequence[ReviewRow]:
    """Those that this version opened whose last read lies from *since* (inclusive) to *until* (exclusive), aware.

    Raises as `review_of`.
    """
    where = SQL("rules = {} AND last_read_at >= {} AND last_read_at < {}")
    return await _rows(connection, where.format(Literal(version), Literal(since), Literal(until)))


async def _rows(connection: AsyncConnection[Any], where: Composable) -> Sequence[ReviewRow]:
    schema = PROJECTIONS[NAME].schema(await served_generation(connection, NAME))
    statement = SQL("SELECT {} FROM {} WHERE {} ORDER BY review").format(
        SQL(", ").join(map(Identifier, ReviewRow.columns())), Identifier(schema, ReviewRow.TABLE), where
    )
    async with connection.cursor(row_factory=class_row(ReviewRow)) as cursor:
        return await (await cursor.execute(statement)).fetchall()
