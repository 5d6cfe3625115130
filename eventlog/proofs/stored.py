"""An event as it lies in the log, its two hashes, and its sealed sections, opened with keys disclosed for it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tsuzuri.eventlog.proofs.merkle import HASH_BYTES, ProofFails, leaf_hash

ACCESS_TOPIC = "access-permitted"
"""What an owner's list of accesses is made of. Not what watchers were told: that may be of what is kept from her."""

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_LENGTH_BYTES, _NONCE_BYTES = 4, 12
_PLAIN_BYTES_MAX = 256 * 1024 * 1024
TOLD, AUDIT = 1, 2
"""The sections of an access: what the patient reads, and the auditor's own."""


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """A row of the log without its hash."""

    part: int
    pos: int
    event_id: UUID
    owner: UUID
    stream: int
    version: int | None
    recorded_at: datetime  # aware, UTC
    topic: str
    key_id: UUID
    state: bytes

    def hash(self) -> bytes:
        """Its leaf in the tree of its part: over every column."""
        topic = self.topic.encode()
        return leaf_hash(
            b"".join(
                (
                    self.part.to_bytes(2, "big"),
                    self.pos.to_bytes(8, "big"),
                    self.event_id.bytes,
                    self.owner.bytes,
                    self.stream.to_bytes(2, "big"),
                    (self.version or 0).to_bytes(8, "big"),
                    moment_bytes(self.recorded_at),
                    len(topic).to_bytes(4, "big"),
                    topic,
                    self.key_id.bytes,
                    self.state,
                )
            )
        )

    def sections(self) -> list[bytes]:
        """Sealed. Raises ProofFails."""
        return sections_of(self.state)

    def listed(self) -> "ListedAccess":
        """As it stands in its owner's list. Raises ProofFails: its state is not made of sections."""
        sections = self.sections()
        return ListedAccess(
            event_id=self.event_id,
            owner=self.owner,
            recorded_at=self.recorded_at,
            key_id=self.key_id,
            sections=len(sections),
            told=sections[0],
            apart=sha256(b"".join(sections[1:])).digest(),
        )


@dataclass(frozen=True, kw_only=True)
class ListedAccess:
    """An access as its owner proves it: without its place in the log, and of the auditor's section only a hash.

    The place would tell how much was recorded before it, the section's length how much others saw.
    """

    event_id: UUID
    owner: UUID
    recorded_at: datetime
    key_id: UUID
    sections: int
    told: bytes  # sealed
    apart: bytes  # SHA-256 over the sealed rest

    def hash(self) -> bytes:
        """Its leaf in her tree."""
        return leaf_hash(
            b"".join(
                (
                    self.event_id.bytes,
                    self.owner.bytes,
                    moment_bytes(self.recorded_at),
                    self.key_id.bytes,
                    self.sections.to_bytes(1, "big"),
                    self.apart,
                    self.told,
                )
            )
        )


def moment_bytes(at: datetime) -> bytes:
    """Microseconds since 2000-01-01 UTC, as PostgreSQL stores them."""
    return ((at - _EPOCH) // timedelta(microseconds=1)).to_bytes(8, "big", signed=True)


def sections_of(state: bytes) -> list[bytes]:
    """Each behind its length (4 bytes). Raises ProofFails."""
    sections: list[bytes] = []
    at = 0
    while at < len(state):
        length = int.from_bytes(state[at : at + _LENGTH_BYTES], "big")
        sections.append(state[at + _LENGTH_BYTES : at + _LENGTH_BYTES + length])
        at += _LENGTH_BYTES + length
    if at != len(state) or not 1 <= len(sections) <= AUDIT:
        raise ProofFails("the state is not made of sealed sections")
    return sections


@dataclass(frozen=True)
class AboutAccess:
    """What the sections of an access are bound to."""

    event_id: UUID
    owner: UUID
    stream: int
    topic: str
    sections: int

    def opened(self, section: int, sealed: bytes, key: bytes) -> Mapping[str, Any]:
        """The plain section, read as JSON. Raises ProofFails: the key does not open it."""
        if self.stream > 255:
            raise ProofFails("nothing is sealed for such a stream")
        about = b"".join(
            (
                self.event_id.bytes,
                self.owner.bytes,
                bytes([self.stream]),
                self.topic.encode(),
                bytes([section, self.sections]),
            )
        )
        if len(key) != HASH_BYTES:
            raise ProofFails("a key has 32 bytes")
        try:
            marked = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
        except (InvalidTag, ValueError):
            raise ProofFails("the disclosed key does not open this access") from None
        return _json_object(_unpacked(marked))


def _unpacked(marked: bytes) -> bytes:
    """Who wrote it may be nobody's friend: what it says of its own length is not believed."""
    mark, packed = marked[:1], marked[1:]
    if mark == b"-":
        return packed
    try:
        if mark == b"z" and 0 <= zstandard.frame_content_size(packed) <= _PLAIN_BYTES_MAX:
            return zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError:
        pass
    raise ProofFails("what was sealed is packed in no known way")


def _json_object(plain: bytes) -> Mapping[str, Any]:
    try:
        read = json.loads(plain)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise ProofFails("what was sealed is not an object of JSON")
    return read
