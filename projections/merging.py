"""Rows between memory and the tables of one generation: what `apply` looks at comes in, what it left goes out."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, get_origin
from uuid import UUID

import msgspec
from msgspec.structs import astuple, fields
from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL, Composed, Identifier

from tsuzuri.projections.rows import Changes, Key, Look, Row

_COPIED_AT_ONCE = 500
_NEITHER_QUOTE = re.compile(rb'\\[^"\\]')  # true of every escape below, and quick to look for
_CONTROL = re.compile(rb"(?<!\\)((?:\\\\)*)(\\[bfnrt]|\\u[0-9a-f]{4})")
_json = msgspec.json.Encoder()

Looks = Mapping[UUID, Iterable[Look]]
"""Owner → what is looked at of her rows."""


def load(connection: Connection[Any], schema: str, looks: Looks) -> dict[UUID, list[Row]]:
    """The rows looked at, by owner: one statement for each shape of look."""
    shapes: dict[tuple[type[Row], tuple[str, ...]], list[tuple[Any, ...]]] = defaultdict(list)
    for owner, some in looks.items():
        for one in some:
            names = tuple(name for name, _ in one.equal)
            shapes[one.kind, names].append((owner, *(value for _, value in one.equal)))
    found: dict[UUID, list[Row]] = defaultdict(list)
    for (kind, names), values in shapes.items():
        columns = [kind.OWNER, *names]
        # Looked up one by one: a planner that does not know the table yet would join by reading all of it.
        statement = SQL(
            "SELECT t.* FROM unnest({}) AS n ({}) CROSS JOIN LATERAL (SELECT {} FROM {} WHERE {} OFFSET 0) AS t"
        ).format(
            SQL(", ").join([SQL("%b")] * len(columns)),
            _columns(columns),
            _columns(kind.columns()),
            Identifier(schema, kind.TABLE),
            SQL(" AND ").join(SQL("{0} = n.{0}").format(Identifier(name)) for name in columns),
        )
        with connection.cursor(row_factory=class_row(kind), binary=True) as cursor:
            for row in cursor.execute(statement, [list(column) for column in zip(*values, strict=True)]):
                found[getattr(row, kind.OWNER)].append(row)
    return found


def merge(connection: Connection[Any], schema: str, changes: Mapping[type[Row], Changes]) -> None:
    """Write what became of the rows: what goes first, then by COPY what is new and what may not be."""
    for kind, changed in changes.items():
        table = Identifier(schema, kind.TABLE)
        if changed.emptied:
            _delete(connection, table, (kind.OWNER,), [(owner,) for owner in changed.emptied])
        if changed.removed:
            _delete(connection, table, kind.KEY, changed.removed)
        if changed.added:
            _copy(connection, table, kind, changed.added)
        if changed.put:
            incoming = Identifier(f"incoming_{schema}_{kind.TABLE}")
            connection.execute(
                SQL("CREATE TEMP TABLE IF NOT EXISTS {} (LIKE {}) ON COMMIT DELETE ROWS").format(
                    incoming, table
                )
            )
            _copy(connection, incoming, kind, changed.put)
            connection.execute(_upsert(table, incoming, kind))
            connection.execute(SQL("TRUNCATE {}").format(incoming))


def _delete(connection: Connection[Any], table: Identifier, names: Iterable[str], keys: list[Key]) -> None:
    condition = SQL(" AND ").join(SQL("{} = %s").format(Identifier(name)) for name in names)
    with connection.cursor() as cursor:
        cursor.executemany(SQL("DELETE FROM {} WHERE {}").format(table, condition), keys)


def _copy(connection: Connection[Any], table: Identifier, kind: type[Row], rows: Sequence[Row]) -> None:
    with connection.cursor().copy(
        SQL("COPY {} ({}) FROM STDIN (FORMAT csv, NULL 'null', ESCAPE E'\\\\', ENCODING 'UTF8')").format(
            table, _columns(kind.columns())
        )
    ) as copy:
        for begin in range(0, len(rows), _COPIED_AT_ONCE):
            copy.write(_csv(kind, rows[begin : begin + _COPIED_AT_ONCE]))


def _csv(kind: type[Row], rows: Iterable[Row]) -> bytes:
    """A line of JSON for each row, without its brackets, is a line of CSV whose quotes are escaped by a backslash.

    So rows are written by the JSON encoder, in a tenth of the time that the driver takes for it. Only JSON's other
    escapes, those of control characters, mean nothing in CSV: there the character itself stands.
    """
    lists = _list_columns(kind)
    lines: list[list[Any]] = []
    for row in rows:
        values = list(astuple(row))
        for place in lists:
            values[place] = _array_literal(tuple(values[place])) if values[place] else "{}"
        lines.append(values)
    text = (
        _json.encode_lines(lines)[1:-2].replace(b"]\n[", b"\n") + b"\n"
    )  # no string holds a line's end as it is
    return _CONTROL.sub(_as_itself, text) if _NEITHER_QUOTE.search(text) else text


def _as_itself(escape: re.Match[bytes]) -> bytes:
    return escape[1] + msgspec.json.decode(b'"' + escape[2] + b'"', type=str).encode()


@cache
def _list_columns(kind: type[Row]) -> tuple[int, ...]:
    """Which columns are arrays. The driver takes longer to write one of those than the rest of the row."""
    return tuple(place for place, column in enumerate(fields(kind)) if get_origin(column.type) is list)


@lru_cache(maxsize=4096)
def _array_literal(values: tuple[Any, ...]) -> str:
    """As PostgreSQL reads an array; the same few lists come again and again."""
    quoted = [str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return "{" + ",".join(f'"{value}"' for value in quoted) + "}"


def _upsert(table: Identifier, incoming: Identifier, kind: type[Row]) -> Composed:
    columns = kind.columns()
    return SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT ({}) DO UPDATE SET {}").format(
        table,
        _columns(columns),
        _columns(columns),
        incoming,
        _columns(kind.KEY),
        SQL(", ").join(SQL("{0} = excluded.{0}").format(Identifier(name)) for name in columns),
    )


def _columns(names: Iterable[str]) -> Composed:
    return SQL(", ").join(Identifier(name) for name in names)
