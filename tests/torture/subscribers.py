"""A thousand doctors watch a record each, over sockets of their own, while two hundred events a second change them.

Each event must be told, by itself or together with others of the same record: the position of what is told lies behind
it. How long it takes is counted from when the index has it to when the client has read it; server, projector, writer,
database and all clients share one machine, and the figures say so.
"""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import UUID

from psycopg import Connection

from log_examples import a_ring, logins, settings_at
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from torture.served import FORK, Kind, ServerProcess, build_api, opened
from torture.watched_records import Record, change, doctors_token, records, told_by_socket
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.ended_with import ended_with
from tsuzuri.app.keys import seal_key
from tsuzuri.app.projector import Projector
from tsuzuri.app.services import Services
from tsuzuri.app.settings import Settings
from tsuzuri.app.wakes import Wakes
from tsuzuri.graphql.positions import opened_position
from tsuzuri.graphql.seals import Seals
from tsuzuri.projections.reached import Reached

SUBSCRIBERS, EVENTS, EVENTS_A_SECOND = 1_000, 6_000, 200
PATIENCE_SECONDS = (
    20.0  # after the last event; what is told later, only because it is asked for again, counts as lost
)
LOOK_SECONDS = 0.005
STARTING = 25  # sockets that are opened at a time


@dataclass
class Watched:
    """One record, what happened to it, and what was told of it. Times are of one monotonic clock."""

    record: Record
    changes: list[int] = field(default_factory=list)  # positions
    told: list[tuple[int, float]] = field(default_factory=list)  # position, and when it was read
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    def lost(self) -> Iterator[int]:
        newest = max((position for position, _ in self.told), default=0)
        yield from (position for position in self.changes if position > newest)

    def read_at(self, position: int) -> float | None:
        return next((at for told, at in self.told if told >= position), None)


class Checkpoints:
    """When the index came to a position, to within a look: of each part, on a thread of its own."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._over = threading.Event()
        self._reached: dict[int, list[tuple[int, float]]] = {}
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._thread.start()

    def _look_on(self) -> None:
        with Connection.connect(self._dsn, autocommit=True) as connection:
            before = time.monotonic()
            while not self._over.wait(LOOK_SECONDS):
                rows = connection.execute(
                    "SELECT part, pos FROM projection_checkpoint WHERE name = 'record_index'", prepare=True
                ).fetchall()
                for part, pos in rows:
                    seen = self._reached.setdefault(part, [])
                    if not seen or seen[-1][0] < pos:
                        seen.append((pos, before))  # it came there after the look before
                before = time.monotonic()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def reached(self, part: int, position: int) -> float:
        return next(at for pos, at in self._reached[part] if pos >= position)


class Forgetful(TsuzuriApplication):
    """What must not be: one wake in so many gets lost."""

    EVERY = 100

    def follow(self, services: Services) -> None:
        super().follow(services)
        self.record_wakes.__class__ = _Dropping


class _Dropping(Wakes):
    _count = 0

    def _concerned(self, part: int, found: Reached, *, first: bool) -> Iterator[Any]:
        for watcher in super()._concerned(part, found, first=first):
            self._count += 1
            if self._count % Forgetful.EVERY:
                yield watcher


async def watch(settings: Settings, port: int, number: int, watched: Watched, seals: Seals) -> None:
    async for told in told_by_socket(port, doctors_token(settings, number), watched.record):
        read = time.monotonic()
        patient: UUID = watched.record.patient
        watched.told.append((opened_position(seals, patient, told["position"]).of_each[patient], read))
        watched.begun.set()


async def story(settings: Settings, dsn: str, port: int, all_watched: list[Watched], events: int) -> None:
    seals = Seals(seal_key(settings))
    async with opened(settings, dsn) as world, asyncio.TaskGroup() as group:
        watching = []
        starting = asyncio.Semaphore(STARTING)

        async def begin(number: int, watched: Watched) -> None:
            async with starting:
                watching.append(group.create_task(watch(settings, port, number, watched, seals)))
                await watched.begun.wait()

        await asyncio.gather(*(begin(number, one) for number, one in enumerate(all_watched)))
        began = time.monotonic()
        for number in range(events):
            watched = all_watched[number % len(all_watched)]
            await asyncio.sleep(max(began + number / EVENTS_A_SECOND - time.monotonic(), 0.0))
            watched.changes.append(await change(world.services.log, watched.record, narrows=True))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and any(next(one.lost(), None) for one in all_watched):
            await asyncio.sleep(0.05)
        for task in watching:
            task.cancel()


def tormented(folder: Path, subscribers: int, events: int, kind: Kind) -> Outcome:
    settings = settings_at(folder / "home")
    with fresh_log(folder, parts=64) as dsn:
        all_watched = [Watched(one) for one in asyncio.run(records(settings, dsn, subscribers))]
        projector = FORK.Process(target=_project, args=(dsn,), daemon=True)
        projector.start()
        server = ServerProcess(build_api(settings, partial(opened, settings, dsn, kind)))
        checkpoints = Checkpoints(dsn)
        try:
            asyncio.run(story(settings, dsn, server.port, all_watched, events))
        finally:
            checkpoints.end()
            projector.kill()
            server.kill()
    lost = [position for one in all_watched for position in one.lost()]
    expected = sum(len(one.changes) for one in all_watched)
    seconds = [
        max(read - checkpoints.reached(one.record.patient.int % 64, position), 0.0)
        for one in all_watched
        for position in one.changes
        if (read := one.read_at(position)) is not None
    ]
    cuts = quantiles(seconds, n=100) if len(seconds) > 1 else [0.0] * 99
    done = (
        f"{subscribers:,} subscribers on this same machine, {expected - len(lost):,} of {expected:,} events told, "
        f"from the index to the client p50 {cuts[49] * 1_000:.0f} ms, p99 {cuts[98] * 1_000:.0f} ms"
    )
    return Outcome(done, [f"{len(lost)} events were never told"] if lost else [])


def _project(dsn: str) -> None:
    projector, parent = Projector(logins(dsn), a_ring()), os.getppid()
    ended_with(parent, projector.stopping.set)  # should it outlive the process that is to kill it
    projector.run()


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, int(SUBSCRIBERS * share), int(EVENTS * share), TsuzuriApplication)


def one_wake_in_a_hundred_lost(folder: Path, share: float) -> Outcome:
    """At a small size one in ten: else no record's last wake may be among them."""
    Forgetful.EVERY = 100 if share > 0.1 else 10
    return tormented(folder, int(SUBSCRIBERS * share), int(EVENTS * share), Forgetful)


TORTURE = Torture("subscribers", run, {"one wake in a hundred gets lost": one_wake_in_a_hundred_lost})
