"""Any two checkpoints of a log: that the later goes on from the earlier is proven; a forged proof of it never is."""

import asyncio
import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from psycopg import AsyncConnection

from checkpoint_examples import KEY, an_access, maker_at
from log_examples import an_owner, opened_log, save
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from tsuzuri.eventlog.proofs.bundles import ConsistencyProven, verify
from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proofs.notes import encoded
from tsuzuri.eventlog.proving import Prover

PAIRS, HEADS, EVENTS_MAX = 10_000, 200, 60
Verify = Callable[[Any], Any]


def forged(proof: Any, random: Random) -> Any:
    """The same with one thing changed that somebody would gain by."""
    false = copy.deepcopy(proof)
    paths = [path for path in (false["path"], *false["partPaths"]) if path]
    grown = [part for part in false["from"]["parts"] if part["size"]]
    match random.randrange(6):
        case 0 if paths:
            path = random.choice(paths)
            path[random.randrange(len(path))] = encoded(random.randbytes(32))
        case 1 if paths:
            random.choice(paths).pop()
        case 2:
            random.choice([false["path"], *false["partPaths"]]).append(encoded(random.randbytes(32)))
        case 3 if grown:
            random.choice(grown)["root"] = encoded(random.randbytes(32))
        case 4 if grown:
            random.choice(grown)["size"] -= 1
        case _:
            false["from"]["head"]["events"] = encoded(random.randbytes(32))
    return false


def checked(proof: Any) -> ConsistencyProven:
    proven = verify(proof, KEY.public)
    assert isinstance(proven, ConsistencyProven)
    return proven


async def compared(dsn: str, pairs: int, heads: int, seed: str, check: Verify) -> list[str]:
    random, faults = Random(seed), list[str]()
    async with await AsyncConnection.connect(dsn) as connection:
        for _ in range(pairs):
            first, second = sorted(random.choices(range(1, heads + 1), k=2))
            proof = json.loads(json.dumps(await Prover(connection).consistency(first, second)))
            try:
                check(proof)
            except ProofFails as fault:
                faults.append(f"{first} and {second} were not proven: {fault}")
            try:
                check(forged(proof, random))
            except ProofFails:
                continue
            faults.append(f"a forged proof of {first} and {second} was believed")
    return faults


def _tormented(check: Verify) -> Callable[[Path, float], Outcome]:
    def run(folder: Path, share: float) -> Outcome:
        seed = os.environ.get("TSUZURI_SEED") or str(Random().randrange(10**9))
        random = Random(seed)
        heads, pairs = max(12, round(HEADS * share)), round(PAIRS * share)
        with fresh_log(folder) as dsn:
            maker = maker_at(dsn, folder / "published")
            with opened_log(dsn) as log:
                for _ in range(heads):
                    owners = [an_owner(random.randrange(40)) for _ in range(random.randrange(EVENTS_MAX))]
                    if owners:
                        save(log, *[an_access(owner) for owner in owners])
                    maker.make()
            faults = asyncio.run(compared(dsn, pairs, heads, seed, check))
        return Outcome(f"{pairs:,} pairs of {heads} checkpoints and as many forged (seed {seed})", faults)

    return run


def _without_the_parts(proof: Any) -> None:
    """A check that asks for no more than that the heads go on: what lies under them it never looks at."""
    parts = proof["from"]["parts"]
    same = {**proof, "partPaths": [[] for _ in parts], "from": proof["to"], "path": []}
    verify(same | {"to": proof["to"]}, KEY.public)


TORTURE = Torture(
    "consistent pairs",
    _tormented(checked),
    {
        "only the later checkpoint is looked at": lambda folder, _: _tormented(_without_the_parts)(
            folder, 0.01
        )
    },
)
