"""Two thousand short random histories, projected, rebuilt, promoted and put back in between, in any order.

What is live, what a rebuild gives and what a fold in memory gives must be the same for each. Histories share a
database, forty at a time, each with patients of its own.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

from log_examples import copied_database, logins
from projection_examples import an_engine, catch_up, rebuilt
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from torture.lives import Life, go_on
from torture.tables import Folded, Tables, differing, stored
from tsuzuri.domain.events import ConsentWithdrawn, Event
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.filling import fill, index_when_filled
from tsuzuri.projections.generations import (
    UnknownGeneration,
    begin_rebuild,
    beside,
    drop_retired,
    live_generation,
    previous_generation,
    promote,
)
from tsuzuri.projections.quarantine import quarantined
from tsuzuri.projections.rebuilding import rebuild
from tsuzuri.projections.replaying import rebuild_patient
from tsuzuri.projections.rows import Recorded, Rows

HISTORIES, AT_ONCE = 2_000, 40
PATIENTS_EACH, TURNS, EVENTS_MOST, ERASURES = 2, 8, 3, 0.04
DEEDS_A_TURN_MOST = 10
BATCHES = (16, 50, 200, 1_000)
SMALL_BATCHES = (1, 4, 10)  # of those that are done one by one
CONTROL_HISTORIES = 40

Alter = Callable[[Projection], Projection]


class Projecting:
    """All that may be done with projections, in the hands of one process."""

    def __init__(self, connection: Connection[Any], random: Random, patients: list[UUID]) -> None:
        self.connection, self.random, self.patients = connection, random, patients
        self.faults: list[str] = []
        self.deeds: Mapping[str, Callable[[Projection, int], None]] = {
            "catch up": self._catch_up,
            "some batches": self._some_batches,
            "a batch that is lost": lambda one, size: self._lost(lambda: self._step(one, size)),
            "rebuild": self._rebuild,
            "rebuild, left in the middle": self._leave,
            "rebuild, lost in a batch": self._lose,
            "promote": self._promote,
            "put back": self._put_back,
            "one patient again": self._patient,
        }

    def do_something(self) -> None:
        deed = self.random.choice(list(self.deeds))
        projection = self.random.choice(list(PROJECTIONS.values()))
        self.deeds[deed](projection, self.random.choice(BATCHES))

    def _live(self, projection: Projection) -> int:
        return live_generation(self.connection, projection.name)

    def _catch_up(self, projection: Projection, size: int) -> None:
        an_engine(size).catch_up(self.connection, projection, self._live(projection))

    def _step(self, projection: Projection, size: int) -> None:
        an_engine(size).step(self.connection, projection, self._live(projection))

    def _some_batches(self, projection: Projection, size: int) -> None:
        for _ in range(self.random.randint(1, 6)):
            self._step(projection, self.random.choice(SMALL_BATCHES))

    def _lost(self, work: Callable[[], None]) -> None:
        """As when the process dies before it commits."""
        with self.connection.transaction(force_rollback=True):
            work()

    def _rebuild(self, projection: Projection, size: int) -> None:
        """From the first event on, or from where one was left."""
        found = rebuild(self.connection, an_engine(size), projection)
        if found.comparison is None or not found.comparison.equal:
            self.faults.append(f"{projection.name}: a rebuild in the midst of it differs")
        if self.random.random() < 0.3:
            drop_retired(self.connection, projection)

    def _leave(self, projection: Projection, size: int) -> None:
        """So many batches of it, which may be all; somebody goes on with it later, or nobody does."""
        generation = begin_rebuild(self.connection, projection)
        for _ in range(self.random.randint(0, 6)):
            engine = an_engine(self.random.choice(SMALL_BATCHES))
            if not fill(self.connection, engine, projection, generation).more:
                index_when_filled(self.connection, projection, generation)
                return

    def _lose(self, projection: Projection, size: int) -> None:
        self._leave(projection, size)
        generation = begin_rebuild(self.connection, projection)
        self._lost(lambda: _one_batch(self.connection, projection, generation, size))

    def _promote(self, projection: Projection, size: int) -> None:
        new = beside(self.connection, projection.name)
        if new is not None and new.state == "READY":
            promote(self.connection, an_engine(size), projection, new.generation)

    def _put_back(self, projection: Projection, size: int) -> None:
        try:
            old = previous_generation(self.connection, projection.name)
        except UnknownGeneration:
            return
        promote(self.connection, an_engine(size), projection, old)

    def _patient(self, projection: Projection, size: int) -> None:
        patient = self.random.choice(self.patients)
        if not rebuild_patient(self.connection, an_engine(size), projection, self._live(projection), patient):
            self.faults.append(f"{projection.name}: a patient who is made anew is quarantined")


def _one_batch(connection: Connection[Any], projection: Projection, generation: int, size: int) -> None:
    fill(connection, an_engine(size), projection, generation)


def live_through(dsn: str, random: Random, histories: int, alter: Alter) -> tuple[int, list[str]]:
    """Some histories at once in one database; how many deeds there were, and what is wrong in the end."""
    lives = {
        number: [
            Life(number * PATIENTS_EACH + place, Random(random.random())) for place in range(PATIENTS_EACH)
        ]
        for number in range(histories)
    }
    with logins(dsn).connect(LogRole.PROJECTOR) as connection:
        everybody = [life for each in lives.values() for life in each]
        projecting = Projecting(connection, random, [life.patient for life in everybody])
        deeds = 0
        for _ in range(TURNS):
            some = random.sample(everybody, random.randint(1, len(everybody)))
            go_on(dsn, some, random, events_most=EVENTS_MOST, erasures=ERASURES)
            for _ in range(random.randint(1, DEEDS_A_TURN_MOST)):
                projecting.do_something()
                deeds += 1
        catch_up(connection, batch_events=random.choice(BATCHES[1:]))
        owners = {life.patient: number for number, each in lives.items() for life in each}
        return deeds, [*projecting.faults, *_differences(connection, owners, alter)]


def _differences(connection: Connection[Any], owners: Mapping[UUID, int], alter: Alter) -> list[str]:
    """What is live, what a rebuild gives and what a fold in memory gives, one against the other."""
    faults = [f"{one.name}: a patient is quarantined at {one.step}" for one in quarantined(connection)]
    folded = Folded(connection)
    for name, projection in PROJECTIONS.items():
        wanted = folded.tables(alter(projection))
        live = stored(connection, projection, live_generation(connection, name))
        faults += _told(name, "live rows are not those of a fold in memory", live, wanted, owners)
        if not rebuilt(connection, projection).equal:
            faults.append(f"{name}: a rebuild differs")
        new = stored(connection, projection, live_generation(connection, name))
        faults += _told(name, "rebuilt rows are not those of a fold in memory", new, wanted, owners)
    return faults


def _told(name: str, what: str, found: Tables, wanted: Tables, owners: Mapping[UUID, int]) -> list[str]:
    wrong = sorted({owners[owner] for owner in differing(found, wanted)})
    return [f"{name}: {what}, in histories {wrong[:5]} of {len(wrong)}"] if wrong else []


def tormented(folder: Path, histories: int, alter: Alter) -> Outcome:
    seed = int.from_bytes(os.urandom(4))
    done = deeds = 0
    faults: list[str] = []
    with fresh_log(folder) as template:
        name = str(conninfo_to_dict(template)["dbname"])
        while done < histories:
            some = min(AT_ONCE, histories - done)
            with copied_database(template, name, f"histories_{done}") as dsn:
                did, wrong = live_through(dsn, Random(f"{seed}/{done}"), some, alter)
            faults += [f"seed {seed}/{done}: {one}" for one in wrong]
            done, deeds = done + some, deeds + did
    told = f"{done:,} histories, up to {AT_ONCE} in one database (seed {seed})"
    return Outcome(f"{told}, {deeds:,} deeds on projections between", faults)


def consents_for_ever(projection: Projection) -> Projection:
    """A fold in memory that overlooks withdrawals."""

    def apply(rows: Rows, recorded: Recorded[Event]) -> None:
        if not isinstance(recorded.event, ConsentWithdrawn):
            projection.apply(rows, recorded)

    return replace(projection, apply=apply)


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, max(1, round(HISTORIES * share)), lambda projection: projection)


def mistaken(folder: Path, _: float) -> Outcome:
    return tormented(folder, CONTROL_HISTORIES, consents_for_ever)


TORTURE = Torture("projection histories", run, {"a fold that overlooks withdrawals": mistaken})
