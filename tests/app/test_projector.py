"""A projection that fails stops only itself, and goes on by itself; a lost connection is made anew."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg import Connection

from examples import CLINIC_SYSTEM, a_bundle
from log_examples import a_ring, logins
from projection_examples import rebuilt
from tsuzuri.app.projector import Projector
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.standings import standings

BROKEN = "patient_summary"
TABLE = f"{BROKEN}_g1.summary"
FAULTS = {
    "its table has another name": (
        f"ALTER TABLE {TABLE} RENAME TO elsewhere",
        f"ALTER TABLE {BROKEN}_g1.elsewhere RENAME TO summary",
    ),
    # What the driver calls an OperationalError, as it calls a lost server:
    "there is no room for a row": (
        f"""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON {TABLE} EXECUTE FUNCTION refuse()""",
        f"DROP TRIGGER refuse ON {TABLE}",
    ),
}
Send = Callable[[str], None]


@pytest.fixture
def send(open_application: Callable[[], Any]) -> Send:
    """Register one Bundle."""

    async def register(local_id: str) -> None:
        async with open_application() as application:
            await application.register_bundle(CLINIC_SYSTEM, a_bundle(local_id=local_id))

    return lambda local_id: asyncio.run(register(local_id))


@pytest.fixture
def projector(dsn: str) -> Iterator[threading.Thread]:
    worker = Projector(logins(dsn), a_ring())
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield thread
    worker.stopping.set()
    thread.join(20)


PATIENCE_SECONDS = 20.0


def behind(connection: Connection[Any]) -> set[str]:
    return {standing.name for standing in standings(connection) if standing.lag_events}


def expect_behind(behind_are: set[str], connection: Connection[Any]) -> None:
    """Just these lag, within PATIENCE_SECONDS."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := behind(connection)) != behind_are:
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


@pytest.mark.parametrize(("breaks", "mends"), FAULTS.values(), ids=FAULTS)
def test_while_one_projection_fails_the_others_keep_up_and_it_recovers_by_itself(
    connection: Connection[Any], projector: threading.Thread, send: Send, breaks: str, mends: str
) -> None:
    connection.execute(breaks.encode())
    send("first")
    expect_behind({BROKEN}, connection)
    for n in range(3):  # it has failed before, and fails again
        send(f"next-{n}")
        expect_behind({BROKEN}, connection)

    connection.execute(mends.encode())

    expect_behind(set(), connection)
    assert rebuilt(connection, PROJECTIONS[BROKEN]).equal


def test_a_generation_that_somebody_holds_does_not_hold_up_the_others(
    connection: Connection[Any], projector: threading.Thread, send: Send
) -> None:
    with connection.transaction():
        connection.execute("SELECT FROM projection_generation WHERE name = %s FOR UPDATE", (BROKEN,))
        send("first")

        expect_behind({BROKEN}, connection)

    expect_behind(set(), connection)


def test_a_lost_connection_is_made_anew(
    connection: Connection[Any], projector: threading.Thread, send: Send
) -> None:
    send("first")
    expect_behind(set(), connection)

    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%part_head%'"
        " AND pid <> pg_backend_pid()"
    )
    send("second")

    expect_behind(set(), connection)
    assert projector.is_alive()


def test_it_outlives_a_database_that_cannot_be_used_at_all(
    connection: Connection[Any], projector: threading.Thread, send: Send
) -> None:
    connection.execute("ALTER TABLE projection RENAME TO elsewhere")
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database()"
    )
    time.sleep(0.5)
    connection.execute("ALTER TABLE elsewhere RENAME TO projection")
    send("first")

    expect_behind(set(), connection)
    assert projector.is_alive()


def test_a_conninfo_that_leads_nowhere_is_tried_again_and_again_until_it_is_stopped() -> None:
    worker = Projector(logins("host=/nowhere"), a_ring())
    thread = threading.Thread(target=worker.run)
    thread.start()
    time.sleep(0.2)

    assert thread.is_alive()

    worker.stopping.set()
    thread.join(5)
    assert not thread.is_alive()
