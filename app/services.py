"""The composition root: everything an action needs, built from the settings and closed again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection, Connection
from psycopg_pool import AsyncConnectionPool

from tsuzuri.app.bundle_reader import BundleReader
from tsuzuri.app.keys import identifier_key, seal_key
from tsuzuri.app.settings import Settings
from tsuzuri.eventlog.connecting import SESSION, connect
from tsuzuri.eventlog.log import AsyncPool, EventLog
from tsuzuri.graphql.seals import Seals

READ_CONNECTIONS = 8
TIMEOUTS = f"{SESSION} -c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=10s"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    """What actions work with. Time and ids come from here, so that a test can say what they are."""

    dsn: str
    log: EventLog
    pool: AsyncPool
    number_key: bytes
    seals: Seals
    bundle_reader: BundleReader
    now: Callable[[], datetime] = _now
    new_id: Callable[[], UUID] = uuid4

    def database(self) -> Connection[Any]:
        """A connection of one's own, for work that takes longer than a request."""
        return connect(self.dsn)


@asynccontextmanager
async def services(settings: Settings, dsn: str, *, reader_processes: int = 0) -> AsyncIterator[Services]:
    """Open the log and the read pool on *dsn*; Bundles are read in this process when no other is asked for."""
    pool: AsyncPool = AsyncConnectionPool(
        dsn,
        connection_class=AsyncConnection[Any],
        min_size=2,
        max_size=READ_CONNECTIONS,
        kwargs={"autocommit": True, "options": TIMEOUTS},
        check=AsyncConnectionPool.check_connection,
        timeout=10,
        open=False,
    )
    reader = BundleReader(reader_processes)
    await pool.open(wait=True)
    log = await asyncio.to_thread(EventLog, dsn, pool)
    try:
        yield Services(dsn, log, pool, identifier_key(settings), Seals(seal_key(settings)), reader)
    finally:
        await asyncio.to_thread(log.close)
        await pool.close()
        reader.close()
