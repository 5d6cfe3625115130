"""A log to write to, small events that fill it, and everything that lies in it afterwards."""

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from psycopg import Connection, RawCursor
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from examples import CLINIC
from tsuzuri.app.database import bring_up, grant_entry
from tsuzuri.app.key_file import KeyFile
from tsuzuri.app.services import Services, logins_of
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.domain.erasures import ERASED
from tsuzuri.domain.events import Event, FacilityListed, TrailRead, originator
from tsuzuri.domain.vocabulary import Role, Stream
from tsuzuri.eventlog.appending import Beside, Payload, Write
from tsuzuri.eventlog.connecting import Logins
from tsuzuri.eventlog.data_keys import STREAM_USES, KeyRing, KeyUse, WrappedKey
from tsuzuri.eventlog.key_keeping import KeyKeeper, keys_of_owner
from tsuzuri.eventlog.log import LogApplication
from tsuzuri.eventlog.mapper import ErasedEvent, MappedEvent, event_mapper
from tsuzuri.eventlog.opened_events import EVENT_COLUMNS, open_event
from tsuzuri.eventlog.places import Place, part_of
from tsuzuri.eventlog.proofs.notes import SigningKey
from tsuzuri.eventlog.sealed_events import unseal_payload
from tsuzuri.eventlog.sealed_writes import KEYS_IN_FORCE, call, key_parameters, seal_write

Run = Callable[[Callable[[Services], Awaitable[Any]]], Any]
"""The fixture `run`: a coroutine function on services over the test's own database."""

PARTS = 4
_OWNERS = 0x33333333_0000_4000_8000_000000000000
LOG_TABLES = ("part_head", "patient_head", "data_key", "event", "payload", "identifier")

_FILES = {
    "role.key": "a1" * 32,
    "identifier.key": "b2" * 32,
    "seal.key": "d4" * 32,
    "encryption.keys": f"1 {'c3' * 32} 2026-01-01T00:00:00+00:00\n",
    "checkpoint.key": SigningKey("log.example/test", 1, b"\x07" * 32).text(),
}
if "TSUZURI_TEST_KEYS" not in os.environ:  # this is the first of the processes of this run
    os.environ["TSUZURI_TEST_KEYS"] = tempfile.mkdtemp(prefix="tsuzuri-test-keys-")
    atexit.register(shutil.rmtree, os.environ["TSUZURI_TEST_KEYS"], ignore_errors=True)
    for _name, _text in _FILES.items():
        Path(os.environ["TSUZURI_TEST_KEYS"], _name).write_text(_text)
KEYS = Path(os.environ["TSUZURI_TEST_KEYS"])
"""Keys that every test, and every process a test starts, has in common: the same in each run."""
LEAST_RULES = {"TSUZURI_RULES": "shape"}
"""A test's Bundles hold the least that reading asks for; what the guides ask has tests of its own."""
KEY_SETTINGS = {
    "TSUZURI_ROLE_KEY_FILE": str(KEYS / "role.key"),
    "TSUZURI_IDENTIFIER_KEY_FILE": str(KEYS / "identifier.key"),
    "TSUZURI_SEAL_KEY_FILE": str(KEYS / "seal.key"),
    "TSUZURI_ENCRYPTION_KEYS_FILE": str(KEYS / "encryption.keys"),
}
CHECKPOINT_SETTINGS = {"TSUZURI_CHECKPOINT_KEY_FILE": str(KEYS / "checkpoint.key")}


def settings_at(home: Path, **changes: str) -> Settings:
    """Development settings over the common keys."""
    return read_settings(
        {
            "TSUZURI_HOME": str(home),
            "TSUZURI_MODE": "development",
            **LEAST_RULES,
            **KEY_SETTINGS,
            **CHECKPOINT_SETTINGS,
            **changes,
        }
    )


def make_log(dsn: str, *, parts: int = PARTS) -> None:
    """Everything that `tsuzuri db migrate` makes, in an empty database."""
    bring_up(settings_at(KEYS, TSUZURI_PARTS=str(parts)), dsn)


@contextmanager
def copied_database(server_dsn: str, template: str, name: str) -> Iterator[str]:
    """A copy of *template*, dropped again. What roles may do with a database is not copied: it is granted anew."""
    copy = Identifier(name)
    with Connection.connect(server_dsn, autocommit=True) as server:
        server.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(copy, Identifier(template)))
        dsn = make_conninfo(server_dsn, dbname=name)
        with Connection.connect(dsn, autocommit=True) as connection:
            grant_entry(connection)  # the passwords are the server's, and those of the template
        yield dsn
        server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(copy))


def logins(dsn: str) -> Logins:
    return logins_of(settings_at(KEYS), dsn)


def a_ring() -> KeyRing:
    return KeyRing(KeyFile(KEYS / "encryption.keys"))


@contextmanager
def opened_log(dsn: str, *, connections: int = 4) -> Iterator[LogApplication]:
    """The library's application over the log, closed again."""
    application = LogApplication(logins(dsn), a_ring(), connections=connections)
    try:
        yield application
    finally:
        application.close()


def an_owner(number: int) -> UUID:
    """An owner whose events lie in part *number* mod PARTS."""
    return UUID(int=_OWNERS + number)


