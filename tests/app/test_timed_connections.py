"""Connections whose requests do not come: each is told and hung up on in its time, and no other is disturbed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from tsuzuri.app import timed_connections
from tsuzuri.app.timed_connections import HEAD_BYTES_MAX, TimedConnection

TOO_SLOW, HEAD_TOO_LARGE = (
    b"HTTP/1.1 408 Request Timeout\r\n",
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
)
REQUEST = b"POST / HTTP/1.1\r\nHost: tsuzuri\r\nContent-Length: 2\r\n\r\n{}"
PATIENCE_SECONDS = 20.0


async def api(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how much came; of /unread at once, without waiting for it; of /slow late."""
    came = 0
    while scope["path"] != "/unread":
        message = await receive()
        came += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            break
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    body = str(came).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(timed_connections, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(timed_connections, "BODY_SECONDS", 0.2)
    yield


Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def connected(lines: int = 1) -> AsyncIterator[list[Line]]:
    config = uvicorn.Config(
        api, http=TimedConnection, host="127.0.0.1", port=0, lifespan="off", log_level="critical"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(lines)]
    async with asyncio.timeout(PATIENCE_SECONDS):
        yield opened
    for _, writer in opened:
        writer.close()
    server.should_exit = True
    await running


async def whole(line: Line) -> bytes:
    """What comes until the other side hangs up."""
    try:
        return await line[0].read()
    except ConnectionResetError:
        return b"reset"


async def trickle(line: Line, piece: bytes) -> bytes:
    """Send a piece again and again; what came when the other side hung up."""
    with contextlib.suppress(ConnectionError):
        while not line[0].at_eof():
            line[1].write(piece)
            await line[1].drain()
            try:
                async with asyncio.timeout(0.02):
                    if said := await line[0].read(1_000):
                        return said
            except TimeoutError:
                pass
    return b""


def told(first: bytes, then: bytes = b"") -> bytes:
    """The whole answer to who sends this, and then a piece again and again."""

    async def story() -> bytes:
        async with connected() as (line,):
            line[1].write(first)
            return await trickle(line, then) if then else await whole(line)

    return asyncio.run(story())


def test_who_says_nothing_is_hung_up_on_without_a_word() -> None:
    assert told(b"") == b""


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"POST / HT", b""),
        (b"POST / HTTP/1.1\r\nHost: tsuzuri\r\n", b"X-More: 1\r\n"),
        (REQUEST[:-1], b""),
        (REQUEST.replace(b": 2", b": 200000"), b"1"),
        (REQUEST.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked")[:-2], b"1\r\n1\r\n"),
    ],
    ids=["half a line", "header after header", "no body", "a body byte by byte", "piece after piece"],
)
def test_who_is_too_slow_is_told_so(first: bytes, then: bytes) -> None:
    assert told(first, then).startswith(TOO_SLOW)


def test_line_ends_do_not_keep_a_connection() -> None:
    assert told(b"\r\n", b"\r\n").startswith(TOO_SLOW)


def test_what_follows_a_request_is_timed_too() -> None:
    async def story() -> tuple[bytes, bytes]:
        async with connected() as (line,):
            line[1].write(REQUEST)
            first = await line[0].readuntil(b"\r\n\r\n2")
            return first, await trickle(line, b"\r\n")

    first, then = asyncio.run(story())

    assert first.startswith(b"HTTP/1.1 200 OK")
    assert then in (b"", TOO_SLOW + b"content-length: 0\r\nconnection: close\r\n\r\n")


def test_a_head_without_end_is_too_large() -> None:
    assert told(b"POST / HTTP/1.1\r\nX: ", b"x" * HEAD_BYTES_MAX).startswith(HEAD_TOO_LARGE)


def test_a_body_that_nobody_reads_is_not_taken_for_ever() -> None:
    unread = REQUEST.replace(b" / ", b" /unread ").replace(b": 2", b": 1000000000")

    async def story() -> bytes:
        async with connected() as (line,):
            line[1].write(unread)
            first = await line[0].readuntil(b"\r\n\r\n0")
            rest = await trickle(line, b"x" * 100_000)
            return first + rest

    answer = asyncio.run(story())

    assert answer.startswith(b"HTTP/1.1 200 OK") and b"408" not in answer


def test_a_large_body_that_keeps_coming_has_the_time_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed_connections, "BODY_BYTES_A_SECOND", 1_000)
    large = REQUEST.replace(b": 2", b": 20000")[:-2]

    async def story() -> bytes:
        async with connected() as (line,):
            line[1].write(large)
            for _ in range(20):
                line[1].write(b"x" * 1_000)
                await asyncio.sleep(0.03)
            return await line[0].readuntil(b"20000")

    assert asyncio.run(story()).startswith(b"HTTP/1.1 200 OK")


def test_what_is_being_answered_is_not_disturbed_by_what_comes_after_it() -> None:
    async def story() -> bytes:
        async with connected() as (line,):
            line[1].write(REQUEST.replace(b" / ", b" /slow ") + b"POST / HT")
            return await whole(line)

    answer = asyncio.run(story())

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.partition(b"\r\n\r\n2")[2] in (
        b"",
        TOO_SLOW + b"content-length: 0\r\nconnection: close\r\n\r\n",
    )


def test_many_who_dawdle_are_gone_while_one_is_served_on() -> None:
    async def story() -> list[bytes]:
        async with connected(101) as (good, *slow):
            for line in slow:
                line[1].write(b"POST / HTTP/1.1\r\nX: ")
            gone = asyncio.gather(*(whole(line) for line in slow))
            while not gone.done():
                good[1].write(REQUEST)
                assert (await good[0].readuntil(b"\r\n\r\n2")).startswith(b"HTTP/1.1 200 OK")
            return list(await gone)

    answers = asyncio.run(story())

    assert all(answer.startswith(TOO_SLOW) for answer in answers)
