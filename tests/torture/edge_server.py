"""A server as it is, over a database of its own with a record in it; what its process has used up; a line to it."""

import asyncio
import gc
import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from psycopg import Connection
from starlette.types import ASGIApp

from examples import CLINIC, CLINIC_SYSTEM, HOSPITAL, HOSPITAL_SYSTEM, PATIENT, a_bundle
from log_examples import settings_at
from projection_examples import catch_up
from torture.fresh_log import fresh_log
from torture.served import ServerProcess, build_api, opened
from tsuzuri.app.settings import Settings
from tsuzuri.app.timed_connections import TimedConnection
from tsuzuri.app.tokens import development_token
from tsuzuri.domain.callers import FACILITY_ROLES
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.execution import execute
from tsuzuri.graphql.schema import build_schema
from world import CONSENT

ANSWER_SECONDS_MAX = 30.0
_PIECE_BYTES = 16 * 1024
CONDITIONS = {f"2006501{n}": name for n, name in enumerate(("上腹部痛", "頭痛", "腰痛", "狭心症"))}


@dataclass(frozen=True)
class EdgeServer:
    """Who asks it, and how much its process has used."""

    settings: Settings
    port: int
    pid: int

    def bearer(self, role: Role) -> str:
        facility = (CLINIC if role is Role.SYSTEM else HOSPITAL) if role in FACILITY_ROLES else None
        patient = PATIENT if role is Role.PATIENT else None
        return development_token(
            self.settings, role=role, person="somebody", facility=facility, patient=patient
        )

    def cpu_seconds(self) -> float:
        """Of all its threads, since it started."""
        files = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(file.read_text().split()[0]) for file in files) / 1e9

    def forget_most_memory(self) -> None:
        """What was the most is counted anew from here."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def memory_mb(self, most: bool = False) -> float:
        """Resident; or the most that ever was."""
        told = Path(f"/proc/{self.pid}/status").read_text()
        name = "VmHWM:" if most else "VmRSS:"
        return next(int(line.split()[1]) for line in told.splitlines() if line.startswith(name)) / 1024


class NoAnswer(Exception):
    """The line went dead, or nothing came in time."""


class Line:
    """Sends what no library would send, over a connection that is kept while the server keeps it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS_MAX)

    def send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], chunked: bool = False
    ) -> tuple[int, bytes]:
        """Status and body of the answer; a body goes with a POST only. Raises NoAnswer."""
        for attempt in (1, 2):  # it may have hung up on what came before
            sent = (_pieces(body) if chunked else body) if method == "POST" else None
            try:
                self._connection.request(method, path, sent, dict(headers), encode_chunked=chunked)
                answer = self._connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError) as error:
                self._connection.close()
                if attempt == 2 or isinstance(error, TimeoutError):
                    raise NoAnswer(type(error).__name__) from None
        raise AssertionError


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), _PIECE_BYTES):
        yield body[start : start + _PIECE_BYTES]


@contextmanager
def edge_server(
    folder: Path,
    stock: ASGIApp | None = None,
    connection: type[asyncio.Protocol] = TimedConnection,
    changes: Mapping[str, str] | None = None,
) -> Iterator[EdgeServer]:
    """The server over a patient's record that the hospital may read; or *stock* in its place, over nothing.

    *connection*: what uvicorn makes of each connection. *changes*: settings; no caller has a rate unless one is given,
    for mostly one asks in the place of many.
    """
    settings = settings_at(folder / "home", **{"TSUZURI_RATE": "off", **(changes or {})})
    if stock is not None:
        with _serving(settings, stock, connection) as server:
            yield server
        return
    with fresh_log(folder) as dsn:
        asyncio.run(_fill(settings, dsn))
        api = build_api(settings, partial(opened, settings, dsn))
        with _serving(settings, api, connection) as server:
            yield server


@contextmanager
def _serving(settings: Settings, api: ASGIApp, connection: type[asyncio.Protocol]) -> Iterator[EdgeServer]:
    gc.collect()  # what the fork inherits counts as its memory
    process = ServerProcess(api, connection)
    try:
        yield EdgeServer(settings, process.port, process.pid)
    finally:
        process.kill()


async def _fill(settings: Settings, dsn: str) -> None:
    async with opened(settings, dsn) as application:
        await application.register_bundle(CLINIC_SYSTEM, a_bundle(conditions=CONDITIONS))
        answer = await execute(build_schema(), application, HOSPITAL_SYSTEM, CONSENT)
        assert "errors" not in answer, answer
    with Connection.connect(dsn, autocommit=True) as connection:
        catch_up(connection)
