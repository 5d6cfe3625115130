"""Twenty thousand random documents, each answered by ordinary execution and by its plan: the same bytes.

A document is asked by somebody whom it fits, at one moment, of a world in which everything has happened that can be
read. Compared are the response as it is sent, and all that would be recorded of the read: what was asked for and
shown, under which decision, and the digest of the answer. What a plan does not answer, ordinary execution does; how
often is told too, and which fields and arguments the fewest compiled documents asked for.
"""

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

from torture.both_ways import Way
from torture.comparing_documents import SURFACE, Compared, Comparing
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Run, Torture
from torture.read_surface import coordinate
from torture.read_world import Inhabited, inhabited
from torture.veiled_worlds import opened
from torture.wrong_answers import CONTROLS, as_planned

DOCUMENTS = 20_000
AT_ONCE = 1_000  # by one process, with one seed
COMPILED_MIN = 0.95
COVERED_MIN = 50  # compiled documents, for each field and each argument
LEAST_SHOWN = 5
SHRINKS = 3
CONTROLLED = 0.02  # of the documents
PROCESSES = os.cpu_count() or 1


async def _made(folder: Path, dsn: str) -> Inhabited:
    async with opened(folder, dsn) as world:
        return await inhabited(world)


def _compared(
    folder: Path, dsn: str, found: Inhabited, make: Callable[[], Way], shrinks: int, seed: str, documents: int
) -> Compared:
    """In a process of its own. Nothing is recorded, so all processes ask one world."""

    async def inside() -> Compared:
        async with opened(folder, dsn) as world:
            return await Comparing(world, found, seed, make(), shrinks=shrinks).compare(documents)

    return asyncio.run(inside())


def tormented(folder: Path, share: float, make: Callable[[], Way], shrinks: int = 0) -> Outcome:
    seed = os.environ.get("TSUZURI_SEED") or str(Random().randrange(10**9))
    documents = round(DOCUMENTS * share)
    batches = [min(AT_ONCE, documents - start) for start in range(0, documents, AT_ONCE)]
    found = Compared()
    with fresh_log(folder) as dsn:
        there = asyncio.run(_made(folder, dsn))
        spawned = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(PROCESSES, len(batches)), mp_context=spawned) as pool:
            compare = partial(_compared, folder, dsn, there, make, shrinks)
            for told in pool.map(compare, [f"{seed}/{n}" for n in range(len(batches))], batches):
                found.add(told)
    return Outcome(_done(found, seed), [*found.faults, *(_too_little(found) if share >= 1 else ())])


def _done(found: Compared, seed: str) -> str:
    surface = coordinates()
    least = sorted(surface, key=lambda one: found.covered[one])[:LEAST_SHOWN]
    untold = [one for one in surface if "(" not in one and not found.told[one]]
    shares = [part / found.documents for part in (found.compiled, found.with_errors, found.refused)]
    given_up = ", ".join(f"{one} {times}" for one, times in found.given_up.most_common(LEAST_SHOWN))
    return (
        f"{found.documents:,} documents (seed {seed}), {shares[0]:.1%} compiled, {shares[1]:.1%} with errors,"
        f" {shares[2]:.1%} refused; left to ordinary execution without an error: {given_up or 'none'};"
        f" {len(surface)} fields and arguments, the least compiled: "
        + ", ".join(f"{one} {found.covered[one]}" for one in least)
        + f"; in no answer: {', '.join(untold[:LEAST_SHOWN]) or 'none'}"
    )


def coordinates() -> list[str]:
    """Every field and every argument that a query can name."""
    return [coordinate(*one) for one in SURFACE.reached(frozenset(SURFACE.root.fields))]


def _too_little(found: Compared) -> list[str]:
    faults = [
        f"only {found.covered[one]} compiled documents ask for {one}"
        for one in coordinates()
        if found.covered[one] < COVERED_MIN
    ]
    if found.compiled < COMPILED_MIN * found.documents:
        faults.append(f"only {found.compiled:,} of {found.documents:,} documents were compiled")
    return faults


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, share, as_planned, SHRINKS)


def _control(make: Callable[[], Way]) -> Run:
    return lambda folder, share: tormented(folder, min(share, CONTROLLED), make)


TORTURE = Torture("compiled-documents", run, {name: _control(make) for name, make in CONTROLS.items()})
