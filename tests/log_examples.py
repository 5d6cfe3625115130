"""A log to write to, small events that fill it, and everything that lies in it afterwards."""

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection

from examples import CLINIC
from tsuzuri.app.services import Services
from tsuzuri.domain.events import Event, FacilityListed, TrailRead, originator
from tsuzuri.domain.vocabulary import Role, Stream
from tsuzuri.eventlog.log import LogApplication
from tsuzuri.eventlog.places import Place

Run = Callable[[Callable[[Services], Awaitable[Any]]], Any]
"""The fixture `run`: a coroutine function on services over the test's own database."""

_OWNERS = 0x33333333_0000_4000_8000_000000000000
_LOG_TABLES = ("part_head", "patient_head", "stream_head", "event", "payload", "identifier")


@contextmanager
def opened_log(dsn: str, *, connections: int = 4) -> Iterator[LogApplication]:
    """The library's application over the log, closed again."""
    application = LogApplication(env={"TSUZURI_DSN": dsn, "TSUZURI_LOG_CONNECTIONS": str(connections)})
    try:
        yield application
    finally:
        application.close()


def an_owner(number: int) -> UUID:
    """An owner whose events lie in part *number* mod PARTS."""
    return UUID(int=_OWNERS + number)


def listed(owner: UUID, version: int = 1, **changes: Any) -> FacilityListed:
    """A small event with a version, for any owner."""
    usual: dict[str, Any] = {
        "originator_id": originator(owner, Stream.RECORD),
        "originator_version": version,
        "event_id": uuid4(),
        "facility": CLINIC,
        "name": "試験診療所",
        "kind": "CLINIC",
        "recorded_by": "operator-ono",
    }
    return FacilityListed(**usual | changes)


def trail_read(owner: UUID, **changes: Any) -> TrailRead:
    """A small event of the access stream, which has no version."""
    usual: dict[str, Any] = {
        "originator_id": originator(owner, Stream.ACCESS),
        "originator_version": 0,
        "event_id": uuid4(),
        "person": "auditor-abe",
        "role": Role.AUDITOR,
        "patient": None,
        "operation_sha256": "0" * 64,
        "operation_name": "WhoSaw",
        "variables": "{}",
        "shown": 3,
    }
    return TrailRead(**usual | changes)


def save(log: LogApplication, *events: Event, **more: Any) -> list[Place]:
    """Append in one transaction; where each event lies now."""
    packed = [recording.notification.id for recording in log.save(*events, **more)]
    return [Place(*divmod(number, 1 << 51)) for number in packed]


def everything(connection: Connection[Any]) -> dict[str, Sequence[Any]]:
    """Every row of every table of the log."""
    return {
        table: connection.execute(f"SELECT t::text FROM {table} AS t ORDER BY 1".encode()).fetchall()
        for table in _LOG_TABLES
    }


def wait_until_somebody_waits(connection: Connection[Any]) -> int:
    """The process id of a session of this database that waits for a lock; fails when none does within 20 s."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        waiting = connection.execute(
            """SELECT pid FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"""
        ).fetchone()
        if waiting is not None:
            return int(waiting[0])
        time.sleep(0.005)
    raise AssertionError("nobody waits for a lock")
