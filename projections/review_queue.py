"""Single reviews, and those that the rules opened, as the served generation has them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tsuzuri.eventlog.quick_reads import QuickReads, rows_of
from tsuzuri.projections.access_reviews import NAME, ReviewRow
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.freshness import served_generation
from tsuzuri.projections.sql import SQL, Composed, Identifier, Literal


async def review_of(reads: QuickReads, review: UUID) -> ReviewRow | None:
    """Raises tsuzuri.projections.checkpoints.ProjectionOutdated."""
    rows = await _rows(reads, SQL("review = {}").format(Literal(review)))
    return rows[0] if rows else None


async def opened_by_rules(
    reads: QuickReads, version: str, since: datetime, until: datetime
) -> Sequence[ReviewRow]:
    """Those that this version opened whose last read lies from *since* (inclusive) to *until* (exclusive), aware.

    Raises as `review_of`.
    """
    where = SQL("rules = {} AND last_read_at >= {} AND last_read_at < {}")
    return await _rows(reads, where.format(Literal(version), Literal(since), Literal(until)))


async def _rows(reads: QuickReads, where: Composed) -> Sequence[ReviewRow]:
    schema = PROJECTIONS[NAME].schema(await served_generation(reads, NAME))
    statement = SQL("SELECT {} FROM {} WHERE {} ORDER BY review").format(
        SQL(", ").join(map(Identifier, ReviewRow.columns())), Identifier(schema, ReviewRow.TABLE), where
    )
    found = await reads.fetch(statement.numbered(), statement.values, binary=True)
    return [ReviewRow(**row) for row in rows_of(found)]
