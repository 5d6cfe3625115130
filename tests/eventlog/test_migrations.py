"""Migrations: each applied once, whoever else migrates; a database that does not fit is refused."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from psycopg import Connection, OperationalError

from log_examples import an_owner, listed, logins, make_log, opened_log, save
from tsuzuri.app.database import let_in
from tsuzuri.app.migrate import MigrationRefused, migrate, migrations, pending_migrations
from tsuzuri.eventlog.connecting import Logins, LogRole


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
    make_log(empty_dsn, parts=2)
    with Connection.connect(empty_dsn, autocommit=True) as connection:
        assert migrate(connection, parts=16) == []

        assert connection.execute("SELECT parts FROM log_setting").fetchall() == [(2,)]
    with opened_log(empty_dsn) as log:
        assert [place.part for place in save(log, listed(an_owner(4)), listed(an_owner(7)))] == [0, 1]


def test_a_migration_that_was_edited_after_it_was_applied_is_refused(connection: Connection[Any]) -> None:
    connection.execute("UPDATE migration SET digest = repeat('0', 64) WHERE number = 1")

    with pytest.raises(MigrationRefused, match=r"0001_roles was edited"):
        migrate(connection)
    with pytest.raises(MigrationRefused, match=r"0001_roles was edited"):
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
        connection.execute("CREATE TABLE payload (odd integer)")  # in the way of the log

        with pytest.raises(Exception, match="payload"):
            migrate(connection)

        assert numbers(connection) == [1], "the roles alone"
        assert connection.execute("SELECT to_regclass('event'), to_regclass('log_setting')").fetchone() == (
            None,
            None,
        )
        connection.execute("DROP TABLE payload")
        assert [m.number for m in migrate(connection)] == [m.number for m in migrations() if m.number > 1]


def test_the_migrations_come_in_this_order() -> None:
    ours = [(m.number, m.name) for m in migrations()]

    names = ["roles", "log", "projections", "notices", "proofs", "trigrams", "checkpoints", "erasure_list"]
    assert ours == list(enumerate(names, start=1))


def enters(logins: Logins, role: LogRole) -> bool:
    """Whether this password opens the door; whoever comes in is that role."""
    try:
        with logins.connect(role) as connection:
            return connection.execute("SELECT session_user").fetchone() == (role.value,)
    except OperationalError as refused:
        assert "password authentication failed" in str(refused)
        return False


@pytest.mark.parametrize("role", LogRole)
def test_a_role_comes_in_with_the_password_of_its_key_and_with_no_other(dsn: str, role: LogRole) -> None:
    ours = logins(dsn)

    assert enters(ours, role)
    assert not enters(Logins(dsn, b"\x00" * 32), role)
    assert len({ours.password(each) for each in LogRole}) == len(LogRole), "nor with another role's"


def test_the_owner_does_not_come_in_and_passwords_are_kept_hashed(connection: Connection[Any]) -> None:
    found = connection.execute(
        "SELECT rolname, rolcanlogin, left(rolpassword, 14) FROM pg_authid WHERE rolname LIKE 'tsuzuri\\_%'"
    ).fetchall()

    assert {name: (comes_in, hashed) for name, comes_in, hashed in found} == {
        "tsuzuri_owner": (False, None),
        **{role.value: (True, "SCRAM-SHA-256$") for role in LogRole},
    }


def test_a_new_role_key_takes_the_place_of_the_old(dsn: str, connection: Connection[Any]) -> None:
    old, new = logins(dsn), Logins(dsn, b"\x01" * 32)
    try:
        let_in(connection, new)

        assert all(enters(new, role) for role in LogRole)
        assert not any(enters(old, role) for role in LogRole)
    finally:
        let_in(connection, old)  # roles belong to the whole server
    assert all(enters(old, role) for role in LogRole)
