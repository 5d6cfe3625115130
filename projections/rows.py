"""What `apply` works on: the rows of one owner, in memory, and what became of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

import msgspec

from tsuzuri.domain.events import Event

R = TypeVar("R", bound="Row")
E = TypeVar("E", bound=Event)
Key = tuple[Any, ...]


class Row(msgspec.Struct, frozen=True, kw_only=True):
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


@dataclass(frozen=True)
class Look:
    """Rows of an event's owner that `apply` looks at: those of one kind whose columns have these values."""

    kind: type[Row]
    equal: tuple[tuple[str, Any], ...] = ()


def look(kind: type[Row], **equal: Any) -> Look:
    return Look(kind, tuple(equal.items()))


@dataclass(frozen=True, slots=True)
class Recorded(Generic[E]):
    """An event as the log holds it: what happened, where it lies, when the log took it in, what it carries."""

    event: E
    owner: UUID
    part: int
    pos: int
    recorded_at: datetime  # aware, UTC
    payloads: Mapping[UUID, bytes]  # those the projection asked for; an erased one is absent


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
        self._held: dict[type[Row], dict[Key, Row]] = {}
        for row in loaded:
            self._held.setdefault(type(row), {})[row.key()] = row
        self._stored = {kind: frozenset(rows) for kind, rows in self._held.items()}
        self._changed: dict[type[Row], dict[Key, Row | None]] = {}  # None: removed
        self._emptied: set[type[Row]] = set()

    def of(self, kind: type[R], **equal: Any) -> list[R]:
        """The rows whose columns have these values, in the order of their keys."""
        assert self._covers(kind, equal), f"{kind.__name__}: no look declares {sorted(equal)}"
        held: Iterable[R] = self._held.get(kind, {}).values()  # type: ignore[assignment]  # rows of this kind
        found = [row for row in held if all(getattr(row, k) == v for k, v in equal.items())]
        return sorted(found, key=lambda row: tuple(map(str, row.key())))

    def put(self, row: Row) -> None:
        kind, key = type(row), row.key()
        if not kind.ADDED_ONCE:
            self._held.setdefault(kind, {})[key] = row
        self._changed.setdefault(kind, {})[key] = row

    def remove(self, row: Row) -> None:
        kind, key = type(row), row.key()
        self._held.get(kind, {}).pop(key, None)
        self._changed.setdefault(kind, {})[key] = None

    def remove_all(self, kind: type[Row]) -> None:
        """Every row of the owner, also those that `apply` never looks at."""
        self._emptied.add(kind)
        self._held.pop(kind, None)
        self._changed.pop(kind, None)

    def add_changes(self, owner: UUID, changes: Mapping[type[Row], Changes]) -> None:
        """What became of these rows, to that of other owners."""
        for kind in self._emptied:
            changes[kind].emptied.append(owner)
        for kind, rows in self._changed.items():
            found, stored = changes[kind], self._stored.get(kind, frozenset())
            known = kind.ADDED_ONCE or self._looks is None or any(one.kind is kind for one in self._looks)
            for key, row in rows.items():
                if row is None:
                    found.removed.append(key)
                elif known and (key not in stored or kind in self._emptied):
                    found.added.append(row)
                else:
                    found.put.append(row)

    def _covers(self, kind: type[Row], equal: Mapping[str, Any]) -> bool:
        if self._looks is None or kind in self._emptied:
            return True
        asked = equal.items()
        return any(one.kind is kind and all(pair in asked for pair in one.equal) for one in self._looks)
