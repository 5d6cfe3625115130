"""Record stream of a patient: what became unreadable for ever, and what holds that up."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from tsuzuri.domain.events.event import Event
from tsuzuri.domain.vocabulary import RecordClass, Stream


@dataclass(frozen=True, kw_only=True)
class PayloadErased(Event):
    """Bytes of a Bundle became unreadable for ever: their key was destroyed in the same transaction."""

    TOPIC = "payload-erased"
    STREAM = Stream.RECORD

    patient: UUID
    document: UUID
    payloads: tuple[UUID, ...]
    reason: str
    erased_by: str  # person or system id
    touches: tuple[RecordClass, ...] = ()  # classes of which something may end with this event


@dataclass(frozen=True, kw_only=True)
class StreamErased(Event):
    """All that was in one stream until now became unreadable for ever. Each stream has a topic of its own.

    So that the removal can be repeated when this event has become unreadable itself, with the record it lies in:
    then `reason` and `erased_by` are None, and the topic, which lies in the clear, tells the rest.
    """

    ERASES: ClassVar[Stream]
    STREAM = Stream.RECORD

    reason: str | None
    erased_by: str | None


@dataclass(frozen=True, kw_only=True)
class RecordErased(StreamErased):
    """With all payloads of the record's documents, and what was read from them."""

    TOPIC = "record-erased"
    ERASES = Stream.RECORD


@dataclass(frozen=True, kw_only=True)
class ConsentsErased(StreamErased):
    TOPIC = "consents-erased"
    ERASES = Stream.CONSENT


@dataclass(frozen=True, kw_only=True)
class AccessesErased(StreamErased):
    """The list of who looked."""

    TOPIC = "accesses-erased"
    ERASES = Stream.ACCESS


@dataclass(frozen=True, kw_only=True)
class HoldPlaced(Event):
    """Nothing of this patient may be erased, until the hold is lifted. The event's id names the hold."""

    TOPIC = "hold-placed"
    STREAM = Stream.RECORD

    patient: UUID
    reason: str
    placed_by: str


@dataclass(frozen=True, kw_only=True)
class HoldLifted(Event):
    """A hold is over."""

    TOPIC = "hold-lifted"
    STREAM = Stream.RECORD

    patient: UUID
    hold: UUID
    reason: str
    lifted_by: str
