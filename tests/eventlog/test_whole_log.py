"""A whole log is checked without its database; whatever was done to it afterwards, the place is named."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from psycopg import AsyncConnection, Connection
from psycopg.sql import SQL

from checkpoint_examples import KEY, maker_at, some_accesses, some_events
from log_examples import an_owner, logins
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proofs.notes import checked
from tsuzuri.eventlog.proofs.whole_log import LogProven, verify_log
from tsuzuri.eventlog.proving import Prover
from tsuzuri.eventlog.published import Published


def lines_of(dsn: str, number: int | None = None) -> list[str]:
    async def asked() -> list[str]:
        async with await AsyncConnection.connect(logins(dsn).of(LogRole.READER)) as connection:
            return [line async for line in Prover(connection).log(number)]

    return asyncio.run(asked())


@pytest.fixture
def signed(dsn: str, tmp_path: Path) -> str:
    """A log under a checkpoint, published to *tmp_path*."""
    some_events(dsn, 20)
    some_accesses(dsn, 30)
    made = maker_at(dsn, tmp_path).make()
    assert made is not None
    return made.note


def test_a_log_that_nobody_touched(dsn: str, signed: str, tmp_path: Path) -> None:
    some_accesses(dsn, 4)
    seen: list[tuple[int, int]] = []

    for published in (None, Published(tmp_path).head):
        holds = verify_log(
            lines_of(dsn),
            KEY.public,
            published=published,
            kept=checked(signed, KEY.public),
            progress=lambda *at: seen.append(at),
        )
        assert isinstance(holds, LogProven)
        assert (holds.events, holds.not_covered_yet) == (50, 4)
    assert seen[-1] == (50, 50)


REHASHED = """UPDATE event SET hash = leaf_hash(part, pos, event_id, patient_id, stream, version, topic, key_id, state,
    recorded_at) WHERE part = 1 AND pos = 3"""
TAMPERINGS = {
    "edited": "UPDATE event SET state = set_byte(state, 9, get_byte(state, 9) # 1) WHERE part = 1 AND pos = 3",
    "backdated": "UPDATE event SET recorded_at = recorded_at - interval '1 day' WHERE part = 1 AND pos = 3",
    "given to another": f"UPDATE event SET patient_id = '{uuid4()}' WHERE part = 1 AND pos = 3",
    "deleted": "DELETE FROM event WHERE part = 1 AND pos = 3",
    "cut off": "DELETE FROM event WHERE part = 1 AND pos >= 3",
}


@pytest.mark.parametrize("what", TAMPERINGS)
@pytest.mark.parametrize("rehashed", [False, True])
def test_what_was_done_to_it_is_named(
    dsn: str, connection: Connection[Any], signed: str, tmp_path: Path, what: str, rehashed: bool
) -> None:
    connection.execute(SQL(TAMPERINGS[what]))
    if rehashed:
        connection.execute(SQL(REHASHED))

    with pytest.raises(ProofFails, match="part 1, position 3"):
        verify_log(lines_of(dsn), KEY.public, published=Published(tmp_path).head)
    with pytest.raises(ProofFails, match="part 1" if rehashed else "part 1, position 3"):
        verify_log(lines_of(dsn), KEY.public)


def test_an_older_log_is_not_under_the_kept_checkpoint(dsn: str, signed: str, tmp_path: Path) -> None:
    some_accesses(dsn, 3, [an_owner(2)])
    later = maker_at(dsn, tmp_path).make()
    assert later is not None

    verify_log(lines_of(dsn, 1), KEY.public, kept=checked(signed, KEY.public))
    with pytest.raises(ProofFails, match="kept"):
        verify_log(lines_of(dsn, 1), KEY.public, kept=checked(later.note, KEY.public))


CUTS: dict[str, Callable[[list[str]], list[str]]] = {
    "a line": lambda lines: [*lines[:9], *lines[10:]],
    "the end": lambda lines: lines[:-2],
    "half a line": lambda lines: [*lines[:-1], lines[-1][:40]],
    "everything": lambda lines: [],
}


@pytest.mark.parametrize("what", CUTS)
def test_a_file_that_lacks(dsn: str, signed: str, what: str) -> None:
    with pytest.raises(ProofFails):
        verify_log(CUTS[what](lines_of(dsn)), KEY.public)
