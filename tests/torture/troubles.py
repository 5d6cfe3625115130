"""What may go wrong between a decision and its answer, and the application and server in which it does.

A request says in a header what is to happen to it, and at which step. Who kills says so in a file before.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from random import uniform
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, Connection, OperationalError
from psycopg.pq.abc import PGresult
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from torture.cutting_line import CuttingLine, cutting_line
from torture.served import SCHEMA_SHA256
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.services import services
from tsuzuri.app.settings import Settings
from tsuzuri.domain.callers import Caller
from tsuzuri.eventlog import group_commit
from tsuzuri.eventlog.appending import LogUnavailable
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.graphql.readings import Operation, Reading, Readings, RefusedReading

IN_DOUBT_SECONDS = 0.3  # instead of ten: how long an append that got no reply is tried again
APPEND_SECONDS = 0.006  # about as long as one takes


class Step(Enum):
    """From the decision to the last byte."""

    DECIDED = "decided, no row read"
    ROWS_READ = "rows read"
    BEFORE_APPEND = "before the append"
    APPENDING = "during the append"
    APPENDED = "behind the append"
    RENDERING = "rendering"
    RENDERED = "rendered, nothing sent"
    HEAD_SENT = "head sent"
    HALF_SENT = "part of the answer sent"
    SENT = "answer sent"


class Kind(Enum):
    KILL = "server killed"
    STOP = "database stopped at once"
    FAIL = "error of the driver"
    UNAVAILABLE = "log unavailable"
    ENDED = "sessions of the writer ended"
    CUT = "line cut"
    FULL = "disk full"
    NOT_COMMITTED = "commit refused"
    NOT_JSON = "answer that is no JSON"


KINDS: Mapping[Step, tuple[Kind, ...]] = {
    Step.DECIDED: (Kind.KILL, Kind.FAIL),
    Step.ROWS_READ: (Kind.KILL, Kind.FAIL),
    Step.BEFORE_APPEND: (Kind.KILL, Kind.STOP, Kind.UNAVAILABLE, Kind.ENDED),
    Step.APPENDING: (Kind.KILL, Kind.STOP, Kind.CUT, Kind.FULL, Kind.NOT_COMMITTED, Kind.ENDED),
    Step.APPENDED: (Kind.KILL, Kind.STOP, Kind.FAIL, Kind.UNAVAILABLE),
    Step.RENDERING: (Kind.NOT_JSON,),
    Step.RENDERED: (Kind.KILL,),
    Step.HEAD_SENT: (Kind.KILL,),
    Step.HALF_SENT: (Kind.KILL,),
    Step.SENT: (Kind.KILL,),
}
NEVER_ANSWERED = (Kind.UNAVAILABLE, Kind.FULL, Kind.NOT_COMMITTED, Kind.NOT_JSON)
"""To whom this happens has certainly no answer: no later try can help."""


@dataclass(frozen=True)
class Trouble:
    step: Step
    kind: Kind

    def __str__(self) -> str:
        return f"{self.kind.value}, {self.step.value}"

    @property
    def header(self) -> str:
        return f"Trouble: {self.step.name} {self.kind.name}"


TROUBLES = [Trouble(step, kind) for step, kinds in KINDS.items() for kind in kinds]

REFUSING = """
    CREATE TABLE trouble (event_id uuid PRIMARY KEY, kind text NOT NULL);
    CREATE FUNCTION make_trouble() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
    DECLARE
        wanted text := (SELECT t.kind FROM trouble t WHERE t.event_id = NEW.event_id);
    BEGIN
        IF wanted = ANY (TG_ARGV) THEN
            IF wanted = 'ENDED' THEN
                PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(1);
            END IF;
            RAISE EXCEPTION 'could not extend file: no space left on device' USING ERRCODE = '53100';
        END IF;
        RETURN NEW;
    END
    $$;
    CREATE TRIGGER at_once BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION make_trouble('FULL', 'ENDED');
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION make_trouble('NOT_COMMITTED');
"""
"""The database refuses the events that the table names: as they are inserted, or as they are committed."""

_asked: ContextVar[Trouble | None] = ContextVar("trouble", default=None)


@dataclass
class Site:
    """Where the troubles are made: one server process on one database."""

    dsn: str
    postmaster: Path  # the file with its process id
    notes: Path
    line: CuttingLine

    def note(self, trouble: Trouble) -> None:
        self.notes.write_text(f"{trouble}\n")

    async def happen(self, trouble: Trouble) -> None:
        self.note(trouble)
        match trouble.kind:
            case Kind.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Kind.STOP:
                os.kill(int(self.postmaster.read_text().split()[0]), signal.SIGQUIT)
            case Kind.FAIL:
                raise OperationalError("the connection is lost")
            case Kind.UNAVAILABLE:
                raise LogUnavailable("the access could not be recorded")
            case Kind.ENDED:
                await self._execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s",
                    LogRole.WRITER.value,
                )
            case _:
                raise AssertionError(f"nothing happens by itself: {trouble}")

    async def refuse(self, event: UUID, kind: Kind) -> None:
        await self._execute("INSERT INTO trouble VALUES (%s, %s)", event, kind.name)

    async def _execute(self, statement: str, *values: object) -> None:
        async with await AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            await connection.execute(statement.encode(), values)


class Troubled(TsuzuriApplication):
    """The application as it is, with trouble at the steps of the requests that ask for it."""

    site: Site

    async def open_record(self, *named: Any, **asked: Any) -> Reading | RefusedReading:
        decided = await super().open_record(*named, **asked)
        await self._meet(Step.DECIDED)
        return decided

    async def fetch(self, *named: Any) -> list[dict[str, Any]]:
        rows = await super().fetch(*named)
        await self._meet(Step.ROWS_READ)
        return rows

    async def write(self, *named: Any) -> PGresult:
        written = await super().write(*named)
        await self._meet(Step.ROWS_READ)
        return written

    async def settle(
        self, caller: Caller, readings: Readings, operation: Operation, data: dict[str, Any] | None
    ) -> None:
        await self._meet(Step.BEFORE_APPEND)
        trouble = _asked.get()
        recording = self.record(caller, readings, operation, data)
        if trouble is not None and trouble.step is Step.APPENDING and readings.permitted:
            await self._record_in_trouble(recording, trouble, readings.permitted[0].access_id)
        else:
            await recording
        await self._meet(Step.APPENDED)
        if trouble is not None and trouble.step is Step.RENDERING and data is not None:
            self.site.note(trouble)
            data["unknown"] = object()

    async def record(
        self, caller: Caller, readings: Readings, operation: Operation, data: dict[str, Any] | None
    ) -> None:
        await super().settle(caller, readings, operation, data)

    async def _record_in_trouble(self, recording: Any, trouble: Trouble, access: UUID) -> None:
        match trouble.kind:
            case Kind.KILL | Kind.STOP:
                under_way = asyncio.create_task(recording)
                await asyncio.sleep(uniform(0, APPEND_SECONDS))
                await self.site.happen(trouble)
                await under_way
            case Kind.CUT:
                self.site.line.await_append(access)
                try:
                    await recording
                finally:
                    if self.site.line.cuts:
                        self.site.note(trouble)
            case _:
                self.site.note(trouble)
                await self.site.refuse(access, trouble.kind)
                await recording

    async def _meet(self, step: Step) -> None:
        trouble = _asked.get()
        if trouble is not None and trouble.step is step:
            await self.site.happen(trouble)


@asynccontextmanager
async def opened_in_trouble(
    settings: Settings, dsn: str, folder: Path, kind: type[Troubled]
) -> AsyncIterator[Troubled]:
    """Over a line that can be cut. *folder*: of the database's server, and of the notes."""
    group_commit.IN_DOUBT_SECONDS = IN_DOUBT_SECONDS  # type: ignore[attr-defined]  # of this process alone
    with cutting_line(dsn) as line:
        async with services(settings, line.dsn) as under:
            application = kind(under, SCHEMA_SHA256)
            application.site = Site(dsn, folder / "data" / "postmaster.pid", folder / "notes", line)
            yield application


class TroubledServer:
    """The server, with trouble as the answer leaves."""

    def __init__(self, api: ASGIApp, notes: Path) -> None:
        self.api = api
        self.notes = notes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = dict(scope.get("headers", ())).get(b"trouble")
        if named is None:
            await self.api(scope, receive, send)
            return
        step, kind = named.decode().split()
        trouble = Trouble(Step[step], Kind[kind])
        _asked.set(trouble)

        def killed_at(step: Step) -> None:
            if trouble.step is step:
                self.notes.write_text(f"{trouble}\n")
                os.kill(os.getpid(), signal.SIGKILL)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                killed_at(Step.RENDERED)
                await send(message)
                killed_at(Step.HEAD_SENT)
                return
            body = message["body"]
            if trouble.step is Step.HALF_SENT:
                sent = round(uniform(0.5, 1) * len(body))  # one record, and some of the other
                await send({"type": "http.response.body", "body": body[:sent], "more_body": True})
                killed_at(Step.HALF_SENT)
            await send(message)
            killed_at(Step.SENT)

        await self.api(scope, receive, sending)


def let_it_refuse(dsn: str) -> None:
    """As the database's owner."""
    with Connection.connect(dsn, autocommit=True) as connection:
        connection.execute(REFUSING.encode())
