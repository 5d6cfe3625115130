"""The database of an installation: the one that is named, or an embedded one below TSUZURI_HOME."""

from collections.abc import Iterator
from contextlib import contextmanager

from tsuzuri.app.embedded_postgres import EmbeddedPostgres
from tsuzuri.app.migrate import MigrationRefused, migrate, pending_migrations
from tsuzuri.app.settings import Settings
from tsuzuri.eventlog.connecting import connect
from tsuzuri.projections.generations import prepare, unprepared


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """A conninfo, for as long as the block lasts. Call it from the main thread: see embedded_postgres."""
    if settings.database is not None:
        yield settings.database
        return
    with EmbeddedPostgres(settings.home / "postgres") as server:
        yield server.dsn


@contextmanager
def ready_database(settings: Settings) -> Iterator[str]:
    """A conninfo of a database that fits this program; an embedded one is brought up to it.

    Raises:
        MigrationRefused: a named database has not been migrated; that is the operator's decision.
    """
    with database(settings) as dsn:
        with connect(dsn) as connection:
            if settings.database is None:
                migrate(connection, parts=settings.parts)
                prepare(connection)
            elif lacking := [m.name for m in pending_migrations(connection)] or unprepared(connection):
                raise MigrationRefused(f"the database lacks {lacking[0]}; run: tsuzuri db migrate")
        yield dsn
