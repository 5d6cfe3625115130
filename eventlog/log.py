"""The log as the rest of the house sees it: save events, read a stream back, find a patient's head."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import OperationalError
from psycopg import AsyncConnection, Error
from psycopg_pool import AsyncConnectionPool

from tsuzuri.domain.events import Event, originator
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog import appending
from tsuzuri.eventlog.appending import Beside
from tsuzuri.eventlog.mapper import SealedEvent, event_mapper
from tsuzuri.eventlog.places import Stored, part_of
from tsuzuri.eventlog.recorder import PartRecorder

State = TypeVar("State")
AsyncPool = AsyncConnectionPool[AsyncConnection[Any]]


class LogUnavailable(Exception):
    """The log cannot be written now. Nothing may be shown that it would have to record."""


@dataclass(frozen=True)
class PatientHead:
    """What a decision reads of one patient, and the position the guard compares."""

    guard_pos: int = 0
    consents: bytes | None = None


class LogApplication(Application[str]):
    """The eventsourcing library's face: `save(*events, beside=Beside(...))`."""

    env: ClassVar[dict[str, str]] = {
        "PERSISTENCE_MODULE": "tsuzuri.eventlog.factory",
        "MAPPER_TOPIC": "tsuzuri.eventlog.mapper:EventMapper",
    }


class EventLog:
    """The immutable log. Writes go through the library's `Application.save`, in a thread; reads are async."""

    def __init__(self, dsn: str, pool: AsyncPool):
        self.application = LogApplication(env={"TSUZURI_DSN": dsn})
        assert isinstance(self.application.recorder, PartRecorder)
        self.parts = self.application.recorder.parts
        self.pool = pool
        self.mapper = event_mapper()

    def close(self) -> None:
        self.application.close()

    def part_of(self, owner: UUID) -> int:
        return part_of(owner, self.parts)

    async def save(self, *events: Event, beside: Beside | None = None) -> None:
        """Append events in one transaction; they are durable when this returns.

        Raises:
            eventsourcing.persistence.IntegrityError: the stream has moved on: load, decide, save again.
            appending.NarrowedMeanwhile, appending.ClaimedElsewhere.
            LogUnavailable: try again.
        """
        try:
            await asyncio.to_thread(self.application.save, *events, beside=beside)
        except OperationalError as error:
            raise LogUnavailable("the log cannot be written now: try again") from error

    async def append_access(self, events: Sequence[Event], beside: Beside) -> list[Stored]:
        """Append access events, which have no expected version, under the guards of *beside*.

        Raises:
            appending.NarrowedMeanwhile: decide again.
            LogUnavailable: withhold the answer.
        """
        sealed = [self.mapper.to_stored_event(event) for event in events]
        arrays = appending.parameters(sealed, beside, self.parts)
        try:
            async with self.pool.connection() as connection:
                cursor = await connection.execute(appending.STATEMENT, arrays, prepare=True)
                return appending.stored(await cursor.fetchall())
        except Error as error:
            meaning = appending.meaning(error)
            if isinstance(meaning, appending.NarrowedMeanwhile):
                raise meaning from None
            raise LogUnavailable("the access could not be recorded") from error

    async def stream(self, owner: UUID, stream: Stream) -> list[Any]:
        """All events of one stream, in order."""
        return await asyncio.to_thread(lambda: list(self.application.events.get(originator(owner, stream))))

    async def fold(
        self, owner: UUID, stream: Stream, evolve: Callable[[State, Any], State], start: State
    ) -> State:
        """What the events of one stream add up to; folded in a thread, for a stream may be long."""
        name = originator(owner, stream)
        return await asyncio.to_thread(lambda: reduce(evolve, self.application.events.get(name), start))

    async def head(self, patient: UUID) -> PatientHead:
        """One row by its key, whether the patient exists or not: both cost the same."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT guard_pos, consents FROM patient_head WHERE part = %b AND patient_id = %b",
                (self.part_of(patient), patient),
                prepare=True,
                binary=True,
            )
            row = await cursor.fetchone()
        return PatientHead() if row is None else PatientHead(*row)

    async def record_events_behind(self, patient: UUID, after: int) -> list[tuple[int, Any]]:
        """The patient's record events behind position *after*, with their positions, in order."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                """SELECT pos, topic, state, event_id, version FROM event
                   WHERE part = %b AND patient_id = %b AND pos > %b AND stream = %b ORDER BY pos""",
                (self.part_of(patient), patient, after, Stream.RECORD.value),
                binary=True,
            )
            rows = await cursor.fetchall()
        name = originator(patient, Stream.RECORD)
        return [
            (pos, self.mapper.to_domain_event(SealedEvent(name, version, topic, state, event_id)))
            for pos, topic, state, event_id, version in rows
        ]
