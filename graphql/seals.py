"""Positions and cursors as tokens that tell nothing and cannot be made up.

AES-256-GCM whose nonce is a keyed hash of what is sealed: the same cursor twice is the same token, so answers stay
comparable byte for byte, and no nonce is ever used for two texts. A token is bound to its use and, where it has one, to
its patient.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from hashlib import blake2b, sha512
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class SealBroken(ValueError):
    """Not a token of ours, or one made for something else."""


_NONCE_BYTES = 12
LENGTH = 32  # bytes: blanks make up the rest


class Seals:
    """Seals and opens small JSON values. *key*: 32 bytes, the same in every process on one database.

    name: tells two keys apart, and nothing of either.
    """

    def __init__(self, key: bytes):
        secret = sha512(b"tsuzuri seals" + key).digest()
        self._cipher, self._nonces = AESGCM(secret[:32]), blake2b(key=secret[32:], digest_size=_NONCE_BYTES)
        self.name = sha512(b"name" + secret).hexdigest()[:8]

    def seal(self, use: str, value: Any, *, length: int = LENGTH) -> str:
        """*use* names what the token is for, for example "entries/<patient>".

        *length*: of the value's JSON in bytes, or a multiple of it: a token's length tells next to nothing.
        """
        return self.seal_text(use.encode(), msgspec.json.encode(value), length=length)

    def seal_text(self, use: bytes, plain: bytes, *, length: int = LENGTH) -> str:
        """As `seal`, of a value that is JSON already: without blanks, for the same value is the same token."""
        whole = plain.ljust(-(-len(plain) // length) * length)
        hashed = self._nonces.copy()
        hashed.update(b"%d:%b%b" % (len(use), use, whole))
        nonce = hashed.digest()
        return _text(nonce + self._cipher.encrypt(nonce, whole, use))

    def open(self, use: str, token: str, type: type[Any] = list) -> Any:
        """Raises SealBroken for anything that `seal` did not make for the same use."""
        try:
            sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
            plain = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], use.encode())
            if _text(sealed) != token:  # a decoder passes over blanks, and over bits that stand for nothing
                raise SealBroken("this token is written otherwise than it was given out")
            return msgspec.json.decode(plain, type=type)
        except (InvalidTag, Base64Error, ValueError, UnicodeError, msgspec.MsgspecError):
            raise SealBroken("this token was not given out for this use") from None


def _text(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()
