"""What all events have, and what stands in the place of one that cannot be read."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from tsuzuri.domain.vocabulary import Stream


def originator(owner: UUID, stream: Stream) -> str:
    """Names one stream of one owner, as the eventsourcing library asks: "<owner>/<stream>"."""
    return f"{owner}/{stream.name.lower()}"


@dataclass(frozen=True, kw_only=True)
class Event:
    """What all events have. The log sets place, time and hash; `event_id` makes an append safe to repeat."""

    TOPIC: ClassVar[str]
    STREAM: ClassVar[Stream]
    SEALED_APART: ClassVar[frozenset[str]] = frozenset()  # fields that not all who read the rest may read

    originator_id: str
    originator_version: int  # from 1; 0 in the access stream, whose events carry no version
    event_id: UUID


@dataclass(frozen=True, kw_only=True)
class Erased(Event):
    """An event whose key was destroyed, as a reader meets it. Never stored: the row keeps its topic and its seal."""

    topic: str


@dataclass(frozen=True, kw_only=True)
class Unreadable(Event):
    """An event that this program cannot decode, as a reader meets it: what it says is not known. Never stored."""

    topic: str
