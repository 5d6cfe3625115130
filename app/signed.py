"""What somebody signed, as compact JWS: read strictly, before the library sees it.

What joserfc does not refuse we do: a member that stands twice (readers differ on which of the two counts), deep
nesting, numbers that JSON does not have, and every `crit`.
"""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Never

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

SIGNED_BYTES_MAX = 8_192
HEADER_BYTES_MAX = 2_048  # the library's own 512 are too few for a key of somebody's own
DEPTH_MAX = 8
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class TokenRefused(Exception):
    """One answer for every broken token; the reason goes to the log, never to the caller. It holds no value of his."""


@dataclass(frozen=True)
class Signed:
    """What was read; who signed it is known only after `verify`."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]

    def verify(self, key: Key, algorithms: Sequence[str]) -> None:
        """Raises TokenRefused."""
        registry = JWSRegistry(algorithms=algorithms)
        registry.max_header_length = HEADER_BYTES_MAX
        try:
            jws.deserialize_compact(self.text, key, registry=registry)
        except (JoseError, ValueError, TypeError) as error:
            raise TokenRefused(f"signature: {type(error).__name__}") from None


def read_signed(text: str) -> Signed:
    """The header and the claims of a compact JWS. Raises TokenRefused."""
    if len(text) > SIGNED_BYTES_MAX:
        raise TokenRefused("too long")
    parts = _COMPACT.fullmatch(text)
    if parts is None:
        raise TokenRefused("not three parts of base64url")
    header, claims = _object(parts[1]), _object(parts[2])
    if "crit" in header or "b64" in header:
        raise TokenRefused("the header asks for an extension")
    return Signed(text, header, claims)


def text_claim(claim: object) -> bool:
    """Text that the trail can hold and show."""
    return isinstance(claim, str) and 0 < len(claim) <= 200 and claim.isprintable()


def moment_claim(claim: object) -> bool:
    """Whole seconds of the Unix clock."""
    return isinstance(claim, int) and not isinstance(claim, bool)


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(
            urlsafe_b64decode(part + "=" * (-len(part) % 4)),
            object_pairs_hook=_each_once,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError):
        raise TokenRefused("a part is not JSON of its form") from None
    if not isinstance(found, dict) or _deeper_than(DEPTH_MAX, found):
        raise TokenRefused("a part is not an object of its depth")
    return found


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _no_constant(_: str) -> Never:
    raise ValueError("NaN and infinities are no JSON")


def _deeper_than(depth: int, value: object) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(_deeper_than(depth - 1, one) for one in inner)
