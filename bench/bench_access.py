"""Access events of many concurrent readers, each durable before its answer leaves, against the library's recorder.

32 callers in one event loop, as the server has them: each awaits its access event, one at a time, under the guard that
nothing narrowed the patient's sight. The library saves events of the same content with 1, 4, 8 and 16 threads, and
each round takes the number that served it best. What a caller waits may vary, but not by much: the last line.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from itertools import cycle
from uuid import uuid4

import uvloop

from bench import ours, stock
from bench.crew import Crew
from bench.rounds import Measured, Report, Round, Slice, interleaved, milliseconds, rates
from bench.samples import STATE_BYTES, Ahead, access
from bench.server import server
from tsuzuri.domain.events import AccessPermitted
from tsuzuri.eventlog.appending import Beside, Guard
from tsuzuri.eventlog.log import EventLog

CALLERS, PATIENTS, THREADS = 32, 1000, (1, 4, 8, 16)


@contextmanager
def reading(dsn: str) -> Iterator[Slice]:
    """Our slice: the callers' events go to the logs of a thousand patients in turn."""
    sample = ours.mapped(access(uuid4()))
    size = len(sample.state) + len(sample.apart or b"")
    assert STATE_BYTES[0] <= size <= STATE_BYTES[1], f"a state of {size} bytes"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = AsyncExitStack()
        log: EventLog = runner.run(stack.enter_async_context(ours.opened_event_log(dsn)))
        guards = runner.run(ours.narrowed_patients(log, PATIENTS))
        ahead = Ahead((guard, access(guard.patient)) for guard in cycle(guards))

        def run(seconds: float) -> Measured:
            ahead.make()
            return runner.run(_callers(log, ahead, seconds))

        try:
            yield run
        finally:
            runner.run(stack.aclose())


async def _callers(
    log: EventLog, accesses: Iterator[tuple[Guard, AccessPermitted]], seconds: float
) -> Measured:
    waits: list[float] = []
    began = time.monotonic()

    async def caller() -> None:
        while (before := time.monotonic()) < began + seconds:
            guard, permitted = next(accesses)
            await log.append_access([permitted], Beside(guards=[guard]))
            waits.append(time.monotonic() - before)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return Measured(len(waits), began, time.monotonic(), waits)


def main() -> None:
    with server() as postgres, ExitStack() as stack:
        library = stock.prepared(postgres.database("library"))
        log = postgres.database("log", ours.prepare)
        peers = {f"library, {threads} threads": threads for threads in THREADS}
        slices = {
            name: stack.enter_context(Crew(stock.saving_accesses, library, threads))
            for name, threads in peers.items()
        }
        grouped = stack.enter_context(Crew(reading, log))
        rounds = interleaved({"ours": grouped, **slices, "ours again": grouped})

    def over_the_best(r: Round) -> float:
        return r["ours"].rate / max(r[peer].rate for peer in peers)

    report = Report()
    report.control(rounds, "ours", "ours again")
    report.claim(
        f"access events, {CALLERS} callers, over the library's at its best",
        rounds,
        over_the_best,
        at_least=8.0,
        beside=rates("ours", *peers),
    )
    report.claim(
        "p99 of one access event, over its p50",
        rounds,
        lambda r: r["ours"].wait(0.99) / r["ours"].wait(0.5),
        at_most=3.0,
        beside={
            f"{name} ms": milliseconds("ours", share)
            for name, share in {"p50": 0.5, "p95": 0.95, "p99": 0.99}.items()
        },
    )
    report.end()


if __name__ == "__main__":
    main()
