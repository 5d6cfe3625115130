"""A JSON body that two readers could read differently, or that costs more than it says, is none."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsuzuri.app.json_body import DEPTH_MAX, DIGITS_MAX, VALUES_MAX, NotAnObject, read_object

TEXTS = st.text(st.sampled_from('ab"\\:{}[],0 \n日\0')) | st.text("9", min_size=30, max_size=40)
VALUES = st.recursive(
    TEXTS | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXTS, VALUES), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_whatever_is_written_once_is_read_as_it_was_written(
    value: dict[str, Any], indent: int | str | None, ascii_only: bool
) -> None:
    separators = (",", " : ") if indent is None else None
    body = json.dumps(value, indent=indent, ensure_ascii=ascii_only, separators=separators).encode()

    assert read_object(body) == orjson.loads(body)


@given(VALUES, VALUES, TEXTS, st.sampled_from(["", " ", "\n\t"]), st.booleans())
def test_a_name_given_twice_is_always_seen(
    first: Any, second: Any, name: str, white: str, inside: bool
) -> None:
    key = json.dumps(name) + white + ":"
    body = f"{{{key}{json.dumps(first)},{key}{json.dumps(second)}}}"
    body = f'{{"variables":[{body}]}}' if inside else body

    with pytest.raises(NotAnObject, match="twice"):
        read_object(body.encode())


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def test_what_is_allowed_is_allowed_to_its_end() -> None:
    assert read_object(nested(DEPTH_MAX))
    assert read_object(b'{"a":[' + b"[]," * 200 + b"[]]}")
    assert read_object(b'{"a":' + b"9" * DIGITS_MAX + b"}")
    assert read_object(orjson.dumps({"a": list(range(VALUES_MAX - 10))}))
    assert read_object(orjson.dumps({"query": "{" * 100_000 + "[" * 1_000 + "9" * 1_000 + "," * 20_000}))


REFUSED = {
    "one level too deep": (nested(DEPTH_MAX + 1), "deeper"),
    "brackets without end": (b'{"a":' + b"[" * 9_000, "deeper"),
    "a hundred thousand brackets": (b"[" * 100_000, "values"),
    "one digit too many": (b'{"a":' + b"9" * (DIGITS_MAX + 1) + b"}", "digits"),
    "many digits behind the point": (b'{"a":0.' + b"3" * 60 + b"}", "digits"),
    "many digits between two texts": (b'{"a":"\\\\","b":' + b"9" * 60 + b',"c":"\\""}', "digits"),
    "ten thousand small things": (b'{"a":[' + b"{}," * VALUES_MAX + b"1]}", "values"),
    "a list": (b"[{}]", "object"),
    "a text": (b'"{}"', "object"),
    "null": (b"null", "object"),
    "two objects": (b"{}{}", "JSON"),
    "nothing": (b"", "JSON"),
    "a NUL behind it": (b"{}\0", "JSON"),
    "half a text": (b'{"a":"b', "JSON"),
    "a backslash at the end": (b'{"a":"\\', "JSON"),
    "not UTF-8": (b'{"a":"\xff"}', "JSON"),
    "half a character": (b'{"a":"\\ud800"}', "JSON"),
    "an overlong NUL": (b'{"a":"\xc0\x80"}', "JSON"),
    "Infinity": (b'{"a":Infinity}', "JSON"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused_with_its_reason_and_nothing_of_it(body: bytes, reason: str) -> None:
    with pytest.raises(NotAnObject, match=reason) as refused:
        read_object(body)

    assert refused.value.__cause__ is None and "9999" not in str(refused.value)


@pytest.mark.parametrize("name", ["query", "quer\\u0079"])
def test_a_name_is_the_same_however_it_is_written(name: str) -> None:
    with pytest.raises(NotAnObject, match="twice"):
        read_object(b'{"query":"{ a }","%s":"{ b }"}' % name.encode())
