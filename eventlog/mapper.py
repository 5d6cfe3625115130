"""Events to stored rows and back: the library's Mapper, with typed decoding and an id for each event."""

from dataclasses import MISSING, dataclass, fields
from typing import Any, get_type_hints
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, MapperDeserialisationError, StoredEvent
from eventsourcing.utils import get_topic, register_topic, resolve_topic

from tsuzuri.domain.events import EVENTS, Event

_HEADER = frozenset({"originator_id", "originator_version", "event_id"})  # kept as columns, not in the state

for _event in EVENTS:
    register_topic(_event.TOPIC, _event)


@dataclass(frozen=True)
class SealedEvent(StoredEvent):
    """A stored event with the id that makes its append safe to repeat, and the key of its state."""

    event_id: UUID
    key_id: UUID | None = None


_state_types: dict[str, type[msgspec.Struct]] = {}


def _state_type(cls: type[Event]) -> type[msgspec.Struct]:
    """A typed decoder for what an event class stores: one pass from bytes to checked values."""
    if cls.TOPIC in _state_types:
        return _state_types[cls.TOPIC]
    hints = get_type_hints(cls)
    members: list[Any] = []
    for f in fields(cls):
        if f.name in _HEADER:
            continue
        if f.default is not MISSING:
            members.append((f.name, hints[f.name], f.default))
        elif f.default_factory is not MISSING:
            members.append((f.name, hints[f.name], msgspec.field(default_factory=f.default_factory)))
        else:
            members.append((f.name, hints[f.name]))
    _state_types[cls.TOPIC] = msgspec.defstruct(f"{cls.__name__}State", members, kw_only=True)
    return _state_types[cls.TOPIC]


class EventMapper(Mapper[str]):
    """Chosen through the library's MAPPER_TOPIC. Upcasting works as the library has it."""

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> SealedEvent:
        assert isinstance(domain_event, Event)
        state = {name: value for name, value in vars(domain_event).items() if name not in _HEADER}
        class_version = getattr(type(domain_event), "class_version", 1)
        if class_version > 1:
            state["class_version"] = class_version
        return SealedEvent(
            originator_id=domain_event.originator_id,
            originator_version=domain_event.originator_version,
            topic=get_topic(type(domain_event)),
            state=msgspec.json.encode(state),
            event_id=domain_event.event_id,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """Raises MapperDeserialisationError, which names the event and never repeats what it holds."""
        assert isinstance(stored_event, SealedEvent)
        cls = resolve_topic(stored_event.topic)
        try:
            state = _decode(cls, stored_event.state)
        except msgspec.MsgspecError as error:
            raise MapperDeserialisationError(
                f"event {stored_event.event_id} ({stored_event.topic}) cannot be read: {type(error).__name__}"
            ) from None
        event = object.__new__(cls)
        object.__setattr__(
            event,
            "__dict__",
            {
                "originator_id": stored_event.originator_id,
                "originator_version": stored_event.originator_version,
                "event_id": stored_event.event_id,
                **state,
            },
        )
        return event


def event_mapper() -> EventMapper:
    """The mapper for those who follow the log without the library's application."""
    return EventMapper(transcoder=JSONTranscoder())


def _decode(cls: type[Event], state: bytes) -> dict[str, Any]:
    class_version = getattr(cls, "class_version", 1)
    if class_version == 1:
        return msgspec.structs.asdict(msgspec.json.decode(state, type=_state_type(cls)))
    raw: dict[str, Any] = msgspec.json.decode(state)
    stored_version = raw.pop("class_version", 1)
    while stored_version < class_version:
        getattr(cls, f"upcast_v{stored_version}_v{stored_version + 1}")(raw)
        stored_version += 1
    return msgspec.structs.asdict(msgspec.convert(raw, type=_state_type(cls)))
