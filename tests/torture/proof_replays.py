"""Proofs of possession shown again: each to two processes on one database at once.

Of each proof one showing is taken, never two, and never none.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from secrets import token_bytes

from log_examples import logins
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from torture.served import FORK
from tsuzuri.app.proofs import Proof
from tsuzuri.app.proofs_seen import ProofsSeen

TIMES, PROCESSES, AT_ONCE = 1_000, 2, 8


class Forgetful(ProofsSeen):
    """What must not be: each process remembers for itself."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[Proof] = set()

    async def first(self, proof: Proof) -> bool:
        new = proof not in self._seen
        self._seen.add(proof)
        return new


def taken(kind: Callable[[], ProofsSeen], dsn: str, proofs: Sequence[Proof]) -> list[bool]:
    """In a process of its own: which of the proofs it took."""

    async def inside() -> list[bool]:
        seen, room = kind(), asyncio.Semaphore(AT_ONCE)

        async def one(proof: Proof) -> bool:
            async with room:
                return await seen.first(proof)

        async with seen.opened(logins(dsn)):
            return await asyncio.gather(*map(one, proofs))

    return asyncio.run(inside())


def times_taken(kind: Callable[[], ProofsSeen], dsn: str, number: int) -> list[int]:
    """How often each of *number* proofs was taken that were shown to every process."""
    proofs = [Proof(token_bytes(32)) for _ in range(number)]
    with ProcessPoolExecutor(PROCESSES, FORK) as processes:
        shown = [processes.submit(taken, kind, dsn, proofs) for _ in range(PROCESSES)]
        return [sum(each) for each in zip(*(one.result() for one in shown), strict=True)]


def run(kind: Callable[[], ProofsSeen], folder: Path, share: float) -> Outcome:
    with fresh_log(folder) as dsn:
        times = times_taken(kind, dsn, max(1, round(TIMES * share)))
    twice, never = sum(number > 1 for number in times), times.count(0)
    faults = [f"{twice} proofs were taken by more than one process"] if twice else []
    faults += [f"{never} proofs were taken by none"] if never else []
    return Outcome(f"{len(times)} proofs shown to {PROCESSES} processes at once", faults)


TORTURE = Torture(
    "proof_replays",
    partial(run, ProofsSeen),
    {"each process remembers for itself": partial(run, Forgetful)},
)
