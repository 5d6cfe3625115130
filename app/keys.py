"""The keys an installation needs besides its database: given by file, or made below TSUZURI_HOME."""

import errno
import importlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from tsuzuri.app.key_file import SETTING, KeyFile, new_epoch
from tsuzuri.app.settings import Settings, SettingsWrong, read_secret
from tsuzuri.eventlog.data_keys import KeyEncryption
from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proofs.notes import PublicKey, SigningKey

KEY_BYTES = 32
ORIGIN_HERE = "localhost/tsuzuri"
"""Of a log that nobody named: one with an embedded database."""


def identifier_key(settings: Settings) -> bytes:
    """Keys the hashes of patients' numbers. Losing it means that no patient is found by number any more."""
    return _key(settings, settings.identifier_key_file, "TSUZURI_IDENTIFIER_KEY_FILE", "identifier.key")


def seal_key(settings: Settings) -> bytes:
    """Seals positions and cursors. Changing it only makes those given out before unusable."""
    return _key(settings, settings.seal_key_file, "TSUZURI_SEAL_KEY_FILE", "seal.key")


def role_key(settings: Settings) -> bytes:
    """The passwords of the database's roles follow from it. Changing it asks for: tsuzuri db migrate."""
    return _key(settings, settings.role_key_file, "TSUZURI_ROLE_KEY_FILE", "role.key")


def key_encryption(settings: Settings) -> KeyEncryption:
    """What wraps the data keys: the provider that is named, else a file. Losing it means that nothing can be read.

    A provider is "module:callable"; called with the settings, it returns a KeyEncryption.

    Raises SettingsWrong.
    """
    if settings.key_provider is None:
        return key_file(settings)
    module, _, name = settings.key_provider.partition(":")
    try:
        provided: KeyEncryption = getattr(importlib.import_module(module), name)(settings)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise SettingsWrong(
            f"TSUZURI_KEY_PROVIDER: {settings.key_provider} cannot be used ({type(error).__name__})"
        ) from None
    return provided


def key_file(settings: Settings) -> KeyFile:
    """The file of key-encryption keys. Raises SettingsWrong."""
    if settings.encryption_keys_file is not None:
        return KeyFile(settings.encryption_keys_file)
    if settings.database is None:
        path = settings.home / "keys" / "encryption.keys"
        kept(path, lambda: new_epoch(1).line().encode())
        return KeyFile(path)
    raise SettingsWrong(f"{SETTING} is not set: make the first key with: tsuzuri keys new > FILE")


def checkpoint_key(settings: Settings) -> SigningKey:
    """Signs checkpoints. Losing it ends the log that its public key vouches for; who takes it can sign another.

    Raises SettingsWrong.
    """
    name = "TSUZURI_CHECKPOINT_KEY_FILE"
    if settings.checkpoint_key_file is not None:
        text = read_secret(settings.checkpoint_key_file, name)
    elif settings.database is None:
        file = settings.home / "keys" / "checkpoint.key"
        text = kept(file, lambda: f"{SigningKey.made(ORIGIN_HERE).text()}\n".encode())
    else:
        raise SettingsWrong(
            f"{name} is not set: make a key with: tsuzuri audit new-key NAME > FILE; or make no checkpoints in this "
            "process: TSUZURI_CHECKPOINT_SECONDS=0"
        )
    try:
        return SigningKey.of(text.decode("utf-8", "replace"))
    except ProofFails:
        raise SettingsWrong(
            f"{name}: the file holds no signing key; make one: tsuzuri audit new-key NAME"
        ) from None


def witness_keys(settings: Settings) -> list[PublicKey]:
    """Of those whose countersignatures are kept. Raises SettingsWrong."""
    try:
        keys = [PublicKey.of(text) for text in settings.witnesses]
    except ProofFails as fault:
        raise SettingsWrong(f"TSUZURI_WITNESSES: {fault}") from None
    if not all(key.countersigns for key in keys):
        raise SettingsWrong("TSUZURI_WITNESSES: the key of a log is no witness'")
    return keys


def _key(settings: Settings, given: Path | None, setting: str, name: str) -> bytes:
    if given is not None:
        key = read_secret(given, setting).strip()
    elif settings.database is None:
        key = kept(settings.home / "keys" / name, lambda: secrets.token_hex(KEY_BYTES).encode())
    else:
        raise SettingsWrong(
            f"{setting} is not set: every process on one database needs the same key; "
            f"make one with: openssl rand -hex {KEY_BYTES}"
        )
    try:
        raw = bytes.fromhex(key.decode("ascii"))
    except ValueError:
        raw = b""
    if len(raw) != KEY_BYTES:
        raise SettingsWrong(f"{setting}: the file holds {KEY_BYTES} bytes as {2 * KEY_BYTES} hex digits")
    return raw


def kept(file: Path, make: Callable[[], bytes]) -> bytes:
    """The content of *file*, made by whoever comes first, readable by its owner only, whole or absent.

    What depends on it is on disk in the next moment, so the key is there first: it outlives a loss of power.
    """
    absent = [folder for folder in file.parents if not folder.exists()]
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not file.exists():
        content = make()
        draft = file.with_suffix(f".{os.getpid()}.new")
        try:
            with open(draft, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as written:
                written.write(content)
                written.flush()
                os.fsync(written.fileno())
            os.link(draft, file)  # fails when another process was faster: its key counts
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
        for folder in (file.parent, *(made.parent for made in absent)):
            _names_to_disk(folder)
    return file.read_bytes()


def _names_to_disk(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that has no such thing for folders
            raise
    finally:
        os.close(opened)
