"""A statement of the reader's that forgot its predicate, or that somebody wrote into, shows no record it may not.

The drill goes through the application's own `fetch`. What the fence does not hold is in it too: it is the second.
"""

from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege, SyntaxError

from examples import CLINIC_SYSTEM, a_bundle, herself
from fence_examples import schema_of
from log_examples import logins
from tsuzuri.domain.vocabulary import PurposeOfUse
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.graphql.readings import Reading
from tsuzuri.graphql.statements import Source
from tsuzuri.projections import identities, patient_summary, record_index
from tsuzuri.projections.fences import sees_whole
from tsuzuri.projections.sql import SQL
from world import Tell, World, tell_in

OTHER = "00099999:え:7:01"
REFUSED = (
    "ALTER TABLE record_index_g1.entry DISABLE ROW LEVEL SECURITY",
    "DROP POLICY fence ON record_index_g1.entry",
    "SET ROLE tsuzuri_projector",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "COPY record_index_g1.entry TO PROGRAM 'cat'",
    "CREATE TABLE public.copied AS SELECT * FROM record_index_g1.entry",
    "SET row_security = off; SELECT FROM record_index_g1.entry",
)
"""Ways around it."""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def reading(world: World) -> Reading:
    """Two patients have a record, and one of them reads hers."""
    told = [
        await world.application.register_bundle(CLINIC_SYSTEM, one)
        for one in (a_bundle(), a_bundle(number=OTHER, local_id="of-another", conditions={"1": "他人の病名"}))
    ]
    world.project()
    patient = told[0].patient
    opened = await world.application.open_record(
        herself(patient), patient, PurposeOfUse.PATRQT, as_of=None, min_position=None, path=("me",)
    )
    assert isinstance(opened, Reading)
    return opened


async def fetched(world: World, statement: Any) -> list[dict[str, Any]]:
    return await world.application.fetch(SQL(statement))


def test_a_statement_without_its_predicate_shows_nothing(tell: Tell, connection: Connection[Any]) -> None:
    async def story(world: World) -> None:
        await reading(world)
        for projection, view in (
            (record_index, record_index.ENTRIES),
            (record_index, record_index.PLACES),
            (record_index, record_index.DOCUMENTS),
            (patient_summary, patient_summary.VIEW),
            (identities, identities.VIEW),
        ):
            (schema,) = await world.application.live_schemas(projection.NAME)
            forgot = Source(view, schema, SQL("true"))

            assert await world.application.fetch(forgot.page([], 50, None)) == [], view.table
            assert await world.application.fetch(forgot.count([])) == [{"n": 0}], view.table

    tell(story)


def test_what_is_written_into_a_statement_shows_no_other_patient(
    tell: Tell, connection: Connection[Any]
) -> None:
    async def story(world: World) -> None:
        fence = (await reading(world)).sight.fence().as_string()
        table = f"{schema_of(connection, 'entry')}.entry"

        asked = f"SELECT name FROM {table} WHERE {fence} AND (name = '' OR true)"
        assert await fetched(world, asked) == [{"name": "上腹部痛"}]
        joined = f"{asked} UNION ALL SELECT value FROM identities_g1.number"
        assert "00099999" not in str(await fetched(world, joined))
        told = f"SELECT 1 FROM {table} WHERE name::integer = 1"  # an error would tell what a name is
        assert await fetched(world, told) == []

    tell(story)


def test_the_readers_role_cannot_take_the_fence_down(tell: Tell, dsn: str) -> None:
    async def story(world: World) -> None:
        await reading(world)
        with pytest.raises(SyntaxError):  # a statement cannot be followed by another
            await fetched(world, "SELECT 1; SET row_security = off")
        for statement in REFUSED:
            with logins(dsn).connect(LogRole.READER) as connection:
                connection.execute("SET default_transaction_read_only = off")  # that it can
                with pytest.raises(InsufficientPrivilege):
                    connection.execute(statement.encode())

    tell(story)


def test_who_can_write_a_whole_statement_can_say_what_it_may_see(tell: Tell) -> None:
    """What the fence does not hold. Docs say so: docs/decisions/0015-row-level-security.md."""

    async def story(world: World) -> None:
        await reading(world)
        others = await fetched(world, "SELECT DISTINCT patient_id FROM record_index_g1.patient")
        fence = sees_whole([row["patient_id"] for row in others]).as_string()

        shown = await fetched(world, f"SELECT name FROM record_index_g1.entry WHERE {fence}")

        assert len(shown) == 2

    tell(story)
