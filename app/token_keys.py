"""The public keys that tokens are checked with, and how a set of them is read. Those that change: `issuer_keys.py`."""

import json
from collections.abc import Mapping, Set
from typing import Protocol

from joserfc.errors import JoseError
from joserfc.jwk import Key, RSAKey, import_key

from tsuzuri.app.signed import TokenRefused

KEYS_MAX = 100
_RSA_BITS_MIN, _RSA_BITS_MAX = 2_048, 8_192
_LEFT_OUT = (
    "d",
    "p",
    "q",
    "dp",
    "dq",
    "qi",
    "oth",
    "key_ops",
)  # what is private, and what may be done with that

PublicKeys = Mapping[str, Key]
"""Public keys by their `kid`."""


class KeysMalformed(ValueError):
    """Not a JSON Web Key Set that could be used; the message holds nothing of it."""


class TokenKeys(Protocol):
    """Where the keys come from."""

    def standing(self) -> int | None:
        """Another number whenever the keys became others; None while there are none that may be trusted."""
        ...

    async def key(self, kid: str) -> Key:
        """Raises TokenRefused (no such key), KeysUnavailable."""
        ...


class KeysUnavailable(Exception):
    """Nobody can be recognised for now, whoever he is: it is not about the token."""


class GivenKeys:
    """Keys that stay as they are as long as the process lives. Implements TokenKeys."""

    def __init__(self, keys: PublicKeys) -> None:
        self._keys = keys

    def standing(self) -> int | None:
        return 0

    async def key(self, kid: str) -> Key:
        if kid not in self._keys:
            raise TokenRefused("no such key")
        return self._keys[kid]


def read_key_set(raw: bytes, *, never: Set[str] = frozenset()) -> PublicKeys:
    """The keys of a JSON Web Key Set that may have signed a token; of a private one its public half.

    Left out is what was not made for signing, is symmetric or too short, has no `kid`, or whose thumbprint (RFC 7638)
    is among *never*. A set may be empty: then the issuer trusts none of its keys.

    Raises KeysMalformed: no key set, two keys of one `kid`, or keys of which none could be read.
    """
    try:
        listed = json.loads(raw)["keys"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise KeysMalformed("not a JSON Web Key Set") from None
    if not isinstance(listed, list) or len(listed) > KEYS_MAX:
        raise KeysMalformed("not a JSON Web Key Set of a usual size")
    found: dict[str, Key] = {}
    for one in listed:
        key = _signing_key(one)
        if key is None or key.thumbprint() in never:
            continue
        kid = one["kid"]
        if kid in found:
            raise KeysMalformed("two keys have the same kid")
        found[kid] = key
    if listed and not found:
        raise KeysMalformed("none of the keys can be used")
    return found


def _signing_key(one: object) -> Key | None:
    if not isinstance(one, dict) or not isinstance(one.get("kid"), str) or one.get("use", "sig") != "sig":
        return None
    if one.get("kty") not in ("EC", "OKP", "RSA"):
        return None
    public = {name: value for name, value in one.items() if name not in _LEFT_OUT}
    try:
        key = import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAKey) and not _RSA_BITS_MIN <= key.raw_value.key_size <= _RSA_BITS_MAX:
        return None
    return key
