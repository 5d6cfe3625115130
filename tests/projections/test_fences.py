"""The second fence: what the database itself shows the reader's role, with the first and without it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from psycopg import Connection
from psycopg.errors import DivisionByZero
from psycopg.sql import SQL, Identifier

from fence_examples import GUARDED, recorded, rows, schema_of, sights
from log_examples import logins
from projection_examples import rebuilt
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.fences import sees_referrals, sees_whole
from tsuzuri.projections.record_index import ENTRIES
from world import Tell, World, tell_in

OPEN = {
    "facilities": {"facility"},  # the registry of 医療機関
    "identities": {"unmatched_identity", "link"},  # what waits for an operator: no name, no number
    "record_index": {"patient"},  # random ids
    "consent_register": {"consent", "denial", "proxy"},  # what may be seen, not what there is
    "audit_trail": {"access"},  # who looked
    "access_reviews": {"review"},  # which reads a person looks at
}
"""Projection → what of it the reader's role sees whole: nothing of a record."""
FENCED = {
    *("entry", "document", "summary", "replacement_set", "hiding_mark", "person", "number", "referral"),
    "emergency",
}


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


@contextmanager
def reader(dsn: str) -> Iterator[Connection[Any]]:
    with logins(dsn).connect(LogRole.READER) as connection:
        yield connection


def relations(connection: Connection[Any]) -> list[tuple[str, str, str]]:
    """Projection, schema and name of each table and view of each generation there is."""
    return connection.execute(
        """SELECT g.name, n.nspname, c.relname FROM projection_generation g
           JOIN pg_namespace n ON n.nspname = g.name || '_g' || g.generation
           JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind NOT IN ('i', 't') ORDER BY 1, 2, 3"""
    ).fetchall()


def holding(connection: Connection[Any]) -> set[tuple[str, str, str]]:
    """Of those, the ones that show this role anything."""
    return {
        (name, schema, table)
        for name, schema, table in relations(connection)
        if connection.execute(SQL("SELECT FROM {} LIMIT 1").format(Identifier(schema, table))).fetchall()
    }


def open_to_all(found: set[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    return {one for one in found if one[2] in OPEN.get(one[0], ())}


def test_by_patient_and_grounds_the_fence_alone_shows_what_the_predicate_alone_shows(
    tell: Tell, dsn: str, connection: Connection[Any]
) -> None:
    async def story(world: World) -> None:
        print(f"seed {(seed := int.from_bytes(os.urandom(4)))}")
        random = Random(seed)
        persons = await recorded(world, 12, random)
        shown, hidden = dict.fromkeys(GUARDED, 0), dict.fromkeys(GUARDED, 0)

        with reader(dsn) as fenced:
            for sight in sights(connection, persons, 8, random):
                for table, view in GUARDED.items():
                    schema = schema_of(connection, table)
                    first = rows(connection, schema, view, sight.rows(history=view.history, facts=view.facts))
                    second = rows(fenced, schema, view, sight.fence())
                    assert first == second, table
                    all_of_hers = rows(fenced, schema, view, sees_whole(sight.patients))
                    assert second <= all_of_hers
                    shown[table] += len(second)
                    hidden[table] += len(all_of_hers - second)

        assert all(shown.values()) and all(hidden.values())

    tell(story)


def test_the_fence_takes_nothing_from_a_statement_that_carries_the_predicate(
    tell: Tell, dsn: str, connection: Connection[Any]
) -> None:
    """What is in force, the last three results and what linked patients mean for each other too."""

    async def story(world: World) -> None:
        print(f"seed {(seed := int.from_bytes(os.urandom(4)))}")
        random = Random(seed)
        persons = await recorded(world, 8, random)
        shown = 0

        with reader(dsn) as fenced:
            for sight in sights(connection, persons, 8, random):
                for table, view in GUARDED.items():
                    schema = schema_of(connection, table)
                    where = sight.predicate(
                        history=view.history, facts=view.facts, schema=schema if table == "entry" else None
                    )
                    unfenced = rows(connection, schema, view, where)
                    assert rows(fenced, schema, view, where) == unfenced, table
                    shown += len(unfenced)

        assert shown

    tell(story)


def test_who_says_nothing_is_shown_no_row_of_any_record_in_any_generation(
    tell: Tell, dsn: str, connection: Connection[Any]
) -> None:
    async def story(world: World) -> None:
        await recorded(world, 6, Random(3))
        for projection in PROJECTIONS.values():
            rebuilt(connection, projection)  # the one before is kept, to go back to

        with reader(dsn) as fenced:
            found = holding(fenced)

        filled = holding(connection)
        assert found == open_to_all(filled)
        assert {schema[-3:] for _, schema, _ in found} == {"_g1", "_g2"}
        assert {table for _, _, table in filled - found} == FENCED

    tell(story)


@pytest.mark.parametrize("undone", ["DISABLE ROW LEVEL SECURITY", "policy"])
def test_a_table_without_its_fence_is_caught(
    tell: Tell, dsn: str, connection: Connection[Any], undone: str
) -> None:
    async def story(world: World) -> None:
        await recorded(world, 3, Random(3))
        table = SQL("record_index_g1.entry")
        if undone == "policy":
            connection.execute(SQL("ALTER POLICY fence ON {} USING (true)").format(table))
        else:
            connection.execute(SQL("ALTER TABLE {} DISABLE ROW LEVEL SECURITY").format(table))

        with reader(dsn) as fenced:
            found = holding(fenced)
            assert found - open_to_all(found) == {("record_index", "record_index_g1", "entry")}

    tell(story)


def test_what_one_statement_says_is_gone_when_it_ends(tell: Tell, connection: Connection[Any]) -> None:
    """On the same connection of the pool, whether it ended well or not."""

    async def story(world: World) -> None:
        persons = await recorded(world, 3, Random(3))
        table = Identifier(schema_of(connection, "entry"), ENTRIES.table)
        fence = sees_whole(persons[0])
        count = SQL("SELECT count(*) FROM {} WHERE {}")
        async with world.application.services.pool.connection() as pooled:

            async def counted(where: Any) -> int:
                row = await (await pooled.execute(count.format(table, where), prepare=False)).fetchone()
                assert row is not None
                return int(row[0])

            assert await counted(fence) > 0
            assert await counted(SQL("true")) == 0
            with pytest.raises(DivisionByZero):
                await counted(SQL("{} AND 1 / (resource_place - resource_place) = 1").format(fence))
            assert await counted(SQL("true")) == 0

    tell(story)


def test_where_referrals_stand_is_shown_to_who_sent_or_receives_them_and_of_the_patient(
    tell: Tell, dsn: str, connection: Connection[Any]
) -> None:
    async def story(world: World) -> None:
        await recorded(world, 8, Random(3))
        schema = PROJECTIONS["referrals"].schema(1)
        known = connection.execute(
            SQL("SELECT patient_id, sender, recipient FROM {}").format(Identifier(schema, "referral"))
        ).fetchall()
        asked = SQL("SELECT patient_id, sender, recipient FROM {} WHERE {}")

        with reader(dsn) as fenced:

            def shown(**which: Any) -> list[Any]:
                statement = asked.format(Identifier(schema, "referral"), sees_referrals(**which))
                return sorted(fenced.execute(statement).fetchall())

            patient, sender, recipient = next(row for row in known if row[2] is not None)
            assert shown(patients=[patient]) == sorted(row for row in known if row[0] == patient)
            assert shown(sender=sender) == sorted(row for row in known if row[1] == sender)
            assert shown(recipient=recipient) == sorted(row for row in known if row[2] == recipient)
            assert shown(sender="9999999999") == []

    tell(story)
