"""How far the sender has come, who sends, and how long something has waited. All clocks are the database's."""

import os
import socket
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from psycopg import Connection

from tsuzuri.eventlog.places import Vector

LEASE_SECONDS = 30.0  # more than one delivery takes: in between nothing is said
RENEW_SECONDS = 5.0


class Lease:
    """One process sends at a time, so that nobody gets everything twice. Were there two, the ids would tell."""

    def __init__(self) -> None:
        self.process = uuid4()

    def renew(self, connection: Connection[Any]) -> bool:
        """Take it or keep it; whether this process has it."""
        done = connection.execute(
            """UPDATE notice_sender SET process = %(me)s, host = %(host)s, pid = %(pid)s, seen_at = clock_timestamp()
               WHERE process = %(me)s OR process IS NULL
                  OR seen_at < clock_timestamp() - make_interval(secs => %(seconds)s)""",
            {
                "me": self.process,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "seconds": LEASE_SECONDS,
            },
        )
        return done.rowcount == 1

    def end(self, connection: Connection[Any]) -> None:
        """Give it up at once, so that nobody has to wait for it."""
        connection.execute("UPDATE notice_sender SET process = NULL WHERE process = %s", (self.process,))


def place(connection: Connection[Any]) -> Vector:
    """Part → position up to which every notice was delivered."""
    return dict(connection.execute("SELECT part, pos FROM notice_place").fetchall())


def move_place(connection: Connection[Any], after: Vector, covers: Vector) -> None:
    """Never back: another sender may have come further."""
    moved = {part: pos for part, pos in covers.items() if after.get(part, 0) < pos}
    if not moved:
        return
    connection.execute(
        """INSERT INTO notice_place AS held (part, pos) SELECT * FROM unnest(%s::smallint[], %s::bigint[])
           ON CONFLICT (part) DO UPDATE SET pos = greatest(held.pos, excluded.pos)""",
        (list(moved), list(moved.values())),
    )


@dataclass(frozen=True)
class Sending:
    """Who sends, and how far behind the log that is."""

    sender: str | None  # host and process id; None: nobody was seen of late
    lag_seconds: float  # age of the oldest event that was not gone through: it may hold a notice that waits


def sending(connection: Connection[Any]) -> Sending:
    row = connection.execute(
        """SELECT (SELECT host || ' ' || pid FROM notice_sender
                   WHERE process IS NOT NULL AND seen_at > clock_timestamp() - make_interval(secs => %s)),
               (SELECT extract(epoch FROM clock_timestamp() - min(e.recorded_at))
                FROM part_head h LEFT JOIN notice_place p USING (part)
                JOIN event e ON e.part = h.part AND e.pos = coalesce(p.pos, 0) + 1)""",
        (LEASE_SECONDS,),
    ).fetchone()
    assert row is not None
    return Sending(row[0], max(0.0, float(row[1] or 0)))
