"""The listed facilities, all of them, for a person at the machine."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier

from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.facilities import NAME, FacilityRow
from tsuzuri.projections.generations import live_generation


def listed(connection: Connection[Any]) -> Sequence[FacilityRow]:
    """By number, also those that are closed, as the live generation has them."""
    schema = PROJECTIONS[NAME].schema(live_generation(connection, NAME))
    columns = SQL(", ").join(map(Identifier, FacilityRow.columns()))
    statement = SQL("SELECT {} FROM {} ORDER BY facility").format(
        columns, Identifier(schema, FacilityRow.TABLE)
    )
    with connection.cursor(row_factory=class_row(FacilityRow)) as cursor:
        return cursor.execute(statement).fetchall()
