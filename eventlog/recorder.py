"""The log behind the eventsourcing library: its recorder, on part heads instead of a table lock."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    OperationalError,
    StoredEvent,
    Subscription,
)
from psycopg import Connection, Error

from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.append_call import Answer, WriterConnection
from tsuzuri.eventlog.appending import Beside, Taken, Write, meaning, split
from tsuzuri.eventlog.connections import Connections
from tsuzuri.eventlog.data_keys import KEY_ATTEMPTS, KeyChanged, KeyRing, WrappedKey
from tsuzuri.eventlog.in_doubt import IN_DOUBT_SECONDS, PAUSE_SECONDS, lost
from tsuzuri.eventlog.mapper import MappedEvent
from tsuzuri.eventlog.opened_events import EVENT_COLUMNS, open_event
from tsuzuri.eventlog.packed_parameters import Packed
from tsuzuri.eventlog.places import Stored, part_of
from tsuzuri.eventlog.sealed_writes import (
    KEYS_IN_FORCE,
    STORED,
    Call,
    SealedWrite,
    call,
    key_parameters,
    seal_write,
    stored_already,
    stored_parameters,
)
from tsuzuri.eventlog.single_sequence import PollingSubscription, max_notification_id, select_notifications

Writers = Connections[WriterConnection]
Readers = Connections[Connection[Any]]
Rows = list[tuple[Any, ...]]
T = TypeVar("T")

_SELECT = f"""
    SELECT {EVENT_COLUMNS} FROM event e LEFT JOIN data_key k USING (part, key_id)
    WHERE e.part = %b AND e.patient_id = %b AND e.stream = %b
