"""The list of destroyed keys: noted where they are destroyed, published before the head, believed if it is signed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from checkpoint_examples import KEY, maker_at
from log_examples import an_owner, destroy_key, listed, opened_log, save, trail_read
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.erasure_list import DestroyedKey, ErasureList, whole_again
from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proofs.notes import SigningKey

SHE = an_owner(1)
AT = datetime(2026, 11, 22, 3, 4, 5, 678901, tzinfo=UTC)


def a_key(number: int, said_by: UUID | None = None) -> DestroyedKey:
    return DestroyedKey(3, UUID(int=number), said_by, AT)


def lines(folder: Path) -> list[bytes]:
    return (folder / "erasures.ndjson").read_bytes().splitlines(keepends=True)


# --- the file


def test_what_is_added_is_read(tmp_path: Path) -> None:
    erasures = ErasureList(tmp_path)
    assert list(erasures.keys(KEY.public)) == []

    erasures.add([a_key(1), a_key(2, UUID(int=9))], KEY)
    erasures.add([a_key(3)], KEY)

    assert list(erasures.keys(KEY.public)) == [a_key(1), a_key(2, UUID(int=9)), a_key(3)]


def test_a_line_that_was_cut_off_is_not_one(tmp_path: Path) -> None:
    erasures = ErasureList(tmp_path)
    erasures.add([a_key(1), a_key(2)], KEY)
    whole = b"".join(lines(tmp_path))
    (tmp_path / "erasures.ndjson").write_bytes(whole[:-20])
    assert list(erasures.keys(KEY.public)) == [a_key(1)]

    erasures.add([a_key(2)], KEY)

    assert b"".join(lines(tmp_path)) == whole


def _without_the_first(all_lines: list[bytes]) -> list[bytes]:
    return all_lines[1:]


def _of_another_key(all_lines: list[bytes]) -> list[bytes]:
    return [all_lines[0], all_lines[1].replace(str(UUID(int=2)).encode(), str(UUID(int=7)).encode())]


def _of_another_log(all_lines: list[bytes]) -> list[bytes]:
    return [
        *all_lines,
        b'{"number": 3, "part": 3, "key": "%s", "at": "2026-11-22T03:04:05Z", "signature": "x"}\n',
    ]


def _no_json(all_lines: list[bytes]) -> list[bytes]:
    return [*all_lines, b"{\n"]


@pytest.mark.parametrize("changed", [_without_the_first, _of_another_key, _of_another_log, _no_json])
def test_what_the_log_did_not_sign_is_not_believed(tmp_path: Path, changed: Any) -> None:
    erasures = ErasureList(tmp_path)
    erasures.add([a_key(1), a_key(2)], KEY)
    (tmp_path / "erasures.ndjson").write_bytes(b"".join(changed(lines(tmp_path))))

    with pytest.raises(ProofFails):
        list(erasures.keys(KEY.public))


def test_another_logs_list_is_not_believed(tmp_path: Path) -> None:
    ErasureList(tmp_path).add([a_key(1)], SigningKey("log.example/test", 1, b"\x08" * 32))

    with pytest.raises(ProofFails, match="is not signed by log.example/test"):
        list(ErasureList(tmp_path).keys(KEY.public))


# --- what the database notes


def test_a_destroyed_key_is_listed_with_the_next_checkpoint(
    dsn: str, connection: Connection[Any], tmp_path: Path
) -> None:
    with opened_log(dsn) as log:
        save(log, listed(SHE), trail_read(SHE))
    maker = maker_at(dsn, tmp_path)
    maker.make()
    destroy_key(dsn, SHE, Stream.ACCESS, 2)
    maker.make()
    maker.make()

    (one,) = ErasureList(tmp_path).keys(KEY.public)
    said = connection.execute("SELECT event_id FROM event WHERE topic = 'accesses-erased'").fetchone()
    gone = connection.execute("SELECT key_id FROM data_key WHERE wrapped IS NULL").fetchone()
    assert ((one.said_by,), (one.key_id,)) == (said, gone)
    assert connection.execute("SELECT count(*) FROM destroyed_key WHERE NOT listed").fetchone() == (0,)


def test_a_maker_that_was_cut_off_lists_again(dsn: str, connection: Connection[Any], tmp_path: Path) -> None:
    with opened_log(dsn) as log:
        save(log, listed(SHE), trail_read(SHE))
    destroy_key(dsn, SHE, Stream.ACCESS, 2)
    maker_at(dsn, tmp_path).make()
    connection.execute("UPDATE destroyed_key SET listed = false")
    maker_at(dsn, tmp_path).make()

    assert len(set(ErasureList(tmp_path).keys(KEY.public))) == 1 and len(lines(tmp_path)) == 2


def test_a_key_that_is_whole_again_is_found(dsn: str, connection: Connection[Any], tmp_path: Path) -> None:
    with opened_log(dsn) as log:
        save(log, listed(SHE), trail_read(SHE))
    kept = connection.execute("SELECT wrapped FROM data_key WHERE use = 'access'").fetchone()
    destroy_key(dsn, SHE, Stream.ACCESS, 2)
    maker_at(dsn, tmp_path).make()
    erasures = ErasureList(tmp_path)
    assert whole_again(connection, erasures.keys()) == []

    connection.execute("UPDATE data_key SET wrapped = %s WHERE use = 'access'", kept)

    (whole,) = whole_again(connection, erasures.keys())
    assert (whole.owner, whole.use) == (SHE, "access")
