"""Keeps generations at the log's head: in processes beside `tsuzuri serve`, or alone."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import structlog
from psycopg import Connection, Error
from psycopg.errors import LockNotAvailable

from tsuzuri.eventlog.connecting import Logins, LogRole
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.checkpoints import LeaseLost
from tsuzuri.projections.engine import Engine, Progress
from tsuzuri.projections.filling import fill, index_when_filled
from tsuzuri.projections.leases import RENEW_SECONDS, Leases, forget_the_dead
from tsuzuri.projections.reports import Reports
from tsuzuri.projections.waking import listen, log_size, wait_for_events

RETRY_SECONDS = 2.0
HELD_SECONDS = 0.1
LAG_SECONDS_MAX = 30.0
_SESSION = """
    SET lock_timeout = '50ms';  -- a comparison or a promotion holds a part for a moment: the others go on
    SET idle_in_transaction_session_timeout = '10s';  -- who stands still within a batch gives up what it has locked
"""

_log = structlog.get_logger()


@dataclass(frozen=True)
class _Task:
    """A generation that this program keeps at the head, or fills."""

    projection: Projection
    generation: int
    filling: bool


class Projector:
    """Applies new events to every generation of its own version, of the parts it has leases for, until it is stopped.

    A failing projection stops only itself.
    """

    def __init__(self, logins: Logins, ring: KeyRing, *, rebuild_share: float = 1.0):
        self.logins = logins
        self.engine = Engine(event_mapper(), ring, rebuild_share=rebuild_share)
        self.stopping = threading.Event()
        self._leases = Leases()
        self._reports = Reports(self._leases.process)
        self._retry_at: dict[tuple[str, int], float] = {}  # on the monotonic clock; absent when it is well
        self._fill_at = 0.0
        self._renew_at = 0.0

    def run(self) -> None:
        """Blocks. Whatever happens, it connects and begins again: nobody else would notice that it had ended."""
        while not self.stopping.is_set():
            try:
                with self.logins.connect(LogRole.PROJECTOR) as connection:
                    connection.execute(_SESSION.encode())
                    self._retry_at.clear()
                    self._renew_at = 0.0
                    self._work(connection, listens=listen(connection))
            except Exception as error:
                _log.warning("projector_waits", **_fault(error))
                self.stopping.wait(RETRY_SECONDS)

    def _work(self, connection: Connection[Any], *, listens: bool) -> None:
        while not self.stopping.is_set():
            if time.monotonic() >= self._renew_at:
                self._leases.renew(connection)
                self._reports.write(connection)
                forget_the_dead(connection)
                self._renew_at = time.monotonic() + RENEW_SECONDS
            seen = log_size(connection)
            if not self._round(connection):
                soon = min([RENEW_SECONDS, *self._seconds_to_wait()])
                ticks = 0 in self._leases.parts
                wait_for_events(connection, seen, soon, self.stopping, ticks=ticks, listens=listens)
        self._leases.end(connection)

    def _round(self, connection: Connection[Any]) -> bool:
        """One batch for each generation that is well, so that none waits for another; whether any has more to do."""
        more = False
        for task in _tasks(connection):
            key = task.projection.name, task.generation
            if time.monotonic() < self._retry_at.get(key, 0.0):
                continue
            try:
                more = (
                    self._fill(connection, task) if task.filling else self._step(connection, task)
                ) or more
            except LeaseLost:
                self._renew_at = 0.0
            except Exception as error:
                # The driver says OperationalError of a lost server, and of a row too large for its index as well.
                if connection.closed or connection.broken:
                    raise
                held = isinstance(error, LockNotAvailable)  # by a comparison or a promotion: no fault
                self._retry_at[key] = time.monotonic() + (HELD_SECONDS if held else RETRY_SECONDS)
                if not held:
                    _log.error("projection_stopped", projection=task.projection.name, **_fault(error))
            else:
                self._retry_at.pop(key, None)
        return more

    def _seconds_to_wait(self) -> list[float]:
        """Until what failed is tried again, and until a rebuild has rested."""
        now = time.monotonic()
        rests = [self._fill_at - now] if self._fill_at > now else []
        return rests + [max(at - now, 0.0) for at in self._retry_at.values()]

    def _step(self, connection: Connection[Any], task: _Task) -> bool:
        began = time.monotonic()
        progress = self.engine.step(
            connection,
            task.projection,
            task.generation,
            parts=self._leases.parts,
            holds=self._leases.holds,
        )
        if progress.events:
            self._reports.add(
                task.projection.name, task.generation, progress.events, time.monotonic() - began
            )
        self._tell_quarantined(task, progress)
        return progress.lag_events > 0

    def _fill(self, connection: Connection[Any], task: _Task) -> bool:
        """One batch, and then a pause that leaves others their share of the machine."""
        if time.monotonic() < self._fill_at:
            return False
        began = time.monotonic()
        filled = fill(
            connection,
            self.engine,
            task.projection,
            task.generation,
            parts=self._leases.parts,
            holds=self._leases.holds,
        )
        took = time.monotonic() - began
        if filled.events:
            self._reports.add(task.projection.name, task.generation, filled.events, took)
            self._fill_at = time.monotonic() + filled.rest
        if not filled.more:
            index_when_filled(connection, task.projection, task.generation)
        return filled.more

    def _tell_quarantined(self, task: _Task, progress: Progress) -> None:
        if progress.quarantined:
            _log.error(
                "patients_quarantined",
                projection=task.projection.name,
                generation=task.generation,
                patients=progress.quarantined,
            )


def _tasks(connection: Connection[Any]) -> list[_Task]:
    """The generations of this program's versions that are to be carried on: what it reads, and what is beside it."""
    found = connection.execute(
        """SELECT g.name, g.generation, g.version, g.state FROM projection_generation g JOIN projection p USING (name)
           WHERE NOT p.paused ORDER BY g.state = 'LIVE' DESC, g.generation DESC"""
    ).fetchall()
    tasks = []
    for name, projection in PROJECTIONS.items():
        mine = [
            (number, state)
            for other, number, version, state in found
            if other == name and version == projection.version
        ]
        served = next((number for number, state in mine if state != "FILLING"), None)
        for number, state in mine:
            if number == served or state in ("FILLING", "READY"):
                tasks.append(_Task(projection, number, state == "FILLING"))
    return sorted(tasks, key=lambda task: task.filling)


def _fault(error: Exception) -> dict[str, Any]:
    """For the log: kind and place. Messages of the driver may repeat what a row holds."""
    from tsuzuri.graphql.failures import places  # only here: it loads all of GraphQL

    sqlstate = error.sqlstate if isinstance(error, Error) else None
    return {"fault": type(error).__name__, "sqlstate": sqlstate, "at": places(error)}
