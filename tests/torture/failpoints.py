"""Projectors and rebuilds killed at every named step, again and again, each by its own hand at exactly that step.

The log grows between the kills, and something is erased now and then. In the end a clean run catches up, and what is
live must be what a rebuild from the first event gives, byte for byte, and what a fold in memory gives.
"""

import importlib
import itertools
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from psycopg import Connection

from log_examples import a_ring, logins
from projection_examples import an_engine, catch_up, rebuilt
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Run, Torture
from torture.lives import Life, go_on
from torture.tables import Folded, differing, dump, stored
from tsuzuri.app.projector import Projector
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.following import follow, heads
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.eventlog.places import Vector
from tsuzuri.projections import failpoints
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.checkpoints import checkpoint, lock_checkpoint, move_checkpoint
from tsuzuri.projections.engine import Engine, Holds, Progress
from tsuzuri.projections.failpoints import FAILPOINTS
from tsuzuri.projections.generations import drop_retired, live_generation
from tsuzuri.projections.quarantine import quarantined
from tsuzuri.projections.rebuilding import rebuild

KILLS = 20  # of each deed at each step
CONTROL_KILLS, CONTROL_KILLS_MAX = 8, 64  # looked at after so many, until a fault is found
PATIENTS = 40
PATIENTS_AT_ONCE, EVENTS_MOST, ERASURES = 8, 4, 0.05
BATCH_EVENTS, REBUILD_BATCH_EVENTS = 8, 100  # so that a batch begins and ends often
REBUILDS_MOST = 40  # of one process, which must have met its step by then
WAIT_SECONDS_MAX = 60.0
_BETWEEN = "control.between"  # the step that only the controls have
_NOT_EQUAL = 3  # exit code of a rebuild that found a difference

FORK = get_context("fork")  # as for the writers: a fresh interpreter needs a second for our imports alone

Make = Callable[[int], Engine]
Deed = Callable[[str, Random, Make], None]
"""What a process does until it is killed, with an engine of this kind for batches of so many events."""


def project(dsn: str, random: Random, make: Make) -> None:
    projector, parent = Projector(logins(dsn), a_ring()), os.getppid()
    projector.engine = make(BATCH_EVENTS)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        projector.stopping.set()  # it has outlived the process that was to wait for its death

    threading.Thread(target=watch, daemon=True).start()
    projector.run()


def rebuild_on_and_on(dsn: str, random: Random, make: Make) -> None:
    """One projection after the other, each promoted when it is equal, as it must be."""
    some = random.sample(list(PROJECTIONS.values()), len(PROJECTIONS))
    with logins(dsn).connect(LogRole.PROJECTOR) as connection:
        for projection in itertools.islice(itertools.cycle(some), REBUILDS_MOST):
            found = rebuild(connection, make(REBUILD_BATCH_EVENTS), projection)
            if found.comparison is None or not found.comparison.equal:
                sys.exit(_NOT_EQUAL)
            drop_retired(connection, projection)


DEEDS: dict[str, tuple[Deed, ...]] = {
    name: {
        "lease": (project,),
        "fill": (rebuild_on_and_on,),
        "index": (rebuild_on_and_on,),
        "promote": (rebuild_on_and_on,),
    }.get(name.partition(".")[0], (project, rebuild_on_and_on))
    for name in FAILPOINTS
}
_PASSES_MOST = {"lease": 1, "promote": 1, "index": 1, "control": 5}  # the others are met in every batch


class Killing:
    """Processes on one log, each of which kills itself at a step."""

    def __init__(self, dsn: str, connection: Connection[Any], make: Make) -> None:
        self.dsn, self.connection, self.make = dsn, connection, make
        self.seed = int.from_bytes(os.urandom(4))
        self.random = Random(self.seed)
        self.lives = [Life(number, Random(self.random.random())) for number in range(PATIENTS)]
        self.killed: Counter[str] = Counter()
        self.surprises: list[str] = []

    def kill(self, deed: Deed, name: str) -> None:
        """One process, with something to do for it, that is to meet the step."""
        some = self.random.sample(self.lives, PATIENTS_AT_ONCE)
        go_on(self.dsn, some, self.random, events_most=EVENTS_MOST, erasures=ERASURES)
        self.connection.execute(
            "UPDATE projector SET seen_at = seen_at - interval '1 minute'"
        )  # they are dead
        passes = self.random.randint(0, _PASSES_MOST.get(name.partition(".")[0], 3))
        process = FORK.Process(
            target=_armed,
            args=(f"{name}:{passes}", deed, self.dsn, Random(self.random.random()), self.make),
            daemon=True,
        )
        process.start()
        process.join(WAIT_SECONDS_MAX)
        if process.exitcode == -signal.SIGKILL:
            self.killed[name] += 1
            return
        how = {None: "went on", _NOT_EQUAL: "found a difference"}.get(process.exitcode, "ended")
        self.surprises.append(f"{deed.__name__} did not die at {name}, passed {passes} times: it {how}")
        process.kill()
        process.join()

    def outcome(self) -> Outcome:
        """After a clean run."""
        with logins(self.dsn).connect(LogRole.PROJECTOR) as own:
            catch_up(own)
            rows, faults = _differences(own)
        events = sum(heads(self.connection).values())
        least = min(self.killed.values(), default=0)
        killed = f"{self.killed.total()} killed at {len(self.killed)} steps, at each {least} or more"
        return Outcome(
            f"{killed} (seed {self.seed}), {events:,} events, {rows:,} rows",
            [*self.surprises, *faults],
        )


