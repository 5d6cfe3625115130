"""Many short histories of clients that append to the same streams and read them, while sessions are killed."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.persistence import IntegrityError, PersistenceError
from psycopg import Connection, Error

from log_examples import an_owner, listed, opened_log, save
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Run, Torture
from torture.linearizable import Answer, Append, Operation, Read, faults
from tsuzuri.domain.events import originator
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.log import LogApplication

HISTORIES, CLIENTS, OPERATIONS, STREAMS = 200, 5, 40, 3
CONTROL_HISTORIES = 20  # a blind harness is found out after so many
KILLS_MOST, KILL_EVERY_SECONDS = 5, (0.01, 0.05)


class Client:
    """One client of the log."""

    def __init__(self, log: LogApplication):
        self.log = log

    def append(self, owner: UUID, version: int, event: UUID) -> None:
        save(self.log, listed(owner, version, event_id=event))

    def read(self, owner: UUID) -> list[UUID]:
        events: Iterator[Any] = self.log.events.get(originator(owner, Stream.RECORD))
        return [event.event_id for event in events]


class ClientWithStaleCopies(Client):
    """Answers every second read of a stream with what the read before it saw."""

    def __init__(self, log: LogApplication):
        super().__init__(log)
        self.copies: dict[UUID, list[UUID]] = {}

    def read(self, owner: UUID) -> list[UUID]:
        if owner in self.copies:
            return self.copies.pop(owner)
        self.copies[owner] = super().read(owner)
        return self.copies[owner]


class ClientThatLosesUpdates(Client):
    """Acknowledges an append although the log refused it."""

    def append(self, owner: UUID, version: int, event: UUID) -> None:
        try:
            super().append(owner, version, event)
        except IntegrityError:
            pass


def live(client: Client, owners: Sequence[UUID]) -> list[tuple[UUID, Operation]]:
    """What one client does on end, each operation as it was called and answered, with the stream's owner."""
    done: list[tuple[UUID, Operation]] = []
    last_known = dict.fromkeys(owners, 0)
    for _ in range(OPERATIONS):
        owner = random.choice(owners)
        if random.random() < 0.5:
            began = time.monotonic()
            try:
                seen = client.read(owner)
            except (Error, PersistenceError):
                continue  # a read that failed says nothing
            done.append((owner, Read(seen, began, time.monotonic())))
            last_known[owner] = len(seen)
        else:
            append = _append(client, owner, last_known[owner] + 1)
            done.append((owner, append))
            if append.answer is Answer.STORED:
                last_known[owner] = append.version
    return done


def _append(client: Client, owner: UUID, version: int) -> Append:
    event, began = uuid4(), time.monotonic()
    try:
        client.append(owner, version, event)
    except IntegrityError:
        return Append(event, version, Answer.REFUSED, began, time.monotonic())
    except (Error, PersistenceError):
        return Append(event, version, Answer.NONE, began, float("inf"))
    return Append(event, version, Answer.STORED, began, time.monotonic())


@contextmanager
def sessions_killed(dsn: str) -> Iterator[list[int]]:
    """Now and then the session of somebody else in the database is ended; the list tells whose.

    Somebody who is at work, if there is one, but not who is still logging in; and not for ever: the pool waits
    seconds when it finds a session dead, and would find all of them dead each time it looks again.
    """
    killed: list[int] = []
    enough = threading.Event()

    def kill() -> None:
        with Connection.connect(dsn, autocommit=True) as connection:
            while len(killed) < KILLS_MOST and not enough.wait(random.uniform(*KILL_EVERY_SECONDS)):
                victim = connection.execute(
                    """SELECT pid, pg_terminate_backend(pid) FROM (
                           SELECT pid FROM pg_stat_activity
                           WHERE datname = current_database() AND backend_type = 'client backend'
                             AND pid <> pg_backend_pid() AND state IN ('active', 'idle')
                           ORDER BY state, random() LIMIT 1) AS somebody"""
                ).fetchone()
                if victim is not None:
                    killed.append(victim[0])

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        enough.set()
        killer.join()


def torture(
    dsn: str, a_client: Callable[[LogApplication], Client], histories: int, until_a_fault: bool
) -> Outcome:
    """Up to so many histories, each on streams of its own."""
    found: list[str] = []
    counts: Counter[str] = Counter()
    killed = lived = 0
    with opened_log(dsn, connections=CLIENTS) as log, ThreadPoolExecutor(CLIENTS) as threads:
        for lived in range(1, histories + 1):
            owners = [an_owner(STREAMS * lived + number) for number in range(STREAMS)]
            with sessions_killed(dsn) as victims:
                lives = [threads.submit(live, a_client(log), owners) for _ in range(CLIENTS)]
                done = [one for life in lives for one in life.result()]
            killed += len(victims)
            counts.update(_kind(operation) for _, operation in done)
            found += _faults(dsn, owners, done)
            if until_a_fault and found:
                break
    told = ", ".join(f"{number:,} {kind}" for kind, number in sorted(counts.items()))
    return Outcome(f"{lived} histories of {CLIENTS} clients: {told}, {killed} sessions killed", found)


def _faults(dsn: str, owners: Sequence[UUID], done: Sequence[tuple[UUID, Operation]]) -> list[str]:
    with Connection.connect(dsn) as connection:
        stored = {owner: _stored(connection, owner) for owner in owners}
    return [
        f"stream {owner}: {fault}"
        for owner in owners
        for fault in faults([operation for of, operation in done if of == owner], stored[owner])
    ]


def _stored(connection: Connection[Any], owner: UUID) -> Mapping[int, UUID]:
    return dict(
        connection.execute(
            "SELECT version, event_id FROM event WHERE patient_id = %s AND stream = %s",
            (owner, Stream.RECORD.value),
        ).fetchall()
    )


def _kind(operation: Operation) -> str:
    return "reads" if isinstance(operation, Read) else f"appends {operation.answer.value}"


def run(folder: Path, share: float) -> Outcome:
    with fresh_log(folder) as dsn:
        return torture(dsn, Client, max(1, round(HISTORIES * share)), until_a_fault=False)


def control(a_client: Callable[[LogApplication], Client]) -> Run:
    def run_control(folder: Path, share: float) -> Outcome:
        with fresh_log(folder) as dsn:
            return torture(dsn, a_client, CONTROL_HISTORIES, until_a_fault=True)

    return run_control


TORTURE = Torture(
    "linearizable streams",
    run,
    {
        "a client that reads stale copies": control(ClientWithStaleCopies),
        "a client that loses updates": control(ClientThatLosesUpdates),
    },
)
