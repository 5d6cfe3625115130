"""`tsuzuri serve`: the API, and projectors beside it, on the database of the installation."""

import asyncio
import gc
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated

import typer
import uvicorn

from tsuzuri.app.checkpoints_beside import refuse_to_serve_older, sign_regularly
from tsuzuri.app.database import ready_database
from tsuzuri.app.notices.beside import send_on_and_on
from tsuzuri.app.projector_beside import project_on_and_on
from tsuzuri.app.retention_beside import erase_regularly
from tsuzuri.app.reviews_beside import find_regularly
from tsuzuri.app.server import build_server
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.app.socket_messages import MESSAGE_BYTES_MAX
from tsuzuri.app.timed_connections import TimedConnection
from tsuzuri.app.tracing import configure_tracing

app = typer.Typer()
_END_SECONDS = 10
LINGER_SECONDS = 1.0
_GOODBYE_SECONDS = 0.1
_GARBAGE = 20_000, 20, 20  # objects of one request are nearly all gone before the collector looks at them

Beside = Callable[[Settings, str, int], None]
"""What a process beside the API does: with the settings, the database's address, the process that it ends with."""


@app.command()
def serve(
    projector: Annotated[bool, typer.Option(help="Run projectors beside the API.")] = True,
) -> None:
    """Serve the API. The embedded database and what works beside it live and die with this process."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn drains, then raises the signal again
    settings = read_settings()
    configure_tracing(settings)
    with ready_database(settings) as dsn:
        server = build_server(settings, dsn)
        beside = [project_on_and_on] * (settings.projectors if projector else 0)
        beside += [erase_regularly] if settings.retention_hours else []
        beside += [find_regularly] if settings.review_hours else []
        beside += [send_on_and_on]
        if settings.checkpoint_seconds:
            refuse_to_serve_older(settings, dsn)  # and tells here of a missing key, not in a process beside
            beside += [sign_regularly]
        with processes(settings, dsn, beside):
            config = uvicorn.Config(
                server,
                http=TimedConnection,
                host=settings.host,
                port=settings.port,
                access_log=False,  # paths and query strings are not for a log about patients
                log_level="warning",
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=settings.shutdown_seconds,
                ws_max_size=MESSAGE_BYTES_MAX,
                ws_per_message_deflate=False,  # else a few bytes may become many
            )
            with suppress(KeyboardInterrupt):  # Ctrl-C: it has drained
                Server(config, server.state.closing).run(_listeners(settings))


def _listeners(settings: Settings) -> list[socket.socket] | None:
    """Two addresses for one server, where the metrics have one of their own. None: the server binds its own."""
    if settings.metrics_address is None:
        return None
    addresses = [(settings.host, settings.port), settings.metrics_address]
    return [
        socket.create_server(address, family=socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        for address in addresses
    ]


class Server(uvicorn.Server):
    """Nobody comes in any more, open streams end, and what was asked is answered; then it ends.

    A request may be on its way on a connection that is kept: closed at that moment it would go unanswered. So each
    connection is given a little while to be used once more, and that answer says that it is the last.
    """

    def __init__(self, config: uvicorn.Config, closing: asyncio.Event) -> None:
        super().__init__(config)
        self._closing = closing

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """What is there by now is there to the end: the collector of cycles need not look at it, which takes 0.1 s."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GARBAGE)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._closing.set()  # from now on each answer closes its connection: see RequestWatch
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        await asyncio.sleep(_GOODBYE_SECONDS)  # else it ends WebSockets itself, and says nothing of why
        deadline = time.monotonic() + LINGER_SECONDS
        while self.server_state.connections and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)


@contextmanager
def processes(settings: Settings, dsn: str, beside: Sequence[Beside]) -> Iterator[None]:
    """Each piece of work in a process of its own: a rebuild must not take the API's time."""
    spawn = multiprocessing.get_context("spawn")  # a fork would share the API's connections
    started = [spawn.Process(target=work, args=(settings, dsn, os.getpid()), daemon=True) for work in beside]
    for process in started:
        process.start()
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.join(_END_SECONDS)
