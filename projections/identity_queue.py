"""The identities that wait for an operator, all of them, for a person at the machine."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier

from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.generations import live_generation
from tsuzuri.projections.identities import NAME, UnmatchedIdentityRow


def unsettled(connection: Connection[Any]) -> Sequence[UnmatchedIdentityRow]:
    """The longest first, as the live generation has them."""
    schema = PROJECTIONS[NAME].schema(live_generation(connection, NAME))
    columns = SQL(", ").join(map(Identifier, UnmatchedIdentityRow.columns()))
    statement = SQL("SELECT {} FROM {} WHERE settled_at IS NULL ORDER BY since, identity").format(
        columns, Identifier(schema, UnmatchedIdentityRow.TABLE)
    )
    with connection.cursor(row_factory=class_row(UnmatchedIdentityRow)) as cursor:
        return cursor.execute(statement).fetchall()
