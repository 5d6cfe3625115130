"""`tsuzuri keys`: what it says, and how keys are wrapped anew while everybody reads and writes on."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection
from typer.testing import CliRunner

from examples import NOON
from log_examples import (
    KEY_SETTINGS,
    a_payload,
    an_owner,
    destroy_key,
    listed,
    logins,
    save,
    trail_read,
)
from tsuzuri.app.cli import app
from tsuzuri.app.key_file import KeyFile, new_epoch
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.appending import Beside
from tsuzuri.eventlog.data_keys import KeyRing, KeyUnavailable
from tsuzuri.eventlog.key_rotation import KeyCount, key_counts, rewrap
from tsuzuri.eventlog.log import LogApplication
from tsuzuri.eventlog.mapper import ErasedEvent, MappedEvent
from tsuzuri.eventlog.opened_events import EVENT_COLUMNS, open_event


@dataclass(frozen=True)
class Installation:
    """A database and its file of key-encryption keys."""

    dsn: str
    file: Path

    def keys(self, *arguments: str) -> tuple[int, str]:
        """`tsuzuri keys …`: the code it ends with, and all that it says."""
        own = {"TSUZURI_DATABASE": self.dsn, "TSUZURI_ENCRYPTION_KEYS_FILE": str(self.file), "COLUMNS": "200"}
        done = CliRunner().invoke(app, ["keys", *arguments], env=KEY_SETTINGS | own)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.output

    def log(self) -> closing[LogApplication]:
        """As a process of its own."""
        return closing(LogApplication(logins(self.dsn), KeyRing(KeyFile(self.file))))

    def counts(self) -> list[KeyCount]:
        return key_counts(logins(self.dsn))

    def read(self) -> list[MappedEvent | ErasedEvent]:
        """All events, as a process reads them that has just started."""
        ring = KeyRing(KeyFile(self.file))
        with Connection.connect(self.dsn) as connection:
            found = connection.execute(
                f"SELECT {EVENT_COLUMNS} FROM event e LEFT JOIN data_key k USING (part, key_id)".encode()
            ).fetchall()
        return [open_event(ring, *row) for row in found]

    def grow_old(self) -> None:
        """As if the newest epoch had been made long ago."""
        *lines, newest = self.file.read_text().splitlines(keepends=True)
        self.file.write_text("".join([*lines, newest.replace(newest.split()[2], NOON.isoformat())]))


@pytest.fixture
def installation(dsn: str, tmp_path: Path) -> Installation:
    (tmp_path / "encryption.keys").write_bytes(
        Path(KEY_SETTINGS["TSUZURI_ENCRYPTION_KEYS_FILE"]).read_bytes()
    )
    return Installation(dsn, tmp_path / "encryption.keys")


def fill(installation: Installation, owners: int = 3) -> None:
    """So many access streams, and one record with a payload."""
    with installation.log() as log:
        save(log, listed(an_owner(1)), beside=Beside(payloads=[a_payload()]))
        save(log, *(trail_read(an_owner(number)) for number in range(owners)))


# --- the commands


def test_a_new_key_is_one_line_that_a_file_may_begin_with(installation: Installation, tmp_path: Path) -> None:
    code, line = installation.keys("new")
    (tmp_path / "new.keys").write_text(line)

    assert code == 0
    assert KeyFile(tmp_path / "new.keys").newest.number == 1
    assert installation.keys("new") != (0, line)


def test_status_counts_keys_by_use_and_epoch_and_those_destroyed(installation: Installation) -> None:
    fill(installation)
    destroy_key(installation.dsn, an_owner(1), Stream.ACCESS, version=2)

    code, told = installation.keys("status")

    assert code == 0
    rows = [tuple(line.split()) for line in told.splitlines()]
    assert {("access", "1", "2"), ("access", "destroyed", "1"), ("record", "1", "1")} <= set(rows)


def test_after_a_rotation_and_a_while_the_old_epoch_may_go(installation: Installation) -> None:
    fill(installation, owners=600)  # more than one step
    destroy_key(installation.dsn, an_owner(2), Stream.ACCESS, version=1)
    first = installation.file.read_text()

    code, told = installation.keys("rotate")
    assert code == 0
    assert told.splitlines()[-1].startswith("602 keys are wrapped under epoch 2 now")
    assert {count.epoch for count in installation.counts()} == {2, None}
    assert installation.file.read_text().startswith(first)

    code, told = installation.keys("retire")
    assert code == 1 and told.startswith("epoch 2 is too young: retire from ")
    installation.grow_old()
    assert installation.keys("retire") == (0, "retired: 1\n")
    assert installation.keys("retire") == (0, "retired: none\n")

    assert first not in installation.file.read_text()
    assert sum(isinstance(event, ErasedEvent) for event in installation.read()) == 1


def test_an_epoch_that_still_wraps_something_is_not_retired(installation: Installation) -> None:
    fill(installation)
    KeyFile(installation.file).add_epoch(NOON)

    assert installation.keys("retire") == (0, "retired: none\n")
    assert len(installation.read()) == 4


def test_rotating_twice_is_safe_and_so_is_going_on_after_it_was_broken_off(
    installation: Installation,
) -> None:
    fill(installation, owners=600)
    before = sorted(event.state for event in installation.read())
    KeyFile(installation.file).add_epoch()
    assert list(islice(rewrap(logins(installation.dsn), KeyFile(installation.file), 2), 1)) == [500]

    again, _ = installation.keys("rotate", "--no-add")
    assert {count.epoch for count in installation.counts()} == {2}
    twice, told = installation.keys("rotate", "--no-add")
    assert told.splitlines()[-1].startswith("0 keys are wrapped under epoch 2 now")
    once_more, _ = installation.keys("rotate")

    assert again == twice == once_more == 0
    assert {count.epoch for count in installation.counts()} == {3}
    assert sorted(event.state for event in installation.read()) == before


def test_without_the_epoch_that_wraps_nothing_is_rotated(installation: Installation) -> None:
    fill(installation)
    installation.file.write_text(new_epoch(2).line())

    with pytest.raises(KeyUnavailable):
        installation.keys("rotate")

    assert {count.epoch for count in installation.counts()} == {1}


# --- meanwhile


def test_while_keys_are_rotated_everybody_reads_and_writes_on(installation: Installation) -> None:
    fill(installation, owners=600)
    done = threading.Event()

    def write_on() -> int:
        with installation.log() as log:
            number = 1_000
            while not done.is_set():
                save(log, trail_read(an_owner(number)), trail_read(an_owner(number % 600)))
                number += 1
            return number - 1_000

    def read_on() -> list[int]:
        reads = []
        while not done.is_set():
            events = installation.read()
            assert all(isinstance(event, MappedEvent) for event in events)
            reads.append(len(events))
        return reads

    with ThreadPoolExecutor(2) as threads:
        writing, reading = threads.submit(write_on), threads.submit(read_on)
        try:
            codes = [installation.keys("rotate")[0] for _ in range(4)]
        finally:
            done.set()
        written, reads = writing.result(60), reading.result(60)

    assert codes == [0] * 4
    assert len(reads) > 3 and reads == sorted(reads) and written > 20
    assert len(installation.read()) == 601 + 2 * written


class Slow(KeyFile):
    """Before it unwraps the first key, something else happens."""

    meanwhile: Callable[[], Any] | None = None

    def unwrap(self, epoch: int, wrapped: bytes, about: bytes) -> bytes:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return super().unwrap(epoch, wrapped, about)


def test_a_key_that_is_destroyed_while_it_is_wrapped_anew_stays_destroyed(installation: Installation) -> None:
    fill(installation)
    file = Slow(installation.file)
    file.add_epoch()

    def destroy_all() -> None:
        for number in range(3):
            destroy_key(installation.dsn, an_owner(number), Stream.ACCESS, version=1 + (number == 1))

    file.meanwhile = destroy_all

    list(rewrap(logins(installation.dsn), file, 2))

    assert KeyCount("access", None, 3) in installation.counts()
    assert {count.epoch for count in installation.counts() if count.use == "access"} == {None}
    assert sum(isinstance(event, ErasedEvent) for event in installation.read()) == 3


def test_a_rotation_comes_to_its_end_when_another_epoch_is_added_meanwhile(
    installation: Installation,
) -> None:
    fill(installation)
    file = Slow(installation.file)
    newest = file.add_epoch().number
    file.meanwhile = file.add_epoch

    steps = list(islice(rewrap(logins(installation.dsn), file, newest), 20))

    assert len(steps) < 20
    assert len(installation.read()) == 4
