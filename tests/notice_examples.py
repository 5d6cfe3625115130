"""An emergency that the patient is to be told of, and outlets that a test looks into or that fail."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg import Connection

from emergency_examples import WIDEN, declared, entitled, read
from examples import DOCTOR, NUMBER
from log_examples import a_ring, logins
from tsuzuri.app.notices.outlet import Outlet
from tsuzuri.app.notices.sender import Sender
from tsuzuri.domain.notices import Notice
from world import World

HER = {"insuredPerson": NUMBER}


class Told:
    """An outlet that keeps what it was given, and does what *first* says before."""

    def __init__(self, first: Callable[[Notice], Any] = lambda _: None) -> None:
        self.notices: list[Notice] = []
        self.first = first

    def deliver(self, notice: Notice) -> None:
        self.first(notice)
        self.notices.append(notice)

    @property
    def kinds(self) -> list[str]:
        return [str(notice.kind) for notice in self.notices]


def sender(dsn: str, outlet: Outlet) -> Sender:
    return Sender(logins(dsn), a_ring(), outlet)


async def an_emergency(world: World) -> UUID:
    """Declared, read, widened, and read again; its id."""
    await world.register()
    world.project()
    await entitled(world)
    emergency: str = (await declared(world, DOCTOR, HER))["id"]
    await read(world, DOCTOR, HER)
    await world.data(DOCTOR, WIDEN, patient=HER, emergency=emergency)
    await read(world, DOCTOR, HER)
    return UUID(emergency)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def its_sender_died(connection: Connection[Any]) -> None:
    """So long ago that another may take over."""
    connection.execute("UPDATE notice_sender SET seen_at = seen_at - interval '1 minute'")
