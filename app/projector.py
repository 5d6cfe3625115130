"""Keeps the live generations at the log's head: inside `tsuzuri serve`, or alone."""

import threading
import time
from typing import Any

import structlog
from psycopg import Connection, Error
from psycopg.errors import LockNotAvailable

from tsuzuri.eventlog.connecting import Logins, LogRole
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.generations import live_generation

POLL_SECONDS = 0.1
RETRY_SECONDS = 2.0
LAG_SECONDS_MAX = 30.0
LOCK_TIMEOUT = (
    "SET lock_timeout = '50ms'"  # a rebuild holds its generation while it compares: the others go on
)

_log = structlog.get_logger()


class Projector:
    """Applies new events to every live generation until it is stopped. A failing projection stops only itself."""

    def __init__(self, logins: Logins, ring: KeyRing):
        self.logins = logins
        self.engine = Engine(event_mapper(), ring)
        self.stopping = threading.Event()
        self._retry_at: dict[str, float] = {}  # projection → on the monotonic clock; absent when it is well

    def run(self) -> None:
        """Blocks. Whatever happens, it connects and begins again: nobody else would notice that it had ended."""
        while not self.stopping.is_set():
            try:
                with self.logins.connect(LogRole.PROJECTOR) as connection:
                    connection.execute(LOCK_TIMEOUT)
                    self._retry_at.clear()
                    while not self.stopping.is_set():
                        if not self._round(connection):
                            self.stopping.wait(POLL_SECONDS)
            except Exception as error:
                _log.warning("projector_waits", **_fault(error))
                self.stopping.wait(RETRY_SECONDS)

    def _round(self, connection: Connection[Any]) -> bool:
        """One batch for each projection that is well, so that none waits for another; whether any has more to do."""
        more = False
        for projection in PROJECTIONS.values():
            if time.monotonic() < self._retry_at.get(projection.name, 0.0):
                continue
            try:
                generation = live_generation(connection, projection.name)
                progress = self.engine.step(connection, projection, generation)
            except Exception as error:
                # The driver says OperationalError of a lost server, and of a row too large for its index as well.
                if connection.closed or connection.broken:
                    raise
                held = isinstance(error, LockNotAvailable)  # by a rebuild, or by another projector: no fault
                self._retry_at[projection.name] = time.monotonic() + (POLL_SECONDS if held else RETRY_SECONDS)
                if not held:
                    _log.error("projection_stopped", projection=projection.name, **_fault(error))
            else:
                self._retry_at.pop(projection.name, None)
                more = more or progress.lag_events > 0
        return more


def _fault(error: Exception) -> dict[str, Any]:
    """For the log: kind and place. Messages of the driver may repeat what a row holds."""
    from tsuzuri.graphql.failures import places  # only here: it loads all of GraphQL

    sqlstate = error.sqlstate if isinstance(error, Error) else None
    return {"fault": type(error).__name__, "sqlstate": sqlstate, "at": places(error)}
