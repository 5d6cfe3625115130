"""Anyone can recompute an event's leaf hash from its row alone. Here it is done without our own code."""

import struct
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from examples import granted
from log_examples import an_owner, listed, opened_log, save, trail_read
from tsuzuri.eventlog.mapper import MappedEvent

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
TAMPERED = {
    "part": "part + 4",
    "pos": "pos + 100",
    "event_id": "'00000000-0000-0000-0000-000000000001'",
    "patient_id": "'00000000-0000-0000-0000-000000000001'",
    "stream": "9",
    "version": "version + 1",
    "topic": "topic || 'x'",
    "key_id": "'00000000-0000-0000-0000-000000000001'",
    "state": "set_byte(state, 3, get_byte(state, 3) # 1)",
    "recorded_at": "recorded_at + interval '1 microsecond'",
}
"""Every column of an event but its hash, and what somebody might make of it."""


def recomputed(row: dict[str, Any]) -> bytes:
    """As the comment in 0002_log.sql has it: a zero byte, the header, the state."""
    topic = row["topic"].encode()
    header = [
        b"\x00",
        struct.pack(">hq", row["part"], row["pos"]),
        row["event_id"].bytes,
        row["patient_id"].bytes,
        struct.pack(">hq", row["stream"], row["version"] or 0),
        struct.pack(">q", (row["recorded_at"] - EPOCH) // timedelta(microseconds=1)),
        struct.pack(">i", len(topic)),
        topic,
        row["key_id"].bytes,
    ]
    return sha256(b"".join(header) + row["state"]).digest()


def rows(connection: Connection[Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM event ORDER BY part, pos").fetchall()


def test_the_hash_follows_from_the_row_alone(dsn: str, connection: Connection[Any]) -> None:
    owner = an_owner(3)
    with opened_log(dsn) as log:
        save(
            log,
            listed(owner, name="試験診療所（川越）", departments=("内科", "小児科")),
            trail_read(owner, variables='{"名":"花子"}'),
            granted(),
        )
        in_two_sections = MappedEvent(f"{owner}/record", 2, "表題", b"\x00\xff", UUID(int=7), b"apart")
        log.recorder.insert_events([in_two_sections])

    stored = rows(connection)

    assert [row["version"] for row in stored if row["part"] == 3] == [1, None, 2]
    assert "川越".encode() not in b"".join(row["state"] for row in stored), (
        "no key is needed: it is over the seal"
    )
    assert [row["hash"] for row in stored] == [recomputed(row) for row in stored]


def test_a_changed_row_is_noticed(dsn: str, connection: Connection[Any]) -> None:
    with opened_log(dsn) as log:
        save(log, listed(an_owner(1)))
    (before,) = rows(connection)
    assert recomputed(before) == before["hash"]

    for column, value in TAMPERED.items():
        with connection.transaction(force_rollback=True):
            change = SQL("UPDATE event SET {} = " + value).format(Identifier(column))
            connection.execute(change)

            (row,) = rows(connection)
            assert row[column] != before[column]
            assert recomputed(row) != row["hash"], column


def test_every_column_of_an_event_is_covered(connection: Connection[Any]) -> None:
    described = connection.execute("SELECT * FROM event").description

    assert described is not None
    assert {column.name for column in described} == TAMPERED.keys() | {"hash"}
