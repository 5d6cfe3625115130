"""What `apply` works on: the rows of the owners a batch touches, in memory, and what became of them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from tsuzuri.domain.events import Event

R = TypeVar("R", bound="Row")
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a projection table: a field is a column of the same name."""

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]
    OWNER: ClassVar[str] = "patient_id"  # the column that says whose row it is
    FOLDED: ClassVar[bool] = True  # False: `apply` only adds rows and never looks at them

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        return tuple(f.name for f in fields(cls))

    def key(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.KEY)


@dataclass(frozen=True)
class Recorded(Generic[E]):
    """An event as the log holds it: what happened, where it lies, when the log took it in, what it carries."""

    event: E
    owner: UUID
    part: int
    pos: int
    recorded_at: datetime  # aware, UTC
    payloads: Mapping[UUID, bytes]  # those the projection asked for; an erased one is absent


@dataclass(frozen=True)
class Changed:
    """What became of the rows of one table: to be done in this order."""

    emptied: list[UUID]  # owners of whom everything goes
    removed: list[tuple[Any, ...]]  # keys
    put: list[Row]


class Rows:
    """The rows of the owners in one batch. `put` replaces a row of the same key."""

    def __init__(self) -> None:
        self._held: dict[type[Row], dict[Any, dict[tuple[Any, ...], Row]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        self._put: dict[type[Row], dict[tuple[Any, ...], Row]] = defaultdict(dict)
        self._removed: dict[type[Row], set[tuple[Any, ...]]] = defaultdict(set)
        self._emptied: dict[type[Row], set[UUID]] = defaultdict(set)

    def load(self, row: Row) -> None:
        """A row as it lies in the table."""
        self._held[type(row)][getattr(row, row.OWNER)][row.key()] = row

    def of(self, kind: type[R], owner: UUID, **equal: Any) -> list[R]:
        """The owner's rows whose columns have these values, in the order of their keys."""
        assert kind.FOLDED, f"{kind.__name__} is only added to"
        held: list[R] = list(self._held[kind][owner].values())  # type: ignore[arg-type]  # rows of this kind
        found = [row for row in held if all(getattr(row, k) == v for k, v in equal.items())]
        return sorted(found, key=lambda row: tuple(map(str, row.key())))

    def put(self, row: Row) -> None:
        if row.FOLDED:
            self.load(row)
        self._put[type(row)][row.key()] = row
        self._removed[type(row)].discard(row.key())

    def remove(self, row: Row) -> None:
        self._held[type(row)][getattr(row, row.OWNER)].pop(row.key(), None)
        self._put[type(row)].pop(row.key(), None)
        self._removed[type(row)].add(row.key())

    def remove_all(self, kind: type[Row], owner: UUID) -> None:
        """Every row of one owner, also those that `apply` never looks at."""
        self._emptied[kind].add(owner)
        self._held[kind].pop(owner, None)
        self._put[kind] = {
            key: row for key, row in self._put[kind].items() if getattr(row, row.OWNER) != owner
        }

    def changed(self, kind: type[Row]) -> Changed:
        return Changed(list(self._emptied[kind]), list(self._removed[kind]), list(self._put[kind].values()))
