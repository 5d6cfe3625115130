"""Whether requests can be answered as they must be, looked at once a second at most, however many ask."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import structlog
from psycopg import AsyncConnection
from psycopg import Error as DatabaseError

from tsuzuri.app.looks import Looks
from tsuzuri.app.projector import LAG_SECONDS_MAX
from tsuzuri.eventlog.connecting import LOOKING, Logins, LogRole
from tsuzuri.projections.standings import Standing

CLOCK_SECONDS_MAX = 1.0  # 安全管理ガイドライン 6.0: what is recorded bears a time that others can rely on
LOOK_SECONDS_MAX = 4.0  # who asks whether we are well seldom waits longer than five
CHECKS = ("database", "log", "disk", "clock", "projections")

_COMMIT: LiteralString = """SELECT pg_logical_emit_message(true, 'tsuzuri', '')
    WHERE current_setting('transaction_read_only') = 'off'"""
# Rows that are just too short to be compressed or moved out of the table, four on a page; gone when it has run.
_GROW: LiteralString = """CREATE TEMPORARY TABLE room ON COMMIT DROP AS
    SELECT repeat('x', 1900) FROM generate_series(1, 512)"""
_log = structlog.get_logger()


@dataclass(frozen=True)
class Health:
    """What was found: of CHECKS those that failed, and the projections that are too far behind."""

    failed: Sequence[str]
    behind: Sequence[str] = ()
    clock_offset_seconds: float | None = None  # how far this machine's clock is ahead of the database's


class Readiness:
    """Asks the database as those who answer requests do: by logging in."""

    def __init__(
        self,
        logins: Logins,
        projections: Looks[list[Standing]],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._logins = logins
        self._clock = clock
        self._projections = projections
        self._looks = Looks(self._look)
        self._failed: Sequence[str] = []

    async def latest(self) -> Health:
        """At most a second old."""
        health = await self._looks.latest() or Health(["database"])
        if health.failed != self._failed:
            self._failed = health.failed
            tell = _log.error if health.failed else _log.info
            tell("readiness", failed=health.failed, behind=health.behind)
        return health

    async def _look(self) -> Health:
        """Raises psycopg.Error: the database does not let us in, or lets us go again."""
        try:
            async with asyncio.timeout(LOOK_SECONDS_MAX):
                takes, (has_room, offset), behind = await asyncio.gather(
                    self._log_takes(), self._room_and_clock(), self._behind()
                )
        except TimeoutError:
            return Health(["database"])
        failed = {
            "log": not takes,
            "disk": not has_room,
            "clock": abs(offset) > CLOCK_SECONDS_MAX,
            "projections": bool(behind),
        }
        return Health([name for name, so in failed.items() if so], behind, offset)

    async def _log_takes(self) -> bool:
        """Whether the writer can make something durable: no event, but its commit is flushed as one of an event is."""
        async with await self._connected(LogRole.WRITER) as connection:
            return await _done(connection, _COMMIT)

    async def _room_and_clock(self) -> tuple[bool, float]:
        """Whether a table can still grow; how many seconds our clock is ahead."""
        async with await self._connected(LogRole.PROJECTOR) as connection:
            offset = await self._ahead(connection)
            return await _done(connection, _GROW), offset

    async def _ahead(self, connection: AsyncConnection[Any]) -> float:
        """The database looked at its clock between two looks at ours: what that leaves open is no difference."""
        before = self._clock()
        cursor = await connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        after = self._clock()
        row = await cursor.fetchone()
        assert row is not None
        theirs: float = row[0]
        return max(before - theirs, 0.0) + min(after - theirs, 0.0)

    async def _behind(self) -> list[str]:
        standings = await self._projections.latest() or []
        return [standing.name for standing in standings if standing.lag_seconds > LAG_SECONDS_MAX]

    async def _connected(self, role: LogRole) -> AsyncConnection[Any]:
        return await AsyncConnection.connect(self._logins.of(role), autocommit=True, **LOOKING)


async def _done(connection: AsyncConnection[Any], statement: LiteralString) -> bool:
    """Whether it went through, and did something. Raises psycopg.Error: the connection is gone."""
    try:
        cursor = await connection.execute(statement)
    except DatabaseError:
        if connection.closed:
            raise
        return False
    return cursor.rowcount > 0
