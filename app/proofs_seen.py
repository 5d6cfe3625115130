"""The proofs that were shown before, in the database: a proof counts once, whichever process it comes to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import structlog
from psycopg import AsyncConnection, Error
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from tsuzuri.app.ending import ended
from tsuzuri.app.proofs import Proof
from tsuzuri.eventlog.connecting import Logins, LogRole, pool_settings

KEPT_SECONDS = 600  # ten times as long as a proof counts: the clocks of processes may differ
PRUNE_SECONDS = 60.0
CONNECTIONS = 4
_log = structlog.get_logger()


class StoreUnavailable(Exception):
    """Whether a proof was shown before cannot be known now."""


class ProofsSeen:
    """One for each process; until it is `opened` it knows nothing."""

    def __init__(self) -> None:
        self._pool: AsyncConnectionPool[AsyncConnection[Any]] | None = None

    async def first(self, proof: Proof) -> bool:
        """Whether nobody has shown it before; from now on somebody has. Raises StoreUnavailable."""
        if self._pool is None:
            raise StoreUnavailable("closed")
        try:
            async with self._pool.connection() as connection:
                stored = await connection.execute(
                    """INSERT INTO proof_seen (digest, until)
                       VALUES (%s, clock_timestamp() + make_interval(secs => %s)) ON CONFLICT DO NOTHING""",
                    (proof.digest, KEPT_SECONDS),
                )
                return stored.rowcount == 1
        except (Error, PoolTimeout, PoolClosed) as error:
            _log.error("proofs_unavailable", fault=type(error).__name__)
            raise StoreUnavailable("the database did not answer") from None

    @contextlib.asynccontextmanager
    async def opened(self, logins: Logins) -> AsyncIterator[None]:
        """Connections are made when they are needed; what can no longer be shown is removed each minute."""
        pool = AsyncConnectionPool(
            logins.of(LogRole.DOORKEEPER),
            connection_class=AsyncConnection[Any],
            min_size=0,
            max_size=CONNECTIONS,
            check=AsyncConnectionPool.check_connection,
            open=False,
            **pool_settings(statement_seconds=3, lock_seconds=3),
        )
        await pool.open()
        self._pool = pool
        pruning = asyncio.create_task(_prune_on_and_on(pool))
        try:
            yield
        finally:
            await ended([pruning])
            self._pool = None
            await pool.close()


async def _prune_on_and_on(pool: AsyncConnectionPool[AsyncConnection[Any]]) -> None:
    while True:
        await asyncio.sleep(PRUNE_SECONDS)
        with contextlib.suppress(Error, PoolTimeout):  # the next minute will do
            async with pool.connection() as connection:
                await connection.execute("DELETE FROM proof_seen WHERE until < clock_timestamp()")
