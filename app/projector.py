"""Keeps the live generations at the log's head: inside `tsuzuri serve`, or alone."""

import threading
from typing import Any

import structlog
from psycopg import Connection, Error, OperationalError

from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.generations import live_generation, prepare

POLL_SECONDS = 0.1
RETRY_SECONDS = 2.0
LAG_SECONDS_MAX = 30.0

_log = structlog.get_logger()


class Projector:
    """Applies new events to every live generation until it is stopped. A failing projection stops only itself."""

    def __init__(self, dsn: str):
        self.dsn = dsn
        self.engine = Engine(event_mapper())
        self.stopping = threading.Event()

    def run(self) -> None:
        """Blocks; reconnects when the database was away."""
        while not self.stopping.is_set():
            try:
                with Connection.connect(self.dsn, autocommit=True) as connection:
                    prepare(connection)
                    while not self.stopping.wait(POLL_SECONDS):
                        self._round(connection)
            except OperationalError as error:
                _log.warning("projector_waits", fault=type(error).__name__, sqlstate=error.sqlstate)
                self.stopping.wait(RETRY_SECONDS)

    def _round(self, connection: Connection[Any]) -> None:
        for projection in PROJECTIONS.values():
            try:
                self.engine.catch_up(connection, projection, live_generation(connection, projection.name))
            except OperationalError:
                raise
            except Exception as error:
                _stopped(projection, error)
                self.stopping.wait(RETRY_SECONDS)


def _stopped(projection: Projection, error: Exception) -> None:
    """Messages of the driver may repeat what a row holds: only the kind of error is logged."""
    sqlstate = error.sqlstate if isinstance(error, Error) else None
    _log.error(
        "projection_stopped", projection=projection.name, fault=type(error).__name__, sqlstate=sqlstate
    )
