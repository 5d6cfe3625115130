"""The peer of the projections: the eventsourcing library's ProjectionRunner, with a view that writes the same rows.

As the library has it: its subscription, its mapper, and for each event one transaction with the rows and the tracking.
Its events hold what ours hold, read from our log, so that our own `apply` makes its rows of them: the tables, their
keys and their values are equal. It is spared three things: to look for earlier rows of the document, to parse the
content (which lies in its state as text that our reader takes as it is), and to encrypt.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEvent
from eventsourcing.persistence import InfrastructureFactory, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection as StockProjection
from eventsourcing.projection import ProjectionRunner
from eventsourcing.utils import Environment
from psycopg.sql import SQL, Identifier, Placeholder

from bench.rounds import Measured, Slice
from bench.stock import StockApplication, environment, opened_stock
from tsuzuri.domain.code_table import built_in
from tsuzuri.domain.codes import Codes
from tsuzuri.domain.events import EVENTS, Event
from tsuzuri.eventlog.connecting import connect
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.rows import Changes, Recorded, Row, Rows

STOCK_EVENTS, STOCK_SECONDS = 5_000, 3.0
"""One slice of it: so many events, or fewer if they take longer."""

_TYPES = {event.TOPIC: event for event in EVENTS}
_CODES = Codes(built_in())


@dataclass(frozen=True)
class StockRecorded(DomainEvent):
    """What our log holds of one event: the event, its place, and the payloads that the projection asks for."""

    topic: str
    owner: str
    part: int
    pos: int
    event: dict[str, Any]
    payloads: dict[str, str]
    received: str  # what makes it as large as a Bundle is


class View(PostgresTrackingRecorder):
    """Rows and tracking in one transaction."""

    def put(self, changes: Mapping[type[Row], Changes], tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            for kind, changed in changes.items():
                values = [msgspec.structs.asdict(row) for row in (*changed.added, *changed.put)]
                if len(values) == 1:
                    cursor.execute(_insert(kind), values[0], prepare=True)
                else:
                    cursor.executemany(_insert(kind), values)


class _Peer(StockProjection[View]):
    """Applies events until the time is up, from the moment at which it gets its first."""

    of: Projection
    most = STOCK_EVENTS

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.events = 0
        self.began = self.ended = 0.0
        self.done = threading.Event()

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        if self.done.is_set():
            return
        self.began = self.began or time.monotonic()
        event = recorded(domain_event)
        rows, changes = Rows(), defaultdict[type[Row], Changes](lambda: Changes([], [], [], []))
        self.of.apply(rows, event)
        rows.add_changes(event.owner, changes)
        self.view.put(changes, tracking)
        self.events += 1
        self.ended = time.monotonic()
        if self.events == self.most or self.ended - self.began > STOCK_SECONDS:
            self.done.set()


class AuditTrailPeer(_Peer):
    name = "audit_trail"
    of = PROJECTIONS["audit_trail"]


class RecordIndexPeer(_Peer):
    name = "record_index"
    of = PROJECTIONS["record_index"]


PEERS: dict[str, type[_Peer]] = {peer.name: peer for peer in (AuditTrailPeer, RecordIndexPeer)}


def prepare_peer(dsn: str, name: str, events: Sequence[StockRecorded]) -> str:
    """The library's tables with these events in them, and the projection's tables with their keys and indexes."""
    with opened_stock(dsn, create=True) as application:
        for event in events:  # not many at once: a pipeline of large states waits for ever
            application.save(event)
    with connect(dsn) as connection:
        connection.execute(PROJECTIONS[name].tables.encode())
        connection.execute(PROJECTIONS[name].indexes.encode())
    factory = InfrastructureFactory[View].construct(Environment(name, environment(dsn, create=True)))
    factory.tracking_recorder(View)
    factory.close()
    return dsn


@contextmanager
def projecting_stock(dsn: str, name: str) -> Iterator[Slice]:
    """A slice that begins with empty tables."""
    peer, tables = PEERS[name], [kind.TABLE for kind in PROJECTIONS[name].rows]
    with connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM stockapplication_events").fetchone()
        assert row is not None
        peer.most = min(STOCK_EVENTS, row[0])

        def run(_: float) -> Measured:
            for table in tables:
                connection.execute(SQL("TRUNCATE {}").format(Identifier(table)))
            connection.execute(
                SQL("DELETE FROM {} WHERE application_name = %s").format(Identifier(f"{name}_tracking")),
                (StockApplication.name,),
            )
            with ProjectionRunner(
                application_class=StockApplication,
                projection_class=peer,
                view_class=View,
                env=environment(dsn),
            ) as running:
                found = running.projection
                assert isinstance(found, _Peer)
                assert found.done.wait(60), f"{peer.__name__} got no further"
            return Measured(found.events, found.began, found.ended)

        yield run


def recorded(stored: StockRecorded) -> Recorded[Event]:
    """As our projection takes it."""
    return Recorded(
        msgspec.convert(stored.event, _TYPES[stored.topic]),
        UUID(stored.owner),
        stored.part,
        stored.pos,
        stored.timestamp,
        {UUID(payload): body.encode() for payload, body in stored.payloads.items()},
        _CODES,
    )


@cache
def _insert(kind: type[Row]) -> bytes:
    columns = kind.columns()
    statement = SQL("INSERT INTO {} ({}) VALUES ({})").format(
        Identifier(kind.TABLE),
        SQL(", ").join(map(Identifier, columns)),
        SQL(", ").join(map(Placeholder, columns)),
    )
    return statement.as_bytes()
