"""Bundles through all of intake, against a loop that does nothing but parse them with `fhir.resources.R4B`.

Ours is `tsuzuri ingest` from bytes in memory to durable events: the rules of CLINS 1.10, FHIR's shape, extraction,
matching, sealing, append, with as many readers as there are cores. The peer is one process and keeps nothing. Bundles
are the sample's, new ones in each slice; the ratio is told as a share of the number of cores. What others do on the
machine comes off ours alone, since the peer needs one core and we need all: so the CPU of a Bundle is told too.
"""

import itertools
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from fhir.resources.R4B.bundle import Bundle

from bench import ours
from bench.crew import Crew
from bench.rounds import Measured, Report, Round, Slice, interleaved, of, rates
from bench.server import cpu_nanoseconds, server, with_server_cpu
from tsuzuri.app.sample.generate import sample_bundles

CORES = os.cpu_count() or 1
BAR = 0.8
PATIENTS, ROUNDS = (
    250,
    5,
)  # of a slice: some eighteen hundred Bundles, so that its first and last windows count little
_FIRST_PEER = 1_000_000  # seeds of the peer, so that no two slices have a Bundle in common


def sample(seed: int) -> list[bytes]:
    return [bundle.body for bundle in sample_bundles(PATIENTS, seed)]


@contextmanager
def taking_in(dsn: str) -> Iterator[Slice]:
    """Everything from received bytes to durable events."""
    seeds = itertools.count(1)
    with ours.opened_intake(dsn, CORES) as intake:

        def run(_: float) -> Measured:
            bodies = sample(next(seeds))
            began, began_cpu = time.monotonic(), _cpu_seconds()
            registered = intake(bodies)
            ended, cpu = time.monotonic(), _cpu_seconds() - began_cpu
            return Measured(len(bodies), began, ended, client_cpu=cpu, wrong=len(bodies) - registered)

        yield run


def _cpu_seconds() -> float:
    """What this process and its readers have used so far. The peer is still while intake runs."""
    readers = sum(cpu_nanoseconds(child.pid) for child in multiprocessing.active_children() if child.pid)
    return time.process_time() + readers / 1e9


@contextmanager
def parsing() -> Iterator[Slice]:
    """R4B alone, by its own parser."""
    seeds = itertools.count(_FIRST_PEER)

    def run(_: float) -> Measured:
        bodies = sample(next(seeds))
        began, began_cpu = time.monotonic(), time.process_time()
        for body in bodies:
            Bundle.model_validate_json(body)
        cpu = time.process_time() - began_cpu
        return Measured(len(bodies), began, time.monotonic(), client_cpu=cpu)

    yield run


def main() -> None:
    with server() as postgres, ExitStack() as stack:
        dsn = postgres.database("intake", ours.prepare)
        taken_in = stack.enter_context(taking_in(dsn))  # in this process: it starts readers of its own
        intake = with_server_cpu(postgres, taken_in)
        peer = stack.enter_context(Crew(parsing))
        rounds = interleaved({"intake": intake, "R4B": peer, "R4B again": peer}, rounds=ROUNDS)

    report = Report()
    report.control(rounds, "R4B", "R4B again")

    def share(r: Round) -> float:
        return r["intake"].rate / r["R4B"].rate / CORES

    report.claim(
        f"Bundles through intake on {CORES} cores, over parsing with R4B on one, a core",
        rounds,
        share,
        at_least=BAR,
        beside=rates("intake", "R4B") | {"not taken": lambda r: float(r["intake"].wrong)},
    )
    report.claim(
        "CPU of a Bundle through intake, over parsing with R4B",
        rounds,
        lambda r: r["intake"].cpu_of_one / r["R4B"].cpu_of_one,
        beside={
            "CPU us, intake": of("intake", lambda m: m.cpu_of_one * 1e6),
            "in the server": of("intake", lambda m: m.server_cpu / m.events * 1e6),
            "R4B": of("R4B", lambda m: m.cpu_of_one * 1e6),
        },
    )
    report.end()


if __name__ == "__main__":
    main()
