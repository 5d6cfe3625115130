"""SQL text with its values beside it: composed like psycopg's own, and cheap enough to be composed for every read.

The text does not depend on the values that are given, so the server plans a statement once. A piece is one of
psycopg's too: composed with those, its values stand in the text as literals.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from string import Formatter
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.abc import AdaptContext

_PLACE = "\0"  # of a value, until all of a statement is known
_TYPES: dict[type, str] = {UUID: "::uuid", datetime: "::timestamptz", bool: "::boolean", int: "::bigint"}


class Later:
    """Stands for a value of a piece that is made once and used for many: `bound` puts the value there."""

    __slots__ = ("cast",)

    def __init__(self, kind: type) -> None:
        self.cast = _TYPES.get(kind, "")


class Composed(sql.Composable):
    """A piece of SQL. `values` are in the order of their places in the text."""

    __slots__ = ("text", "values")

    def __init__(self, text: str, values: tuple[Any, ...] = ()) -> None:
        self.text, self.values = text, values

    def numbered(self) -> str:
        """The text with $1, $2, … where the values belong, as the server wants it."""
        return _numbered(self.text)

    def bound(self, values: Mapping[Later, Any]) -> "Composed":
        """The same with these values in the place of those that were left open."""
        return Composed(self.text, tuple([values[one] if type(one) is Later else one for one in self.values]))

    def as_bytes(self, context: AdaptContext | None = None) -> bytes:
        written = self.text.encode().split(_PLACE.encode())
        values = [list(value) if type(value) is tuple else value for value in self.values]
        given = [sql.Literal(value).as_bytes(context) for value in values]
        return b"".join(part for pair in zip(written, [*given, b""], strict=True) for part in pair)

    def __repr__(self) -> str:
        return f"Composed({self.text!r})"  # without the values, which may be a patient's

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Composed) and (self.text, self.values) == (other.text, other.values)

    def __hash__(self) -> int:
        return hash(self.text)


class Template(Composed):
    """A piece that others are put into. Made once for each text."""

    __slots__ = ("_fields", "_written")

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._written, self._fields = _template(text)

    def format(self, *pieces: Composed, **named: Composed) -> Composed:
        """The text with each `{}`, `{0}` or `{name}` filled by the piece that is given for it."""
        given = [named[field] if isinstance(field, str) else pieces[field] for field in self._fields]
        return Composed(self._written % tuple([piece.text for piece in given]), _values(given))

    def join(self, pieces: Iterable[Composed]) -> Composed:
        given = list(pieces)
        return Composed(self.text.join([piece.text for piece in given]), _values(given))


@lru_cache(maxsize=4_096)
def SQL(text: str) -> Template:
    """Text that somebody wrote: never made of anything that was received."""
    return Template(text)


def Literal(value: Any) -> Composed:
    """A value: it never becomes text of the statement."""
    cast = value.cast if type(value) is Later else _TYPES.get(type(value), "")
    return Composed(_PLACE + cast, (value,))


def Number(number: int) -> Composed:
    """A number that the text itself holds: one of few, by which the server may plan better."""
    return Composed(f"{number:d}")


def Identifier(*names: str) -> Composed:
    return Composed(".".join(_quoted(name) for name in names))


def _values(pieces: Sequence[Composed]) -> tuple[Any, ...]:
    values: tuple[Any, ...] = ()
    for piece in pieces:
        if piece.values:
            values += piece.values
    return values


def _template(text: str) -> tuple[str, tuple[str | int, ...]]:
    """The text with %s for each field, and which piece goes there."""
    written, fields = "", list[str | int]()
    for part, field, _, _ in Formatter().parse(text):
        written += part.replace("%", "%%")
        if field is not None:
            fields.append(len(fields) if field == "" else int(field) if field.isdigit() else field)
            written += "%s"
    return written, tuple(fields)


@lru_cache(maxsize=2_048)
def _numbered(text: str) -> str:
    parts = text.split(_PLACE)
    return "".join(part if number == 0 else f"${number}{part}" for number, part in enumerate(parts))


@lru_cache(maxsize=4_096)
def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
