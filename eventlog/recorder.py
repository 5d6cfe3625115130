"""The log behind the eventsourcing library: its recorder, on part heads instead of a table lock."""

from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    OperationalError,
    StoredEvent,
    Subscription,
)
from psycopg import Error
from psycopg import OperationalError as Disconnected
from psycopg.rows import TupleRow, class_row
from psycopg_pool import ConnectionPool, PoolTimeout

from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog import appending
from tsuzuri.eventlog.appending import Beside
from tsuzuri.eventlog.mapper import SealedEvent
from tsuzuri.eventlog.places import part_of

_SELECT = """
    SELECT %b || '/' || %b AS originator_id, coalesce(version, 0) AS originator_version,
           topic, state, event_id, key_id
    FROM event WHERE part = %b AND patient_id = %b::uuid AND stream = %b
"""


class PartRecorder(ApplicationRecorder):
    """Appends gaplessly within a part, commits parts side by side, and reads streams back."""

    def __init__(self, pool: ConnectionPool[Any], parts: int):
        super().__init__()
        self.pool = pool
        self.parts = parts

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, beside: Beside | None = None, **_: Any
    ) -> Sequence[int]:
        """Append in one transaction; the answer is each event's packed place.

        A reply lost after the commit is read back by event id, because the append is safe to repeat.

        Raises:
            IntegrityError: the stream has moved on.
            NarrowedMeanwhile, ClaimedElsewhere: see `appending`.
        """
        if not stored_events:
            return []
        events = [event for event in stored_events if isinstance(event, SealedEvent)]
        assert len(events) == len(stored_events)
        arrays = appending.parameters(events, beside or Beside(), self.parts)
        try:
            rows = self._append(arrays)
        except Disconnected as error:
            if error.sqlstate is not None or isinstance(error, PoolTimeout):
                raise OperationalError("the log cannot be written now") from error
            rows = self._append(arrays)
        return [stored.place.packed() for stored in appending.stored(rows)]

    def _append(self, arrays: list[Any]) -> list[TupleRow]:
        try:
            with self.pool.connection() as connection:
                rows: list[TupleRow] = connection.execute(
                    appending.STATEMENT, arrays, prepare=True
                ).fetchall()
                return rows
        except Disconnected:
            raise
        except Error as error:
            meaning = appending.meaning(error)
            if meaning is None:
                raise OperationalError(f"the log refused the append ({error.sqlstate})") from error
            raise meaning from None

    def select_events(
        self,
        originator_id: Any,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        owner, stream = appending.split(originator_id)
        if stream is Stream.ACCESS and (gt is not None or lte is not None):
            raise ValueError("events of the access stream carry no version: read them with follow()")
        clauses = ["AND version > %b"] if gt is not None else []
        clauses += ["AND version <= %b"] if lte is not None else []
        bounds = [bound for bound in (gt, lte) if bound is not None]
        order = "ORDER BY pos DESC" if desc else "ORDER BY pos"
        statement = " ".join([_SELECT, *clauses, order, "LIMIT %b"])
        values = [
            str(owner), stream.name.lower(), part_of(owner, self.parts), owner, stream.value, *bounds, limit
        ]  # fmt: skip
        with (
            self.pool.connection() as connection,
            connection.cursor(row_factory=class_row(SealedEvent), binary=True) as cursor,
        ):
            found: list[SealedEvent] = cursor.execute(statement.encode(), values).fetchall()
            return found

    def select_notifications(self, *_: Any, **__: Any) -> Sequence[Notification]:
        raise NotImplementedError(_NO_SINGLE_SEQUENCE)

    def max_notification_id(self) -> int | None:
        raise NotImplementedError(_NO_SINGLE_SEQUENCE)

    def subscribe(self, *_: Any, **__: Any) -> Subscription[ApplicationRecorder]:
        raise NotImplementedError(_NO_SINGLE_SEQUENCE)


_NO_SINGLE_SEQUENCE = (
    "the log has one sequence for each part, not one for all: use tsuzuri.eventlog.following.follow()"
)
