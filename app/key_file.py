"""Key-encryption keys in a file: one line for each epoch, "number hex-key date". The newest wraps, all unwrap.

The file is looked at again whenever it has changed, so running processes follow a rotation without being told.
"""

import fcntl
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tsuzuri.app.settings import SettingsWrong, read_secret
from tsuzuri.eventlog.data_keys import KeyUnavailable
from tsuzuri.eventlog.sealing import KEY_BYTES

SETTING = "TSUZURI_ENCRYPTION_KEYS_FILE"
IN_FLIGHT = timedelta(minutes=10)
"""How long after a rotation a key wrapped under the earlier epoch may still be on its way into the log."""
_NONCE_BYTES = 12
_NUMBER_MAX = 2**31 - 1  # what the database keeps an epoch in


class TooEarly(Exception):
    """An epoch cannot be retired yet; the message says from when on."""


@dataclass(frozen=True)
class Epoch:
    """One line of the file."""

    number: int
    key: bytes = field(repr=False)
    made_at: datetime  # aware, UTC

    def line(self) -> str:
        return f"{self.number} {self.key.hex()} {self.made_at.isoformat(timespec='seconds')}\n"


def new_epoch(number: int, now: datetime | None = None) -> Epoch:
    return Epoch(number, secrets.token_bytes(KEY_BYTES), now or datetime.now(UTC))


class KeyFile:
    """Implements tsuzuri.eventlog.data_keys.KeyEncryption. Safe to use from many threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._epochs: dict[int, Epoch] = {}
        self.epochs()

    def epochs(self) -> dict[int, Epoch]:
        """All epochs of the file as it is now, the newest last. Raises SettingsWrong."""
        with self._lock:
            try:
                stat = self.path.stat()
            except OSError as error:
                raise SettingsWrong(f"{SETTING}: {self.path} cannot be read ({error.strerror})") from None
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen != self._seen:
                self._epochs = _parsed(read_secret(self.path, SETTING), self.path)
                self._seen = seen
            return self._epochs

    @property
    def newest(self) -> Epoch:
        return next(reversed(self.epochs().values()))

    def wrap(self, secret: bytes, about: bytes) -> tuple[int, bytes]:
        """AES-256-GCM under the newest epoch: nonce ‖ ciphertext ‖ tag."""
        epoch, nonce = self.newest, secrets.token_bytes(_NONCE_BYTES)
        bound = _bound(epoch.number, about)
        return epoch.number, nonce + AESGCM(epoch.key).encrypt(nonce, secret, bound)

    def unwrap(self, epoch: int, wrapped: bytes, about: bytes) -> bytes:
        """Raises KeyUnavailable."""
        held = self.epochs().get(epoch)
        if held is None:
            raise KeyUnavailable(
                f"{self.path} has no key of epoch {epoch}: put the file with all epochs back"
            )
        try:
            return AESGCM(held.key).decrypt(
                wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _bound(epoch, about)
            )
        except (InvalidTag, ValueError):
            raise KeyUnavailable(
                f"the key of epoch {epoch} in {self.path} is not the one that wrapped: is it another installation's?"
            ) from None

    def add_epoch(self, now: datetime | None = None) -> Epoch:
        """Put a new epoch at the end of the file; from then on it wraps."""
        with self._alone():
            epochs = list(self.epochs().values())
            made = new_epoch(epochs[-1].number + 1, now)
            self._replace([*epochs, made])
        return made

    def retire(self, in_use: set[int], now: datetime | None = None) -> list[int]:
        """Take all epochs but the newest and those *in_use* out of the file; returns which. What they wrapped is gone.

        Raises:
            TooEarly: the newest epoch is so young that keys wrapped under an earlier one may still be on their way.
        """
        with self._alone():
            epochs = list(self.epochs().values())
            newest = epochs[-1]
            ready_at = newest.made_at + IN_FLIGHT
            if (now or datetime.now(UTC)) < ready_at:
                raise TooEarly(
                    f"epoch {newest.number} is too young: retire from {ready_at:%Y-%m-%d %H:%M:%SZ} on"
                )
            kept = [epoch for epoch in epochs if epoch.number in in_use or epoch is newest]
            if len(kept) < len(epochs):
                self._replace(kept)
        return [epoch.number for epoch in epochs if epoch not in kept]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time changes the file, of all processes of this machine: what another wrote must not be lost."""
        lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _replace(self, epochs: list[Epoch]) -> None:
        """Whole or not at all, and on disk before anything is wrapped under what is new."""
        draft = self.path.with_suffix(".new")
        with open(draft, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as written:
            written.writelines(epoch.line() for epoch in epochs)
            written.flush()
            os.fsync(written.fileno())
        draft.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _bound(epoch: int, about: bytes) -> bytes:
    return epoch.to_bytes(4, "big") + about


def _parsed(text: bytes, path: Path) -> dict[int, Epoch]:
    epochs: dict[int, Epoch] = {}
    for number, line in enumerate(text.decode("ascii", "replace").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            epoch, key, made_at = line.split()
            found = Epoch(int(epoch), bytes.fromhex(key), datetime.fromisoformat(made_at))
            if len(found.key) != KEY_BYTES or found.made_at.tzinfo is None or found.number in epochs:
                raise ValueError
            if not 1 <= found.number <= _NUMBER_MAX:
                raise ValueError
        except ValueError:
            raise SettingsWrong(
                f"{SETTING}: line {number} of {path} is not 'epoch, key of {2 * KEY_BYTES} hex digits, date'"
            ) from None
        epochs[found.number] = found
    if not epochs:
        raise SettingsWrong(f"{SETTING}: {path} holds no key; make the first with: tsuzuri keys new > FILE")
    return dict(sorted(epochs.items()))
