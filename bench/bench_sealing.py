"""What the seals of an event cost (its encryption and its leaf hash), and what a bulk load costs everybody else.

The same append runs with the seals and without them: in a database of its own, whose leaf hash is a constant, and
sealed by a function that compresses and does not encrypt. CPU is that of client and server together.
Then single appends, one each 10 ms, are timed alone and while another process loads events in bulk as fast as it can.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice

from bench import ours
from bench.crew import Crew, writing
from bench.rounds import Measured, Report, Round, Slice, interleaved
from bench.samples import Ahead, listings
from bench.server import server, with_server_cpu

PACE_SECONDS, PACED_SECONDS, LEAD_SECONDS = 0.01, 1.2, 0.3
LOADED_AT_ONCE = 10_000


@contextmanager
def append_sealed(dsn: str) -> Iterator[Slice]:
    """One event a commit, as ever."""
    events = Ahead(listings())
    with ours.opened_log(dsn) as log:
        yield writing([lambda: len(log.save(next(events)))], [events])


@contextmanager
def append_clear(dsn: str) -> Iterator[Slice]:
    """The same without encryption and leaf hash."""
    events = Ahead(listings())
    with ours.opened_clear_log(dsn) as log:
        yield writing([lambda: len(log.save(next(events)))], [events])


@contextmanager
def appending_now_and_then(dsn: str) -> Iterator[Slice]:
    """An append each 10 ms, or at once when the one before took longer."""
    events = listings()
    with ours.opened_log(dsn) as log:

        def run(seconds: float) -> Measured:
            waits = []
            began = due = time.monotonic()
            while due < began + seconds:
                time.sleep(max(0.0, due - time.monotonic()))
                before = time.monotonic()
                log.save(next(events))
                after = time.monotonic()
                waits.append(after - before)
                due = max(due + PACE_SECONDS, after)
            return Measured(len(waits), began, time.monotonic(), waits)

        yield run


@contextmanager
def loading(dsn: str) -> Iterator[Slice]:
    """A bulk load from events to commits: it maps and seals in the time it is given."""
    events = listings()
    with ours.opened_load(dsn) as load:

        def load_some() -> int:
            load(list(islice(events, LOADED_AT_ONCE)))
            return LOADED_AT_ONCE

        yield writing([load_some])


def beside_a_load(run: Slice, load: Callable[[float], Measured]) -> Slice:
    """The slice while *load* runs, from a little before it to its end."""

    def measured(seconds: float) -> Measured:
        with ThreadPoolExecutor(1) as other:
            loading = other.submit(load, LEAD_SECONDS + seconds)
            time.sleep(LEAD_SECONDS)
            found = run(seconds)
            loaded = loading.result()
        return replace(found, rate_beside=loaded.rate)

    return measured


def main() -> None:
    with server() as postgres, ExitStack() as stack:
        log = postgres.database("log", ours.prepare)
        clear = postgres.database("clear", ours.prepare_clear)
        sealed = with_server_cpu(postgres, stack.enter_context(Crew(append_sealed, log)))
        unsealed = with_server_cpu(postgres, stack.enter_context(Crew(append_clear, clear)))
        costs = interleaved(  # both twice, so that both logs grow alike
            {"sealed": sealed, "clear": unsealed, "sealed again": sealed, "clear again": unsealed}
        )
        paced = stack.enter_context(Crew(appending_now_and_then, log))
        load = stack.enter_context(Crew(loading, log))
        busy = interleaved({"idle": paced, "loaded": beside_a_load(paced, load)}, seconds=PACED_SECONDS)

    report = Report()
    report.control(costs, "sealed", "sealed again", lambda measured: measured.cpu_of_one)

    def share(r: Round) -> float:
        clear = r["clear"].cpu_of_one + r["clear again"].cpu_of_one
        return 1 - clear / (r["sealed"].cpu_of_one + r["sealed again"].cpu_of_one)

    report.claim(
        "encryption and leaf hash, share of an append's CPU",
        costs,
        share,
        at_most=0.2,
        beside={
            "CPU us, sealed": lambda r: r["sealed"].cpu_of_one * 1e6,
            "clear": lambda r: r["clear"].cpu_of_one * 1e6,
            "in the client, sealed": lambda r: r["sealed"].client_cpu / r["sealed"].events * 1e6,
            "in the client, clear": lambda r: r["clear"].client_cpu / r["clear"].events * 1e6,
        },
    )
    report.claim(
        "p95 of an append beside a bulk load, over its p95 alone",
        busy,
        lambda r: r["loaded"].wait(0.95) / r["idle"].wait(0.95),
        at_most=2.0,
        beside={
            "p95 ms, alone": lambda r: r["idle"].wait(0.95) * 1000,
            "beside the load": lambda r: r["loaded"].wait(0.95) * 1000,
            "p50 ms, alone": lambda r: r["idle"].wait(0.5) * 1000,
            "beside it": lambda r: r["loaded"].wait(0.5) * 1000,
            "loaded events/s": lambda r: r["loaded"].rate_beside,
        },
    )
    report.end()


if __name__ == "__main__":
    main()
