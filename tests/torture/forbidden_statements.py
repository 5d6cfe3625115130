"""Statements that none of the service's roles may run, each as each role; and tables that only some may read.

The control runs them as a superuser, who may: a list of statements that fail for another reason proves nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import Connection, Error
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction

from log_examples import an_owner, listed, logins, make_log, opened_log, save
from torture.harness import Outcome, Torture
from tsuzuri.app.embedded_postgres import EmbeddedPostgres
from tsuzuri.eventlog.appending import Beside, Payload
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.data_keys import KeyUse

FORBIDDEN = (
    "UPDATE event SET topic = 'other'",
    "UPDATE event SET recorded_at = now()",
    "DELETE FROM event",
    "TRUNCATE event",
    """INSERT INTO event SELECT part, pos + 1, gen_random_uuid(), patient_id, stream, version + 1, topic, key_id,
       state, now(), hash FROM event LIMIT 1""",
    """INSERT INTO event VALUES (0, 99, gen_random_uuid(), gen_random_uuid(), 3, NULL, 't', gen_random_uuid(),
       '', '2000-01-01', '')""",
    "UPDATE part_head SET pos = pos + 1",
    "UPDATE patient_head SET guard_pos = 0",
    "INSERT INTO patient_head (part, patient_id) VALUES (0, gen_random_uuid())",
    "UPDATE data_key SET wrapped = NULL",
    "DELETE FROM payload",
    "DELETE FROM identifier",
    "UPDATE log_setting SET parts = 1",
    "UPDATE proof_seen SET until = now()",
    "ALTER TABLE event DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "DELETE FROM log_head",
    "DROP TABLE event",
    "CREATE TABLE public.of_my_own (a integer)",
    "CREATE FUNCTION public.leaf_hash() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "ALTER FUNCTION append_events OWNER TO CURRENT_USER",
    "SET ROLE tsuzuri_owner",
    "GRANT tsuzuri_owner TO CURRENT_USER",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "CREATE ROLE another LOGIN",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT pg_read_file('PG_VERSION')",
)
READABLE = {
    "SELECT FROM event": {LogRole.READER, LogRole.PROJECTOR, LogRole.AUDITOR, LogRole.CHECKPOINTER},
    "SELECT body FROM payload": {LogRole.READER, LogRole.PROJECTOR},
    "SELECT FROM data_key": {LogRole.READER, LogRole.PROJECTOR, LogRole.KEEPER},
    "SELECT FROM identifier": {LogRole.READER},
    "SELECT FROM patient_head": {LogRole.READER},
    "SELECT FROM record_index_g1.entry": {LogRole.READER, LogRole.PROJECTOR},
    "SELECT FROM identities_g1.person": {LogRole.READER, LogRole.PROJECTOR},
    "SELECT FROM audit_trail_g1.access": {LogRole.READER, LogRole.PROJECTOR, LogRole.AUDITOR},
    "CREATE TEMPORARY TABLE event (a integer)": {LogRole.PROJECTOR},
    "INSERT INTO proof_seen VALUES ('', now())": {LogRole.DOORKEEPER},
    "DELETE FROM proof_seen": {LogRole.DOORKEEPER},
    "SELECT destroy_keys(0::smallint, gen_random_uuid(), '{}', gen_random_uuid())": {LogRole.KEEPER},
    "SELECT set_hold(0::smallint, gen_random_uuid(), gen_random_uuid(), true)": {LogRole.KEEPER},
    "SELECT rewrap_keys('{}', '{}', '{}', '{}', '{}')": {LogRole.KEEPER},
    "SELECT await_appends(0::smallint)": {LogRole.AUDITOR, LogRole.CHECKPOINTER},
    "SELECT FROM log_head": {LogRole.READER, LogRole.AUDITOR, LogRole.CHECKPOINTER},
    "UPDATE log_head SET note = note": {LogRole.CHECKPOINTER},
    "INSERT INTO tree_node VALUES (0, 8, 0, '')": {LogRole.CHECKPOINTER},
    "SELECT append_events('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')": {
        LogRole.WRITER,
        LogRole.KEEPER,
    },
}


@contextmanager
def filled_log(folder: Path) -> Iterator[str]:
    """A server with one event and one payload in its log."""
    with EmbeddedPostgres(folder / "postgres") as server:
        make_log(server.dsn)
        with opened_log(server.dsn) as log:
            payload = Payload(an_owner(8), b"received", an_owner(9), KeyUse.DOCUMENT)
            save(log, listed(an_owner(1)), beside=Beside(payloads=[payload]))
        yield server.dsn


def refused(connection: Connection[Any], statement: str) -> bool:
    """Whether the server refuses it for want of a right. What it does is undone."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement.encode())
    except (InsufficientPrivilege, ReadOnlySqlTransaction):
        return True
    except Error:  # it was let as far as another fault
        return False
    return False


def run(folder: Path, share: float) -> Outcome:
    """*share* changes nothing: it is done in a second."""
    faults: list[str] = []
    with filled_log(folder) as dsn:
        for role in LogRole:
            with logins(dsn).connect(role) as connection:
                connection.execute("SET default_transaction_read_only = off")  # anybody may
                faults += [f"{role} may: {one}" for one in FORBIDDEN if not refused(connection, one)]
                for statement, allowed in READABLE.items():
                    if refused(connection, statement) is (role in allowed):
                        may = "may not" if role in allowed else "may"
                        faults.append(f"{role} {may}: {statement}")
    return Outcome(f"{len(FORBIDDEN) + len(READABLE)} statements as each of {len(LogRole)} roles", faults)


def as_superuser(folder: Path, share: float) -> Outcome:
    with filled_log(folder) as dsn, Connection.connect(dsn, autocommit=True) as connection:
        faults = [f"a superuser may: {one}" for one in FORBIDDEN if not refused(connection, one)]
    return Outcome(f"{len(FORBIDDEN)} statements as a superuser", faults)


TORTURE = Torture("forbidden statements", run, {"as a superuser": as_superuser})
