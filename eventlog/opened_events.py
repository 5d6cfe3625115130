"""Stored rows back to events before they were sealed; what was erased comes back as erased, not as an error."""

from uuid import UUID

from tsuzuri.domain.events import originator
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.data_keys import KeyRing, WrappedKey
from tsuzuri.eventlog.mapper import ErasedEvent, MappedEvent
from tsuzuri.eventlog.sealed_events import about_event, unseal_event
from tsuzuri.eventlog.sealing import SealBroken

EVENT_COLUMNS = """e.event_id, e.patient_id, e.stream, e.version, e.topic, e.state,
    e.key_id, k.use, k.epoch, k.wrapped"""
"""What `open_event` takes, of `event e LEFT JOIN data_key k USING (part, key_id)`."""


def open_event(
    ring: KeyRing,
    event_id: UUID,
    owner: UUID,
    stream: int,
    version: int | None,
    topic: str,
    state: bytes,
    key_id: UUID,
    use: str,
    epoch: int,
    wrapped: bytes | None,
) -> MappedEvent | ErasedEvent:
    """Raises SealBroken and KeyUnavailable: the row was changed, or this process lacks a key-encryption key."""
    of = Stream(stream)
    name = originator(owner, of)
    secret = ring.secret(WrappedKey(key_id, owner, use, epoch, wrapped))
    if secret is None:
        return ErasedEvent(name, version or 0, topic, b"", event_id)
    try:
        sections = unseal_event(secret, event_id, state, about_event(event_id, owner, of, topic))
    except SealBroken as broken:
        raise SealBroken(f"event {event_id} ({topic}): {broken}") from None
    return MappedEvent(
        name, version or 0, topic, sections[0], event_id, sections[1] if len(sections) > 1 else None
    )
