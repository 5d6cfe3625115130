"""The Guard by itself: what a body's head tells is enough, and what comes beyond the allowance is not waited for."""

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from tsuzuri.app.edge import EdgeRefused, body_of
from tsuzuri.app.guard import Allowance, Guard

MEGABYTE = 1024 * 1024
KILOBYTE = 1024


class Handler:
    """What stands behind the Guard: it reads the whole body and says how much that was."""

    reached = False
    read = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached = True
        try:
            self.read = len(await body_of(receive))
        except EdgeRefused as refused:
            await refused.response()(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


class Sender:
    """Sends pieces of a body for as long as somebody takes them."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self.sent = 0

    async def __call__(self) -> dict[str, Any]:
        piece = next(self._pieces, None)
        self.sent += len(piece or b"")
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}


def answered(
    pieces: Iterable[bytes], path: str = "/graphql", **headers: str
) -> tuple[int, Any, Handler, Sender]:
    """Status and body of the answer; and what the handler, and who sends, went through."""
    handler, sender, sent = Handler(), Sender(pieces), list[Any]()
    guard = Guard(
        handler, Allowance(256 * KILOBYTE), {"/bundles": Allowance(MEGABYTE, {"broken": ["T0001"]})}
    )
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(guard({"type": "http", "path": path, "headers": named}, sender, send))
    return sent[0]["status"], json.loads(sent[1]["body"]), handler, sender


@pytest.mark.parametrize("length", ["262145", "9" * 18, "9" * 5_000, "-1", "+1", "1_0", "", "x", "٣"])
def test_a_length_that_says_too_much_or_nothing_is_enough(length: str) -> None:
    status, told, handler, sender = answered([b"x"] * 10, content_length=length)

    assert (status, told["errors"][0]["extensions"]["code"]) == (413, "BODY_TOO_LARGE")
    assert not handler.reached and sender.sent == 0


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate, gzip", "x", ""])
def test_no_encoding_is_undone(encoding: str) -> None:
    status, _, handler, sender = answered([b"\x1f\x8b"], content_encoding=encoding)

    assert status == 415
    assert not handler.reached and sender.sent == 0


def test_what_may_be_is_let_through_whole() -> None:
    status, _, handler, _ = answered([b"x" * KILOBYTE] * 256, content_length=str(256 * KILOBYTE))

    assert (status, handler.read) == (200, 256 * KILOBYTE)
    assert answered([], content_encoding="identity")[0] == 200


def test_a_body_without_length_is_taken_to_its_allowance_and_no_further() -> None:
    status, told, handler, sender = answered(b"x" * KILOBYTE for _ in range(10_000))

    assert (status, told["errors"][0]["extensions"]["code"]) == (413, "BODY_TOO_LARGE")
    assert handler.read == 0 and sender.sent == 257 * KILOBYTE


def test_a_route_may_have_an_allowance_of_its_own_and_tell_more() -> None:
    within, _, handler, _ = answered([b"x" * MEGABYTE], "/bundles")
    beyond, told, _, _ = answered([b"x" * MEGABYTE, b"x"], "/bundles")

    assert (within, handler.read, beyond) == (200, MEGABYTE, 413)
    assert told["errors"][0]["extensions"] == {"code": "BODY_TOO_LARGE", "broken": ["T0001"]}


@pytest.mark.parametrize("told_length", [True, False])
def test_a_thousand_megabytes_are_refused_in_little_memory(told_length: bool) -> None:
    piece = b" " * (64 * KILOBYTE)
    headers = {"content_length": str(1_000 * MEGABYTE)} if told_length else {}
    gc.collect()
    tracemalloc.start()

    status, *_ = answered((piece for _ in range(16_000)), **headers)

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (status, most < MEGABYTE) == (413, True), most


def test_who_hangs_up_before_the_end_is_no_fault() -> None:
    async def gone() -> Any:
        return {"type": "http.disconnect"}

    with pytest.raises(EdgeRefused) as refused:
        asyncio.run(body_of(gone))

    assert (refused.value.status, refused.value.code) == (400, "BAD_BODY")


def test_what_is_not_http_passes() -> None:
    seen = []

    async def inside(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    asyncio.run(Guard(inside, Allowance(1), {})({"type": "lifespan"}, nothing, nothing))

    assert seen == [({"type": "lifespan"}, nothing, nothing)]