def listed(owner: UUID, version: int = 1, **changes: Any) -> FacilityListed:
    """A small event with a version, for any owner."""
    usual: dict[str, Any] = {
        "originator_id": originator(owner, Stream.RECORD),
        "originator_version": version,
        "event_id": uuid4(),
        "facility": CLINIC,
        "name": "試験診療所",
        "kind": "CLINIC",
        "recorded_by": "operator-ono",
    }
    return FacilityListed(**usual | changes)


def trail_read(owner: UUID, **changes: Any) -> TrailRead:
    """A small event of the access stream, which has no version."""
    usual: dict[str, Any] = {
        "originator_id": originator(owner, Stream.ACCESS),
        "originator_version": 0,
        "event_id": uuid4(),
        "person": "auditor-abe",
        "role": Role.AUDITOR,
        "patient": None,
        "operation_sha256": "0" * 64,
        "operation_name": "WhoSaw",
        "variables": "{}",
        "shown": 3,
    }
    return TrailRead(**usual | changes)


def a_payload(body: bytes = b"received", use: KeyUse = KeyUse.UNIT) -> Payload:
    """Bytes under a key of their own."""
    return Payload(uuid4(), body, uuid4(), use)


def save(log: LogApplication, *events: Event, **more: Any) -> list[Place]:
    """Append in one transaction; where each event lies now."""
    packed = [recording.notification.id for recording in log.save(*events, **more)]
    return [Place(*divmod(number, 1 << 51)) for number in packed]


def parts(connection: Connection[Any]) -> int:
    row = connection.execute("SELECT parts FROM log_setting").fetchone()
    assert row is not None
    return int(row[0])


def begin_append(connection: Connection[Any], event: Event, beside: Beside | None = None) -> None:
    """Append *event* in the caller's open transaction, as another process would: its part's head stays locked."""
    append_write(connection, Write([event_mapper().to_stored_event(event)], beside or Beside()))


def append_write(connection: Connection[Any], write: Write) -> None:
    """The same, of all that a write stores together."""
    ring, number = a_ring(), parts(connection)
    keys = connection.execute(KEYS_IN_FORCE, key_parameters(write.streams(), number), binary=True).fetchall()
    ring.learn(write.streams(), [WrappedKey(*key) for key in keys])
    sent = call([seal_write(write, ring, number)], number)
    RawCursor(connection).execute(sent.statement, sent.parameters)


def destroy_key(dsn: str, owner: UUID, stream: Stream, version: int) -> None:
    """Destroy the key of one stream and say so in the record stream, as another process."""
    event = ERASED[stream](
        originator_id=originator(owner, Stream.RECORD),
        originator_version=version,
        event_id=uuid4(),
        reason="asked for",
        erased_by="operator-ono",
    )
    keys = keys_of_owner(part_of(owner, PARTS), owner, [STREAM_USES[stream]])
    write = Write([event_mapper().to_stored_event(event)])
    KeyKeeper(logins(dsn), a_ring(), PARTS).destroy(write, keys)


def interrupted(opened: Services, by: Callable[[], Any]) -> Services:
    """The same services. *by* happens at the first id they make: after a decision has read, before it is saved."""
    waiting = [by]

    def new_id() -> UUID:
        if waiting:
            with ThreadPoolExecutor(1) as elsewhere:
                elsewhere.submit(waiting.pop()).result()
        return uuid4()

    return replace(opened, new_id=new_id)


def data_keys(connection: Connection[Any]) -> dict[UUID, bytes]:
    """Every key that was not destroyed, unwrapped, by its id."""
    ring = a_ring()
    found = connection.execute("SELECT key_id, patient_id, use, epoch, wrapped FROM data_key").fetchall()
    secrets = {row[0]: ring.secret(WrappedKey(*row)) for row in found}
    return {key: secret for key, secret in secrets.items() if secret is not None}


def opened_payloads(connection: Connection[Any]) -> dict[UUID, bytes]:
    """Every payload whose key was not destroyed, as it was before it was sealed."""
    keys = data_keys(connection)
    found = connection.execute("SELECT payload_id, body, key_id FROM payload").fetchall()
    return {payload: unseal_payload(keys[key], payload, body) for payload, body, key in found if key in keys}


def opened_events(connection: Connection[Any]) -> list[MappedEvent | ErasedEvent]:
    """The whole log, in the order of its places, as it was before it was sealed."""
    found = connection.execute(
        f"SELECT {EVENT_COLUMNS} FROM event e LEFT JOIN data_key k USING (part, key_id) ORDER BY part, pos".encode()
    ).fetchall()
    ring = a_ring()
    return [open_event(ring, *row) for row in found]


def everything(connection: Connection[Any]) -> dict[str, Sequence[Any]]:
    """Every row of every table of the log."""
    return {
        table: connection.execute(f"SELECT t::text FROM {table} AS t ORDER BY 1".encode()).fetchall()
        for table in LOG_TABLES
    }


def wait_until_somebody_waits(connection: Connection[Any]) -> int:
    """The process id of a session of this database that waits for a lock; fails when none does within 20 s."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        waiting = connection.execute(
            """SELECT pid FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"""
        ).fetchone()
        if waiting is not None:
            return int(waiting[0])
        time.sleep(0.005)
    raise AssertionError("nobody waits for a lock")
