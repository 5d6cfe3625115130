"""A line to the server, byte for byte, that breaks at a random place while an awaited append passes it."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from random import choices, randrange
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Cut(Enum):
    """Where the line breaks; told in an outcome in these words."""

    REQUEST = "within the request"  # nothing is stored
    AFTER_REQUEST = "behind the request"  # while the server is at it
    REPLY = "within the reply"  # it is stored by then


ID_LENGTH = 16  # an event's id is known by its bytes: they are among the parameters of its append


@dataclass
class Pair:
    """The two ends of one connection through the line."""

    client: socket.socket
    server: socket.socket
    reply_to: bytes | None = None  # the event whose reply is to be cut

    def close(self) -> None:
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other side was first


class CuttingLine:
    """Connections lead to the server of *dsn*; `dsn` of the line itself leads to the line."""

    def __init__(self, dsn: str):
        self.cuts: Counter[Cut] = Counter()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.dsn = make_conninfo(dsn, host="127.0.0.1", port=self.listener.getsockname()[1])
        self.server = conninfo_to_dict(dsn)
        self.own: Connection[Any] = Connection.connect(dsn, autocommit=True)
        self.awaited: dict[bytes, list[Cut]] = {}
        self.lost: set[bytes] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def await_append(self, event: UUID, tries: int = 1) -> None:
        """Cut so many tries of the append that stores this event, each somewhere else."""
        self.awaited[event.bytes] = choices(list(Cut), weights=(2, 2, 6), k=tries)

    def lost_reply(self, event: UUID) -> bool:
        """Whether the event was stored and the reply that says so was cut."""
        return event.bytes in self.lost

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return  # closed
            try:
                pair = Pair(client, self._connected())
            except OSError:
                client.close()  # the server is not there
                continue
            threading.Thread(target=self._carry_requests, args=(pair,), daemon=True).start()
            threading.Thread(target=self._carry_replies, args=(pair,), daemon=True).start()

    def _connected(self) -> socket.socket:
        host, port = str(self.server["host"]), int(self.server.get("port") or 5432)
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _carry_requests(self, pair: Pair) -> None:
        before = b""
        while data := _received(pair.client):
            event = next((awaited for awaited in list(self.awaited) if awaited in before + data), None)
            cut = self._next_cut(event) if event else None
            if cut is Cut.REQUEST:
                data = data[: randrange(len(data))]
            elif cut is Cut.REPLY:
                pair.reply_to = event
            if not _sent(pair.server, data):
                break
            if cut in (Cut.REQUEST, Cut.AFTER_REQUEST):
                self.cuts[cut] += 1
                break
            before = data[1 - ID_LENGTH :]  # an id may come in two pieces
        pair.close()

    def _next_cut(self, event: bytes) -> Cut:
        cut = self.awaited[event].pop()
        if not self.awaited[event]:
            del self.awaited[event]
        return cut

    def _carry_replies(self, pair: Pair) -> None:
        while data := _received(pair.server):
            if pair.reply_to is not None and self._is_stored(pair.reply_to):
                self.lost.add(pair.reply_to)
                self.cuts[Cut.REPLY] += 1
                _sent(pair.client, data[: randrange(len(data))])
                break
            if not _sent(pair.client, data):
                break
        pair.close()

    def _is_stored(self, event: bytes) -> bool:
        row = self.own.execute("SELECT FROM event WHERE event_id = %s", (UUID(bytes=event),)).fetchone()
        return row is not None


def _received(source: socket.socket) -> bytes:
    """What comes next; nothing when the connection is over."""
    try:
        return source.recv(65536)
    except OSError:
        return b""


def _sent(target: socket.socket, data: bytes) -> bool:
    try:
        target.sendall(data)
    except OSError:
        return False
    return True


@contextmanager
def cutting_line(dsn: str) -> Iterator[CuttingLine]:
    line = CuttingLine(dsn)
    try:
        yield line
    finally:
        line.listener.close()
        line.own.close()
