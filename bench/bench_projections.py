"""Projections against the eventsourcing library's own ProjectionRunner, which writes the same rows of the same events.

The library commits each event with its tracking, as it comes; ours catches up in batches, and rebuilds by filling
tables that get their indexes last, by one process and by two. A rebuild is also held against merely reading what it
reads. Then: whether a larger log costs more for each event, how much memory it takes, and what appends and readers
feel of a rebuild beside them. Rows are our own `apply`'s on both sides.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from math import inf

from bench import ours
from bench.bench_append import saving
from bench.crew import Crew
from bench.projecting import (
    catching_up,
    copied,
    load_accesses,
    load_bundles,
    reading,
    rebuilding,
)
from bench.reading_beside import promoting, reading_records, rebuilding_on
from bench.rounds import Measured, Report, Round, Slice, faster, interleaved, milliseconds, of, rates
from bench.server import Server, server
from bench.stock_projections import STOCK_EVENTS, prepare_peer, projecting_stock

SMALL, LARGE = 100_000, 1_000_000  # access events
ROUNDS, SLICE_SECONDS, SIZE_ROUNDS = 4, 1.5, 1
APPEND_ROUNDS, APPEND_SECONDS, LEAD_SECONDS = 8, 2.0, 0.5
READ_ROUNDS, READS, ALONE = 5, 50_000, 0.2
PEAK_MB = 300


@dataclass(frozen=True)
class Kind:
    """One projection, and the logs it is measured on."""

    name: str
    load: Callable[[str, int], None]
    incremental: float  # the bars, over the library
    rebuild: float
    share: int  # of the number of access events: a log has so many times fewer of these


KINDS = (
    Kind("audit_trail", load_accesses, 40.0, 80.0, 1),
    Kind("record_index", load_bundles, 12.0, 20.0, 10),
)


def loaded(postgres: Server, kind: Kind, size: str, count: int) -> str:
    """A log of so many events."""
    dsn = postgres.database(f"{kind.name}_{size}", ours.prepare)
    began = time.monotonic()
    kind.load(dsn, count)
    print(f"{kind.name}, {size}: {count:,} events, loaded in {time.monotonic() - began:.0f} s", flush=True)
    return dsn


def against_the_library(postgres: Server, report: Report, kind: Kind, log: str) -> None:
    library = postgres.database(f"{kind.name}_library")
    prepare_peer(library, kind.name, copied(log, kind.name, STOCK_EVENTS))
    with ExitStack() as stack:
        catch_up = stack.enter_context(catching_up(log, kind.name))
        rounds = interleaved(
            {
                "library": stack.enter_context(Crew(projecting_stock, library, kind.name)),
                "catching up": catch_up,
                "catching up again": catch_up,
                "catching up, 2 processes": stack.enter_context(catching_up(log, kind.name, 2)),
                "rebuild": stack.enter_context(rebuilding(log, kind.name)),
                "rebuild, 2 processes": stack.enter_context(rebuilding(log, kind.name, 2)),
                "reading": stack.enter_context(Crew(reading, log, kind.name)),
            },
            rounds=ROUNDS,
            seconds=SLICE_SECONDS,
        )
    report.control(rounds, "catching up", "catching up again")
    caught_up, rebuilt = (_faster(rounds, what) for what in ("catching up", "rebuild"))
    for name, over, under, bar in (
        (f"{kind.name}, {caught_up}, over the library", caught_up, "library", kind.incremental),
        (f"{kind.name}, {rebuilt}, over the library", rebuilt, "library", kind.rebuild),
        (f"{kind.name}, {rebuilt}, over merely reading", rebuilt, "reading", 0.35),
        (f"{kind.name}, catching up, 2 processes over 1", "catching up, 2 processes", "catching up", 0.8),
        (f"{kind.name}, rebuild, 2 processes over 1", "rebuild, 2 processes", "rebuild", 0.8),
    ):
        report.claim(name, rounds, faster(over, under), at_least=bar, beside=rates(over, under))


def _faster(rounds: Sequence[Round], what: str) -> str:
    """By how many processes it was the faster in most rounds."""
    two = sum(r[f"{what}, 2 processes"].rate > r[what].rate for r in rounds)
    return f"{what}, 2 processes" if two * 2 > len(rounds) else what


def by_size(report: Report, kind: Kind, logs: dict[str, str]) -> None:
    """Whole logs from their first event to their last."""
    with ExitStack() as stack:
        slices: dict[str, Slice] = {}
        for size, dsn in logs.items():
            slices[f"catching up, {size}"] = stack.enter_context(catching_up(dsn, kind.name))
            slices[f"rebuild, {size}"] = stack.enter_context(rebuilding(dsn, kind.name))
        rounds = interleaved(slices, rounds=SIZE_ROUNDS, seconds=inf, forgotten=0)
    for what in ("catching up", "rebuild"):
        small, large = f"{what}, small", f"{what}, large"
        report.claim(
            f"{kind.name}, {what}: time of an event in the larger log, over the smaller",
            rounds,
            faster(small, large),
            at_most=1.3,
            beside=rates(small, large),
        )
        for size in (small, large):
            report.claim(
                f"{kind.name}, {size}: peak memory of the process, MB",
                rounds,
                of(size, lambda measured: measured.peak_mb),
                at_most=PEAK_MB,
                beside={"events": of(size, lambda measured: measured.events)},
            )


def appends_beside(report: Report, log: str, name: str) -> None:
    """One writer of 2 KB events, and a rebuild of the log it writes to, in the share of time it has by default."""
    share = ours.settings().rebuild_share
    with Crew(saving, log) as writer, Crew(rebuilding_on, log, name, share) as rebuild:
        rounds = interleaved(
            {"alone": writer, "beside": beside(writer, [rebuild])},
            rounds=APPEND_ROUNDS,
            seconds=APPEND_SECONDS,
        )
    report.claim(
        f"appends beside a rebuild of {name}, over appends alone",
        rounds,
        faster("beside", "alone"),
        at_least=0.8,
        beside={
            **rates("alone", "beside"),
            "rebuilt events/s": lambda r: r["beside"].rate_beside,
        },
    )


def beside(run: Slice, others: Sequence[Slice], *, lead: float = LEAD_SECONDS) -> Slice:
    """The slice while the others run, from a little before it to its end; the first one's rate is noted with it."""

    def measured(seconds: float) -> Measured:
        with ThreadPoolExecutor(len(others)) as pool:
            under_way = [pool.submit(other, lead + seconds) for other in others]
            time.sleep(lead)
            found = run(seconds)
            rate = under_way[0].result().rate
        return replace(found, rate_beside=rate)

    return measured


