"""The disk of the database full for a while and then grown, under writers that keep on trying and a reader.

The whole data folder lies on a small tmpfs. Two settings make a full disk refuse appends (53100) and do nothing
worse; without either of them PostgreSQL panics:

* WAL has its room from the beginning: old segments are kept and used again, and none is added.
* No replication origins. Each checkpoint writes a new small file for them (`pg_logical/replorigin_checkpoint`), and
  after that panic no session can begin as long as the disk is full ("could not write init file").

A checkpoint is made while the disk is full, because sooner or later one comes by itself.
"""

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from psycopg import Connection, Error

from log_examples import make_log, opened_log
from torture.harness import Outcome, Torture
from torture.ledger import Batch, Ledger, faults
from torture.writers import PATIENCE_SECONDS, Writer, new_streams, seconds_until_all_write, writing
from tsuzuri.app.embedded_postgres import EmbeddedPostgres
from tsuzuri.domain.events import Event

SMALL, GROWN, LEFT_FOR_EVENTS = "160M", "240M", 4 * 2**20
WAL_SEGMENTS = 4
SETTINGS = {"min_wal_size": "64MB", "max_wal_size": "64MB"}
NAME_LENGTHS = {
    "small events": 6,
    "large events": 5_000,
}  # what fits into a page here and there, and what does not
FULL_SECONDS, FULL_SECONDS_MIN = 60.0, 3.0
READ_PAUSE_SECONDS = 0.5
APPEND_SECONDS_MAX, READ_SECONDS_MAX = 15.0, 5.0
RECOVERY_SECONDS_MAX = 10.0  # from the moment the disk has grown


class MountRefused(Exception):
    """This machine, or this account, gives no tmpfs."""


class Careless(Writer):
    """The control: takes any answer for an acknowledgement."""

    def attempt(self, events: Sequence[Event], batch: Batch) -> bool:
        if not super().attempt(events, batch):
            self.book.acknowledge(self.name, batch)
        return True


@dataclass
class Reader:
    """Counts the events again and again on the session it has.

    Whether a new session can begin is noted, and is no fault: it may need a file that autovacuum removed, and there is
    no room to write it again ("could not write init file"). An application keeps its sessions.
    """

    dsn: str
    reads: int = 0
    slowest_seconds: float = 0.0
    sessions_refused: int = 0
    faults: list[str] = field(default_factory=list)

    @contextmanager
    def reading(self) -> Iterator[None]:
        stop = threading.Event()
        with self._connected() as kept:
            thread = threading.Thread(target=self._read, args=[kept, stop], daemon=True)
            thread.start()
            try:
                yield
            finally:
                stop.set()
                thread.join()

    def _read(self, kept: Connection[Any], stop: threading.Event) -> None:
        while not stop.wait(READ_PAUSE_SECONDS):
            began = time.monotonic()
            try:
                kept.execute("SELECT count(*), max(recorded_at) FROM event").fetchone()
                self.reads += 1
            except Error as error:
                self.faults.append(f"a read failed: {error}")
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
            try:
                self._connected().close()
            except Error:
                self.sessions_refused += 1

    def _connected(self) -> Connection[Any]:
        return Connection.connect(
            self.dsn, autocommit=True, connect_timeout=5, options="-c statement_timeout=15s"
        )


def run(folder: Path, share: float) -> Outcome:
    return _filled(folder / "disk", max(FULL_SECONDS_MIN, FULL_SECONDS * share), Writer)


def acknowledging_what_failed(folder: Path, _: float) -> Outcome:
    return _filled(folder / "disk", 0.5, Careless)


