"""SQL over the projections' views: the one place that reads rows for GraphQL. Values never enter as text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tsuzuri.graphql.context import RequestRefused
from tsuzuri.projections.sight import Sight
from tsuzuri.projections.sql import SQL, Composed, Identifier, Literal, Number
from tsuzuri.projections.view import View


@dataclass(frozen=True)
class Cursor:
    """A place in a page order: the last row a page showed."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Source:
    """A view in the schema of its live generation, and the rows of it that the caller may see."""

    view: View
    schema: str
    seen: Composed

    def table(self) -> Composed:
        return Identifier(self.schema, self.view.table)

    def page(
        self, where: Sequence[Composed], size: int, cursor: Cursor | None, *, backward: bool = False
    ) -> Composed:
        """The next *size* rows and one more, newest first; the row's fields, and its cursor as `_cursor`.

        *backward*: those in front of the cursor, or the last, and oldest first: away from the cursor.
        """
        columns = SQL(", ").join([self.view.selected, self._cursor()])
        return self.rows(columns, where, size, cursor, backward=backward)

    def rows(
        self,
        columns: Composed,
        where: Sequence[Composed],
        size: int,
        cursor: Cursor | None,
        *,
        backward: bool,
        place: str | None = None,
    ) -> Composed:
        """As `page`, with other columns; *place*: the name of one more, which numbers the rows from 1."""
        order = self._order(backward)
        if place is not None:
            numbered = SQL("row_number() OVER (ORDER BY {}) AS {}").format(order, Identifier(place))
            columns = SQL(", ").join([columns, numbered])
        conditions = [
            self.seen,
            *where,
            *([] if cursor is None else [_beyond(self.view.place, cursor, backward)]),
        ]
        return SQL("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT {}").format(
            columns, self.table(), SQL(" AND ").join(conditions), order, Number(size + 1)
        )

    def all(self, where: Sequence[Composed]) -> Composed:
        """Every row that may be seen, with its fields."""
        conditions = SQL(" AND ").join([self.seen, *where])
        return SQL("SELECT {} FROM {} WHERE {}").format(self.view.selected, self.table(), conditions)

    def newest_of_each(self, classes: Sequence[str], column: str, number: int) -> Composed:
        """Newest first, the rows of these classes; of rows that share a value in *column*, the newest *number*."""
        nth = SQL("row_number() OVER (PARTITION BY record_class, {} ORDER BY {})").format(
            Identifier(column), self._order()
        )
        return SQL(
            "SELECT {} FROM (SELECT *, {} AS nth FROM {} WHERE {} AND {}) AS t "
            "WHERE {} IS NULL OR nth <= {} ORDER BY {}"
        ).format(
            self.view.selected,
            nth,
            self.table(),
            self.seen,
            one_of("record_class", classes),
            Identifier(column),
            Number(number),
            self._order(),
        )

    def count(self, where: Sequence[Composed]) -> Composed:
        return SQL("SELECT count(*) AS n FROM {} WHERE {}").format(
            self.table(), SQL(" AND ").join([self.seen, *where])
        )

    def _order(self, backward: bool = False) -> Composed:
        return self.view.place if backward else self.view.newest_first

    def _cursor(self) -> Composed:
        return SQL("json_build_array({}) AS _cursor").format(self.view.place)


def guarded(view: View, schema: str, sight: Sight) -> Source:
    """A view whose rows are shown only under a decision."""
    holds_entries = view.history and view.facts
    seen = sight.predicate(
        history=view.history,
        facts=view.facts,
        schema=schema if holds_entries else None,
        dates=view.dates,
    )
    return Source(view, schema, seen)


def one_of(column: str, values: Sequence[Any]) -> Composed:
    return SQL("{} = ANY ({})").format(Identifier(column), Literal([_plain(value) for value in values]))


def among(column: str, values: Sequence[Any]) -> Composed:
    """As `one_of`, of a page in the order of time: of several values it is read in that order, not value by value."""
    if len(values) == 1:
        return equal(column, values[0])
    return SQL("CASE WHEN {} THEN true ELSE false END").format(one_of(column, values))


def equal(column: str, value: Any) -> Composed:
    return SQL("{} = {}").format(Identifier(column), Literal(_plain(value)))


