"""A JSON body that every reader reads alike: one object, no name twice in it, nothing deep, long or numerous.

orjson takes the last of two equal names where another reader takes the first, and any number of digits. An ordinary
body is told by a few searches over its bytes; only where they leave a doubt is it looked at without its texts.
"""

from typing import Any

import orjson

DEPTH_MAX = 32
DIGITS_MAX = 32  # in a row, in a number
VALUES_MAX = 10_000

_DIGITS = bytes(ord("0") if chr(byte).isascii() and chr(byte).isdigit() else ord(" ") for byte in range(256))
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_WHITE = b" \t\n\r"
_TOO_LONG = b"0" * (DIGITS_MAX + 1)


class NotAnObject(ValueError):
    """The bytes are not such a body. The message names what is wrong and nothing that it holds."""


def read_object(body: bytes) -> dict[str, Any]:
    """Raises NotAnObject."""
    certain = _certainly_small(body)
    outside = b"" if certain else _without_texts(body)
    if not certain:
        _check_size(outside)
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotAnObject("the body is not JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise NotAnObject("the body is not one JSON object")
    names = _names(found)
    if not (certain and _certainly_once(body, names)):
        if (outside or _without_texts(body)).count(b":") != names:
            raise NotAnObject("the body gives a name twice")
    return found


def _certainly_small(body: bytes) -> bool:
    """By what it holds inside and outside of its texts: no more than may be outside of them."""
    if body.count(b"{") + body.count(b"[") > DEPTH_MAX or body.count(b",") > VALUES_MAX:
        return False
    return _TOO_LONG not in body.translate(_DIGITS)


def _certainly_once(body: bytes, names: int) -> bool:
    """Each name ends with a quotation mark and a colon. A text may hold such a pair too: then there is a doubt."""
    return body.translate(None, _WHITE).count(b'":') == names


def _without_texts(body: bytes) -> bytes:
    """What stands outside of the texts. Of two backslashes the second escapes nothing, so pairs go first."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(body.split(b'"')[::2])


def _check_size(outside: bytes) -> None:
    """Raises NotAnObject. Each round takes away the innermost brackets: one level."""
    opened = outside.count(b"{") + outside.count(b"[")
    if opened + outside.count(b",") > VALUES_MAX:
        raise NotAnObject(f"the body holds more than {VALUES_MAX} values")
    if opened > DEPTH_MAX:
        brackets = outside.translate(_SQUARE, _NO_BRACKETS)
        for _ in range(DEPTH_MAX):
            brackets = brackets.replace(b"[]", b"")
        if brackets:
            raise NotAnObject(f"the body is nested deeper than {DEPTH_MAX}")
    if _TOO_LONG in outside.translate(_DIGITS):
        raise NotAnObject(f"the body holds a number of more than {DIGITS_MAX} digits")


def _names(found: dict[str, Any]) -> int:
    """How many names there are in it, at any depth."""
    count, values = len(found), list[Any](found.values())
    for value in values:  # it grows
        if type(value) is dict:
            count += len(value)
            values += value.values()
        elif type(value) is list:
            values += value
    return count
