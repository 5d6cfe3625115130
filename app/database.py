"""The database of an installation: the one that is named, or an embedded one below TSUZURI_HOME."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.sql import SQL, Identifier, Literal

from tsuzuri.app.embedded_postgres import EmbeddedPostgres
from tsuzuri.app.keys import key_encryption
from tsuzuri.app.migrate import Migration, MigrationRefused, migrate, pending_migrations
from tsuzuri.app.services import logins_of
from tsuzuri.app.settings import Settings
from tsuzuri.domain.code_table import built_in
from tsuzuri.eventlog.connecting import Logins, LogRole, connect
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.projections.generations import prepare, unprepared
from tsuzuri.projections.releases import Releases, any_taken


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
        if settings.database is None:
            bring_up(settings, dsn)
        else:
            with _as_reader(settings, dsn) as connection:
                if lacking := [m.name for m in pending_migrations(connection)] or unprepared(connection):
                    raise MigrationRefused(f"the database lacks {lacking[0]}; run: tsuzuri db migrate")
        yield dsn


def _as_reader(settings: Settings, dsn: str) -> Connection[Any]:
    try:
        return logins_of(settings, dsn).connect(LogRole.READER)
    except OperationalError as error:
        if "authentication failed" not in str(error):  # it could not be reached, which is another matter
            raise
        raise MigrationRefused(
            "the database does not let tsuzuri_reader in. If it is new or TSUZURI_ROLE_KEY_FILE has changed, "
            "run: tsuzuri db migrate; else give the installation's TSUZURI_ROLE_KEY_FILE"
        ) from None


def bring_up(settings: Settings, dsn: str) -> list[Migration]:
    """Make the database fit this program, as whoever *dsn* names; returns what was applied.

    Raises MigrationRefused.
    """
    logins = logins_of(settings, dsn)
    with connect(dsn) as connection:
        applied = migrate(connection, parts=settings.parts)
        let_in(connection, logins)
    with logins.connect(LogRole.PROJECTOR) as connection:
        prepare(connection, lambda: _release_in_force(settings, connection))
    return applied


def _release_in_force(settings: Settings, connection: Connection[Any]) -> str:
    """The log tells it, sealed: only a database to which a release was taken up asks for the keys here."""
    if not any_taken(connection):
        return built_in().name
    return Releases(event_mapper(), KeyRing(key_encryption(settings))).in_force(connection)


def let_in(connection: Connection[Any], logins: Logins) -> None:
    """Let the roles into this database, with the passwords that follow from the role key, where they are not yet.

    What may be done with a database is no part of its content: one that was restored or copied lacks it.
    """
    grant_entry(connection)
    try:
        for role in LogRole:
            logins.connect(role).close()
    except OperationalError:
        for role in LogRole:
            # Hashed here: a statement in the clear could stand in a log of the server.
            secret = connection.pgconn.encrypt_password(
                logins.password(role).encode(), role.value.encode(), b"scram-sha-256"
            )
            connection.execute(
                SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(role.value), Literal(secret.decode()))
            )


def grant_entry(connection: Connection[Any]) -> None:
    """What each role may do with this database, where it is not granted yet: none of it is copied with a database."""
    name = Identifier(connection.info.dbname)
    allowed = connection.execute(
        """SELECT has_database_privilege('tsuzuri_projector', current_database(), 'CREATE')
           AND NOT has_database_privilege('tsuzuri_writer', current_database(), 'TEMPORARY')"""
    ).fetchone()
    if allowed != (True,):
        roles = SQL(", ").join(Identifier(role.value) for role in LogRole)
        connection.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
        connection.execute(SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, roles))
        connection.execute(SQL("GRANT CREATE, TEMPORARY ON DATABASE {} TO tsuzuri_projector").format(name))


def let_go(connection: Connection[Any]) -> None:
    """Make the server forget the rows of tables that were dropped: its statistics of them, and its WAL.

    Files of WAL that a checkpoint makes free are kept under new names, with what they held, to be used again. So each
    is gone through once: a switch writes zeros to the end of the file. As the account that migrates.
    """
    connection.execute("VACUUM FULL pg_statistic")
    _next_file(connection)  # else the checkpoint would keep the one it begins in
    connection.execute("CHECKPOINT")
    files = connection.execute("SELECT count(*) FROM pg_ls_waldir()").fetchone()
    for _ in range(files[0] + 1 if files else 1):
        _next_file(connection)
    connection.execute("CHECKPOINT")


def _next_file(connection: Connection[Any]) -> None:
    connection.execute("SELECT pg_logical_emit_message(false, 'tsuzuri', '')")  # an empty file is not left
    connection.execute("SELECT pg_switch_wal()")
