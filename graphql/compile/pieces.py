"""From what a document asks of a row to the SQL that writes it as JSON text.

Text is put together by concat(), which leaves a NULL out: whatever may be null says so itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    is_leaf_type,
)

from tsuzuri.domain import record
from tsuzuri.graphql.compile.collecting import Collected, Collecting
from tsuzuri.graphql.compile.declared import DECLARED, KEYS, UNWRITTEN, Declared, Link, Worked

HOLE, OF = "\x01", "\x02"
"""Around what is filled in behind the database, and behind its number. JSON text never holds them."""
_ARGUMENTS_MAX = 90  # of concat(), which takes a hundred
_STRUCTS = frozenset({"Coding", "Value", "ReferenceRange"})
"""Types whose objects lie in a column, as JSON."""
STORED = {"Coding": record.Coding.__struct_fields__}
"""The members of those that lie in a column whole, in their order there."""
_QUOTED = frozenset({"ID"})
"""Scalars whose text needs no escaping."""


class Unwritable(Exception):
    """A field that the database cannot write."""


@dataclass(eq=False)
class Linked:
    """Rows that the rows of a page name. Each is written once, and put where it is named behind the database."""

    alias: str
    type_name: str
    of: str  # alias of the rows that name them
    column: str
    absent: str  # what is said of a row that is not there; its key stands where OF does
    text: str = ""


Filled = Callable[..., Any] | Linked | None
"""What fills a hole: a function, a row by its key, or, for None, a sealed cursor."""


class Pieces:
    """The pieces of one page. *alias*: of its rows."""

    def __init__(self, collecting: Collecting, alias: str) -> None:
        self._collecting = collecting
        self.alias = alias
        self.linked: list[Linked] = []
        self.worked: list[Filled] = []  # the holes, by number
        self.columns: dict[str, set[str]] = {alias: set()}

    def object(self, of: GraphQLObjectType, collected: Collected, alias: str) -> str:
        """A row of *alias* as JSON. Raises Unwritable."""
        return concat(self.members(of, collected, alias))

    def members(self, of: GraphQLObjectType, collected: Collected, alias: str) -> Sequence[str]:
        """As `object`, in pieces of one text."""
        declared = DECLARED.get(of.name)
        if declared is None:
            raise Unwritable
        parts = [(key, self._field(of, declared, nodes, alias)) for key, nodes in collected.items()]
        return _members(parts)

    def _field(
        self, of: GraphQLObjectType, declared: Declared, nodes: list[FieldNode], alias: str
    ) -> Sequence[str]:
        name = nodes[0].name.value
        if name == "__typename":
            return [text(f'"{of.name}"')]
        if nodes[0].arguments:
            raise Unwritable
        kind = of.fields[name].type
        if link := declared.links.get(name):
            return self._link(kind, link, nodes, alias)
        if worked := declared.worked.get(name):
            return self._worked(worked, alias)
        column = declared.view.fields.get(name)
        if column is None or (of.name, name) in UNWRITTEN:
            raise Unwritable
        return self._column(kind, self._of(alias, column), nodes)

    def _of(self, alias: str, column: str) -> str:
        self.columns[alias].add(column)
        return f'{alias}."{column}"'

    def _column(self, kind: GraphQLOutputType, column: str, nodes: list[FieldNode]) -> Sequence[str]:
        nullable = not isinstance(kind, GraphQLNonNull)
        inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(inner, GraphQLEnumType) or getattr(inner, "name", "") in _QUOTED:
            if nullable:
                return [f"""coalesce('"' || {column} || '"', 'null')"""]
            return [text('"'), column, text('"')]
        items = inner.of_type if isinstance(inner, GraphQLList) else None
        plain = items.of_type if isinstance(items, GraphQLNonNull) else items
        if is_leaf_type(inner) or (plain is not None and is_leaf_type(plain)):
            return [_nullable(f"to_json({column})::text", nullable)]
        if isinstance(plain, GraphQLObjectType):
            return [self._structs(plain, column, nodes)]
        if isinstance(inner, GraphQLObjectType):
            return [
                f"CASE WHEN {column} IS NULL THEN 'null' ELSE {self._struct(inner, f'{column}::json', nodes)} END"
            ]
        raise Unwritable

    def _structs(self, of: GraphQLObjectType, column: str, nodes: list[FieldNode]) -> str:
        if self._is_all(of, nodes):
            return column
        one = self._struct(of, "one.value", nodes)
        return (
            f"(SELECT concat('[', string_agg({one}, ',' ORDER BY one.ordinality), ']')"
            f" FROM json_array_elements({column}::json) WITH ORDINALITY AS one)"
        )

    def _is_all(self, of: GraphQLObjectType, nodes: list[FieldNode]) -> bool:
        """What is asked for is what lies in the column, letter by letter."""
        selections = [node.selection_set for node in nodes if node.selection_set]
        asked = [(key, inner[0].name.value) for key, inner in self._collecting.fields(of, selections).items()]
        return asked == [(name, name) for name in STORED.get(of.name, ())]

    def _struct(self, of: GraphQLObjectType, value: str, nodes: list[FieldNode]) -> str:
        if of.name not in _STRUCTS:
            raise Unwritable
        selections = [node.selection_set for node in nodes if node.selection_set]
        parts = []
        for key, inner in self._collecting.fields(of, selections).items():
            name = inner[0].name.value
            member = (
                text(f'"{of.name}"')
                if name == "__typename"
                else f"coalesce(({value}->'{name}')::text, 'null')"
            )
            parts.append((key, [member]))
        return concat(_members(parts))

    def _link(self, kind: GraphQLOutputType, link: Link, nodes: list[FieldNode], alias: str) -> Sequence[str]:
        of = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        assert isinstance(of, GraphQLObjectType)
        selections = [node.selection_set for node in nodes if node.selection_set]
        collected = self._collecting.fields(of, selections)
        name = f"{self.alias}_{len(self.linked)}"
        linked = Linked(name, link.type_name, alias, link.column, _absent(of, collected))
        self.linked.append(linked)
        self.columns[name] = {KEYS[link.type_name]}
        linked.text = self.object(of, collected, name)
        self.worked.append(linked)
        return hole(len(self.worked) - 1, self._of(alias, link.column))

    def _worked(self, worked: Worked, alias: str) -> Sequence[str]:
        given = ", ".join(self._of(alias, column) for column in worked.columns)
        self.worked.append(worked.value)
        return hole(len(self.worked) - 1, f"json_build_array({given})")


def _absent(of: GraphQLObjectType, collected: Collected) -> str:
    """Null; of a facility that is not listed, its number."""
    declared = DECLARED[of.name]
    if not declared.without_row:
        return "null"
    parts = []
    for name, nodes in collected.items():
        field = nodes[0].name.value
        value = declared.without_row.get(field, "null")
        if field == "__typename":
            value = f'"{of.name}"'
        elif declared.view.fields.get(field) == KEYS[of.name]:
            value = OF
        parts.append(f'"{name}":{value}')
    return "{" + ",".join(parts) + "}"


def hole(number: int, argument: str) -> Sequence[str]:
    """A place to be filled in: a JSON array of what a function takes, or a key."""
    return [text(f"{HOLE}{number}{OF}"), argument, text(HOLE)]


def text(written: str) -> str:
    """A constant of SQL."""
    return "'" + written.replace("'", "''") + "'"


def concat(parts: Sequence[str]) -> str:
    """One text; constants that stand beside each other are one."""
    joined: list[str] = []
    for part in parts:
        if joined and part.startswith("'") and joined[-1].startswith("'") and part.endswith("'"):
            joined[-1] = joined[-1][:-1] + part[1:]
        else:
            joined.append(part)
    while len(joined) > _ARGUMENTS_MAX:
        groups = range(0, len(joined), _ARGUMENTS_MAX)
        joined = [f"concat({', '.join(joined[n : n + _ARGUMENTS_MAX])})" for n in groups]
    return f"concat({', '.join(joined)})"


def _members(parts: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Of a JSON object."""
    if not parts:
        return [text("{}")]
    written: list[str] = []
    for number, (key, value) in enumerate(parts):
        written += [text(f'{"," if number else "{"}"{key}":'), *value]
    return [*written, text("}")]


def _nullable(expression: str, nullable: bool) -> str:
    return f"coalesce({expression}, 'null')" if nullable else expression