def _filled(disk: Path, full_seconds: float, kind: type[Writer]) -> Outcome:
    disk.mkdir()
    try:
        _mount(disk, SMALL)
    except MountRefused as refusal:
        return Outcome(
            "nothing", [f"it needs a small disk of its own, and no tmpfs can be mounted: {refusal}"]
        )
    try:
        _prepare(disk / "postgres")
        with EmbeddedPostgres(disk / "postgres") as server:
            _take_room(disk)
            return _tried(server.dsn, disk, full_seconds, kind)
    finally:
        # Lazily: whoever still looks at it, it goes with the last one.
        subprocess.run(["umount", "--lazy", disk], check=True)


def _tried(dsn: str, disk: Path, full_seconds: float, kind: type[Writer]) -> Outcome:
    seed = int.from_bytes(os.urandom(4))
    random, ledger, reader = Random(seed), Ledger(), Reader(dsn)
    with opened_log(dsn) as log, reader.reading():
        writers = [
            kind(name, log, ledger, Random(random.random()), new_streams(number), name_length=length)
            for number, (name, length) in enumerate(NAME_LENGTHS.items())
        ]
        with writing(writers):
            _await_full(disk)
            time.sleep(full_seconds / 2)
            _checkpoint(dsn)
            time.sleep(full_seconds / 2)
            refused = {writer.name: writer.refused for writer in writers}
            _mount(disk, GROWN, "remount")
            recovery_seconds = seconds_until_all_write(writers)
    with Connection.connect(dsn) as connection:
        found = faults(connection, ledger)
    slowest_seconds = max(writer.slowest_seconds for writer in writers)
    others = [f"the writer of {name} was never refused" for name, times in refused.items() if not times]
    others += _late("an append took", slowest_seconds, APPEND_SECONDS_MAX)
    others += _late("a read took", reader.slowest_seconds, READ_SECONDS_MAX)
    others += _late("after the disk had grown the writers needed", recovery_seconds, RECOVERY_SECONDS_MAX)
    return Outcome(
        f"full for {full_seconds:.0f} s (seed {seed}), {ledger.told()}, {sum(refused.values()):,} attempts refused"
        f" (slowest {slowest_seconds:.1f} s), {reader.reads} reads meanwhile (slowest {reader.slowest_seconds:.2f} s,"
        f" {reader.sessions_refused} new sessions refused),"
        f" the same application wrote again {recovery_seconds:.1f} s after the disk had grown",
        [*found, *reader.faults, *others],
    )


def _mount(disk: Path, size: str, *more: str) -> None:
    options = ",".join([*more, f"size={size}", "mode=755"])
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=True, capture_output=True, text=True
        )
    except OSError as error:
        raise MountRefused(str(error)) from error
    except subprocess.CalledProcessError as error:
        raise MountRefused(error.stderr.strip()) from error


def _prepare(home: Path) -> None:
    """Make the log and the room for WAL; two of the settings count from the next start on."""
    with EmbeddedPostgres(home) as server, Connection.connect(server.dsn, autocommit=True) as connection:
        make_log(server.dsn)
        for name, value in SETTINGS.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
        connection.execute("SELECT pg_reload_conf()")
        for _ in range(WAL_SEGMENTS):
            connection.execute("SELECT pg_logical_emit_message(false, 'torture', ''), pg_switch_wal()")
        connection.execute("CHECKPOINT")


def _take_room(disk: Path) -> None:
    with open(disk / "ballast", "wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, _free(disk) - LEFT_FOR_EVENTS)


def _free(disk: Path) -> int:
    now = os.statvfs(disk)
    return now.f_bavail * now.f_frsize


def _await_full(disk: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _free(disk) and time.monotonic() < deadline:
        time.sleep(0.01)


def _checkpoint(dsn: str) -> None:
    """It may fail: a table of transactions may have to grow for it. A panic would cut off the reader."""
    with suppress(Error), Connection.connect(dsn, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def _late(what: str, seconds: float, seconds_max: float) -> list[str]:
    return [f"{what} {seconds:.1f} s"] if seconds > seconds_max else []


TORTURE = Torture("disk full", run, {"acknowledges what failed": acknowledging_what_failed})
