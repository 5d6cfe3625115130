"""Durable appends against the eventsourcing library's own recorder, and bulk against raw COPY.

Both sides save one event of 2 KB a commit through their `Application.save`, on one server, each in its own
database. Ten events a commit are ten versions of one stream, as a registration stores them. Bulk appends batches of
sealed events, one durable commit a batch. Raw COPY copies the very rows that our bulk has made, places and hashes and
all, into a table with the same indexes, also one commit a batch.
"""

import argparse
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import Any

from bench import ours, stock
from bench.crew import Crew, Write, writing
from bench.rounds import Measured, Report, Slice, faster, interleaved, rates
from bench.samples import STATE_BYTES, Ahead, listings
from bench.server import server
from tsuzuri.domain.events import FacilityListed
from tsuzuri.eventlog.connecting import connect

MANY, TEN_WRITERS, BATCH, BATCHES = 8, 4, 1000, 10


@contextmanager
def saving(dsn: str, threads: int = 1, events_a_commit: int = 1) -> Iterator[Slice]:
    """Our slice: each thread saves so many events a commit."""
    with ours.opened_log(dsn, connections=threads) as log:
        size = len(ours.mapped(next(listings())).state)
        assert STATE_BYTES[0] <= size <= STATE_BYTES[1], f"a state of {size} bytes"

        def writer(events: Iterator[FacilityListed]) -> Write:
            def write() -> int:
                log.save(*islice(events, events_a_commit))
                return events_a_commit

            return write

        ahead = [Ahead(listings()) for _ in range(threads)]
        yield writing([writer(events) for events in ahead], ahead)


@contextmanager
def loading(dsn: str) -> Iterator[Slice]:
    """Our bulk: the same number of batches in every slice, so that its table and COPY's grow alike."""
    events = listings()
    with ours.opened_bulk(dsn) as (prepared, append):

        def run(_: float) -> Measured:
            writes = prepared(list(islice(events, BATCH * BATCHES)))
            began = time.monotonic()
            append(writes)
            return Measured(BATCH * BATCHES, began, time.monotonic())

        yield run


@contextmanager
def copying(dsn: str) -> Iterator[Slice]:
    """Raw COPY of what `loading` left in the same database; one slice of that is made now, to have some in hand.

    In binary, which is faster than text; `write_row` is as fast as packing rows in Python.
    """
    seen = dict.fromkeys(range(ours.PARTS), 0)
    waiting: deque[tuple[Any, ...]] = deque()
    with ours.opened_bulk(dsn) as (prepared, append):
        append(prepared(list(islice(listings(), BATCH * BATCHES))))

    with connect(dsn) as connection, connection.cursor(binary=True) as cursor:

        def read_on() -> None:
            for part, position in seen.items():
                rows = cursor.execute(
                    "SELECT * FROM event WHERE part = %b AND pos > %b ORDER BY pos", (part, position)
                ).fetchall()
                waiting.extend(rows)
                seen[part] += len(rows)  # positions in a part have no gaps

        def run(_: float) -> Measured:
            read_on()
            types = [column.type_code for column in cursor.description or ()]
            batches = [[waiting.popleft() for _ in range(BATCH)] for _ in range(BATCHES)]
            began = time.monotonic()
            for rows in batches:
                with cursor.copy("COPY raw_event FROM STDIN (FORMAT BINARY)") as copy:
                    copy.set_types(types)
                    for row in rows:
                        copy.write_row(row)
            return Measured(BATCH * BATCHES, began, time.monotonic())

        yield run


def prepare_bulk(dsn: str) -> None:
    """An empty log, and a table like its events, with the options that LIKE leaves out."""
    ours.prepare(dsn)
    with connect(dsn) as connection:
        connection.execute("CREATE TABLE raw_event (LIKE event INCLUDING ALL)")
        found = connection.execute("SELECT unnest(reloptions) FROM pg_class WHERE oid = 'event'::regclass")
        for (option,) in found.fetchall():
            connection.execute(f"ALTER TABLE raw_event SET ({option})".encode())


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--threads", action="store_true", help="8 writers as threads of one process")
    as_threads = arguments.parse_args().threads
    processes, threads = (1, MANY) if as_threads else (MANY, 1)
    with server() as postgres, ExitStack() as stack:
        library = stock.prepared(postgres.database("library"))
        log = postgres.database("log", ours.prepare)
        bulk = postgres.database("bulk", prepare_bulk)
        one_stock = stack.enter_context(Crew(stock.saving_one, library))
        crews: dict[str, Crew] = {
            "ours": Crew(saving, log),
            "ours, 8 writers": Crew(saving, log, threads, processes=processes),
            "library, 8 writers": Crew(stock.saving_one, library, threads, processes=processes),
            "ours, ten a commit": Crew(saving, log, 1, 10, processes=TEN_WRITERS),
            "bulk": Crew(loading, bulk),
            "raw COPY": Crew(copying, bulk),
        }
        slices = {name: stack.enter_context(crew) for name, crew in crews.items()}
        rounds = interleaved({"library": one_stock, **slices, "library again": one_stock})
    report = Report()
    report.control(rounds, "library", "library again")
    for name, over, under, bar in (
        ("one event a commit, 1 writer, over the library's", "ours", "library", 2.0),
        ("one event a commit, 8 writers, over the library's", "ours, 8 writers", "library, 8 writers", 2.5),
        ("ten events a commit, 4 writers, over single saves", "ours, ten a commit", "library", 15.0),
        ("bulk, over single saves", "bulk", "library", 60.0),
        ("bulk, over raw COPY", "bulk", "raw COPY", 0.5),
    ):
        report.claim(
            name,
            rounds,
            faster(over, under),
            at_least=bar,
            beside=rates(over, under),
        )
    report.end()


if __name__ == "__main__":
    main()
