"""The log as the rest of the house sees it: save events, read a stream back, find a patient's head."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import MapperDeserialisationError, OperationalError
from eventsourcing.utils import Environment
from psycopg import AsyncConnection, Error
from psycopg_pool import AsyncConnectionPool

from tsuzuri.domain.events import Event, Unreadable, originator
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.appending import Beside, LogUnavailable, Write
from tsuzuri.eventlog.connecting import Logins, LogRole
from tsuzuri.eventlog.data_keys import KEY_ATTEMPTS, KeyChanged, KeyRing, KeyUse, WrappedKey
from tsuzuri.eventlog.decoys import Decoy
from tsuzuri.eventlog.factory import LogFactory
from tsuzuri.eventlog.group_commit import GroupCommit, GroupCounts
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.eventlog.opened_events import EVENT_COLUMNS, open_event
from tsuzuri.eventlog.places import Stored, part_of
from tsuzuri.eventlog.recorder import PartRecorder
from tsuzuri.eventlog.sealed_events import unseal_consents, unseal_payload
from tsuzuri.eventlog.sealed_writes import (
    KEYS_IN_FORCE,
    STORED,
    SealedWrite,
    key_parameters,
    stored_already,
    stored_parameters,
)
from tsuzuri.eventlog.sealing import SealBroken

State = TypeVar("State")
AsyncPool = AsyncConnectionPool[AsyncConnection[Any]]


@dataclass(frozen=True)
class PatientHead:
    """What a decision reads of one patient, and the position the guard compares."""

    patient: UUID
    guard_pos: int = 0
    consents: bytes | None = None


class LogApplication(Application[str]):
    """The eventsourcing library's face: `save(*events, beside=Beside(...))`."""

    env: ClassVar[dict[str, str]] = {"MAPPER_TOPIC": "tsuzuri.eventlog.mapper:EventMapper"}

    def __init__(self, logins: Logins, ring: KeyRing, *, connections: int = 4) -> None:
        self._made_of = logins, ring, connections
        super().__init__()
        assert isinstance(self.recorder, PartRecorder)
        self.part_recorder: PartRecorder = self.recorder

    def construct_factory(self, env: Environment) -> LogFactory:
        return LogFactory(env, *self._made_of)


