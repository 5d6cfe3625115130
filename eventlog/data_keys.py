"""The data keys: one for each stream of an owner, each document, and each unit taken out of a document.

In the database they lie wrapped by key-encryption keys, which come from outside of it and rotate by epoch. A key
whose wrapping is gone is destroyed: what it sealed is unreadable for ever.
"""

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import UUID, uuid4

from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.recent import Recent
from tsuzuri.eventlog.sealing import KEY_BYTES

KEY_ATTEMPTS = 5  # to seal under a key in force, while others make or destroy it
_HELD_MAX = 65_536  # keys held unwrapped in memory


class KeyUse(StrEnum):
    """What a data key is for; stored with it."""

    RECORD = "record"
    CONSENT = "consent"
    ACCESS = "access"  # the list of who looked outlives the record
    DOCUMENT = "document"  # the received bytes of one Bundle, and the document read from them; a code release
    UNIT = "unit"  # the entries of one class taken from one Bundle: they may outlive it


STREAM_USES = {Stream.RECORD: KeyUse.RECORD, Stream.CONSENT: KeyUse.CONSENT, Stream.ACCESS: KeyUse.ACCESS}


class KeyUnavailable(Exception):
    """The key-encryption key of an epoch is not at hand: nothing is erased, but this process cannot read it."""


class KeyChanged(Exception):
    """Another process made or destroyed a key meanwhile: look the keys up again and seal again."""


class KeyEncryption(Protocol):
    """Key-encryption keys by epoch, from a file or a provider; never from the database."""

    def wrap(self, secret: bytes, about: bytes) -> tuple[int, bytes]:
        """Under the newest epoch: its number and the wrapped secret."""

    def unwrap(self, epoch: int, wrapped: bytes, about: bytes) -> bytes:
        """Raises KeyUnavailable, also when *wrapped* is not what was wrapped about *about*."""


class WrappedKey(NamedTuple):
    """One row of data_key."""

    key_id: UUID
    owner: UUID
    use: str
    epoch: int
    wrapped: bytes | None  # None: destroyed


@dataclass(frozen=True)
class DataKey:
    """A key ready for use. Until it is stored, each append that uses it must bring it along."""

    key_id: UUID
    secret: bytes = field(repr=False)
    stored: bool


class KeyRing:
    """The data keys of this process, unwrapped. It asks no database: who calls it brings rows and takes rows away."""

    def __init__(self, encryption: KeyEncryption) -> None:
        self._encryption = encryption
        self._secrets: Recent[UUID, bytes] = Recent(_HELD_MAX)
        self._streams: Recent[tuple[UUID, str], DataKey] = Recent(_HELD_MAX)
        self._lock = threading.Lock()

    def secret(self, row: WrappedKey) -> bytes | None:
        """The key itself; None when it was destroyed, whatever is still in memory. Raises KeyUnavailable."""
        if row.wrapped is None:
            return None
        with self._lock:
            held = self._secrets.get(row.key_id)
        if held is None:
            held = self._encryption.unwrap(row.epoch, row.wrapped, about_key(row.key_id, row.owner, row.use))
            with self._lock:
                self._secrets.put(row.key_id, held)
        return held

    def wrapped(self, key: DataKey, owner: UUID, use: KeyUse) -> WrappedKey:
        """The row to store a new key by. Made when it is sent and not before: by then its epoch may be retired."""
        epoch, wrapped = self._encryption.wrap(key.secret, about_key(key.key_id, owner, use))
        return WrappedKey(key.key_id, owner, use, epoch, wrapped)

    def lacking(self, streams: Iterable[tuple[UUID, KeyUse]]) -> set[tuple[UUID, KeyUse]]:
        """Streams of which it is not known here whether they have a key: look them up, then `learn`."""
        with self._lock:
            return {stream for stream in streams if self._streams.get(stream) is None}

    def learn(self, looked_up: Iterable[tuple[UUID, KeyUse]], rows: Iterable[WrappedKey]) -> None:
        """The rows are the keys in force of the streams looked up; a stream without one gets a new key."""
        found = {(row.owner, KeyUse(row.use)): row for row in rows}
        for stream in looked_up:
            row = found.get(stream)
            secret = None if row is None else self.secret(row)
            key = new_key() if row is None or secret is None else DataKey(row.key_id, secret, stored=True)
            with self._lock:
                if self._streams.get(stream) is None:  # else another thread was faster: its key counts
                    self._streams.put(stream, key)

    def of_stream(self, owner: UUID, use: KeyUse) -> DataKey:
        """The key that seals a stream's next event. `lacking` and `learn` come first.

        Raises KeyChanged: it was forgotten since then.
        """
        with self._lock:
            key = self._streams.get((owner, use))
        if key is None:
            raise KeyChanged("the key of a stream is to be looked up")
        return key

    def stored(self, rows: Iterable[WrappedKey]) -> None:
        """These keys are in the database now."""
        with self._lock:
            for row in rows:
                stream = (row.owner, row.use)
                held = self._streams.get(stream)
                if held is not None and held.key_id == row.key_id:
                    self._streams.put(stream, replace(held, stored=True))

    def forget(self, streams: Iterable[tuple[UUID, KeyUse]]) -> None:
        """Another process made or destroyed keys of these streams: look them up again."""
        with self._lock:
            for stream in streams:
                self._streams.drop(stream)


def new_key(key_id: UUID | None = None) -> DataKey:
    """A key nobody has yet."""
    return DataKey(key_id or uuid4(), os.urandom(KEY_BYTES), stored=False)


def about_key(key_id: UUID, owner: UUID, use: str) -> bytes:
    """What a wrapped key is bound to."""
    return key_id.bytes + owner.bytes + use.encode()
