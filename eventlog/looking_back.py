"""What a follower needs of the log behind the event that it stands at."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import args_row

from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.following import LOGGED_EVENT, LoggedEvent


def parts_of_log(connection: Connection[Any]) -> int:
    """How many parts there are."""
    row = connection.execute("SELECT parts FROM log_setting").fetchone()
    assert row is not None
    return int(row[0])


def logged_event(connection: Connection[Any], parts: Collection[int], event_id: UUID) -> LoggedEvent | None:
    """The event of this id, when it lies in one of these parts."""
    with connection.cursor(row_factory=args_row(LoggedEvent), binary=True) as cursor:
        return cursor.execute(
            f"""SELECT {LOGGED_EVENT} FROM event e LEFT JOIN data_key k ON k.part = e.part AND k.key_id = e.key_id
                WHERE e.part = ANY (%b::smallint[]) AND e.event_id = %b""".encode(),
            (list(parts), event_id),
            prepare=True,
        ).fetchone()


def accesses_before(
    connection: Connection[Any],
    parts: Collection[int],
    patients: Collection[UUID],
    *,
    since: datetime,
    before: LoggedEvent,
    topic: str,
) -> list[LoggedEvent]:
    """Accesses to any of *patients*, recorded at *since* or later and earlier than *before*, the last first.

    Two of the same moment are in the order of their places.
    """
    with connection.cursor(row_factory=args_row(LoggedEvent), binary=True) as cursor:
        return cursor.execute(
            f"""SELECT {LOGGED_EVENT} FROM event e LEFT JOIN data_key k ON k.part = e.part AND k.key_id = e.key_id
                WHERE e.part = ANY (%b::smallint[]) AND e.patient_id = ANY (%b) AND e.stream = %b AND e.topic = %b
                AND e.recorded_at >= %b AND (e.recorded_at, e.part, e.pos) < (%b, %b::smallint, %b::bigint)
                ORDER BY e.recorded_at DESC, e.part DESC, e.pos DESC""".encode(),
            (
                list(parts),
                list(patients),
                Stream.ACCESS.value,
                topic,
                since,
                before.recorded_at,
                before.part,
                before.pos,
            ),
            prepare=True,
        ).fetchall()