class EventLog:
    """The immutable log. Writes go through the library's `Application.save`, in a thread; reads are async."""

    def __init__(self, logins: Logins, ring: KeyRing, readers: AsyncPool):
        self.application = LogApplication(logins, ring)
        self.ring = ring
        self.parts = self.application.part_recorder.parts
        self.readers = readers
        self.mapper = event_mapper()
        self._decoy = Decoy()
        self._group = GroupCommit(logins.of(LogRole.WRITER), ring, self.parts, self._stored)

    @property
    def group_counts(self) -> GroupCounts:
        return self._group.counts

    async def close(self) -> None:
        await self._group.close()
        await asyncio.to_thread(self.application.close)

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
        """Append access events, which have no expected version, under the guards of *beside*; many share a commit.

        Raises:
            appending.NarrowedMeanwhile: decide again.
            LogUnavailable: withhold the answer.
        """
        write = Write([self.mapper.to_stored_event(event) for event in events], beside)
        for _ in range(KEY_ATTEMPTS):
            await self._look_up_keys(write)
            try:
                return await self._group.append(write)
            except KeyChanged:
                self.ring.forget(write.streams())
        raise LogUnavailable("the keys of these streams keep changing: try again")

    async def _look_up_keys(self, write: Write) -> None:
        lacking = self.ring.lacking(write.streams())
        if not lacking:
            return
        try:
            async with self.readers.connection() as connection:
                cursor = await connection.execute(
                    KEYS_IN_FORCE, key_parameters(lacking, self.parts), binary=True
                )
                rows = await cursor.fetchall()
        except Error as error:
            raise LogUnavailable("the access could not be recorded") from error
        self.ring.learn(lacking, [WrappedKey(*row) for row in rows])

    async def _stored(self, writes: Sequence[SealedWrite]) -> list[list[Stored] | None]:
        try:
            async with self.readers.connection() as connection:
                cursor = await connection.execute(STORED, stored_parameters(writes), binary=True)
                return stored_already(writes, await cursor.fetchall())
        except Error as error:
            raise LogUnavailable("the access could not be recorded") from error

    async def stream(self, owner: UUID, stream: Stream) -> list[Any]:
        """All events of one stream, in order; one whose key was destroyed comes as `Erased`."""
        return await asyncio.to_thread(lambda: list(self.application.events.get(originator(owner, stream))))

    async def fold(
        self, owner: UUID, stream: Stream, evolve: Callable[[State, Any], State], start: State
    ) -> State:
        """What the events of one stream add up to; folded in a thread, for a stream may be long."""
        name = originator(owner, stream)
        return await asyncio.to_thread(lambda: reduce(evolve, self.application.events.get(name), start))

    async def fold_many(
        self,
        owners: Collection[UUID],
        stream: Stream,
        evolve: Callable[[State, Any], State],
        start: Callable[[UUID], State],
    ) -> dict[UUID, State]:
        """As `fold`, for many owners in one statement."""
        async with self.readers.connection() as connection:
            cursor = await connection.execute(
                f"""SELECT {EVENT_COLUMNS}
                    FROM unnest(%b::smallint[], %b::uuid[]) AS n (part, patient_id)
                    JOIN event e ON e.part = n.part AND e.patient_id = n.patient_id AND e.stream = %b
                    LEFT JOIN data_key k ON k.part = e.part AND k.key_id = e.key_id
                    ORDER BY e.patient_id, e.pos""".encode(),
                ([self.part_of(owner) for owner in owners], list(owners), stream.value),
                binary=True,
            )
            rows = await cursor.fetchall()

        def folded() -> dict[UUID, State]:
            states = {owner: start(owner) for owner in owners}
            for row in rows:
                event = self.mapper.to_domain_event(open_event(self.ring, *row))
                states[row[1]] = evolve(states[row[1]], event)
            return states

        return await asyncio.to_thread(folded)

    async def heads(self, patient: UUID) -> list[PatientHead]:
        """The patient's head; when she is linked, those of all who are the same person, the survivor's first.

        One statement by keys alone, whether the patient exists or not: both cost the same.
        """
        asked = self.part_of(patient), patient
        return (await self._heads("SELECT %b::smallint AS part, %b::uuid AS patient_id", asked))[patient]

    async def heads_of_each(self, patients: Sequence[UUID]) -> dict[UUID, list[PatientHead]]:
        """As `heads`, of several patients in one statement."""
        asked = [self.part_of(patient) for patient in patients], list(patients)
        return await self._heads(
            "SELECT * FROM unnest(%b::smallint[], %b::uuid[]) AS n (part, patient_id)", asked
        )

    async def _heads(self, asked: str, values: Sequence[Any]) -> dict[UUID, list[PatientHead]]:
        async with self.readers.connection() as connection:
            cursor = await connection.execute(
                f"""SELECT asked.patient_id, m.patient_id, h.guard_pos, h.consents, h.consents_key, k.epoch, k.wrapped
                    FROM ({asked}) AS asked
                    LEFT JOIN patient_head own USING (part, patient_id)
                    CROSS JOIN LATERAL (
                        SELECT * FROM unnest(own.linked_parts, own.linked)
                            WITH ORDINALITY AS l (part, patient_id, place)
                        UNION ALL SELECT asked.part, asked.patient_id, 1 WHERE coalesce(own.linked, '{{}}') = '{{}}'
                    ) AS m
                    LEFT JOIN patient_head h ON h.part = m.part AND h.patient_id = m.patient_id
                    LEFT JOIN data_key k ON k.part = h.part AND k.key_id = h.consents_key
                    ORDER BY m.place""".encode(),
                values,
                prepare=True,
                binary=True,
            )
            rows = await cursor.fetchall()
        heads: dict[UUID, list[PatientHead]] = {}
        for patient, *row in rows:
            heads.setdefault(patient, []).append(self.opened_head(*row))
        return heads

    async def head(self, patient: UUID) -> PatientHead:
        """The patient's own, whoever else is the same person."""
        return next(head for head in await self.heads(patient) if head.patient == patient)

    def opened_head(
        self,
        patient: UUID,
        guard_pos: int | None,
        consents: bytes | None,
        key_id: UUID | None,
        epoch: int | None,
        wrapped: bytes | None,
    ) -> PatientHead:
        """A row of `patient_head`, its consents unsealed with their key. Raises SealBroken, KeyUnavailable."""
        if consents is None or key_id is None or epoch is None:
            self._decoy.open()
            return PatientHead(patient, guard_pos or 0)
        secret = self.ring.secret(WrappedKey(key_id, patient, KeyUse.CONSENT, epoch, wrapped))
        return PatientHead(patient, guard_pos or 0, secret and unseal_consents(secret, patient, consents))

    def know_access_key(
        self, owner: UUID, key_id: UUID | None, epoch: int | None, wrapped: bytes | None
    ) -> None:
        """The key in force of an access stream, as it was just read: else the append looks it up. None: it has none."""
        stream = owner, KeyUse.ACCESS
        if key_id is not None and epoch is not None and self.ring.lacking([stream]):
            self.ring.learn([stream], [WrappedKey(key_id, *stream, epoch, wrapped)])

    async def payload(self, owner: UUID, payload: UUID) -> bytes | None:
        """What was stored beside an event of *owner*; None when there is none, or it was erased.

        Raises SealBroken and KeyUnavailable.
        """
        async with self.readers.connection() as connection:
            cursor = await connection.execute(
                """SELECT p.body, p.key_id, k.patient_id, k.use, k.epoch, k.wrapped
                   FROM payload p JOIN data_key k USING (part, key_id)
                   WHERE p.part = %b AND p.payload_id = %b AND k.patient_id = %b""",
                (self.part_of(owner), payload, owner),
                binary=True,
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        body, *key = row
        secret = self.ring.secret(WrappedKey(*key))
        return None if secret is None else await asyncio.to_thread(unseal_payload, secret, payload, body)

    async def record_events_behind(self, patient: UUID, after: int) -> list[tuple[int, Any]]:
        """The patient's record events behind position *after*, with their positions, in order.

        One that cannot be decoded comes as `Unreadable`, for what was changed has to be known even then.
        """
        return (await self.record_events_behind_each([(patient, after)]))[patient, after]

    async def record_events_behind_each(
        self, asked: Sequence[tuple[UUID, int]]
    ) -> dict[tuple[UUID, int], list[tuple[int, Any]]]:
        """As `record_events_behind`, of several patients and positions in one statement."""
        patients = [patient for patient, _ in asked]
        async with self.readers.connection() as connection:
            cursor = await connection.execute(
                f"""SELECT n.number::integer, e.pos, {EVENT_COLUMNS}
                    FROM unnest(%b::smallint[], %b::uuid[], %b::bigint[]) WITH ORDINALITY
                        AS n (part, patient_id, after, number)
                    JOIN event e ON e.part = n.part AND e.patient_id = n.patient_id AND e.pos > n.after
                    AND e.stream = %b
                    LEFT JOIN data_key k ON k.part = e.part AND k.key_id = e.key_id
                    ORDER BY e.pos""".encode(),
                (
                    [self.part_of(patient) for patient in patients],
                    patients,
                    [after for _, after in asked],
                    Stream.RECORD.value,
                ),
                binary=True,
            )
            rows = await cursor.fetchall()
        found: dict[tuple[UUID, int], list[tuple[int, Any]]] = {one: [] for one in asked}
        for number, pos, *row in rows:
            found[asked[number - 1]].append((pos, self._readable(row)))
        return found

    def _readable(self, row: Sequence[Any]) -> Any:
        event_id, owner, stream, version, topic, *_ = row
        try:
            return self.mapper.to_domain_event(open_event(self.ring, *row))
        except (SealBroken, MapperDeserialisationError):
            name = originator(owner, Stream(stream))
            return Unreadable(
                originator_id=name, originator_version=version or 0, event_id=event_id, topic=topic
            )
