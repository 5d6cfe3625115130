"""Reads over GraphQL against PostGraphile on the same tables, and against PostgreSQL with nobody before it.

PostGraphile asks for no consent and records nothing. We are measured so, too ("off": see unguarded.py), and as we are:
consent asked at each read, and the access durable in the log before the answer leaves. Answers are compared before
anything is timed. --quick: little data and one short round, to see that all of it works.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from bench.answers import AnswersDiffer, check_equal
from bench.pgbench import SameSqlFailed, limit, statements
from bench.postgraphile import PeerMissing, install, postgraphile
from bench.reading_controls import check_controls
from bench.reading_data import Installation, reading_server
from bench.reading_queries import PUBLISHED, QUERIES, WITH_CURSORS, Asking, Query
from bench.reading_rows import Scale
from bench.reading_servers import ours
from bench.reading_slices import Answered, answering
from bench.rounds import Figure, Report, Round, Slice, faster, interleaved, of
from bench.server import REAL_DISK
from bench.wrk import AnswersWrong, WrkMissing, wrk
from tsuzuri.projections import audit_trail

PEER, OFF, ON, LIMIT = "PostGraphile", "off", "ours", "pgbench"
OFF_BARS = {"Q1": 3.5, "Q2": 3.5, "Q3": 3.5, "Q4": 2.0, "Q5": 4.0}
ON_QUERIES, ON_BAR, LIMIT_BAR = ("Q1", "Q2", "Q3"), 2.0, 0.6
OTHER_CONNECTIONS = (1, 64)


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    large: Scale
    small: Scale
    rounds: int
    forgotten: int
    seconds: float
    compared: int  # patients, whose answers are compared


FULL = Size(Scale(1_000_000), Scale(50_000), rounds=3, forgotten=1, seconds=3, compared=20)
QUICK = Size(Scale(10_000), Scale(5_000), rounds=1, forgotten=0, seconds=1, compared=3)


class ReadingRun:
    """One run: what is measured, of what, and the report of it."""

    def __init__(self, size: Size, folder: Path, report: Report):
        self.size, self.folder, self.report = size, folder, report

    def rounds(self, variants: Mapping[str, Slice], rounds: int | None = None) -> list[Round]:
        size = self.size
        return interleaved(
            variants, rounds=rounds or size.rounds, seconds=size.seconds, forgotten=size.forgotten
        )

    def compare(self, installation: Installation) -> None:
        """Points 1 and 2: against PostGraphile, and against the statements themselves."""
        with ExitStack() as stack:
            peer = Asking(installation, stack.enter_context(postgraphile(installation)), peer=True)
            off = Asking(installation, stack.enter_context(ours(installation, "--unguarded")))
            on = Asking(installation, stack.enter_context(ours(installation)))
            for query in (*QUERIES.values(), WITH_CURSORS):
                _compared(peer, off, on, query, self.size.compared)
            timeline = QUERIES["Q1"]
            check_controls(self.folder, off.answer(timeline, off.bodies(timeline)[0]))
            print(f"{self.size.compared} patients' answers to each query are equal", flush=True)
            for key, query in QUERIES.items():
                try:
                    self._one_query(key, query, peer, off, on)
                except (AnswersWrong, SameSqlFailed) as error:
                    self.report.unmeasured(query.name, error)
            self._beside(installation, peer, on)

    def _one_query(self, key: str, query: Query, peer: Asking, off: Asking, on: Asking) -> None:
        installation = on.installation
        variants = {
            PEER: answering(peer, query, self.folder),
            OFF: answering(off, query, self.folder),
        }
        if key == "Q1":
            variants[f"{PEER} again"] = variants[PEER]
        if key in ON_QUERIES:
            scripts = statements(installation, query)
            variants[ON] = answering(on, query, self.folder, after=partial(_caught_up, installation))
            variants[LIMIT] = limit(installation, scripts, self.folder)
        rounds = self.rounds(variants)
        claim = self.report.claim
        if key == "Q1":
            self.report.control(rounds, PEER, f"{PEER} again")
        claim(
            f"{query.name}, consent and audit off, over PostGraphile",
            rounds,
            faster(OFF, PEER),
            at_least=OFF_BARS[key],
            beside=_figures(OFF, PEER),
        )
        if key not in ON_QUERIES:
            return
        claim(
            f"{query.name}, consent and audit off, over pgbench running the same SQL",
            rounds,
            faster(OFF, LIMIT),
            at_least=LIMIT_BAR,
            beside={f"requests/s, {LIMIT}": of(LIMIT, lambda measured: measured.rate)},
        )
        claim(
            f"{query.name}, with consent and audit, over PostGraphile",
            rounds,
            faster(ON, PEER),
            at_least=ON_BAR,
            beside=_figures(ON, PEER),
        )
        claim(
            f"{query.name}, with consent and audit, p99 over PostGraphile's",
            rounds,
            lambda measured: _answered(measured[ON]).p99 / _answered(measured[PEER]).p99,
            at_most=1.0,
            beside={f"{name} p99 ms": of(name, lambda one: _answered(one).p99 * 1000) for name in (ON, PEER)},
        )

    def _beside(self, installation: Installation, peer: Asking, on: Asking) -> None:
        """Figures without a bar: other numbers of connections, a projector at work beside, a cursor for each entry."""
        after = partial(_caught_up, installation)
        for key in ON_QUERIES:
            query = QUERIES[key]
            for connections in OTHER_CONNECTIONS:
                rounds = self.rounds(
                    {
                        PEER: answering(peer, query, self.folder, connections=connections),
                        ON: answering(on, query, self.folder, connections=connections, after=after),
                    },
                    rounds=1,
                )
                name = f"{query.name}, with consent and audit, {connections} connections"
                self.report.claim(name, rounds, faster(ON, PEER), beside=_figures(ON, PEER))
        rounds = self.rounds(
            {
                PEER: answering(peer, WITH_CURSORS, self.folder),
                ON: answering(on, WITH_CURSORS, self.folder, after=after),
            },
            rounds=1,
        )
        name = f"{WITH_CURSORS.name}, with consent and audit"
        self.report.claim(name, rounds, faster(ON, PEER), beside=_figures(ON, PEER))
        with ours(installation, "--projecting") as served:
            projecting = Asking(installation, served)
            for key in ON_QUERIES:
                query = QUERIES[key]
                rounds = self.rounds(
                    {
                        PEER: answering(peer, query, self.folder),
                        ON: answering(projecting, query, self.folder),
                    },
                    rounds=1,
                )
                name = f"{query.name}, with consent and audit, while a projector applies the accesses"
                self.report.claim(name, rounds, faster(ON, PEER), beside=_figures(ON, PEER))
        installation.catch_up()

    def ready_summary(self, installation: Installation) -> None:
        """Point 3: the published summary from its projection, and assembled; consent and audit cost both the same."""
        with ours(installation, "--unguarded") as served:
            asking = Asking(installation, served)
            bodies = asking.bodies(PUBLISHED)
            for body in random.Random(3).sample(bodies, min(self.size.compared, len(bodies))):
                ready = _summary(asking, body)
                with installation.summary_behind():
                    assembled = _summary(asking, body)
                if ready != assembled:
                    raise AnswersDiffer("the ready summary and the assembled one")
            ask = answering(asking, PUBLISHED, self.folder)

            def assembled_slice(seconds: float) -> Any:
                with installation.summary_behind():
                    return ask(seconds)

            rounds = self.rounds({"ready": ask, "assembled": assembled_slice})
        self.report.claim(
            "published summary, the database's CPU assembled over ready",
            rounds,
            lambda measured: _database(measured["assembled"]) / _database(measured["ready"]),
            at_least=10.0,
            beside={
                f"ms of CPU in PostgreSQL, {name}": of(name, lambda one: _database(one) * 1000)
                for name in ("ready", "assembled")
            },
        )

    def sizes(self, large: Installation, small: Installation) -> None:
        """Point 4: what a page costs does not grow with the installation."""
        query = QUERIES["Q1"]
        with ours(large) as of_large, ours(small) as of_small:
            slices = {
                name: answering(
                    Asking(installation, served), query, self.folder, after=partial(_caught_up, installation)
                )
                for name, installation, served in (("large", large, of_large), ("small", small, of_small))
            }
            rounds = self.rounds(slices)
        self.report.claim(
            f"{query.name}, CPU at {large.scale.entries:,} entries over that at {small.scale.entries:,}",
            rounds,
            lambda measured: measured["large"].cpu_of_one / measured["small"].cpu_of_one,
            at_most=1.2,
            beside={
                f"ms of CPU, {name}": of(name, lambda measured: measured.cpu_of_one * 1000)
                for name in ("large", "small")
            },
        )


def _compared(peer: Asking, off: Asking, on: Asking, query: Query, count: int) -> None:
    """Raises AnswersDiffer."""
    bodies = [asking.bodies(query) for asking in (peer, off, on)]
    for number in random.Random(query.name).sample(range(len(bodies[0])), min(count, len(bodies[0]))):
        theirs, *own = (
            asking.answer(query, mine[number]) for asking, mine in zip((peer, off, on), bodies, strict=True)
        )
        for answer in own:
            check_equal(theirs, answer, query.name)


def _summary(asking: Asking, body: bytes) -> bytes:
    return orjson.dumps(asking.answer(PUBLISHED, body)["patientRecord"]["summary"])


def _caught_up(installation: Installation) -> None:
    """The trail stays as it was, so that each round finds the same pages of it."""
    installation.catch_up(leave=(audit_trail.NAME,))


def _answered(measured: Any) -> Answered:
    assert isinstance(measured, Answered)
    return measured


def _database(measured: Any) -> float:
    return float(measured.server_cpu / measured.events)


def _figures(*names: str) -> dict[str, Figure]:
    """Requests a second, how soon, and the CPU of one in the server and in PostgreSQL, of each."""
    found: dict[str, Figure] = {}
    for name in names:
        found |= {
            f"{name} requests/s": of(name, lambda one: one.rate),
            f"{name} p50 ms": of(name, lambda one: _answered(one).p50 * 1000),
            f"{name} p99 ms": of(name, lambda one: _answered(one).p99 * 1000),
            f"{name} CPU ms": of(name, lambda one: one.client_cpu / one.events * 1000),
            f"{name} PostgreSQL's CPU ms": of(name, lambda one: _database(one) * 1000),
        }
    return found


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench.bench_reading", description=__doc__)
    asked.add_argument("--quick", action="store_true", help="little data, one short round")
    asked.add_argument("--data", type=Path, help="where the installation lies, or is to lie")
    given = asked.parse_args()
    size = QUICK if given.quick else FULL
    report = Report()
    with ExitStack() as stack:
        scratch = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="tsuzuri-bench-", dir=REAL_DISK))
        )
        data = given.data or scratch / "data"
        data.mkdir(parents=True, exist_ok=True)
        for folder in (scratch, data):
            folder.chmod(0o755)  # the server may run under another account: see embedded_account
        try:
            wrk()
            install()
            give = stack.enter_context(reading_server(data))
            large = give(size.large)
            run = ReadingRun(size, scratch, report)
            run.compare(large)
            run.ready_summary(large)
            run.sizes(large, give(size.small))
        except (WrkMissing, PeerMissing) as missing:
            sys.exit(f"reading was not measured: {missing}")
    report.end()


if __name__ == "__main__":
    main()
