"""Followers that read on while many writers append: each event once, in the order of its part, none passed over."""

import multiprocessing
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresFactory
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

from log_examples import PARTS, an_owner, listed, opened_log, save, trail_read
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from tsuzuri.domain.events import Event, FacilityListed, TrailRead
from tsuzuri.eventlog.following import follow, heads
from tsuzuri.eventlog.places import Vector

EVENTS, WRITERS, BATCH_MOST = 200_000, 8, 40
PAUSE_SECONDS = 0.02
FOLLOWED = (
    [FacilityListed.TOPIC, TrailRead.TOPIC],
    [FacilityListed.TOPIC, TrailRead.TOPIC],
    [TrailRead.TOPIC],
)
LIMITS = (1, 7, 40, 300, 1500)
CONTROL_ROUND, CONTROL_ROUNDS = 4_000, 30

Seen = tuple[int, int, UUID]
"""Part, position and id of an event, as a follower got it or as it lies in the log."""


def write(dsn: str, writer: int, events: int) -> int:
    """Append so many events to streams of one's own in all parts; the number of appends."""
    owners = [an_owner(writer * PARTS + part) for part in range(PARTS)]
    versions: Counter[UUID] = Counter()

    def an_event() -> Event:
        owner = random.choice(owners)
        if random.random() < 0.5:
            return trail_read(owner)
        versions[owner] += 1
        return listed(owner, versions[owner])

    appends = 0
    with opened_log(dsn, connections=1) as log:
        for size in sizes(events):
            save(log, *(an_event() for _ in range(size)))
            appends += 1
    return appends


def sizes(events: int) -> Iterator[int]:
    """Random batch sizes up to BATCH_MOST which add up to *events*; now and then it takes a pause."""
    while events > 0:
        size = min(events, random.randint(1, BATCH_MOST))
        yield size
        events -= size
        if random.random() < 0.2:
            time.sleep(random.uniform(0, PAUSE_SECONDS))


def read_on(dsn: str, topics: Sequence[str], written: Path) -> list[Seen]:
    """Follow until all is read, which is not before the file *written* is there."""
    seen: list[Seen] = []
    reached: Vector = {}
    with Connection.connect(dsn, autocommit=True) as connection:
        while True:
            all_is_written = written.exists()
            upto = heads(connection)
            batch = follow(connection, reached, upto=upto, topics=topics, limit=random.choice(LIMITS))
            seen += [(event.part, event.pos, event.event_id) for event in batch.events]
            if batch.covers == reached:
                if all_is_written and all(reached.get(part, 0) == pos for part, pos in upto.items()):
                    return seen
                time.sleep(random.uniform(0, PAUSE_SECONDS))
            reached = batch.covers


def wrongly_seen(seen: Sequence[Seen], stored: Sequence[Seen]) -> Iterator[str]:
    """How what a follower got differs from what it should have got, where there is a difference."""
    times = Counter(seen)
    for part, pos, _ in sorted(set(stored) - set(seen)):
        yield f"passed over position {pos} of part {part}"
    for part, pos, _ in sorted(set(seen) - set(stored)):
        yield f"got something at position {pos} of part {part} that does not lie there"
    for (part, pos, _), number in times.items():
        if number > 1:
            yield f"got position {pos} of part {part} {number} times"
    last: dict[int, int] = {}
    for part, pos, _ in seen:
        if pos < last.get(part, 0):
            yield f"got position {pos} of part {part} behind position {last[part]}"
        last[part] = pos


def run(folder: Path, share: float) -> Outcome:
    events = round(EVENTS * share / WRITERS)
    written = folder / "written"
    began = time.monotonic()
    with fresh_log(folder) as dsn, processes(WRITERS + len(FOLLOWED)) as pool:
        following = [pool.submit(read_on, dsn, topics, written) for topics in FOLLOWED]
        writing = [pool.submit(write, dsn, writer, events) for writer in range(WRITERS)]
        appends = all_of(writing, written)
        seconds = time.monotonic() - began
        seen = [follower.result() for follower in following]
        with Connection.connect(dsn) as connection:
            stored = connection.execute(
                "SELECT part, pos, event_id, topic FROM event ORDER BY part, pos"
            ).fetchall()
    faults = (
        [] if len(stored) == events * WRITERS else [f"{len(stored)} events are stored of {events * WRITERS}"]
    )
    for part in range(PARTS):
        positions = [pos for of, pos, _, _ in stored if of == part]
        if positions != list(range(1, len(positions) + 1)):
            faults.append(f"the positions of part {part} are not 1 to n")
    for number, (topics, got) in enumerate(zip(FOLLOWED, seen, strict=True), start=1):
        wanted = [(part, pos, event_id) for part, pos, event_id, topic in stored if topic in topics]
        faults += [f"follower {number} {fault}" for fault in wrongly_seen(got, wanted)]
    return Outcome(
        f"{len(stored):,} events in {appends:,} appends of {WRITERS} writers within {seconds:.0f} s,"
        f" {sum(map(len, seen)):,} seen by {len(FOLLOWED)} followers",
        faults,
    )


