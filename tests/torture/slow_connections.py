"""Two hundred connections that never send what they began, while a well-behaved client asks on; then bodies of 10 MB.

No slow connection outlives its time, no request of the good client goes unanswered, and a body that is refused takes no
more of the server's memory than it is large. How much longer the good client waits is told against its bar, and is no
fault: machines differ.
"""

import asyncio
import time
from asyncio import Protocol
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from threading import Thread

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from torture.edge_server import EdgeServer, Line, NoAnswer, edge_server
from torture.harness import Outcome, Torture
from tsuzuri.app import timed_connections
from tsuzuri.app.timed_connections import TimedConnection
from tsuzuri.domain.vocabulary import Role

CONNECTIONS, ROUNDS = 200, 4
BAR_RATIO, GROWTH_MB = 1.5, 10
SPARE_SECONDS = 3.0  # beyond the time that a connection has
_PAUSE_SECONDS = 0.25
_MEGABYTE = 1024 * 1024
_GOOD = b'{"query": "{ facilities(first: 3) { nodes { name } } }"}'
_HEAD = b"POST /graphql HTTP/1.1\r\nHost: tsuzuri\r\nContent-Type: application/json\r\n"


@contextmanager
def seconds_allowed(seconds: float) -> Iterator[None]:
    """How long a head, and a body, of a server that is started now may take."""
    kept = timed_connections.HEAD_SECONDS, timed_connections.BODY_SECONDS
    timed_connections.HEAD_SECONDS = timed_connections.BODY_SECONDS = seconds
    try:
        yield
    finally:
        timed_connections.HEAD_SECONDS, timed_connections.BODY_SECONDS = kept


class Slow:
    """Connections that trickle, each in one of these ways, until they are hung up on or the time is over."""

    def __init__(self, server: EdgeServer, connections: int, seconds: float) -> None:
        self.left = connections  # that were not hung up on
        self._server = server
        self._connections = connections
        self._until = time.monotonic() + seconds
        signed = _HEAD + f"Authorization: Bearer {server.bearer(Role.OPERATOR)}\r\n".encode()
        self._ways = [
            (b"", b""),
            (b"POST /gra", b""),
            (_HEAD, b"X-More: 1\r\n"),
            (b"\r\n", b"\r\n"),
            (signed + b"Content-Length: 200000\r\n\r\n", b" "),
            (signed + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        ]

    def run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        random = Random(self._connections)
        await asyncio.gather(*(self._one(*random.choice(self._ways)) for _ in range(self._connections)))

    async def _one(self, first: bytes, then: bytes) -> None:
        with suppress(ConnectionError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
            writer.write(first)
            while time.monotonic() < self._until:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_PAUSE_SECONDS):
                        await reader.read()
                        break
                writer.write(then)
            else:
                writer.close()
                return
            writer.close()
        self.left -= 1


def asked(server: EdgeServer, seconds: float, faults: list[str]) -> list[float]:
    """What the good client waits for each answer, in ms, one after the other."""
    line, waits = Line(server.port), []
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {server.bearer(Role.OPERATOR)}"}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        try:
            status, _ = line.send("POST", "/graphql", _GOOD, headers)
        except NoAnswer as none:
            faults.append(f"the good client got no answer: {none}")
            continue
        waits.append((time.perf_counter() - began) * 1000)
        if status != 200:
            faults.append(f"the good client was answered with status {status}")
    return waits


def p95(waits: list[float]) -> float:
    return sorted(waits)[int(0.95 * (len(waits) - 1))]


def refused_bodies(server: EdgeServer, faults: list[str]) -> float:
    """The most, in MB, that the server's memory grew by while it refused one large body."""
    bearer = {"Content-Type": "application/json", "Authorization": f"Bearer {server.bearer(Role.SYSTEM)}"}
    most = 0.0
    for path, chunked in [("/graphql", False), ("/graphql", True), ("/bundles", False), ("/bundles", True)]:
        server.forget_most_memory()
        before = server.memory_mb()
        for _ in range(3):
            try:
                status, _answer = Line(server.port).send(
                    "POST", path, b" " * (11 * _MEGABYTE), bearer, chunked
                )
            except NoAnswer:
                status = 413  # it hung up on what was still being sent
            if status != 413:
                faults.append(f"a body of 11 MB to {path} was answered with status {status}")
        grown = server.memory_mb(most=True) - before
        if grown > GROWTH_MB:
            faults.append(f"refusing bodies of 11 MB to {path}, the server grew by {grown:.0f} MB")
        most = max(most, grown)
    return most


def tormented(
    folder: Path, share: float, connection: type[Protocol], rounds: int, stock: ASGIApp | None = None
) -> Outcome:
    seconds, connections = max(1.0, 10.0 * share), max(40, round(CONNECTIONS * share))
    faults: list[str] = []
    alone: list[float] = []
    beside: list[float] = []
    with seconds_allowed(seconds), edge_server(folder, stock, connection) as server:
        asked(server, 0.5, [])
        for _ in range(rounds):
            alone += asked(server, seconds, faults)
            slow = Slow(server, connections, seconds + SPARE_SECONDS)
            thread = Thread(target=slow.run)
            thread.start()
            beside += asked(server, seconds, faults)
            thread.join()
            if slow.left:
                faults.append(f"{slow.left} of {connections} slow connections were never hung up on")
        grown = 0.0 if stock else refused_bodies(server, faults)
    ratio = p95(beside) / p95(alone)
    verdict = "pass" if ratio <= BAR_RATIO else "FAIL"
    return Outcome(
        f"{rounds} times {connections} connections beside {len(beside):,} requests, {len(alone):,} without; p95"
        f" {p95(beside):.1f} ms against {p95(alone):.1f}: {ratio:.2f} times (bar {BAR_RATIO}: {verdict});"
        f" bodies of 11 MB took at most {grown:.0f} MB (bar {GROWTH_MB})",
        faults,
    )


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, share, TimedConnection, ROUNDS if share > 0.1 else 1)


async def anything(scope: Scope, receive: Receive, send: Send) -> None:
    """A server that takes a whole request and says yes."""
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


def untimed(folder: Path, share: float) -> Outcome:
    return tormented(folder, min(share, 0.1), HttpToolsProtocol, 1, anything)


TORTURE = Torture("slow connections", run, {"uvicorn's own connections": untimed})
