"""Our side of every comparison, and nothing else knows the log's inside: change the log, and change this file."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from eventsourcing.application import Application
from psycopg import Connection

from tsuzuri.app import keys
from tsuzuri.app.actions.write_log import write_log as write_whole_log
from tsuzuri.app.commands.given_files import Piece
from tsuzuri.app.commands.ingest import registering, windows
from tsuzuri.app.database import bring_up
from tsuzuri.app.keys import key_encryption
from tsuzuri.app.services import logins_of, services
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import ConsentWithdrawn, Event, originator
from tsuzuri.domain.vocabulary import Role, Stream
from tsuzuri.eventlog import sealed_events, sealing
from tsuzuri.eventlog.appending import Beside, Guard, Write, split
from tsuzuri.eventlog.bulk import BulkAppender
from tsuzuri.eventlog.checkpoints import CheckpointMaker
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.log import EventLog, LogApplication
from tsuzuri.eventlog.mapper import MappedEvent, event_mapper
from tsuzuri.eventlog.places import part_of
from tsuzuri.eventlog.proofs.notes import SigningKey
from tsuzuri.eventlog.published import Published
from tsuzuri.eventlog.sealed_writes import SealedWrite
from tsuzuri.projections.engine import Engine

PARTS = 64  # what an installation gets that asks for nothing


def settings() -> Settings:
    """Keys that all processes of one run have in common, in a folder that ends with the run's server."""
    home = os.environ.setdefault("TSUZURI_BENCH_HOME", tempfile.mkdtemp(prefix="tsuzuri-bench-home-"))
    return read_settings({"TSUZURI_HOME": home, "TSUZURI_MODE": "development", "TSUZURI_PARTS": str(PARTS)})


def prepare(dsn: str) -> None:
    """An empty log."""
    bring_up(settings(), dsn)


@contextmanager
def opened_log(dsn: str, connections: int = 1) -> Iterator[Application[str]]:
    """What writes through `Application.save`."""
    with _opened(dsn, connections) as log:
        yield log


@contextmanager
def _opened(dsn: str, connections: int = 1) -> Iterator[LogApplication]:
    ring = KeyRing(key_encryption(settings()))
    log = LogApplication(logins_of(settings(), dsn), ring, connections=connections)
    try:
        yield log
    finally:
        log.close()


@asynccontextmanager
async def opened_event_log(dsn: str) -> AsyncIterator[EventLog]:
    """The log as the server holds it: its `append_access` is what every read waits for."""
    async with services(settings(), dsn) as opened:
        yield opened.log


@contextmanager
def opened_intake(dsn: str, readers: int) -> Iterator[Callable[[Sequence[bytes]], int]]:
    """What `tsuzuri ingest` does of Bundles in memory, with so many readers; it says how many were taken."""
    caller = Caller(person="operator-ono", role=Role.OPERATOR)
    stack = AsyncExitStack()
    with asyncio.Runner() as runner:
        opened = runner.run(stack.enter_async_context(services(settings(), dsn, reader_processes=readers)))

        async def registered(bodies: Sequence[bytes]) -> int:
            given = windows(Piece(f"{number}", body) for number, body in enumerate(bodies))
            async with aclosing(registering(opened, caller, given)) as done:
                told = [result async for _, results in done for result in results]
            return sum(result.status in ("registered", "replaced") for result in told)

        try:
            yield lambda bodies: runner.run(registered(bodies))
        finally:
            runner.run(stack.aclose())


async def narrowed_patients(log: EventLog, count: int) -> list[Guard]:
    """Patients whose sight an event narrowed once, and the guards that hold since."""
    guards = []
    for _ in range(count):
        patient = uuid4()
        withdrawn = ConsentWithdrawn(
            originator_id=originator(patient, Stream.CONSENT),
            originator_version=1,
            event_id=uuid4(),
            patient=patient,
            facility="1312345678",
            recorded_by="operator-ono",
        )
        await log.save(withdrawn, beside=Beside(narrows=True, consents=b"{}"))
        guards.append(Guard(patient, (await log.head(patient)).guard_pos))
    return guards


def mapped(event: Event) -> MappedEvent:
    return event_mapper().to_stored_event(event)


