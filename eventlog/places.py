"""Where an event lies: its part and its position there. There is no place across parts but a vector."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

Vector = Mapping[int, int]
"""A checkpoint: part → the last position that is covered. A part that is absent stands at 0."""

_POSITION_BITS = 51


@dataclass(frozen=True, order=True)
class Place:
    """A part and a position in it, from 1."""

    part: int
    pos: int

    def packed(self) -> int:
        """One integer for the eventsourcing library, which numbers notifications. Not an order across parts."""
        return self.part << _POSITION_BITS | self.pos


@dataclass(frozen=True)
class Stored:
    """What the log says of an event once it is durable."""

    place: Place
    recorded_at: datetime  # aware, UTC, the database's clock


def part_of(owner: UUID, parts: int) -> int:
    """The part in which all events of *owner* lie."""
    return owner.int % parts
