"""Our side of the projections: logs to project, and slices that catch up, fill, or merely read."""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from bench import ours
from bench.bundles import RECEIVED_BYTES, bundles
from bench.crew import Crew
from bench.rounds import Measured, Slice
from bench.samples import access
from bench.stock_projections import StockRecorded
from tsuzuri.eventlog.appending import Beside, Write
from tsuzuri.eventlog.data_keys import WrappedKey
from tsuzuri.eventlog.following import LOGGED_EVENT, LoggedEvent, follow, heads
from tsuzuri.eventlog.sealed_events import unseal_payload
from tsuzuri.projections.carrying import Carrying
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.filling import fill, index_when_filled
from tsuzuri.projections.generations import begin_rebuild, beside, cancel, live_generation
from tsuzuri.projections.opening import Opened

ACCESSES_A_PATIENT, AT_ONCE, READ_AT_ONCE = 50, 1_000, 2_000


def load_accesses(dsn: str, count: int) -> None:
    """Access events of many patients, in any order."""
    patients = [uuid4() for _ in range(max(1, count // ACCESSES_A_PATIENT))]
    with ours.opened_writes(dsn) as load:
        for begin in range(0, count, AT_ONCE):
            some = range(begin, min(begin + AT_ONCE, count))
            load([Write([ours.mapped(access(random.choice(patients)))]) for _ in some])


def load_bundles(dsn: str, count: int) -> None:
    """Bundles, and a table that names the payloads which the record index reads."""
    some, wanted = bundles(), []
    with ours.opened_writes(dsn) as load:
        for begin in range(0, count, AT_ONCE):
            batch = list(islice(some, min(AT_ONCE, count - begin)))
            load([Write([ours.mapped(one.event)], Beside(payloads=one.payloads)) for one in batch])
            wanted += [payload.payload_id for one in batch for payload in one.payloads[1:]]
    with ours.opened_projector(dsn) as (connection, _):
        connection.execute("CREATE SCHEMA bench CREATE TABLE wanted (payload_id uuid PRIMARY KEY)")
        with connection.cursor().copy("COPY bench.wanted FROM STDIN") as copy:
            for payload in wanted:
                copy.write_row([payload])
        connection.execute("ANALYZE bench.wanted")


def copied(dsn: str, name: str, count: int) -> list[StockRecorded]:
    """The first events of our log as the library is to store them."""
    projection = PROJECTIONS[name]
    with ours.opened_projector(dsn) as (connection, engine):
        upto = heads(connection)
        logged = follow(connection, {}, upto=upto, topics=projection.topics, limit=count).events
        opened = [Opened(one, engine.mapper.to_domain_event(one.opened(engine.ring))) for one in logged]
        carrying = Carrying(connection, engine.ring, projection, opened)
        return [_copy(one, carrying.of(one)) for one in opened]


def _copy(one: Opened, payloads: dict[UUID, bytes]) -> StockRecorded:
    event = msgspec.to_builtins(one.event)
    size = sum(map(len, payloads.values())) + len(msgspec.json.encode(event))
    return StockRecorded(
        originator_id=one.logged.event_id,
        originator_version=1,
        timestamp=one.logged.recorded_at,
        topic=one.logged.topic,
        owner=str(one.logged.patient_id),
        part=one.logged.part,
        pos=one.logged.pos,
        event=event,
        payloads={str(payload): body.decode() for payload, body in payloads.items()},
        received="院" * ((RECEIVED_BYTES - size) // 3) if payloads else "",
    )


@contextmanager
def applying(dsn: str, name: str, number: int, processes: int) -> Iterator[Slice]:
    """Applies what is new in its share of the parts, as a projector does through its leases."""
    projection = PROJECTIONS[name]
    parts = range(number, ours.PARTS, processes)
    with ours.opened_projector(dsn) as (connection, engine):
        generation = live_generation(connection, name)

        def run(seconds: float) -> Measured:
            events = 0
            began = time.monotonic()
            while True:
                progress = engine.step(connection, projection, generation, parts=parts)
                events += progress.events
                now = time.monotonic()
                if progress.lag_events == 0 or now > began + seconds:
                    return Measured(events, began, now, peak_mb=peak_mb())

        yield run


@contextmanager
def catching_up(dsn: str, name: str, processes: int = 1) -> Iterator[Slice]:
    """A slice that begins with empty tables, which have all their indexes, and ends at the log's head at the latest."""
    with (
        ours.opened_projector(dsn) as (connection, _),
        Crew(applying, dsn, name, processes=processes, numbered=True) as crew,
    ):
        generation = live_generation(connection, name)

        def run(seconds: float) -> Measured:
            _empty(connection, name, generation)
            return crew(seconds)

        yield run


def _empty(connection: Connection[Any], name: str, generation: int) -> None:
    projection = PROJECTIONS[name]
    with connection.transaction():
        for kind in projection.rows:
            table = Identifier(projection.schema(generation), kind.TABLE)
            connection.execute(SQL("TRUNCATE {}").format(table))
        connection.execute(
            "UPDATE projection_checkpoint SET pos = 0 WHERE name = %s AND generation = %s", (name, generation)
        )


@contextmanager
def filling(dsn: str, name: str, number: int, processes: int) -> Iterator[Slice]:
    """Fills its share of the parts of the generation that was begun, as a projector does through its leases."""
    projection = PROJECTIONS[name]
    parts = range(number, ours.PARTS, processes)
    with ours.opened_projector(dsn) as (connection, engine):

        def run(_: float) -> Measured:
            new = beside(connection, name)
            assert new is not None, "begin_rebuild comes first"
            events = 0
            began = time.monotonic()
            while (filled := fill(connection, engine, projection, new.generation, parts=parts)).more:
                events += filled.events
            return Measured(events, began, time.monotonic(), peak_mb=peak_mb())

        yield run


@contextmanager
def rebuilding(dsn: str, name: str, processes: int = 1) -> Iterator[Slice]:
    """A slice that is one whole rebuild: begun, filled by so many processes, indexed; and then dropped, untimed."""
    projection = PROJECTIONS[name]
    with (
        ours.opened_projector(dsn) as (connection, engine),
        Crew(filling, dsn, name, processes=processes, numbered=True) as fillers,
    ):

        def run(seconds: float) -> Measured:
            began = time.monotonic()
            generation = begin_rebuild(connection, engine, projection)
            filled = fillers(seconds)
            assert index_when_filled(connection, projection, generation), "parts were left out"
            ended = time.monotonic()
            cancel(connection, projection)
            return Measured(filled.events, began, ended, peak_mb=filled.peak_mb)

        yield run


@contextmanager
def reading(dsn: str, name: str) -> Iterator[Slice]:
    """A slice that reads all that a rebuild reads, decrypted and decompressed, and does nothing with it."""
    topics = PROJECTIONS[name].topics
    with ours.opened_projector(dsn) as (connection, engine):

        def run(_: float) -> Measured:
            began = time.monotonic()
            events = _read_events(connection, engine, topics)
            if name == "record_index":
                _read_payloads(connection, engine)
            return Measured(events, began, time.monotonic())

        yield run


def _read_events(connection: Connection[Any], engine: Engine, topics: Sequence[str]) -> int:
    events = 0
    statement = f"SELECT {LOGGED_EVENT} FROM event e LEFT JOIN data_key k USING (part, key_id) WHERE e.topic = ANY (%b)"
    with connection.transaction(), connection.cursor("events", binary=True) as cursor:
        cursor.itersize = READ_AT_ONCE
        for row in cursor.execute(statement.encode(), (list(topics),)):
            LoggedEvent(*row).opened(engine.ring)
            events += 1
    return events


def _read_payloads(connection: Connection[Any], engine: Engine) -> None:
    with connection.transaction(), connection.cursor("payloads", binary=True) as cursor:
        cursor.itersize = READ_AT_ONCE
        cursor.execute(
            """SELECT p.payload_id, p.body, p.key_id, k.patient_id, k.use, k.epoch, k.wrapped
               FROM payload p JOIN data_key k USING (part, key_id) JOIN bench.wanted USING (payload_id)"""
        )
        for payload, body, *key in cursor:
            secret = engine.ring.secret(WrappedKey(*key))
            assert secret is not None
            unseal_payload(secret, payload, body)


def peak_mb() -> float:
    """The most memory that this process has had. Of the program alone: ru_maxrss also counts its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