def stock_recorder(dsn: str, *, create_table: bool = False) -> PostgresApplicationRecorder:
    """The library's own, as it writes with functions in the database."""
    place = conninfo_to_dict(dsn)
    factory = PostgresFactory(
        {
            "POSTGRES_DBNAME": str(place["dbname"]),
            "POSTGRES_HOST": str(place["host"]),
            "POSTGRES_PORT": str(place["port"]),
            "POSTGRES_USER": str(place["user"]),
            "POSTGRES_PASSWORD": str(place["password"]),
            "POSTGRES_ENABLE_DB_FUNCTIONS": "y",
            "CREATE_TABLE": "y" if create_table else "n",
        }
    )
    recorder = factory.application_recorder()
    assert isinstance(recorder, PostgresApplicationRecorder)
    return recorder


def write_with_stock_recorder(dsn: str, events: int) -> int:
    recorder = stock_recorder(dsn)
    for size in sizes(events):
        recorder.insert_events([StoredEvent(uuid4(), 1, "happened", b"{}") for _ in range(size)])
    recorder.datastore.close()
    return events


def read_on_with_stock_recorder(dsn: str, after: int, written: Path) -> list[Seen]:
    seen: list[Seen] = []
    recorder = stock_recorder(dsn)
    while True:
        all_is_written = written.exists()
        notifications = recorder.select_notifications(start=after + 1, limit=random.choice(LIMITS))
        seen += [(0, one.id, UUID(str(one.originator_id))) for one in notifications]
        if notifications:
            after = notifications[-1].id
        elif all_is_written:
            recorder.datastore.close()
            return seen


def stock_recorder_with_db_functions(folder: Path, share: float) -> Outcome:
    """Goes on until the follower has passed over an event."""
    events, after = 0, 0
    faults: list[str] = []
    with (
        fresh_log(folder) as dsn,
        processes(WRITERS + 1) as pool,
        Connection.connect(dsn, autocommit=True) as own,
    ):
        stock_recorder(dsn, create_table=True).datastore.close()
        for number in range(CONTROL_ROUNDS):
            written = folder / f"written-{number}"
            following = pool.submit(read_on_with_stock_recorder, dsn, after, written)
            writing = [
                pool.submit(write_with_stock_recorder, dsn, CONTROL_ROUND // WRITERS) for _ in range(WRITERS)
            ]
            events += all_of(writing, written)
            stored = own.execute(
                "SELECT 0, notification_id, originator_id FROM stored_events WHERE notification_id > %s",
                (after,),
            ).fetchall()
            faults = [
                fault for fault in wrongly_seen(following.result(), stored) if fault.startswith("passed over")
            ]
            if faults:
                break
            after = max(position for _, position, _ in stored)
    return Outcome(f"{events:,} events of {WRITERS} writers", faults)


@contextmanager
def processes(number: int) -> Iterator[ProcessPoolExecutor]:
    """Workers that share no interpreter. The server they are forked from has imported what takes long."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tsuzuri.app.services", "eventsourcing.postgres"])
    with ProcessPoolExecutor(number, context, initializer=_end_with_parent) as pool:
        yield pool


def _end_with_parent() -> None:
    """Else a worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def all_of(writing: Sequence[Future[int]], written: Path) -> int:
    """What the writers did together; the file tells the followers that no more comes."""
    try:
        return sum(writer.result() for writer in writing)
    finally:
        written.touch()  # also when one failed, else the followers would wait for ever


TORTURE = Torture(
    "followers",
    run,
    {"the library's recorder with functions in the database": stock_recorder_with_db_functions},
)
