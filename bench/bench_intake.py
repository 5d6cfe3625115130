"""Bundles through all of intake, against a loop that does nothing but parse them with `fhir.resources.R4B`.

Ours is `tsuzuri ingest` from bytes in memory to durable events: the rules of CLINS 1.10, FHIR's shape, extraction,
matching, sealing, append, with as many readers as there are cores. The peer is one process and keeps nothing. Bundles
are the sample's, new ones in each slice; the ratio is told as a share of the number of cores.
"""

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from fhir.resources.R4B.bundle import Bundle

from bench import ours
from bench.crew import Crew
from bench.rounds import Measured, Report, Round, Slice, interleaved, rates
from bench.server import server
from tsuzuri.app.sample.generate import sample_bundles

CORES = os.cpu_count() or 1
BAR = 0.8
PATIENTS, ROUNDS = 90, 5  # of a slice: some six hundred Bundles
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
            began = time.monotonic()
            registered = intake(bodies)
            return Measured(len(bodies), began, time.monotonic(), wrong=len(bodies) - registered)

        yield run


@contextmanager
def parsing() -> Iterator[Slice]:
    """R4B alone, by its own parser."""
    seeds = itertools.count(_FIRST_PEER)

    def run(_: float) -> Measured:
        bodies = sample(next(seeds))
        began = time.monotonic()
        for body in bodies:
            Bundle.model_validate_json(body)
        return Measured(len(bodies), began, time.monotonic())

    yield run


def main() -> None:
    with server() as postgres, ExitStack() as stack:
        dsn = postgres.database("intake", ours.prepare)
        intake = stack.enter_context(taking_in(dsn))  # in this process: it starts readers of its own
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
    report.end()


if __name__ == "__main__":
    main()
