"""Numbered .sql files, each applied once, in order, whole. What was applied may not be edited afterwards."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any, LiteralString

from psycopg import Connection

_LOCK = 7411_2026  # any number, the same in every process
_LOCK_WAIT_SECONDS = 60
PARTS_DEFAULT = 64


class MigrationRefused(Exception):
    """The database and this program do not fit together; the message says which is to be changed."""


@dataclass(frozen=True)
class Migration:
    """One file: its number, name, text and the digest that proves it was not edited."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """All files of app/migrations, in order."""
    found = []
    for file in files("tsuzuri.app").joinpath("migrations").iterdir():
        if match := re.fullmatch(r"(\d{4})_(\w+)\.sql", file.name):
            found.append(Migration(int(match[1]), match[2], file.read_text("utf-8")))
    return sorted(found, key=lambda migration: migration.number)


def migrate(connection: Connection[Any], *, parts: int = PARTS_DEFAULT) -> list[Migration]:
    """Bring the database up to this program and return what was applied. *parts* counts for a new one only.

    Raises:
        MigrationRefused: an applied file was edited, or the database is newer than this program.
    """
    with _alone(connection):
        connection.execute(
            """CREATE TABLE IF NOT EXISTS migration (number integer PRIMARY KEY, name text NOT NULL,
               digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"""
        )
        pending = pending_migrations(connection)
        for migration in pending:
            with connection.transaction():
                connection.execute(migration.sql.encode())
                if migration.name == "log":
                    connection.execute("SET LOCAL ROLE tsuzuri_owner")
                    connection.execute("INSERT INTO log_setting (parts) VALUES (%s)", (parts,))
                    connection.execute(
                        "INSERT INTO part_head (part) SELECT generate_series(0, %s - 1)", (parts,)
                    )
                    connection.execute("RESET ROLE")
                connection.execute(
                    "INSERT INTO migration (number, name, digest) VALUES (%s, %s, %s)",
                    (migration.number, migration.name, migration.digest),
                )
    return pending


def pending_migrations(connection: Connection[Any]) -> list[Migration]:
    """What `migrate` would apply. Raises as it does."""
    made = connection.execute("SELECT to_regclass('migration') IS NOT NULL").fetchone()
    applied: dict[int, str] = {}
    if made is not None and made[0]:
        applied = dict(connection.execute("SELECT number, digest FROM migration").fetchall())
    ours = migrations()
    if newer := sorted(set(applied) - {migration.number for migration in ours}):
        raise MigrationRefused(
            f"the database has migration {newer[0]:04}, which this program lacks: update it"
        )
    for migration in ours:
        if applied.get(migration.number, migration.digest) != migration.digest:
            raise MigrationRefused(
                f"migration {migration.number:04}_{migration.name} was edited after it was applied: put it back"
            )
    return [migration for migration in ours if migration.number not in applied]


@contextmanager
def _alone(connection: Connection[Any]) -> Iterator[None]:
    """One migrator at a time. The lock is polled: waiting inside PostgreSQL would hold a snapshot."""
    deadline = time.monotonic() + _LOCK_WAIT_SECONDS
    while not _first(connection, "SELECT pg_try_advisory_lock(%s)"):
        if time.monotonic() > deadline:
            raise MigrationRefused("another process is migrating this database: wait for it and try again")
        time.sleep(0.2)
    try:
        yield
    finally:
        _first(connection, "SELECT pg_advisory_unlock(%s)")


def _first(connection: Connection[Any], statement: LiteralString) -> Any:
    row = connection.execute(statement, (_LOCK,)).fetchone()
    return row is not None and row[0]
