"""The API in a process of its own, listening on loopback, and somebody who asks it and keeps every byte that comes."""

import asyncio
import logging
import os
import socket
import threading
import time
from asyncio import Protocol
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.commands.serve import Server
from tsuzuri.app.server import build_server
from tsuzuri.app.services import Services, services
from tsuzuri.app.settings import Settings
from tsuzuri.app.timed_connections import TimedConnection
from tsuzuri.app.tokens import development_token
from tsuzuri.domain.callers import Caller
from tsuzuri.graphql.schema import build_schema, schema_sha256

ANSWER_SECONDS_MAX = 60.0
_LOOK_SECONDS = 0.5

FORK = get_context("fork")  # as for the writers: a fresh interpreter needs a second for our imports alone

SCHEMA_SHA256 = schema_sha256(build_schema())

Kind = Callable[[Services, str], TsuzuriApplication]
Open = Callable[[], AbstractAsyncContextManager[TsuzuriApplication]]


@asynccontextmanager
async def opened(
    settings: Settings, dsn: str, kind: Kind = TsuzuriApplication
) -> AsyncIterator[TsuzuriApplication]:
    async with services(settings, dsn) as under:
        yield kind(under, SCHEMA_SHA256)


def build_api(settings: Settings, open_application: Open) -> Starlette:
    """The server as it is, over an application of the torture's, which is opened when it is served.

    No worker reads Bundles beside it: none comes in, and each would take a second to start.
    """
    server = build_server(settings, "")

    @asynccontextmanager
    async def lifespan(served: Starlette) -> AsyncIterator[None]:
        async with open_application() as application:
            served.state.application = application
            yield

    server.router.lifespan_context = lifespan
    return server


class ServerProcess:
    """Serves from its making on, until it is killed. What is sent to it while it starts is answered then."""

    def __init__(self, api: ASGIApp, connection: type[Protocol] = TimedConnection) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = listener.getsockname()[1]
        self._process = FORK.Process(
            target=_serve, args=(api, connection, listener, os.getpid()), daemon=True
        )
        self._process.start()
        listener.close()  # else who asks it would wait for ever when it is dead

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def exitcode(self) -> int | None:
        self._process.join(0)
        return self._process.exitcode

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def end_with(parent: int) -> None:
    """This process ends when *parent*, which was to kill it, has ended."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _serve(api: ASGIApp, connection: type[Protocol], listener: socket.socket, parent: int) -> None:
    end_with(parent)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what it says of its troubles is not for who looks on
    logging.disable()
    config = uvicorn.Config(
        api, http=connection, log_level="critical", access_log=False, timeout_keep_alive=600
    )
    closing: asyncio.Event = getattr(getattr(api, "state", None), "closing", asyncio.Event())
    Server(config, closing).run([listener])


@dataclass(frozen=True)
class Received:
    """What came of one answer until it was whole, or the line went dead."""

    body: bytes
    whole: bool
    head: bytes = b""

    @property
    def status(self) -> int:
        """Of an answer whose head came; else 0."""
        return int(self.head.split(b" ", 2)[1]) if self.head else 0

    def header(self, name: str) -> str | None:
        """What the first header of this name says; None: there is none."""
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            told, _, value = line.partition(":")
            if told.lower() == name.lower():
                return value.strip()
        return None

    @property
    def told(self) -> dict[str, Any]:
        """Of a whole answer."""
        answer: dict[str, Any] = orjson.loads(self.body)
        return answer

    @property
    def code(self) -> str | None:
        """Of its first error; None when there is none."""
        return self.told["errors"][0]["extensions"]["code"] if "errors" in self.told else None


class Asker:
    """Somebody with a token, on a connection that is kept as long as it lasts."""

    def __init__(self, settings: Settings, port: int, caller: Caller) -> None:
        token = development_token(
            settings, role=caller.role, person=caller.person, facility=caller.facility, patient=caller.patient
        )
        self.port = port
        self._head = (
            "POST /graphql HTTP/1.1\r\nHost: tsuzuri\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {token}\r\n"
        )
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, query: str, header: str = "", **variables: Any) -> Received:
        """*header*: one more, as it is sent. Raises TimeoutError: no answer came and the line stood."""
        body = orjson.dumps({"query": query, "variables": variables})
        head = self._head + (f"{header}\r\n" if header else "") + f"Content-Length: {len(body)}\r\n\r\n"
        answer, came = bytearray(), b""
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            try:
                if self._line is None:
                    self._line = await asyncio.open_connection("127.0.0.1", self.port)
                reader, writer = self._line
                writer.write(head.encode() + body)
                came = await reader.readuntil(b"\r\n\r\n")
                length = _length(came)
                while len(answer) < length:
                    piece = await reader.read(length - len(answer))
                    if not piece:
                        raise ConnectionResetError
                    answer += piece
            except (ConnectionError, asyncio.IncompleteReadError):
                self.close()
                return Received(bytes(answer), whole=False, head=came)
        return Received(bytes(answer), whole=True, head=came)

    def close(self) -> None:
        if self._line is not None:
            with suppress(ConnectionError):
                self._line[1].close()
        self._line = None


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:"))
