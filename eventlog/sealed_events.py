"""Events, consents and payloads as they lie in the log: sealed, and bound to what they are about."""

from collections.abc import Sequence
from uuid import UUID

from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.sealing import SealBroken, Section, derived, seal, unseal

_LENGTH_BYTES = 4
_SECTIONS = (Section.STATE, Section.APART)


def about_event(event_id: UUID, owner: UUID, stream: Stream, topic: str) -> bytes:
    """What an event's sealed sections are bound to. Not the position: that is known only once it is written."""
    return event_id.bytes + owner.bytes + bytes([stream.value]) + topic.encode()


def event_key(secret: bytes, section: Section, event_id: UUID) -> bytes:
    """The key of one section of one event: who is given it reads that section and nothing else."""
    return derived(secret, section, event_id.bytes)


def seal_event(secret: bytes, event_id: UUID, sections: Sequence[bytes], about: bytes) -> bytes:
    """The sections, the auditor's own last, each behind its length (4 bytes, big-endian).

    Each is bound to which one it is, and of how many: none can be taken away or put in another's place.
    """
    sealed = [
        seal(event_key(secret, section, event_id), plain, about + bytes([section, len(sections)]))
        for section, plain in zip(_SECTIONS, sections, strict=False)
    ]
    return b"".join(len(one).to_bytes(_LENGTH_BYTES, "big") + one for one in sealed)


def unseal_event(secret: bytes, event_id: UUID, sealed: bytes, about: bytes) -> list[bytes]:
    """Raises SealBroken."""
    sections = split_sections(sealed)
    return [
        unseal(event_key(secret, section, event_id), one, about + bytes([section, len(sections)]))
        for section, one in zip(_SECTIONS, sections, strict=False)
    ]


def split_sections(sealed: bytes) -> list[bytes]:
    """The sealed sections of an event. Raises SealBroken."""
    sections: list[bytes] = []
    at = 0
    while at < len(sealed):
        length = int.from_bytes(sealed[at : at + _LENGTH_BYTES], "big")
        at += _LENGTH_BYTES
        sections.append(sealed[at : at + length])
        at += length
    if at != len(sealed) or not 1 <= len(sections) <= len(_SECTIONS):
        raise SealBroken("the state is not made of sealed sections")
    return sections


def seal_consents(secret: bytes, patient: UUID, plain: bytes) -> bytes:
    return seal(derived(secret, Section.CONSENTS, patient.bytes), plain, patient.bytes)


def unseal_consents(secret: bytes, patient: UUID, sealed: bytes) -> bytes:
    """Raises SealBroken."""
    return unseal(derived(secret, Section.CONSENTS, patient.bytes), sealed, patient.bytes)


def seal_payload(secret: bytes, payload_id: UUID, plain: bytes) -> bytes:
    return seal(derived(secret, Section.PAYLOAD, payload_id.bytes), plain, payload_id.bytes)


def unseal_payload(secret: bytes, payload_id: UUID, sealed: bytes) -> bytes:
    """Raises SealBroken."""
    return unseal(derived(secret, Section.PAYLOAD, payload_id.bytes), sealed, payload_id.bytes)