def contains(column: str, text: str) -> Composed:
    """A text column has *text* somewhere in it, in capitals or not, 全角 or 半角."""
    return SQL("strpos(lower(normalize({}, NFKC)), lower(normalize({}, NFKC))) > 0").format(
        Identifier(column), Literal(_plain(text))
    )


def holds(column: str, text: str) -> Composed:
    """A text column has *text* somewhere in it, letter by letter; of three or more an index of trigrams may help."""
    pattern = re.sub(r"([\\%_])", r"\\\1", _plain(text))
    return SQL("{} LIKE {}").format(Identifier(column), Literal(f"%{pattern}%"))


def overlaps(column: str, values: Sequence[Any]) -> Composed:
    """An array column and *values* have one in common."""
    return SQL("{} && {}::text[]").format(Identifier(column), Literal([_plain(value) for value in values]))


def none_of(column: str, values: Sequence[Any]) -> Composed:
    """An array column, which is never null, and *values* have none in common."""
    return SQL("NOT ({})").format(overlaps(column, values))


def any_of(*conditions: Composed) -> Composed:
    """At least one of them holds."""
    return SQL("({})").format(SQL(" OR ").join(conditions))


def between(column: str, start: datetime | None, end: datetime | None) -> list[Composed]:
    """From *start* (inclusive) to *end* (exclusive); either may be open. Raises RequestRefused."""
    conditions: list[Composed] = []
    if start is not None:
        conditions.append(SQL("{} >= {}").format(Identifier(column), Literal(aware(start))))
    if end is not None:
        conditions.append(SQL("{} < {}").format(Identifier(column), Literal(aware(end))))
    return conditions


def aware(moment: datetime) -> datetime:
    """Raises RequestRefused for a time without a zone, which would mean nine different hours, or out of all reason."""
    if moment.tzinfo is None:
        raise RequestRefused("BAD_INPUT", 'a time needs its zone: "2026-11-22T09:00:00+09:00"')
    if not 1800 <= moment.year <= 9000:
        raise RequestRefused("BAD_INPUT", "a time lies between the years 1800 and 9000")
    return moment.astimezone(UTC)  # Python knows zones that PostgreSQL does not


def timeline(
    entries: Source,
    documents: Source,
    entry_where: Sequence[Composed],
    document_where: Sequence[Composed],
    size: int,
    cursor: Cursor | None,
    *,
    backward: bool = False,
) -> Composed:
    """Ids of entries and documents in one order of time, a page like `Source.page`; `_kind` tells which is which."""
    arms = [
        SQL("SELECT {} AS _kind, sort_at, {} AS id FROM {} WHERE {}").format(
            Literal(kind), Identifier(column), source.table(), SQL(" AND ").join([source.seen, *where])
        )
        for kind, column, source, where in (
            ("entry", "entry", entries, entry_where),
            ("document", "document", documents, document_where),
        )
    ]
    beyond = SQL("true") if cursor is None else _beyond(SQL("sort_at, id"), cursor, backward)
    return SQL(
        "SELECT _kind, id, json_build_array(sort_at, id) AS _cursor FROM ({}) AS t WHERE {} ORDER BY {} LIMIT {}"
    ).format(
        SQL(" UNION ALL ").join(arms),
        beyond,
        SQL("sort_at, id" if backward else "sort_at DESC, id DESC"),
        Number(size + 1),
    )


def by_ids(source: Source, ids: Sequence[UUID]) -> Composed:
    """The rows with these ids that the caller may see, in any order."""
    return source.page([one_of(source.view.fields["id"], ids)], len(ids), None)


def _beyond(columns: Composed, cursor: Cursor, backward: bool) -> Composed:
    values = SQL(", ").join(Literal(value) for value in cursor.values)
    return SQL("({}) > ({})" if backward else "({}) < ({})").format(columns, values)


def _plain(value: Any) -> Any:
    """A value for the driver: enums as their text. Raises RequestRefused for what no stored text can hold."""
    if not isinstance(value, str):
        return value
    if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise RequestRefused("BAD_INPUT", "a text holds a character that no record can hold")
    return str(value)