Prepares = Callable[[Sequence[Event]], list[SealedWrite]]
Appends = Callable[[Sequence[SealedWrite]], object]


@contextmanager
def opened_bulk(dsn: str) -> Iterator[tuple[Prepares, Appends]]:
    """Two functions: one maps and seals events and sorts them by part; one appends them in durable batches."""
    with _opened(dsn) as log:
        recorder = log.part_recorder

        def prepared(events: Sequence[Event]) -> list[SealedWrite]:
            by_part = sorted(events, key=lambda event: part_of(split(event.originator_id)[0], PARTS))
            return recorder.seal([Write([mapped(event)]) for event in by_part])

        yield prepared, BulkAppender(recorder).append_sealed


@contextmanager
def opened_load(dsn: str) -> Iterator[Callable[[Sequence[Event]], object]]:
    """Loads events in bulk as intake does: sealed, sorted by part, in batches as large as time allows."""
    with _opened(dsn) as log:
        appender = BulkAppender(log.part_recorder)
        yield lambda events: appender.append([Write([mapped(event)]) for event in events])


@contextmanager
def opened_writes(dsn: str) -> Iterator[Callable[[Sequence[Write]], None]]:
    """Loads whole writes in bulk, with their payloads; all of them are stored, or it fails."""
    with _opened(dsn) as log:
        appender = BulkAppender(log.part_recorder)

        def load(writes: Sequence[Write]) -> None:
            refused = [outcome for outcome in appender.append(writes) if outcome is not None]
            assert not refused, refused[0]

        yield load


@contextmanager
def opened_projector(dsn: str, rebuild_share: float = 1.0) -> Iterator[tuple[Connection[Any], Engine]]:
    """The connection and the engine with which one process of the projector works."""
    ring = KeyRing(key_encryption(settings()))
    with logins_of(settings(), dsn).connect(LogRole.PROJECTOR) as connection:
        yield connection, Engine(event_mapper(), ring, rebuild_share=rebuild_share)


# --- the same append without its seals, for bench_sealing ------------------------------------------


def prepare_clear(dsn: str) -> None:
    """An empty log whose leaf hashes are all the same 32 bytes."""
    prepare(dsn)
    with Connection.connect(dsn, autocommit=True) as connection:
        row = connection.execute("SELECT 'leaf_hash'::regproc::oid").fetchone()
        connection.execute(
            """CREATE OR REPLACE FUNCTION leaf_hash(
                   part smallint, pos bigint, event_id uuid, patient_id uuid, stream smallint, version bigint,
                   topic text, key_id uuid, state bytea, recorded_at timestamptz
               ) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
               AS $$ SELECT decode(repeat('00', 32), 'hex') $$"""
        )
        replaced = connection.execute("SELECT 'leaf_hash'::regproc::oid").fetchone()
        assert replaced == row, "the log hashes with another function now: replace that one"


@contextmanager
def opened_clear_log(dsn: str) -> Iterator[Application[str]]:
    """`opened_log` without encryption, over a database of `prepare_clear`."""
    with (
        patch.object(sealed_events, "seal", _compressed),
        patch.object(sealed_events, "derived", lambda secret, section, name: secret),
        _opened(dsn) as log,
    ):
        yield log


def _compressed(key: bytes, plain: bytes, about: bytes) -> bytes:
    """What `sealing.seal` does before it encrypts, and as many bytes as it makes of it."""
    return bytes(28) + sealing.packed(plain)


# --- checkpoints and proofs, for bench_proofs ------------------------------------------------------


def checkpoint_key() -> SigningKey:
    """One for all processes of a run."""
    return keys.checkpoint_key(settings())


def checkpoint_maker(dsn: str, folder: Path) -> CheckpointMaker:
    return CheckpointMaker(logins_of(settings(), dsn), checkpoint_key(), Published(folder))


def reader(dsn: str) -> str:
    """The conninfo of who makes proofs."""
    return logins_of(settings(), dsn).of(LogRole.READER)


def write_log(dsn: str, file: Path) -> None:
    """The whole log, as `tsuzuri audit prove --log` writes it."""

    async def written() -> None:
        async with services(settings(), dsn) as opened:
            with open(file, "w", encoding="utf-8") as out:
                await write_whole_log(opened, out, None, lambda _: None)

    asyncio.run(written())