def reads_beside(report: Report, log: str) -> None:
    promotions: list[float] = []
    with (
        Crew(promoting, log, "record_index") as promote,
        Crew(reading_records, log) as readers,
        Crew(rebuilding_on, log, "record_index", ours.settings().rebuild_share) as rebuild,
    ):

        def promoted(seconds: float) -> Measured:
            found = promote(seconds)
            promotions.extend(found.waits)
            return found

        def alone(seconds: float) -> Measured:
            return readers(seconds * ALONE)

        busy = beside(readers, [rebuild, promoted])
        readers(2.0)
        seconds = 1.3 * READS / READ_ROUNDS / busy(5.0).rate  # no two looks at a busy machine are alike
        promotions.clear()
        rounds = interleaved(
            {"alone": alone, "beside": busy}, rounds=READ_ROUNDS, seconds=seconds, forgotten=0
        )
    report.claim(
        "p95 of a read beside a rebuild and promotions, over its p95 alone",
        rounds,
        lambda r: r["beside"].wait(0.95) / r["alone"].wait(0.95),
        at_most=1.5,
        beside={
            "p95 ms, alone": milliseconds("alone", 0.95),
            "beside": milliseconds("beside", 0.95),
            "slowest ms, alone": milliseconds("alone", 1.0),
            "slowest, beside": milliseconds("beside", 1.0),
            **rates("alone", "beside"),
            "rebuilt events/s": lambda r: r["beside"].rate_beside,
        },
    )
    reads, wrong = (sum(getattr(r["beside"], field) for r in rounds) for field in ("events", "wrong"))
    for name, figure, least, most in (
        ("reads beside it", reads, READS, None),
        ("promotions meanwhile", len(promotions), 30, None),
        ("reads that failed or showed only a part", wrong, None, 0),
    ):
        report.claim(
            name,
            rounds[:1],
            partial(_known, figure),
            at_least=least,
            at_most=most,
            beside={"of reads": lambda _: reads, "slowest promotion ms": lambda _: max(promotions) * 1000},
        )


def _known(figure: float, _: Round) -> float:
    """What is counted over all rounds is the same for each."""
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=SMALL, help="access events; Bundles are a tenth")
    parser.add_argument("--large", type=int, default=LARGE, help="access events; Bundles are a tenth")
    given = parser.parse_args()
    report = Report()
    with server() as postgres:
        small = {kind.name: loaded(postgres, kind, "small", given.small // kind.share) for kind in KINDS}
        for kind in KINDS:
            against_the_library(postgres, report, kind, small[kind.name])
        reads_beside(report, small["record_index"])
        for kind in KINDS:
            large = loaded(postgres, kind, "large", given.large // kind.share)
            by_size(report, kind, {"small": small[kind.name], "large": large})
        appends_beside(report, small["audit_trail"], "audit_trail")
    report.end()


if __name__ == "__main__":
    main()
