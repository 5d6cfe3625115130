"""The log's short story on a server from the distribution's binaries: another version, the same promises."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError
from psycopg import Connection

from examples import PATIENT, granted, withdrawn
from log_examples import a_payload, an_owner, everything, listed, make_log, opened_log, save, trail_read
from tsuzuri.app.embedded_postgres import EmbeddedPostgres
from tsuzuri.app.services import services
from tsuzuri.app.settings import Settings
from tsuzuri.domain.events import ConsentGranted, FacilityListed
from tsuzuri.eventlog.appending import Beside, Claim, ClaimedElsewhere, Guard, NarrowedMeanwhile
from tsuzuri.eventlog.following import follow, heads
from tsuzuri.eventlog.places import Place


@pytest.mark.debian
def test_append_follow_and_guard_on_the_distributions_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("no PostgreSQL under /usr/lib/postgresql")
    monkeypatch.setenv("TSUZURI_PG_BIN", str(found[-1].parent))
    with (
        EmbeddedPostgres(tmp_path / "postgres") as server,
        Connection.connect(server.dsn, autocommit=True) as connection,
    ):
        version = connection.execute("SHOW server_version").fetchone()
        assert version is not None and version[0].startswith(found[-1].parents[1].name)
        make_log(server.dsn)

        appends_once(server.dsn, connection)
        follows(connection)
        asyncio.run(guards(settings, server.dsn, connection))


def appends_once(dsn: str, connection: Connection[Any]) -> None:
    owner = an_owner(1)
    beside = Beside(payloads=[a_payload()], claims=[Claim(b"\x01" * 32, owner)])
    events = [listed(owner, 1), trail_read(owner), listed(an_owner(2), 1)]
    with opened_log(dsn) as log:
        assert save(log, *events, beside=beside) == [Place(1, 1), Place(1, 2), Place(2, 1)]
        before = everything(connection)

        assert save(log, *events, beside=beside) == [Place(1, 1), Place(1, 2), Place(2, 1)]
        with pytest.raises(IntegrityError):
            save(log, listed(owner, 1))
        with pytest.raises(ClaimedElsewhere):
            save(log, listed(an_owner(3)), beside=Beside(claims=[Claim(b"\x01" * 32, an_owner(3))]))

    assert everything(connection) == before


def follows(connection: Connection[Any]) -> None:
    batch = follow(connection, {}, upto=heads(connection), topics=[FacilityListed.TOPIC], limit=10)
    assert [(event.part, event.pos) for event in batch.events] == [(1, 1), (2, 1)]
    assert batch.covers == {1: 2, 2: 1}


async def guards(settings: Settings, dsn: str, connection: Connection[Any]) -> None:
    async with services(settings, dsn) as opened:
        await opened.log.save(granted(), beside=Beside(narrows=True, consents=b"folded"))
        decided_on = Guard(PATIENT, (await opened.log.head(PATIENT)).guard_pos)
        await opened.log.append_access([trail_read(PATIENT)], Beside(guards=[decided_on]))
        await opened.log.save(withdrawn(), beside=Beside(narrows=True))
        before = everything(connection)

        with pytest.raises(NarrowedMeanwhile):
            await opened.log.append_access([trail_read(PATIENT)], Beside(guards=[decided_on]))

        assert everything(connection) == before
    batch = follow(connection, {}, upto=heads(connection), topics=[ConsentGranted.TOPIC], limit=10)
    assert [event.event_id for event in batch.events] == [granted().event_id]
