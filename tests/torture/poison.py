"""Two hundred events that cannot be applied among a hundred thousand that can: in decoding, folding and merging.

Just those patients must wait, each at her event, and an operator must see that. Everybody else must be current. A
rebuild by the same code must come to the same. When the code is put right, all that waited must come to what a rebuild
gives.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

from psycopg import Connection
from structlog.testing import capture_logs

from log_examples import PARTS, a_ring, logins
from projection_examples import an_engine
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from torture.poisoned_log import Planted, mended, mended_mapper, positions, stumbling, write_log
from torture.tables import Folded, Tables, differing, dump, stored
from tsuzuri.app.projector import Projector
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.following import heads
from tsuzuri.eventlog.places import part_of
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.checkpoints import checkpoint
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.generations import cancel, live_generation
from tsuzuri.projections.quarantine import quarantined
from tsuzuri.projections.rebuilding import rebuild
from tsuzuri.projections.replaying import retry
from tsuzuri.projections.standings import standings

NAME = "consent_register"
PATIENTS, POISONS = 1_000, 200  # a hundred events each
VISIBLE_SECONDS_MAX = 5.0
CAUGHT_UP_SECONDS_MAX = 600.0


@contextmanager
def projecting(dsn: str, projection: Projection) -> Iterator[None]:
    """A projector at work with this projection in place of the one of its name."""
    projector = Projector(logins(dsn), a_ring())
    worker = threading.Thread(target=projector.run)
    with patch.dict(PROJECTIONS, {projection.name: projection}), capture_logs():
        worker.start()
        try:
            yield
        finally:
            projector.stopping.set()
            worker.join()


class Watch:
    """What an operator sees while the projector is at work, held against whom the checkpoint has passed."""

    def __init__(self, connection: Connection[Any], stops: dict[UUID, int]) -> None:
        self.connection = connection
        self.stops = stops
        self.longest_seconds = 0.0

    def until_caught_up(self) -> list[str]:
        deadline = time.monotonic() + CAUGHT_UP_SECONDS_MAX
        since = time.monotonic()  # when all who were due were seen the last time
        while time.monotonic() < deadline:
            due, asked = self._due(), time.monotonic()
            standing = next(one for one in standings(self.connection) if one.name == NAME)
            if standing.quarantined >= due:
                if standing.lag_events == 0 and due == len(self.stops):
                    return []
                since = asked
            self.longest_seconds = max(self.longest_seconds, time.monotonic() - since)
            if self.longest_seconds > VISIBLE_SECONDS_MAX:
                return [
                    f"an operator sees {standing.quarantined} patients quarantined where {due} have to be"
                ]
            time.sleep(0.05)
        return ["the projector did not catch up"]

    def _due(self) -> int:
        """How many patients the checkpoint has passed at their first poison."""
        stands = checkpoint(self.connection, NAME, live_generation(self.connection, NAME))
        return sum(stands[part_of(patient, PARTS)] >= pos for patient, pos in self.stops.items())


def not_just_those(connection: Connection[Any], planted: Planted, stops: dict[UUID, int]) -> list[str]:
    """Everybody who waits and need not, who does not wait and has to, or who waits at the wrong place."""
    found = {one.patient_id: (one.pos, one.step) for one in quarantined(connection)}
    wanted = {patient: (stops[patient], str(step)) for patient, (_, step) in planted.first.items()}
    return [
        f"{len(who)} patients {how}"
        for how, who in {
            "are quarantined without a reason": found.keys() - wanted.keys(),
            "should be quarantined and are not": wanted.keys() - found.keys(),
            "stopped at another event or step": {
                one for one in found.keys() & wanted.keys() if found[one] != wanted[one]
            },
        }.items()
        if who
    ]


def tormented(folder: Path, share: float, *, forgetful: bool) -> Outcome:
    patients, poisons = (max(5, round(number * share)) for number in (PATIENTS, POISONS))
    seed = int.from_bytes(os.urandom(4))
    right, broken = mended(PROJECTIONS[NAME]), stumbling(PROJECTIONS[NAME])
    with fresh_log(folder) as dsn, logins(dsn).connect(LogRole.PROJECTOR) as connection:
        planted = write_log(dsn, Random(seed), patients, poisons)
        stops = positions(connection, planted)
        watch = Watch(connection, stops)
        drops = (
            patch("tsuzuri.projections.engine.quarantine", lambda *_: None) if forgetful else nullcontext()
        )
        with drops, projecting(dsn, broken):
            faults = watch.until_caught_up()
            faults += _filled_otherwise(connection, broken)
        faults += not_just_those(connection, planted, stops)
        folded = Folded(connection, mended_mapper())
        live = live_generation(connection, NAME)
        faults += _told(
            "is not what came before", stored(connection, right, live), folded.tables(right, stops)
        )
        faults += _mend(connection, right, folded.tables(right))
        events = sum(heads(connection).values())
    told = f"{events:,} events of {patients:,} patients (seed {seed}), {planted.events} cannot be applied"
    seen = f"{len(stops)} patients quarantined, seen within {watch.longest_seconds:.1f} s"
    return Outcome(f"{told}, {seen}", faults)


def _filled_otherwise(connection: Connection[Any], broken: Projection) -> list[str]:
    """Whether a rebuild by the same code stops the same patients at the same events, and has the same rows."""
    filled = rebuild(connection, an_engine(), broken, promote_if_equal=False)
    assert filled.comparison is not None
    live, new = (
        {(one.patient_id, one.pos, one.step, one.fault) for one in quarantined(connection, NAME, [number])}
        for number in (filled.live, filled.generation)
    )
    cancel(connection, broken)
    if live != new:
        return ["a rebuild by the same code stops other patients, or at other events"]
    if not filled.comparison.equal:
        return [f"a rebuild by the same code differs in {len(filled.comparison.differing)} patients"]
    return []


def _mend(connection: Connection[Any], right: Projection, wanted: Tables) -> list[str]:
    """Try everybody again with the code that was put right, then compare with a rebuild."""
    engine, live = Engine(mended_mapper(), a_ring()), live_generation(connection, NAME)
    stopped = sum(
        not retry(connection, engine, right, live, one.patient_id) for one in quarantined(connection, NAME)
    )
    faults = [f"{stopped} patients stop again, although all was put right"] if stopped else []
    if left := len(quarantined(connection)):
        faults.append(f"{left} patients are still quarantined")
    faults += _told("after it was tried again is wrong", stored(connection, right, live), wanted)
    before = sha256(dump(connection, right, live)).hexdigest()
    rebuilt = rebuild(connection, engine, right)
    assert rebuilt.comparison is not None
    if not rebuilt.comparison.equal:
        faults.append(f"a rebuild differs in {len(rebuilt.comparison.differing)} patients")
    elif sha256(dump(connection, right, rebuilt.generation)).hexdigest() != before:
        faults.append("the tables of a rebuild are not the same bytes")
    return faults


def _told(what: str, found: Tables, wanted: Tables) -> list[str]:
    wrong = differing(found, wanted)
    return [f"what {len(wrong)} patients have {what}"] if wrong else []


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, share, forgetful=False)


def dropping(folder: Path, share: float) -> Outcome:
    """What comes behind a poison is applied in the next batch, as if nothing were missing."""
    return tormented(folder, min(share, 0.05), forgetful=True)


TORTURE = Torture("poison", run, {"an engine that drops what it cannot apply": dropping})
