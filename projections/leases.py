"""Which process applies which parts: each part has one, a dead one's parts are taken over within seconds.

A process says once a second that it is alive. Whoever was not seen for LEASE_SECONDS has lost its parts; the fence of
a part grows as it changes hands, and a batch begins by holding the leases it was told, so that who was thought dead
and wakes up again applies nothing.
"""

import os
import socket
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from psycopg import Connection

from tsuzuri.projections.checkpoints import LeaseLost
from tsuzuri.projections.failpoints import failpoint

LEASE_SECONDS = 5.0
RENEW_SECONDS = 1.0


class Leases:
    """The parts of this process. All clocks are the database's."""

    def __init__(self) -> None:
        self.process = uuid4()
        self.fences: Mapping[int, int] = {}

    @property
    def parts(self) -> frozenset[int]:
        return frozenset(self.fences)

    def renew(self, connection: Connection[Any]) -> frozenset[int]:
        """Say that this process is alive, take what is free, give up what is more than its share; its parts."""
        failpoint("lease.before")
        with connection.transaction():
            connection.execute(
                """INSERT INTO projector (process, host, pid) VALUES (%s, %s, %s)
                   ON CONFLICT (process) DO UPDATE SET seen_at = clock_timestamp()""",
                (self.process, socket.gethostname(), os.getpid()),
            )
            row = connection.execute(
                """SELECT (SELECT count(*) FROM projector_lease), count(*) FROM projector
                   WHERE seen_at > clock_timestamp() - make_interval(secs => %s)""",
                (LEASE_SECONDS,),
            ).fetchone()
            assert row is not None
            share = -(-row[0] // row[1])
            held = self._held(connection)
            if len(held) > share:
                self._give_up(connection, sorted(held)[share:])
            elif len(held) < share:
                self._take(connection, share - len(held))
            self.fences = self._held(connection)
        failpoint("lease.after")
        return self.parts

    def holds(self, connection: Connection[Any]) -> None:
        """Hold the leases until the transaction ends. Raises LeaseLost when another process has one of them."""
        found = connection.execute(
            """SELECT count(*) FROM (
                   SELECT FROM projector_lease l JOIN unnest(%s::smallint[], %s::bigint[]) AS n (part, fence)
                   USING (part, fence) WHERE l.process = %s FOR SHARE OF l
               ) AS mine""",
            (list(self.fences), list(self.fences.values()), self.process),
        ).fetchone()
        if found is None or found[0] != len(self.fences):
            raise LeaseLost("another process has taken over parts of this one")

    def end(self, connection: Connection[Any]) -> None:
        """Give everything up at once, so that nobody has to wait for it."""
        with connection.transaction():
            self._give_up(connection, list(self.fences))
            connection.execute("DELETE FROM projector WHERE process = %s", (self.process,))
        self.fences = {}

    def _held(self, connection: Connection[Any]) -> dict[int, int]:
        found = connection.execute(
            "SELECT part, fence FROM projector_lease WHERE process = %s", (self.process,)
        )
        return dict(found.fetchall())

    def _take(self, connection: Connection[Any], most: int) -> None:
        connection.execute(
            """WITH free AS (
                   SELECT part FROM projector_lease l
                   WHERE process IS NULL OR NOT EXISTS (
                       SELECT FROM projector p WHERE p.process = l.process
                       AND p.seen_at > clock_timestamp() - make_interval(secs => %s))
                   ORDER BY part LIMIT %s FOR UPDATE SKIP LOCKED
               )
               UPDATE projector_lease l SET process = %s, fence = fence + 1 FROM free WHERE l.part = free.part""",
            (LEASE_SECONDS, most, self.process),
        )

    def _give_up(self, connection: Connection[Any], parts: list[int]) -> None:
        connection.execute(
            "UPDATE projector_lease SET process = NULL WHERE process = %s AND part = ANY (%s)",
            (self.process, parts),
        )


def forget_the_dead(connection: Connection[Any]) -> None:
    """Processes that nobody has seen for a minute, and their reports."""
    connection.execute("DELETE FROM projector WHERE seen_at < clock_timestamp() - interval '1 minute'")
