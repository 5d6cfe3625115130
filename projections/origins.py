"""Who registered what a reading shows. What it does not show has no origin, like what is not there."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.sql import SQL, Composable, Identifier, Literal

from tsuzuri.projections import record_index
from tsuzuri.projections.sight import Sight


@dataclass(frozen=True)
class Origin:
    """The document, and the facility that registered it."""

    document: UUID
    sender: str


async def origin_of_entry(connection: AsyncConnection[Any], sight: Sight, entry: UUID) -> Origin | None:
    return await _first(connection, _entries(sight, SQL("entry = {}").format(Literal(entry))))


async def origin_of_document(connection: AsyncConnection[Any], sight: Sight, document: UUID) -> Origin | None:
    """A collection is nothing that is shown by itself: it is there when an entry of it is."""
    wanted = SQL("document = {}").format(Literal(document))
    shown = SQL("SELECT document, facility FROM {} WHERE {} AND {}").format(
        Identifier(sight.index, record_index.DOCUMENTS.table), sight.predicate(history=True), wanted
    )
    return await _first(connection, SQL("{} UNION ALL {}").format(shown, _entries(sight, wanted)))


def _entries(sight: Sight, wanted: Composable) -> Composable:
    schema = sight.index
    return SQL("SELECT document, sender FROM {} WHERE {} AND {}").format(
        Identifier(schema, record_index.ENTRIES.table),
        sight.predicate(history=True, facts=True, schema=schema),
        wanted,
    )


async def _first(connection: AsyncConnection[Any], rows: Composable) -> Origin | None:
    cursor = await connection.execute(SQL("{} LIMIT 1").format(rows), prepare=False)
    row = await cursor.fetchone()
    return None if row is None else Origin(*row)
