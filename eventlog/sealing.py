"""Bytes that only the holder of a data key reads: compressed, then AES-256-GCM under a key derived for this use alone.

A data key never encrypts anything itself. HKDF (RFC 5869) makes one key of it for each event, section or payload, so
that one of them can be disclosed by itself. What is sealed is bound to what it is about: opened as anything else
it fails. Where in the log it lies is not part of that; the leaf hash binds the sealed bytes to their place.
"""

import hmac
import os
import threading
from enum import IntEnum

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12
_LEVEL, _WORTH_BYTES = 1, 512
_PLAIN_BYTES_MAX = 256 * 1024 * 1024  # no state or payload of ours comes near


class Section(IntEnum):
    """What a derived key is for. Stored nowhere, but part of every derivation: never renumbered."""

    STATE = 1  # of an event
    APART = 2  # of an event: the part for the auditor alone
    CONSENTS = 3  # of a patient's head
    PAYLOAD = 4


_LABELS = {section: b"tsuzuri/" + bytes([section]) for section in Section}


class SealBroken(ValueError):
    """What was read is not what was sealed under this key: it was changed, or belongs elsewhere."""


def derived(secret: bytes, section: Section, name: bytes) -> bytes:
    """HKDF-Expand with SHA-256 to one block; *secret* is uniformly random, so there is nothing to extract."""
    return hmac.digest(secret, _LABELS[section] + name + b"\x01", "sha256")


def seal(key: bytes, plain: bytes, about: bytes) -> bytes:
    """nonce ‖ ciphertext ‖ tag, of what is `packed`."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, packed(plain), about)


def packed(plain: bytes) -> bytes:
    """A mark, and *plain*, compressed where that makes it shorter and is worth its time."""
    if len(plain) < _WORTH_BYTES:
        return b"-" + plain
    compressed = _coders.compressor.compress(plain)
    return b"z" + compressed if len(compressed) < len(plain) else b"-" + plain


def unseal(key: bytes, sealed: bytes, about: bytes) -> bytes:
    """Raises SealBroken."""
    try:
        marked = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
    except (InvalidTag, ValueError):
        raise SealBroken("the seal is broken: the bytes were changed, or belong elsewhere") from None
    if marked[:1] == b"-":
        return marked[1:]
    return _coders.decompressor.decompress(marked[1:], max_output_size=_PLAIN_BYTES_MAX)


class _Coders(threading.local):
    """They hold buffers of their own, so each thread has its own pair."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=_LEVEL)
        self.decompressor = zstandard.ZstdDecompressor()


_coders = _Coders()
