"""Migrations: each applied once, whoever else migrates; a database that does not fit is refused."""

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from log_examples import an_owner, listed, opened_log, save
from tsuzuri.app.migrate import MigrationRefused, migrate, migrations, pending_migrations


@pytest.fixture
def empty_dsn(server_dsn: str) -> Iterator[str]:
    """A database nobody has migrated."""
    name = f"unmigrated_{os.getpid()}"
    with Connection.connect(server_dsn, autocommit=True) as server:
        server.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        yield make_conninfo(server_dsn, dbname=name)
        server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def numbers(connection: Connection[Any]) -> list[int]:
    return [number for (number,) in connection.execute("SELECT number FROM migration ORDER BY 1").fetchall()]


def test_four_migrators_at_once_apply_each_migration_once(empty_dsn: str) -> None:
    together = Barrier(4)

    def one(_: int) -> list[int]:
        with Connection.connect(empty_dsn, autocommit=True) as connection:
            together.wait()
            return [migration.number for migration in migrate(connection, parts=8)]

    with ThreadPoolExecutor(4) as threads:
        applied = Counter(number for answer in threads.map(one, range(4)) for number in answer)

    ours = [migration.number for migration in migrations()]
    assert applied == Counter(ours)
    with Connection.connect(empty_dsn, autocommit=True) as connection:
        assert numbers(connection) == ours
        assert connection.execute("SELECT part, pos FROM part_head ORDER BY part").fetchall() == [
            (part, 0) for part in range(8)
        ]


def test_the_number_of_parts_is_fixed_when_the_database_is_made(empty_dsn: str) -> None:
    with Connection.connect(empty_dsn, autocommit=True) as connection:
        migrate(connection, parts=2)

        assert migrate(connection, parts=16) == []

        assert connection.execute("SELECT parts FROM log_setting").fetchall() == [(2,)]
    with opened_log(empty_dsn) as log:
        assert [place.part for place in save(log, listed(an_owner(4)), listed(an_owner(7)))] == [0, 1]


def test_a_migration_that_was_edited_after_it_was_applied_is_refused(connection: Connection[Any]) -> None:
    connection.execute("UPDATE migration SET digest = repeat('0', 64) WHERE number = 1")

    with pytest.raises(MigrationRefused, match=r"0001_log was edited"):
        migrate(connection)
    with pytest.raises(MigrationRefused, match=r"0001_log was edited"):
        pending_migrations(connection)


def test_a_database_newer_than_the_program_is_refused(connection: Connection[Any]) -> None:
    connection.execute("INSERT INTO migration (number, name, digest) VALUES (9999, 'later', 'x')")

    with pytest.raises(MigrationRefused, match="9999.*update"):
        migrate(connection)


def test_who_was_refused_keeps_nobody_else_waiting(dsn: str, connection: Connection[Any]) -> None:
    connection.execute("UPDATE migration SET digest = repeat('0', 64) WHERE number = 1")
    with pytest.raises(MigrationRefused):
        migrate(connection)
    first = next(migration for migration in migrations() if migration.number == 1)
    connection.execute("UPDATE migration SET digest = %s WHERE number = 1", (first.digest,))

    with Connection.connect(dsn, autocommit=True) as another:
        assert another.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)
        assert migrate(another) == []


def test_a_migration_that_fails_leaves_nothing_of_itself(empty_dsn: str) -> None:
    with Connection.connect(empty_dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE payload (odd integer)")  # in the way of the first migration

        with pytest.raises(Exception, match="payload"):
            migrate(connection)

        assert numbers(connection) == []
        assert connection.execute("SELECT to_regclass('event'), to_regclass('log_setting')").fetchone() == (
            None,
            None,
        )
        connection.execute("DROP TABLE payload")
        assert [m.number for m in migrate(connection)] == [m.number for m in migrations()]
