"""The identities that wait for an operator, and the links that hold, all of them, for a person at the machine."""

from collections.abc import Sequence
from typing import Any, TypeVar

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL, Composed, Identifier

from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.generations import live_generation
from tsuzuri.projections.identities import NAME, LinkRow, UnmatchedIdentityRow
from tsuzuri.projections.rows import Row

R = TypeVar("R", bound=Row)


def unsettled(connection: Connection[Any]) -> Sequence[UnmatchedIdentityRow]:
    """The longest first, as the live generation has them."""
    return _rows(
        connection, UnmatchedIdentityRow, SQL("settled_at IS NULL ORDER BY since, identity").format()
    )


def linked(connection: Connection[Any]) -> Sequence[LinkRow]:
    """The longest first, each once, as the live generation has them."""
    held = SQL("undone_at IS NULL AND patient_id = survivor ORDER BY since, link").format()
    return _rows(connection, LinkRow, held)


def _rows(connection: Connection[Any], kind: type[R], where: Composed) -> Sequence[R]:
    schema = PROJECTIONS[NAME].schema(live_generation(connection, NAME))
    columns = SQL(", ").join(map(Identifier, kind.columns()))
    statement = SQL("SELECT {} FROM {} WHERE {}").format(columns, Identifier(schema, kind.TABLE), where)
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(statement).fetchall()