def _armed(armed: str, deed: Deed, dsn: str, random: Random, make: Make) -> None:
    arm(armed)
    deed(dsn, random, make)


def arm(failpoint: str) -> None:
    """From now on this process is killed there: "name:n", see `tsuzuri.projections.failpoints`."""
    os.environ["TSUZURI_FAILPOINT"] = failpoint
    importlib.reload(failpoints)  # which reads it, as it would in a process that starts anew


def _differences(connection: Connection[Any]) -> tuple[int, list[str]]:
    """How many rows there are, and each projection that is not as it must be, one sentence each."""
    folded, count = Folded(connection), 0
    faults = [
        f"{one.name}: a patient is quarantined at {one.step} ({one.fault})"
        for one in quarantined(connection, None)
    ]
    for name, projection in PROJECTIONS.items():
        live = live_generation(connection, name)
        before = dump(connection, projection, live)
        wrong = differing(stored(connection, projection, live), folded.tables(projection))
        comparison = rebuilt(connection, projection)
        count += comparison.rows
        if wrong:
            faults.append(f"{name}: the rows of {len(wrong)} patients are not those of a fold in memory")
        if not comparison.equal:
            faults.append(f"{name}: a rebuild differs in the rows of {len(comparison.differing)} patients")
        elif dump(connection, projection, live_generation(connection, name)) != before:
            faults.append(f"{name}: the tables of a rebuild are not the same bytes")
    return count, faults


def run(folder: Path, share: float) -> Outcome:
    times = max(1, round(KILLS * share))
    wanted = [(deed, name) for name, deeds in DEEDS.items() for deed in deeds for _ in range(times)]
    with fresh_log(folder) as dsn, Connection.connect(dsn, autocommit=True) as connection:
        killing = Killing(dsn, connection, an_engine)
        for deed, name in killing.random.sample(wanted, len(wanted)):
            killing.kill(deed, name)
        return killing.outcome()


class _InTwoTransactions(Engine):
    """Commits the rows and the checkpoint each by themselves."""

    rows_first: bool

    def step(
        self,
        connection: Connection[Any],
        projection: Projection,
        generation: int,
        *,
        upto: Vector | None = None,
        parts: Collection[int] | None = None,
        holds: Holds = lambda _: None,
    ) -> Progress:
        wanted = heads(connection) if upto is None else upto
        wanted = {part: wanted[part] for part in (wanted if parts is None else parts)}
        with connection.transaction():
            after = lock_checkpoint(connection, projection, generation, wanted)
        batch = follow(connection, after, upto=wanted, topics=projection.topics, limit=self.batch_events)
        steps: list[Callable[[], Any]] = [
            lambda: move_checkpoint(connection, projection, generation, after, batch.covers),
            lambda: self._apply(connection, projection, generation, after, batch),
        ]
        first, second = reversed(steps) if self.rows_first else steps
        with connection.transaction():
            first()
        failpoints.failpoint(_BETWEEN)
        with connection.transaction():
            second()
        stands = checkpoint(connection, projection.name, generation)
        return Progress(sum(stands[part] for part in wanted), sum(wanted.values()), len(batch.events))


class CheckpointFirst(_InTwoTransactions):
    rows_first = False


class RowsFirst(_InTwoTransactions):
    rows_first = True


def _control(kind: type[Engine]) -> Run:
    def make(batch_events: int) -> Engine:
        return kind(event_mapper(), a_ring(), batch_events=batch_events)

    def run_control(folder: Path, _: float) -> Outcome:
        with fresh_log(folder) as dsn, Connection.connect(dsn, autocommit=True) as connection:
            killing = Killing(dsn, connection, make)
            while True:
                for _ in range(CONTROL_KILLS):
                    killing.kill(project, _BETWEEN)
                assert not killing.surprises, killing.surprises[
                    0
                ]  # a process that lives on finds nothing out
                outcome = killing.outcome()
                if outcome.faults or killing.killed.total() >= CONTROL_KILLS_MAX:
                    return outcome

    return run_control


TORTURE = Torture(
    "failpoints",
    run,
    {
        "the checkpoint in a transaction of its own before the rows": _control(CheckpointFirst),
        "the checkpoint in a transaction of its own behind the rows": _control(RowsFirst),
    },
)
