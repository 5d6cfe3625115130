"""Events to states and back: the library's Mapper, with typed decoding and an id for each event."""

from collections.abc import Iterable
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, get_type_hints
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, MapperDeserialisationError, StoredEvent
from eventsourcing.utils import get_topic, register_topic, resolve_topic

from tsuzuri.domain.events import EVENTS, Erased, Event, StreamErased

_HEADER = frozenset({"originator_id", "originator_version", "event_id"})  # kept as columns, not in the state

for _event in EVENTS:
    register_topic(_event.TOPIC, _event)


@dataclass(frozen=True)
class MappedEvent(StoredEvent):
    """An event before it is sealed and after it is opened: its id, and its state in one section or two."""

    event_id: UUID
    apart: bytes | None = None  # what is sealed under a key of its own: see Event.SEALED_APART


@dataclass(frozen=True)
class ErasedEvent(StoredEvent):
    """An event whose key was destroyed: only what stands in the clear is left, and the state is empty."""

    event_id: UUID


class EventMapper(Mapper[str]):
    """Chosen through the library's MAPPER_TOPIC. Upcasting works as the library has it."""

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> MappedEvent:
        assert isinstance(domain_event, Event)
        cls = type(domain_event)
        state = {name: value for name, value in vars(domain_event).items() if name not in _HEADER}
        class_version = getattr(cls, "class_version", 1)
        if class_version > 1:
            state["class_version"] = class_version
        apart = {name: state.pop(name) for name in cls.SEALED_APART}
        return MappedEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=get_topic(cls),
            state=msgspec.json.encode(state),
            event_id=domain_event.event_id,
            apart=msgspec.json.encode(apart) if apart else None,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """Raises MapperDeserialisationError, which names the event and never repeats what it holds."""
        assert isinstance(stored_event, MappedEvent | ErasedEvent)
        header: dict[str, Any] = {
            "originator_id": stored_event.originator_id,
            "originator_version": stored_event.originator_version,
            "event_id": stored_event.event_id,
        }
        cls = resolve_topic(stored_event.topic)
        if isinstance(stored_event, ErasedEvent):
            if issubclass(cls, StreamErased):
                return cls(**header, reason=None, erased_by=None)
            return Erased(**header, topic=stored_event.topic)
        try:
            state = _decode(cls, stored_event.state, stored_event.apart)
        except msgspec.MsgspecError as error:
            raise MapperDeserialisationError(
                f"event {stored_event.event_id} ({stored_event.topic}) cannot be read: {type(error).__name__}"
            ) from None
        event = object.__new__(cls)
        object.__setattr__(event, "__dict__", {**header, **state})
        return event


def event_mapper() -> EventMapper:
    """The mapper for those who follow the log without the library's application."""
    return EventMapper(transcoder=JSONTranscoder())


_Types = tuple[type[msgspec.Struct], type[msgspec.Struct]]
_types: dict[str, _Types] = {}


def _section_types(cls: type[Event]) -> _Types:
    """Typed decoders for the two sections of an event class: one pass from bytes to checked values."""
    if cls.TOPIC not in _types:
        hints = get_type_hints(cls)
        members = [f for f in fields(cls) if f.name not in _HEADER]
        _types[cls.TOPIC] = (
            _struct(f"{cls.__name__}State", (f for f in members if f.name not in cls.SEALED_APART), hints),
            _struct(f"{cls.__name__}Apart", (f for f in members if f.name in cls.SEALED_APART), hints),
        )
    return _types[cls.TOPIC]


def _struct(name: str, members: Iterable[Field[Any]], hints: dict[str, Any]) -> type[msgspec.Struct]:
    defined: list[Any] = []
    for f in members:
        if f.default is not MISSING:
            defined.append((f.name, hints[f.name], f.default))
        elif f.default_factory is not MISSING:
            defined.append((f.name, hints[f.name], msgspec.field(default_factory=f.default_factory)))
        else:
            defined.append((f.name, hints[f.name]))
    return msgspec.defstruct(name, defined, kw_only=True)


def _decode(cls: type[Event], state: bytes, apart: bytes | None) -> dict[str, Any]:
    types = _section_types(cls)
    class_version = getattr(cls, "class_version", 1)
    if class_version == 1:
        read = msgspec.structs.asdict(msgspec.json.decode(state, type=types[0]))
        return (
            read
            if apart is None
            else read | msgspec.structs.asdict(msgspec.json.decode(apart, type=types[1]))
        )
    raw: dict[str, Any] = msgspec.json.decode(state)
    if apart is not None:
        raw |= msgspec.json.decode(apart)
    stored_version = raw.pop("class_version", 1)
    while stored_version < class_version:
        getattr(cls, f"upcast_v{stored_version}_v{stored_version + 1}")(raw)
        stored_version += 1
    return {
        name: value
        for section in types
        for name, value in msgspec.structs.asdict(msgspec.convert(raw, type=section)).items()
    }
