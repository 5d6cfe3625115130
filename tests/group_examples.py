"""Accesses that are recorded at once, and where they lie afterwards."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from psycopg import Connection

from log_examples import an_owner, trail_read, wait_until_somebody_waits
from tsuzuri.app.services import Services
from tsuzuri.domain.events import Event
from tsuzuri.eventlog.appending import Beside, Guard
from tsuzuri.eventlog.places import Place, Stored

OWNERS = [an_owner(number) for number in range(12)]
"""In all parts."""


def accesses(count: int) -> list[Event]:
    """Small events of all owners in turn."""
    return [trail_read(OWNERS[number % len(OWNERS)]) for number in range(count)]


async def record(services: Services, *events: Event, guards: tuple[Guard, ...] = ()) -> list[Stored]:
    return await services.log.append_access(events, Beside(guards=guards))


async def known(services: Services) -> None:
    """The keys of all owners are at hand, so that nothing has to be looked up before an append is queued."""
    await record(services, *accesses(len(OWNERS)))


def lying(connection: Connection[Any]) -> dict[UUID, Stored]:
    """Where each event lies, and since when."""
    rows = connection.execute("SELECT event_id, part, pos, recorded_at FROM event").fetchall()
    return {event_id: Stored(Place(part, pos), recorded_at) for event_id, part, pos, recorded_at in rows}


@contextmanager
def held_up(dsn: str) -> Iterator[None]:
    """While the block lasts no append is carried out."""
    with Connection.connect(dsn) as other:
        other.execute("SELECT FROM part_head FOR UPDATE")
        yield
        other.rollback()


async def somebody_waits(connection: Connection[Any]) -> int:
    """The process id of the session that waits for it."""
    return await asyncio.to_thread(wait_until_somebody_waits, connection)
