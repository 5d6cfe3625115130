"""The rows of an earlier moment are folded from the log: they are what a rebuild up to then would write, and fenced."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from examples import CLINIC_SYSTEM, PATIENT, a_bundle
from log_examples import a_ring, logins
from projection_examples import head_of
from tsuzuri.app.services import Services
from tsuzuri.domain.code_table import built_in
from tsuzuri.domain.codes import Codes
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.projections.fences import sees_whole
from tsuzuri.projections.past_sight import PastSight, PastTables
from world import Tell, World, tell_in

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
MARKED = {"flags": {"20065011": "UNDELIVERED"}, "timestamp": "2026-11-21T10:00:00+09:00"}


@pytest.fixture
def tell(open_application: Any, connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


@pytest.fixture
def projector(dsn: str) -> Iterator[Connection[Any]]:
    with logins(dsn).connect(LogRole.PROJECTOR) as connection:
        yield connection


def tables(services: Services, projector: Connection[Any], patient: UUID, position: int) -> PastTables:
    return PastTables(
        connection=projector,
        mapper=event_mapper(),
        ring=a_ring(),
        parts=services.log.parts,
        codes=Codes(built_in()),
        positions={patient: position},
        beside={},
        ahead=0,
        before=FOREVER,
    )


def entries(projector: Connection[Any], patient: UUID) -> list[tuple[Any, ...]]:
    seen = sees_whole([patient]).as_bytes(projector).decode()
    asked = f"SELECT name, flags_now, to_pos IS NULL FROM pg_temp.entry WHERE {seen} ORDER BY from_pos"
    return projector.execute(asked.encode()).fetchall()


def test_what_was_changed_in_place_is_as_it_was_and_no_row_is_seen_that_a_statement_does_not_name(
    tell: Tell, projector: Connection[Any]
) -> None:
    async def story(world: World) -> None:
        services = world.application.services
        told = await world.application.register_bundle(CLINIC_SYSTEM, a_bundle())
        first = head_of(world.connection, told.patient)
        await world.register(**MARKED)

        past = tables(services, projector, told.patient, first)
        past.fill("record_index")
        past.fill("record_index")

        assert entries(projector, told.patient) == [("上腹部痛", [], True)]
        assert entries(projector, PATIENT) == []
        assert projector.execute("SELECT count(*) FROM pg_temp.entry").fetchone() == (0,)

        projector.execute("DISCARD TEMP")
        tables(services, projector, told.patient, 2**62).fill("record_index")
        assert entries(projector, told.patient) == [
            ("上腹部痛", ["UNDELIVERED"], False),
            ("上腹部痛", ["UNDELIVERED"], True),
        ]

    tell(story)


def test_a_past_sight_reads_the_tables_of_its_own_connection() -> None:
    sight = PastSight(patient=PATIENT, grounds=(), generation=3, position=1, decided_at=FOREVER)

    assert sight.index == "pg_temp"
