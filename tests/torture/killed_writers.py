"""Writer processes killed with kill -9 at random instants, again and again, on one server.

Each notes in a file of its own what it intends and what was acknowledged, and what it noted before the kill stays.
The next writers go on with the streams where the killed ones left them.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from psycopg import Connection

from log_examples import PARTS, make_log, opened_log, save
from torture.harness import Outcome, Run, Torture
from torture.ledger import Batch, Ledger, faults
from torture.writers import Manner, Writer, honestly, owners_of
from tsuzuri.app.embedded_postgres import EmbeddedPostgres
from tsuzuri.domain.events import Event
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.log import LogApplication

CYCLES = 500
CONTROL_CYCLES_MAX = 50
WRITERS = 4
LIFE_SECONDS_MAX = 0.12  # from its first intention on
WAIT_SECONDS_MAX = 30.0

_FORK = get_context("fork")  # milliseconds; a fresh interpreter needs a second for our imports alone


def too_early(log: LogApplication, events: Sequence[Event], acknowledge: Callable[[], None]) -> None:
    acknowledge()
    save(log, *events)


def one_by_one(log: LogApplication, events: Sequence[Event], acknowledge: Callable[[], None]) -> None:
    for event in events:
        save(log, event)
    acknowledge()


class Notes:
    """A book in a file. A line that the kill cut short counts as not written."""

    def __init__(self, path: Path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def intend(self, writer: str, batch: Batch) -> None:
        self._note("intend", *map(str, batch))

    def acknowledge(self, writer: str, batch: Batch) -> None:
        self._note("acknowledge", *map(str, batch))

    def surprise(self, writer: str, what: str) -> None:
        self._note("surprise", *what.split())

    def _note(self, *words: str) -> None:
        os.write(self._file, (" ".join(words) + "\n").encode())


def copy_notes(path: Path, writer: str, ledger: Ledger) -> None:
    *lines, _ = path.read_text().split("\n")
    for kind, *words in map(str.split, lines):
        if kind == "surprise":
            ledger.surprise(writer, " ".join(words))
        else:
            tell = ledger.intend if kind == "intend" else ledger.acknowledge
            tell(writer, tuple(map(UUID, words)))


class Killing:
    """Cycles on one server: writers start, are under way, and are killed, each at an instant of its own."""

    def __init__(self, dsn: str, connection: Connection[Any], folder: Path, manner: Manner):
        self.dsn, self.connection, self.folder, self.manner = dsn, connection, folder, manner
        self.seed = int.from_bytes(os.urandom(4))
        self.random = Random(self.seed)
        self.ledger = Ledger()
        self.cycles = 0

    def cycle(self) -> None:
        self.cycles += 1
        writers: dict[str, ForkProcess] = {}
        try:
            for number in range(WRITERS):
                name = f"writer {number} of cycle {self.cycles}"
                writers[name] = self._started(name, owners_of(number))
            _wait_until(lambda: all(map(_is_begun, map(self._notes, writers))), "a writer does not begin")
            self._let_live(writers.values())
        finally:
            for writer in writers.values():
                writer.kill()
                writer.join()
        _wait_until(self._is_quiet, "a session of a killed writer does not end")
        for name in writers:
            copy_notes(self._notes(name), name, self.ledger)
            self._notes(name).unlink()

    def outcome(self) -> Outcome:
        killed = f"{self.cycles * WRITERS:,} writers killed in {self.cycles} cycles (seed {self.seed})"
        return Outcome(f"{killed}, {self.ledger.told()}", faults(self.connection, self.ledger))

    def _started(self, name: str, owners: Iterable[UUID]) -> ForkProcess:
        versions = {owner: self._version(owner) for owner in owners}
        random = Random(self.random.random())
        writer = _FORK.Process(
            target=_write, args=(self.dsn, name, self._notes(name), random, versions, self.manner)
        )
        writer.start()
        return writer

    def _notes(self, name: str) -> Path:
        return self.folder / f"{name}.notes"

    def _version(self, owner: UUID) -> int:
        """Up to where its record stream is written, whether or not that was acknowledged."""
        row = self.connection.execute(
            "SELECT coalesce(max(version), 0) FROM event WHERE part = %s AND patient_id = %s AND stream = %s",
            (owner.int % PARTS, owner, Stream.RECORD.value),
        ).fetchone()
        assert row is not None
        return int(row[0])

    def _let_live(self, writers: Iterable[ForkProcess]) -> None:
        began = time.monotonic()
        instants = {writer: self.random.uniform(0, LIFE_SECONDS_MAX) for writer in writers}
        for writer, instant in sorted(instants.items(), key=lambda pair: pair[1]):
            time.sleep(max(0, began + instant - time.monotonic()))
            writer.kill()

    def _is_quiet(self) -> bool:
        """A session ends its statement, and may commit it, before it sees that its writer is gone."""
        row = self.connection.execute(
            """SELECT count(*) FROM pg_stat_activity
               WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"""
        ).fetchone()
        return row == (0,)


def run(folder: Path, share: float) -> Outcome:
    return _killed(folder, honestly, cycles=max(1, round(CYCLES * share)), until_a_fault=False)


def _killed(folder: Path, manner: Manner, cycles: int, until_a_fault: bool) -> Outcome:
    with EmbeddedPostgres(folder / "postgres") as server:
        make_log(server.dsn)
        with Connection.connect(server.dsn, autocommit=True) as connection:
            killing = Killing(server.dsn, connection, folder, manner)
            while killing.cycles < cycles:
                killing.cycle()
                if until_a_fault and (outcome := killing.outcome()).faults:
                    return outcome
            return killing.outcome()


def _control(manner: Manner) -> Run:
    return lambda folder, _: _killed(folder, manner, CONTROL_CYCLES_MAX, until_a_fault=True)


def _write(
    dsn: str, name: str, path: Path, random: Random, versions: dict[UUID, int], manner: Manner
) -> None:
    """What a writer process does. It ends by itself only if it outlives the process that is to kill it."""
    parent = os.getppid()
    with opened_log(dsn, connections=1) as log:
        # Nothing is wrong with this server: a writer that is told so has found a fault.
        writer = Writer(name, log, Notes(path), random, versions, manner=manner, expected=())
        writer.write(stop=lambda: os.getppid() != parent)


def _is_begun(notes: Path) -> bool:
    return notes.exists() and notes.stat().st_size > 0


def _wait_until(done: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.002)


TORTURE = Torture(
    "writers killed",
    run,
    {
        "acknowledges before commit": _control(too_early),
        "a batch that is not atomic": _control(one_by_one),
    },
)
