"""What `apply` works on: the rows of one owner, in memory, and what became of them."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

import msgspec

from tsuzuri.domain.codes import Codes
from tsuzuri.domain.events import Event

R = TypeVar("R", bound="Row")
E = TypeVar("E", bound=Event)
Key = tuple[Any, ...]


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of a projection table: a field is a column of the same name."""

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]
    OWNER: ClassVar[str] = "patient_id"  # the column that says whose row it is
    ADDED_ONCE: ClassVar[bool] = False  # each event adds rows of its own, which no other event changes

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        return cls.__struct_fields__

    def key(self) -> Key:
        return tuple([getattr(self, name) for name in self.KEY])


@cache
def _identity(kind: type[Row]) -> Callable[[Row], Hashable]:
    """Tells the rows of a kind apart as their keys do; of a UUID by its number, which takes less time to hash."""
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    return attrgetter(*(f"{name}.int" if types[name] is UUID else name for name in kind.KEY))


@dataclass(frozen=True)
class Look:
    """Rows of an event's owner that `apply` looks at: those of one kind whose columns have these values."""

    kind: type[Row]
    equal: tuple[tuple[str, Any], ...] = ()


def look(kind: type[Row], **equal: Any) -> Look:
    return Look(kind, tuple(equal.items()))


class Recorded(msgspec.Struct, Generic[E], frozen=True, gc=False):
    """An event as the log holds it: what happened, where it lies, when the log took it in, what it carries.

    And the release of the codes under which it is read, the same for a whole generation.
    """

    event: E
    owner: UUID
    part: int
    pos: int
    recorded_at: datetime  # aware, UTC
    payloads: Mapping[UUID, bytes]  # those the projection asked for; an erased one is absent
    codes: Codes  # the release that the generation is filled under


@dataclass
class Changes:
    """What became of the rows of one table, for any number of owners: to be done in this order."""

    emptied: list[UUID]  # owners of whom everything goes
    removed: list[Key]
    added: list[Row]  # the table has none of these keys
    put: list[Row]  # it may have


class Rows:
    """The rows of one owner. `put` replaces a row of the same key.

    `apply` finds only what was loaded by the looks that the projection declared; asked for more, it fails: a fold
    on rows that were not loaded would be wrong in silence. With no looks given, all of the owner's rows are here.
    """

    def __init__(self, loaded: Iterable[Row] = (), looks: Sequence[Look] | None = None) -> None:
        self._looks = looks
        self._held: dict[type[Row], dict[Hashable, Row]] = {}
        self._found_by: dict[
            type[Row], dict[str, dict[Any, dict[Hashable, Row]]]
        ] = {}  # column → value → rows
        for row in loaded:
            self._held.setdefault(type(row), {})[_identity(type(row))(row)] = row
        self._stored = {kind: frozenset(rows) for kind, rows in self._held.items()}
        self._changed: dict[type[Row], dict[Hashable, Row | Key]] = {}  # the key alone: removed
        self._emptied: set[type[Row]] = set()

    def of(self, kind: type[R], **equal: Any) -> list[R]:
        """The rows whose columns have these values, in the order of their keys. The first should tell most apart."""
        assert self._covers(kind, equal), f"{kind.__name__}: no look declares {sorted(equal)}"
        held: Mapping[Hashable, R] = self._narrowed(kind, equal)  # type: ignore[assignment]  # rows of this kind
        found = [row for row in held.values() if all(getattr(row, k) == v for k, v in equal.items())]
        return sorted(found, key=lambda row: tuple(map(str, row.key())))

    def put(self, row: Row) -> None:
        kind = type(row)
        identity = _identity(kind)(row)
        if not kind.ADDED_ONCE:
            self._hold(kind, identity, row)
        self._changed.setdefault(kind, {})[identity] = row

    def remove(self, row: Row) -> None:
        kind = type(row)
        identity = _identity(kind)(row)
        self._hold(kind, identity, None)
        self._changed.setdefault(kind, {})[identity] = row.key()

    def remove_all(self, kind: type[Row]) -> None:
        """Every row of the owner, also those that `apply` never looks at."""
        self._emptied.add(kind)
        self._held.pop(kind, None)
        self._found_by.pop(kind, None)
        self._changed.pop(kind, None)

    def _hold(self, kind: type[Row], identity: Hashable, row: Row | None) -> None:
        held = self._held.setdefault(kind, {})
        earlier = held.pop(identity, None)
        if row is not None:
            held[identity] = row
        for column, values in self._found_by.get(kind, {}).items():
            if earlier is not None:
                del values[getattr(earlier, column)][identity]
            if row is not None:
                values.setdefault(getattr(row, column), {})[identity] = row

    def _narrowed(self, kind: type[Row], equal: Mapping[str, Any]) -> Mapping[Hashable, Row]:
        """The rows with the first of the values: an owner may have thousands, and each of her events asks."""
        held = self._held.get(kind, {})
        if not equal or not held:
            return held
        column, value = next(iter(equal.items()))
        by_column = self._found_by.setdefault(kind, {})
        if column not in by_column:
            values: dict[Any, dict[Hashable, Row]] = {}
            for identity, row in held.items():
                values.setdefault(getattr(row, column), {})[identity] = row
            by_column[column] = values
        return by_column[column].get(value, {})

    def add_changes(self, owner: UUID, changes: Mapping[type[Row], Changes]) -> None:
        """What became of these rows, to that of other owners."""
        for kind in self._emptied:
            changes[kind].emptied.append(owner)
        for kind, rows in self._changed.items():
            found, stored = changes[kind], self._stored.get(kind, frozenset())
            known = kind.ADDED_ONCE or self._looks is None or any(one.kind is kind for one in self._looks)
            for identity, row in rows.items():
                if isinstance(row, tuple):
                    found.removed.append(row)
                elif known and (identity not in stored or kind in self._emptied):
                    found.added.append(row)
                else:
                    found.put.append(row)

    def _covers(self, kind: type[Row], equal: Mapping[str, Any]) -> bool:
        if self._looks is None or kind in self._emptied:
            return True
        asked = equal.items()
        return any(one.kind is kind and all(pair in asked for pair in one.equal) for one in self._looks)
