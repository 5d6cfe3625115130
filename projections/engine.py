"""Carries the log into tables: a batch of events, a fold in memory, one merge, and the checkpoint, in one transaction.

So each event is applied exactly once, whatever is killed when.
"""

import gc
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from psycopg import Connection

from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.following import Batch, follow, heads
from tsuzuri.eventlog.mapper import EventMapper
from tsuzuri.eventlog.places import Vector
from tsuzuri.projections.carrying import BATCH_BYTES, Carrying
from tsuzuri.projections.catalogue import Projection
from tsuzuri.projections.checkpoints import checkpoint, lock_checkpoint, move_checkpoint
from tsuzuri.projections.failpoints import failpoint
from tsuzuri.projections.folding import OwnerFold, merge_folds, poisons
from tsuzuri.projections.merging import load
from tsuzuri.projections.opening import open_by_owner
from tsuzuri.projections.quarantine import quarantine, skipped, waiting
from tsuzuri.projections.releases import Releases
from tsuzuri.projections.rows import Rows

BATCH_EVENTS = 5_000
BATCH_SECONDS = 0.25  # what a batch is to take: the next one holds more events or fewer
_FIRST_EVENTS = 500

Holds = Callable[[Connection[Any]], None]
"""Raises LeaseLost unless the parts are still this process's; holds them so until the transaction ends."""


@dataclass(frozen=True)
class Progress:
    """How far one generation has come: *done* of *total* positions of the log, over the parts asked for."""

    done: int
    total: int
    events: int = 0  # of the last batch
    quarantined: int = 0  # owners whom the last batch set aside

    @property
    def lag_events(self) -> int:
        return self.total - self.done


class Engine:
    """Applies batches to generations. It remembers the code releases, and how many events the next batch may have.

    *rebuild_share* is how much of its time the filling of a new generation may take (see `Filled.rest`).
    """

    def __init__(
        self,
        mapper: EventMapper,
        ring: KeyRing,
        *,
        batch_events: int = BATCH_EVENTS,
        rebuild_share: float = 1.0,
    ):
        self.mapper = mapper
        self.ring = ring
        self.releases = Releases(mapper, ring)
        self.batch_events = batch_events
        self.rebuild_share = rebuild_share
        self._limits: dict[str, float] = {}

    def catch_up(
        self,
        connection: Connection[Any],
        projection: Projection,
        generation: int,
        *,
        upto: Vector | None = None,
        parts: Collection[int] | None = None,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> Progress:
        """Apply batch after batch until the generation stands at *upto*, or where the heads stood at the last look."""
        while True:
            progress = self.step(connection, projection, generation, upto=upto, parts=parts)
            on_progress(progress)
            if progress.lag_events == 0:
                return progress

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
        """Apply one batch, of all parts or of *parts*.

        Raises:
            ProjectionOutdated: the generation was filled by another version; it names the command to run.
            LeaseLost: nothing was applied.
        """
        wanted = _of_parts(heads(connection) if upto is None else upto, parts)
        stands = checkpoint(connection, projection.name, generation)
        total = sum(wanted.values())
        if all(stands.get(part, 0) >= pos for part, pos in wanted.items()):
            return Progress(total, total)  # nothing new: not even a lock is taken
        limit = self.limit(projection.schema(generation))
        began = time.monotonic()
        with uncollected(), connection.transaction():
            holds(connection)
            after = lock_checkpoint(connection, projection, generation, wanted)
            failpoint("read.before")
            batch = follow(connection, after, upto=wanted, topics=projection.topics, limit=limit)
            failpoint("read.after")
            stopped = 0
            if batch.events:
                batch, stopped = self._apply(connection, projection, generation, after, batch)
            failpoint("checkpoint.before")
            move_checkpoint(connection, projection, generation, after, batch.covers)
            failpoint("checkpoint.after")
        failpoint("batch.committed")
        self.learn(projection.schema(generation), limit, len(batch.events), time.monotonic() - began)
        done = sum(min(batch.covers.get(part, 0), pos) for part, pos in wanted.items())
        return Progress(done, total, len(batch.events), stopped)

    def limit(self, schema: str) -> int:
        """How many events the next batch of a generation may have."""
        return int(self._limits.get(schema, min(_FIRST_EVENTS, self.batch_events)))

    def learn(self, schema: str, limit: int, events: int, took: float) -> None:
        """The next batch has as many events as fit into BATCH_SECONDS: half way there, since no two are alike."""
        if events >= limit / 2:
            fitting = events * BATCH_SECONDS / max(took, 1e-4)
            self._limits[schema] = min(max((limit + fitting) / 2, 1.0), float(self.batch_events))

    def _apply(
        self,
        connection: Connection[Any],
        projection: Projection,
        generation: int,
        after: Vector,
        batch: Batch,
    ) -> tuple[Batch, int]:
        """Apply what of the batch fits into memory; the batch that was applied, and how many owners had to stop."""
        schema = projection.schema(generation)
        passed_over = waiting(connection, projection.name, generation)
        left_out = skipped(connection, projection.name)
        logged = [
            one for one in batch.events if one.patient_id not in passed_over and one.event_id not in left_out
        ]
        owners = open_by_owner(logged, self.mapper, self.ring)
        opened = [one for events in owners.values() for one in events.opened]
        carrying = Carrying(connection, self.ring, projection, opened)
        weight = 0
        for number, one in enumerate(batch.events):
            weight += carrying.bytes_of(one.event_id)
            if weight > BATCH_BYTES and number > 0:
                batch = batch.first(number, after)
                kept = {one.event_id for one in batch.events}
                owners = {owner: found for owner, events in owners.items() if (found := events.only(kept))}
                break
        looks = {
            owner: tuple({look for one in events.opened for look in projection.looks(one.event)})
            for owner, events in owners.items()
        }
        loaded = load(connection, schema, looks)
        codes = self.releases.of_generation(connection, projection.name, generation)
        folds = [
            OwnerFold(
                projection,
                owner,
                events,
                carrying,
                codes,
                partial(Rows, loaded.get(owner, ()), looks[owner]),
            )
            for owner, events in owners.items()
        ]
        failpoint("merge.before")
        merge_folds(connection, schema, folds)
        stopped = poisons(folds)
        quarantine(connection, projection.name, generation, stopped)
        failpoint("merge.after")
        return batch, len(stopped)


@contextmanager
def uncollected() -> Iterator[None]:
    """For one batch: what it makes lives to its end, and to search all of it for cycles takes as long again."""
    if not gc.isenabled():  # another thread is at a batch
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _of_parts(vector: Vector, parts: Iterable[int] | None) -> Vector:
    return vector if parts is None else {part: vector.get(part, 0) for part in parts}
