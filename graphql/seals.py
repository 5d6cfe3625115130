"""Positions and cursors as tokens that tell nothing and cannot be made up.

Deterministic authenticated encryption (AES-SIV, RFC 5297): the same cursor twice is the same token, so answers
stay comparable byte for byte. A token is bound to its use and, where it has one, to its patient.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from hashlib import sha512
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV


class SealBroken(ValueError):
    """Not a token of ours, or one made for something else."""


LENGTH = 32  # bytes: blanks make up the rest


class Seals:
    """Seals and opens small JSON values. *key*: 32 bytes, the same in every process on one database."""

    def __init__(self, key: bytes):
        self._cipher = AESSIV(sha512(b"tsuzuri seals" + key).digest())

    def seal(self, use: str, value: Any, *, length: int = LENGTH) -> str:
        """*use* names what the token is for, for example "entries/<patient>".

        *length*: of the value's JSON in bytes, or a multiple of it: a token's length tells next to nothing.
        """
        plain = msgspec.json.encode(value)
        whole = plain.ljust(-(-len(plain) // length) * length)
        sealed = self._cipher.encrypt(whole, [use.encode()])
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, use: str, token: str, type: type[Any] = list) -> Any:
        """Raises SealBroken for anything that `seal` did not make for the same use."""
        try:
            sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
            return msgspec.json.decode(self._cipher.decrypt(sealed, [use.encode()]), type=type)
        except (InvalidTag, Base64Error, ValueError, UnicodeError, msgspec.MsgspecError):
            raise SealBroken("this token was not given out for this use") from None