"""


@dataclass(frozen=True)
class PackedWrites:
    """Writes, and the one call that stores them."""

    writes: Sequence[SealedWrite]
    call: Call


class PartRecorder(ApplicationRecorder):
    """Appends gaplessly within a part, commits parts side by side, and reads streams back."""

    def __init__(self, writers: Writers, readers: Readers, ring: KeyRing, parts: int):
        super().__init__()
        self.writers = writers
        self.readers = readers
        self.ring = ring
        self.parts = parts

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, beside: Beside | None = None, **_: Any
    ) -> Sequence[int]:
        """Append in one transaction; the answer is each event's packed place.

        A reply lost after the commit is read back by event id, because the append is safe to repeat.

        Raises:
            IntegrityError: the stream has moved on.
            NarrowedMeanwhile, ClaimedElsewhere: see `appending`.
            OperationalError: the log cannot be written now; the same events may be sent again.
        """
        if not stored_events:
            return []
        write = Write([_mapped(event) for event in stored_events], beside or Beside())
        return [stored.place.packed() for stored in self.append(write)]

    def append(self, write: Write) -> list[Stored]:
        """As `insert_events`."""
        for attempt in range(KEY_ATTEMPTS):
            try:
                return self.append_sealed(self.seal([write], certain=attempt > 0))[0]
            except KeyChanged:
                self.ring.forget(write.streams())
                if write.beside.consents is not None:  # folded of what may have been erased with the key
                    raise IntegrityError("a key was changed: load the consents and decide again") from None
        raise OperationalError("the keys of these streams keep changing: try again")

    def seal(self, writes: Sequence[Write], *, certain: bool = False) -> list[SealedWrite]:
        """Seal writes under their streams' keys, looking up those that are not known here.

        A stream that begins is taken to have no key, unless it is to be *certain*: the append refuses it otherwise.
        """
        while True:
            if not certain:
                begun = {stream for write in writes for stream in write.begun()}
                self.ring.learn(self.ring.lacking(begun), [])
            self._look_up_keys(writes)
            try:
                return [seal_write(write, self.ring, self.parts) for write in writes]
            except KeyChanged:  # forgotten between the two by another thread
                continue

    def append_sealed(self, writes: Sequence[SealedWrite]) -> list[list[Stored]]:
        """Append prepared writes in one transaction, all or none of them. Raises as `insert_events`, and KeyChanged."""
        return self.append_packed(self.packed(writes))

    def packed(self, writes: Sequence[SealedWrite]) -> PackedWrites:
        """Ready to be sent in one transaction."""
        return PackedWrites(writes, call(writes, self.parts))

    def append_packed(self, packed: PackedWrites) -> list[list[Stored]]:
        """As `append_sealed`."""
        writes, sent = packed.writes, packed.call
        try:
            places = sent.places(*self._append(sent.statement, sent.parameters))
        except Taken:
            found = stored_already(writes, self._read(STORED, stored_parameters(writes)))
            places = [each for each in found if each is not None]
            if len(places) < len(writes):
                raise
        self.keys_stored(writes)
        return places

    def keys_stored(self, writes: Sequence[SealedWrite]) -> None:
        """The new keys that these writes brought are in the database now."""
        self.ring.stored({key.key_id: key for write in writes for key in write.new_keys}.values())

    def _look_up_keys(self, writes: Sequence[Write]) -> None:
        if lacking := self.ring.lacking(stream for write in writes for stream in write.streams()):
            rows = self._read(KEYS_IN_FORCE, key_parameters(lacking, self.parts))
            self.ring.learn(lacking, [WrappedKey(*row) for row in rows])

    def _append(self, statement: bytes, parameters: Sequence[Packed | None]) -> Answer:
        def run() -> Answer:
            with self.writers.connection() as connection:
                return connection.append(statement, parameters)

        return _repeated(self.writers, run)

    def _read(self, statement: bytes, values: Sequence[Any]) -> Rows:
        def run() -> Rows:
            with self.readers.connection() as connection, connection.cursor(binary=True) as cursor:
                return cursor.execute(statement, values, prepare=True).fetchall()

        return _repeated(self.readers, run)

    def select_events(
        self,
        originator_id: Any,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        owner, stream = split(originator_id)
        if stream is Stream.ACCESS and (gt is not None or lte is not None):
            raise ValueError("events of the access stream carry no version: read them with follow()")
        clauses = ["AND e.version > %b"] if gt is not None else []
        clauses += ["AND e.version <= %b"] if lte is not None else []
        bounds = [bound for bound in (gt, lte) if bound is not None]
        order = "ORDER BY e.pos DESC" if desc else "ORDER BY e.pos"
        statement = " ".join([_SELECT, *clauses, order, "LIMIT %b"]).encode()
        values = [part_of(owner, self.parts), owner, stream.value, *bounds, limit]
        rows = self._read(statement, values)
        return [open_event(self.ring, *row) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Only with one part. Raises NotImplementedError otherwise: packed places are no order across parts."""
        self._one_sequence()
        statement, values = select_notifications(start, limit, stop, topics, inclusive_of_start)
        rows = self._read(statement, values)
        return [
            Notification(event.originator_id, event.originator_version, event.topic, event.state, pos)
            for pos, *row in rows
            for event in [open_event(self.ring, *row)]
        ]

    def max_notification_id(self) -> int | None:
        """Only with one part."""
        self._one_sequence()
        return max_notification_id(self._read(b"SELECT pos FROM part_head", ()))

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Only with one part."""
        self._one_sequence()
        return PollingSubscription(self, gt, topics)

    def _one_sequence(self) -> None:
        if self.parts > 1:
            raise NotImplementedError(
                "the log has one sequence for each part, not one for all, and a tail over them would skip events: "
                "use tsuzuri.eventlog.following.follow()"
            )


def _repeated(connections: Writers | Readers, run: Callable[[], T]) -> T:
    """What is safe to repeat, until it is known what became of it or IN_DOUBT_SECONDS are over."""
    deadline = time.monotonic() + IN_DOUBT_SECONDS
    while True:
        try:
            return run()
        except Error as error:
            if told := meaning(error):
                raise told from None
            if not lost(error) or time.monotonic() > deadline:
                why = error.sqlstate or "no connection"
                raise OperationalError(f"the log cannot be reached now ({why}): try again") from error
        connections.forget()
        time.sleep(PAUSE_SECONDS)


def _mapped(event: StoredEvent) -> MappedEvent:
    """Events of the library's own mapper have no id: this append cannot be repeated by its caller, only by us."""
    if isinstance(event, MappedEvent):
        return event
    return MappedEvent(event.originator_id, event.originator_version, event.topic, event.state, uuid4())
