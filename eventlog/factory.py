"""Builds our recorder for the eventsourcing library, over connections for writing and others for reading."""

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

from tsuzuri.eventlog.append_call import WriterConnection
from tsuzuri.eventlog.connecting import Logins, LogRole, session_options
from tsuzuri.eventlog.connections import Connections
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.recorder import PartRecorder

_NOT_USED = "snapshots, tracking and process recorders are not used: projections keep their own checkpoints"


class LogFactory(InfrastructureFactory[TrackingRecorder]):
    """The infrastructure of one LogApplication."""

    def __init__(self, env: Any, logins: Logins, ring: KeyRing, connections: int):
        super().__init__(env)
        self._ring = ring
        options = session_options(statement_seconds=60, lock_seconds=10)
        self._writers = Connections(WriterConnection, logins.of(LogRole.WRITER), connections, options)
        self._readers: Connections[Connection[Any]] = Connections(
            Connection, logins.of(LogRole.READER), connections, options
        )

    def application_recorder(self) -> ApplicationRecorder:
        with self._readers.connection() as connection:
            row = connection.execute("SELECT parts FROM log_setting").fetchone()
        if row is None:
            raise InfrastructureFactoryError("the log has not been made; run: tsuzuri db migrate")
        return PartRecorder(self._writers, self._readers, self._ring, row[0])

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        raise InfrastructureFactoryError(_NOT_USED)

    def tracking_recorder(self, tracking_recorder_class: type[Any] | None = None) -> Any:
        raise InfrastructureFactoryError(_NOT_USED)

    def process_recorder(self) -> ProcessRecorder:
        raise InfrastructureFactoryError(_NOT_USED)

    def close(self) -> None:
        self._writers.forget()
        self._readers.forget()
