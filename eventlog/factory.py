"""Chosen by the eventsourcing library through PERSISTENCE_MODULE: builds our recorder and mapper."""

from typing import Any

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    InfrastructureFactoryError,
    ProcessRecorder,
    TrackingRecorder,
)
from psycopg import Connection
from psycopg_pool import ConnectionPool

from tsuzuri.eventlog.connecting import SESSION
from tsuzuri.eventlog.recorder import PartRecorder

_NOT_USED = "snapshots, tracking and process recorders are not used: projections keep their own checkpoints"


class LogFactory(InfrastructureFactory[TrackingRecorder]):
    """Settings: TSUZURI_DSN (any conninfo libpq takes), TSUZURI_LOG_CONNECTIONS (default 4)."""

    def __init__(self, env: Any):
        super().__init__(env)
        self.pool: ConnectionPool[Connection[Any]] = ConnectionPool(
            env.get("TSUZURI_DSN") or "",
            min_size=1,
            max_size=int(env.get("TSUZURI_LOG_CONNECTIONS") or 4),
            kwargs={"autocommit": True, "options": f"{SESSION} -c statement_timeout=60s -c lock_timeout=10s"},
            check=ConnectionPool.check_connection,
            timeout=10,
            open=True,
        )

    def application_recorder(self) -> ApplicationRecorder:
        with self.pool.connection() as connection:
            row = connection.execute("SELECT parts FROM log_setting").fetchone()
        if row is None:
            raise InfrastructureFactoryError("the log has not been made; run: tsuzuri db migrate")
        return PartRecorder(self.pool, row[0])

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        raise InfrastructureFactoryError(_NOT_USED)

    def tracking_recorder(self, tracking_recorder_class: type[Any] | None = None) -> Any:
        raise InfrastructureFactoryError(_NOT_USED)

    def process_recorder(self) -> ProcessRecorder:
        raise InfrastructureFactoryError(_NOT_USED)

    def close(self) -> None:
        self.pool.close()


Factory = LogFactory  # the name under which the library looks for it
