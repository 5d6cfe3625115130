"""A client of graphql-transport-ws, and what a test says with it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from edge_examples import Json

PROTOCOL = "graphql-transport-ws"
PATIENCE_SECONDS = 20.0


class Client:
    """One socket that stands open."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def init(self, bearer: str | None = None) -> None:
        """Says who it is, and hears that it is known."""
        self.say(type="connection_init", payload={} if bearer is None else {"authorization": bearer})
        assert self.hear() == {"type": "connection_ack"}

    def ask(self, id: str, query: str, **variables: Any) -> None:
        self.say(id=id, type="subscribe", payload={"query": query, "variables": variables})

    def hear(self) -> Json:
        """The next message but keep-alives, which are answered."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            message: Json = json.loads(self.socket.recv(timeout=deadline - time.monotonic()))
            if message["type"] != "ping":
                return message
            self.say(type="pong")

    def closed(self) -> tuple[int, str]:
        """The code and the reason with which the server closes, after whatever it says before."""
        with pytest.raises(ConnectionClosed) as ended:
            while True:
                self.hear()
        assert ended.value.rcvd is not None, "the line went dead"
        return ended.value.rcvd.code, ended.value.rcvd.reason


@contextmanager
def client(
    port: int, *, protocols: tuple[str, ...] = (PROTOCOL,), origin: str | None = None, **headers: str
) -> Iterator[Client]:
    """*headers*: of the request that opens the socket."""
    with connect(
        f"ws://127.0.0.1:{port}/graphql",
        subprotocols=[Subprotocol(one) for one in protocols] or None,
        additional_headers=headers | ({} if origin is None else {"Origin": origin}),
        open_timeout=PATIENCE_SECONDS,
        ping_interval=None,
        proxy=None,
    ) as socket:
        yield Client(socket)
