"""Hostile requests to /graphql: JSON that is none or too much, wrong shapes, wrong heads; else a hostile document.

Number and seed say what comes out.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from torture.hostile_documents import DOCUMENTS, good

Json = dict[str, Any]
KILOBYTE = 1024
LIMIT = 256 * KILOBYTE


@dataclass(frozen=True)
class HostileRequest:
    """*refused*: no server should take it. Else it may run, if it is answered in time and in our words."""

    kind: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = "/graphql"
    method: str = "POST"
    refused: bool = True
    chunked: bool = False


def hostile_request(number: int, seed: int) -> HostileRequest:
    """The *number*-th of a series: half of them are JSON that is none, the other half documents."""
    random = Random(f"{seed}/{number}")
    if random.random() < 0.5:
        name = random.choice(list(DOCUMENTS))
        asked = DOCUMENTS[name](random)
        request = {"query": asked.document, "variables": asked.variables}
        if random.random() < 0.1:
            query = urlencode(
                {"query": asked.document[:4_000], "variables": json.dumps(asked.variables)[:4_000]}
            )
            return HostileRequest(f"{name}, by GET", path=f"/graphql?{query}", method="GET", refused=False)
        return HostileRequest(name, json.dumps(request).encode(), refused=asked.refused)
    name = random.choice(list(BODIES))
    return BODIES[name](name, random)


def _deep(kind: str, random: Random) -> HostileRequest:
    depth = random.choice([33, 100, 1_000, 10_000, 100_000])
    opening, closing = random.choice([("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
    inside = opening * depth + "1" + random.choice([closing * depth, ""])
    return HostileRequest(
        kind,
        random.choice(["%s", '{"query":"{ __typename }","variables":{"a":%s}}'])
        .replace("%s", inside)
        .encode(),
    )


def _digits(kind: str, random: Random) -> HostileRequest:
    digits = "9" * random.choice([33, 400, 5_000, 200_000, 1_000_000])
    number = random.choice([digits, f"-{digits}", f"0.{digits}", f"1e{digits}", f"{digits}.{digits}"])
    return HostileRequest(
        kind, f'{{"query":"query($a: Int) {{ __typename }}","variables":{{"a":{number}}}}}'.encode()
    )


def _number(kind: str, random: Random) -> HostileRequest:
    value = random.choice("1e400 -1e400 NaN Infinity -Infinity 01 +1 1. .5 0x10 1e 1_000 -".split())
    return HostileRequest(kind, f'{{"query":"{{ __typename }}","variables":{{"a":{value}}}}}'.encode())


def _scalar(kind: str, random: Random) -> HostileRequest:
    return HostileRequest(
        kind, random.choice([b"null", b"1", b"", b"true", b"[]", b'"x"', b" ", b"{}", b"\0", b"-0"])
    )


def _bytes(kind: str, random: Random) -> HostileRequest:
    body = json.dumps({"query": good(random).document}).encode()
    place = random.randrange(10, len(body) - 3)
    wrong = random.choice(
        [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80", b"\xe6\x97", b"\0", b"\n"]
    )
    return HostileRequest(kind, body[:place] + wrong + body[place:])


def _encoding(kind: str, random: Random) -> HostileRequest:
    text = json.dumps({"query": good(random).document})
    return HostileRequest(
        kind,
        text.encode(
            random.choice(["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
            if random.random() < 0.9
            else "cp500"
        ),
    )


def _compressed(kind: str, random: Random) -> HostileRequest:
    body = json.dumps({"query": "{ __typename }" + " " * random.choice([0, 100_000, 1_000_000])}).encode()
    packed = gzip.compress(body) if random.random() < 0.5 else zlib.compress(body)
    told = random.choice(["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip", None])
    return HostileRequest(kind, packed, {} if told is None else {"Content-Encoding": told})


def _surrogate(kind: str, random: Random) -> HostileRequest:
    half = random.choice(["\\ud800", "\\udfff", "\\udc00\\ud800", "\\ud83d", "\\uD800x"])
    shape = random.choice(
        [
            '{"query":"{ __typename } # %s"}',
            '{"query":"{ __typename }","variables":{"a":"%s"}}',
            '{"query":"{ __typename }","variables":{"%s":1}}',
            '{"query":"{ __typename }","operationName":"%s"}',
        ]
    )
    return HostileRequest(kind, shape.replace("%s", half).encode())


def _twice(kind: str, random: Random) -> HostileRequest:
    white = random.choice(["", " ", "\t", "\n "])
    shape = random.choice(
        [
            '{"query"%s:"{ __typename }","query"%s:"{ facilities { totalCount } }"}',
            '{"query":"{ __typename }","variables"%s:{},"variables"%s:{"a":1}}',
            '{"query":"{ __typename }","variables":{"a"%s:1,"a"%s:2}}',
            '{"query":"{ __typename }","quer\\u0079"%s:"{ a }","x"%s:1}',
            '{"query":"{ __typename }","extensions":{"a":[{"b"%s:1,"b"%s:1}]}}',
        ]
    )
    return HostileRequest(kind, shape.replace("%s", white).encode())


def _broken(kind: str, random: Random) -> HostileRequest:
    body = json.dumps({"query": good(random).document, "variables": {"a": 1}}).encode()
    cut = random.randrange(1, len(body))
    return HostileRequest(
        kind,
        random.choice(
            [
                body[:cut],
                body + body,
                body + b"x",
                body[:-1] + b",}",
                b"/* */" + body,
                body.replace(b'"', b"'"),
                body[1:],
                b"[" + body,
                b"query=%7B__typename%7D",
                b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{}\r\n--x--',
            ]
        ),
    )


def _batch(kind: str, random: Random) -> HostileRequest:
    one: Json = {"query": good(random).document}
    return HostileRequest(kind, json.dumps([one] * random.choice([1, 2, 10, 1_000])).encode())


def _shape(kind: str, random: Random) -> HostileRequest:
    wrong: Any = random.choice([0, 1.5, False, True, [], ["a"], "text", {"a": {}}, -1])
    name = random.choice(["query", "variables", "operationName", "extensions"])
    fits = {"query": str, "operationName": str, "variables": dict, "extensions": dict}[name]
    request: Json = {"query": "{ __typename }", name: wrong}
    return HostileRequest(kind, json.dumps(request).encode(), refused=not isinstance(wrong, fits))


def _persisted(kind: str, random: Random) -> HostileRequest:
    garbage: Any = random.choice(
        [
            None,
            1,
            "x",
            [],
            {},
            {"version": 1},
            {"version": "1", "sha256Hash": "x" * 64},
            {"version": 1, "sha256Hash": "0" * 64},
            {"sha256Hash": ["0" * 64]},
            {"sha256Hash": "\0"},
            {"version": 1, "sha256Hash": "../../etc/passwd"},
            {"sha256Hash": "a" * 100_000},
        ]
    )
    request: Json = {"extensions": {"persistedQuery": garbage}}
    request |= random.choice([{}, {"documentId": garbage}, {"id": garbage}, {"query": None}, {"query": ""}])
    return HostileRequest(kind, json.dumps(request).encode())


def _large(kind: str, random: Random) -> HostileRequest:
    size = random.choice([LIMIT + 1, 1_000_000, 3_000_000])
    body = json.dumps({"query": "{ __typename }", "variables": {"a": "x" * size}}).encode()
    return HostileRequest(kind, body, chunked=random.random() < 0.5)


def _many(kind: str, random: Random) -> HostileRequest:
    count = random.choice([11_000, 60_000])
    inside = random.choice(
        [["x"] * count, {f"a{n}": n for n in range(count // 4 + 9_000)}, [[]] * count, [{}] * count]
    )
    return HostileRequest(
        kind, json.dumps({"query": "{ __typename }", "variables": {"a": inside}}).encode()[:LIMIT]
    )


def _head(kind: str, random: Random) -> HostileRequest:
    body = json.dumps({"query": "{ __typename }"}).encode()
    name, value = random.choice(
        [
            ("Content-Type", "text/plain"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Type", "multipart/form-data; boundary=x"),
            ("Content-Type", "application/json; charset=utf-16"),
            ("Content-Type", "application/json, text/plain"),
            ("Content-Type", "\xff" * 2_000),
            ("Accept", "text/html"),
            ("Accept", "*/*;q=0"),
            ("Accept", ",;=" * 300),
            ("Authorization", "Bearer x"),
            ("Authorization", "Bearer " + "a." * 5_000),
            ("Authorization", ""),
            ("Content-Encoding", "x"),
        ]
    )
    return HostileRequest(kind, body, {name: value})


def _query_string(kind: str, random: Random) -> HostileRequest:
    text = random.choice(
        [
            "",
            "query",
            "query=%FF",
            "query=%",
            "query=%00",
            "query=%7B&query=%7B",
            "variables=%7B%7D",
            "=&=&=",
            "query=%7B__typename%7D&variables=" + "%5B" * 2_000,
            "query=" + quote("mutation { __typename }"),
            "query=%7B__typename%7D&variables=" + "9" * 5_000,
            "query=" + "%7B" * 3_000,
            "&" * 5_000,
            "%ED%A0%80=1",
        ]
    )
    return HostileRequest(kind, path=f"/graphql?{text}", method="GET")


BODIES: dict[str, Callable[[str, Random], HostileRequest]] = {
    "deep JSON": _deep,
    "digits without end": _digits,
    "numbers that are none": _number,
    "no object": _scalar,
    "bytes that are no text": _bytes,
    "another encoding": _encoding,
    "compressed": _compressed,
    "half a character": _surrogate,
    "a name twice": _twice,
    "broken JSON": _broken,
    "batches": _batch,
    "wrong types": _shape,
    "persisted garbage": _persisted,
    "too large": _large,
    "too many": _many,
    "wrong heads": _head,
    "query strings": _query_string,
}
