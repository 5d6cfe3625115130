"""What turns /readyz red, each by itself; and that it tells of nothing else."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from log_examples import Run, logins
from tsuzuri.app.actions.operate_projections import projection_standings
from tsuzuri.app.looks import Looks
from tsuzuri.app.readiness import Health, Readiness
from tsuzuri.app.services import Services
from tsuzuri.projections.standings import Standing

PATIENCE_SECONDS = 60.0


async def nothing_behind() -> list[Standing]:
    return []


def health(dsn: str, clock: Callable[[], float] = time.time) -> Health:
    async def story() -> Health:
        return await Readiness(logins(dsn), Looks(nothing_behind), clock=clock).latest()

    return asyncio.run(story())


def name_of(dsn: str) -> Identifier:
    return Identifier(str(conninfo_to_dict(dsn)["dbname"]))


def test_all_is_well(dsn: str) -> None:
    assert health(dsn) == Health([], [], 0.0)


def test_looking_leaves_nothing_behind(dsn: str, connection: Connection[Any]) -> None:
    health(dsn)

    left = connection.execute("SELECT count(*) FROM pg_class WHERE relpersistence = 't'").fetchone()
    assert left == (0,)
    assert connection.execute("SELECT count(*) FROM event").fetchone() == (0,)


@pytest.mark.parametrize(("ahead", "failed"), [(30.0, ["clock"]), (-30.0, ["clock"]), (0.5, [])])
def test_two_clocks_may_differ_by_a_second(dsn: str, ahead: float, failed: list[str]) -> None:
    found = health(dsn, lambda: time.time() + ahead)

    assert found.failed == failed
    assert found.clock_offset_seconds == pytest.approx(ahead, abs=0.5)


def test_a_log_that_takes_nothing_is_not_ready(dsn: str, connection: Connection[Any]) -> None:
    connection.execute(
        SQL("ALTER ROLE tsuzuri_writer IN DATABASE {} SET default_transaction_read_only = on").format(
            name_of(dsn)
        )
    )

    assert health(dsn).failed == ["log"]


def test_nor_is_a_database_that_takes_no_row(dsn: str, connection: Connection[Any]) -> None:
    """Of a disk that is full a test has no more than its consequence: a table cannot grow."""
    connection.execute(SQL("REVOKE TEMPORARY ON DATABASE {} FROM tsuzuri_projector").format(name_of(dsn)))

    assert health(dsn).failed == ["disk"]


def test_nor_one_that_lets_nobody_in(dsn: str, server_dsn: str) -> None:
    with Connection.connect(server_dsn, autocommit=True) as operator:
        operator.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name_of(dsn)))

        assert health(dsn) == Health(["database"])


def test_however_many_ask_the_database_is_asked_once(dsn: str) -> None:
    looked: list[int] = []

    async def count() -> list[Standing]:
        looked.append(1)
        return []

    async def story() -> None:
        readiness = Readiness(logins(dsn), Looks(count))
        await asyncio.gather(*(readiness.latest() for _ in range(50)))

    asyncio.run(story())
    assert len(looked) == 1


class DeafAtFirst:
    """In front of a database: takes every connection, and passes on those that come once it `hears`."""

    def __init__(self, dsn: str) -> None:
        told = conninfo_to_dict(dsn)
        self._host, self._port = str(told["host"]), int(told.get("port") or 5432)
        self.hears = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.hears:
            theirs, ours = await self._database()
            await asyncio.gather(_pass_on(reader, ours), _pass_on(theirs, writer))

    async def _database(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._host.startswith("/"):
            return await asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self._port}")
        return await asyncio.open_connection(self._host, self._port)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while some := await reader.read(65_536):
        writer.write(some)
        await writer.drain()
    writer.close()


def test_a_look_that_began_while_nothing_answered_is_not_waited_for_once_all_is_there(
    run: Run, dsn: str
) -> None:
    async def story(services: Services) -> tuple[Health, Health]:
        before = DeafAtFirst(dsn)
        listener = await asyncio.start_server(before.serve, "127.0.0.1")
        port = listener.sockets[0].getsockname()[1]
        far = replace(services, logins=logins(make_conninfo(dsn, host="127.0.0.1", port=port)))
        readiness = Readiness(far.logins, Looks(lambda: asyncio.to_thread(projection_standings, far)))
        deaf = await readiness.latest()
        before.hears = True
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (found := await readiness.latest()).failed:
                await asyncio.sleep(0.1)
        listener.close()
        return deaf, found

    deaf, found = run(story)

    assert deaf == Health(["database"])
    assert (found.failed, found.behind) == ([], [])
