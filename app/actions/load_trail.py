"""The trail as it is indexed, page by page, the oldest access first: what a filter names, up to where it is whole."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from tsuzuri.app.services import Services
from tsuzuri.eventlog.quick_reads import rows_of
from tsuzuri.projections.audit_trail import NAME, AccessRow
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.freshness import served_generation
from tsuzuri.projections.sql import SQL, Composed, Identifier, Literal, Number

PAGE_ACCESSES = 1_000


async def trail_pages(
    services: Services, where: Sequence[Composed], before: datetime, *, size: int = PAGE_ACCESSES
) -> AsyncIterator[list[AccessRow]]:
    """*before*: up to this moment (aware); the trail must be whole up to it, else some would be passed over.

    Raises tsuzuri.projections.checkpoints.ProjectionOutdated.
    """
    conditions = [*where, SQL("at < {}").format(Literal(before))]
    after: tuple[datetime, UUID] | None = None
    while True:
        beyond = [] if after is None else [SQL("(at, access) > ({}, {})").format(*map(Literal, after))]
        statement = SQL("SELECT {} FROM {} WHERE {} ORDER BY at, access LIMIT {}").format(
            SQL(", ").join(map(Identifier, AccessRow.columns())),
            await _table(services),
            SQL(" AND ").join([*conditions, *beyond]),
            Number(size),
        )
        found = await services.reads.fetch(statement.numbered(), statement.values, binary=True)
        page = [AccessRow(**row) for row in rows_of(found)]
        if page:
            yield page
        if len(page) < size:
            return
        after = page[-1].at, page[-1].access


async def trail_count(services: Services, where: Sequence[Composed], before: datetime) -> int:
    """How many accesses `trail_pages` goes through. Raises as it does."""
    statement = SQL("SELECT count(*) AS n FROM {} WHERE {}").format(
        await _table(services), SQL(" AND ").join([*where, SQL("at < {}").format(Literal(before))])
    )
    found = await services.reads.fetch(statement.numbered(), statement.values, binary=True)
    number: int = rows_of(found)[0]["n"]
    return number


async def _table(services: Services) -> Composed:
    generation = await served_generation(services.reads, NAME)
    return Identifier(PROJECTIONS[NAME].schema(generation), AccessRow.TABLE)
