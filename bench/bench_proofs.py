"""What proofs cost: appends beside a checkpoint maker, a proof of one event of a million, a check of all of them.

Access events of 32 concurrent readers go to two logs in turn, ten seconds each. Beside one of them a maker takes on,
each ten seconds, what was appended in the ten before, signs and publishes it. Then events of a log of a million are
proven one by one, and all are checked by `tsuzuri audit verify`, whose memory is held against that for a tenth.
"""

import asyncio
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from bench import ours
from bench.bench_access import CALLERS, reading
from bench.crew import Crew
from bench.rounds import Measured, Report, Round, Slice, interleaved, rates
from bench.samples import access
from bench.server import Server, server
from tsuzuri.domain.events import AccessPermitted
from tsuzuri.eventlog.proofs.bundles import verify
from tsuzuri.eventlog.proving import Prover

SECONDS, ROUNDS = 10.0, 4
EVENTS, TENTH, PATIENTS, BATCH = 1_000_000, 100_000, 20_000, 20_000
PROOFS = 500


@contextmanager
def signing(dsn: str, folder: str) -> Iterator[Slice]:
    """One head over what was appended since the last."""
    maker = ours.checkpoint_maker(dsn, Path(folder))

    def run(_: float) -> Measured:
        began = time.monotonic()
        made = maker.make(events_max=EVENTS)
        return Measured(0 if made is None else made.events, began, time.monotonic())

    yield run


def beside(appending: Slice, making: Slice) -> Slice:
    """The appends, while a head is made."""

    def run(seconds: float) -> Measured:
        thread = threading.Thread(target=making, args=(seconds,))
        thread.start()
        done = appending(seconds)
        thread.join()
        return done

    return run


def appends(postgres: Server, report: Report) -> None:
    logs = {name: postgres.database(name, ours.prepare) for name in ("with", "without")}
    with ExitStack() as stack:
        opened = {name: stack.enter_context(Crew(reading, dsn)) for name, dsn in logs.items()}
        maker = stack.enter_context(Crew(signing, logs["with"], str(postgres.folder / "published")))
        variants: dict[str, Slice] = {
            "with": beside(opened["with"], maker),
            "without": opened["without"],
            "without again": opened["without"],
        }
        rounds = interleaved(variants, rounds=ROUNDS, seconds=SECONDS)
    report.control(rounds, "without", "without again")
    report.claim(
        f"appends of {CALLERS} readers, with trees and checkpoints over without",
        rounds,
        lambda r: 2 * r["with"].rate / (r["without"].rate + r["without again"].rate),
        at_least=0.9,
        beside=rates("with", "without", "without again"),
    )


def accesses(patients: list[UUID], number: int) -> Iterator[AccessPermitted]:
    for patient in random.choices(patients, k=number):
        event = access(patient)
        yield replace(event, audit=replace(event.audit, variables="{}"))


def load(dsn: str, patients: list[UUID], number: int) -> None:
    with ours.opened_load(dsn) as append:
        made = accesses(patients, number)
        while events := list(islice(made, BATCH)):
            append(events)


@dataclass(frozen=True)
class Proven:
    """One proof: how long it took to make and to check, in milliseconds, and how many hashes are in it."""

    made: float
    checked: float
    hashes: int


async def proofs(dsn: str, number: int) -> list[Proven]:
    public = ours.checkpoint_key().public
    found = []
    async with await AsyncConnection.connect(ours.reader(dsn), autocommit=True) as connection:
        prover = Prover(connection)
        parts = (await prover.newest()).parts
        for _ in range(number):
            part = random.choice([one for one in parts if one.size])
            began = time.perf_counter()
            proof = await prover.event(part.part, random.randrange(part.size) + 1)
            text = json.dumps(proof)
            made = time.perf_counter()
            verify(json.loads(text), public)
            ended = time.perf_counter()
            hashes = len(proof["path"]) + len(proof["partPath"]) + len(proof["head"]["path"])
            found.append(Proven((made - began) * 1000, (ended - made) * 1000, hashes))
    return found


def whole(dsn: str, file: Path) -> Measured:
    """As an auditor checks it: in a process of its own, with the public key alone."""
    ours.write_log(dsn, file)
    key = ours.checkpoint_key().public.text()
    code = (
        "import resource, sys; sys.argv = ['tsuzuri', *sys.argv[1:]]\n"
        "from tsuzuri.app.cli import main\n"
        "try: main()\n"
        "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, "audit", "verify", str(file), "--key", key],
        capture_output=True,
        text=True,
        check=True,
    )
    ended = time.monotonic()
    assert done.stdout.startswith("PROVEN: all "), done.stdout
    events = int(done.stdout.split()[2].replace(",", ""))
    file.unlink()
    return Measured(events, began, ended, peak_mb=int(done.stderr.split()[-1]) / 1024)


def million(postgres: Server, report: Report) -> None:
    dsn, patients = postgres.database("million", ours.prepare), [uuid4() for _ in range(PATIENTS)]
    maker = ours.checkpoint_maker(dsn, postgres.folder / "million")
    load(dsn, patients, TENTH)
    maker.make(events_max=EVENTS)
    tenth = whole(dsn, postgres.folder / "tenth.log")
    load(dsn, patients, EVENTS - TENTH)
    while (made := maker.make()) is not None and not made.whole:
        pass
    found = asyncio.run(proofs(dsn, PROOFS))
    for name, bar, figures in (
        ("a proof of one event of 1,000,000, made, ms, p95", 5.0, [one.made for one in found]),
        ("the same, checked, ms, p95", 5.0, [one.checked for one in found]),
        ("the same, hashes, at most", 64.0, [float(one.hashes) for one in found]),
    ):
        report.claim(
            name, [{}], _share(figures, 1.0 if "most" in name else 0.95), at_most=bar, beside=_beside(figures)
        )
    all_of_it = whole(dsn, postgres.folder / "million.log")
    rounds: list[Round] = [{"tenth": tenth, "all": all_of_it}]
    report.claim(
        "memory of a check of 1,000,000 events over that of 100,000",
        rounds,
        lambda r: r["all"].peak_mb / r["tenth"].peak_mb,
        at_most=1.3,
        beside={
            "MB": lambda r: r["all"].peak_mb,
            "MB, 100,000": lambda r: r["tenth"].peak_mb,
            **rates("all"),
        },
    )


def _share(figures: list[float], share: float) -> Any:
    ordered = sorted(figures)
    return lambda _: ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _beside(figures: list[float]) -> dict[str, Any]:
    return {"p50": _share(figures, 0.5), "p99": _share(figures, 0.99)}


def main() -> None:
    report = Report()
    with server() as postgres:
        appends(postgres, report)
        million(postgres, report)
    report.end()


if __name__ == "__main__":
    main()
