"""Where the projections stand, looked at once a second, however many ask."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from psycopg import Error as DatabaseError

from tsuzuri.projections.standings import Standing

LOOK_SECONDS = 1.0

Standings = Sequence[Standing] | None
"""None: the database did not answer."""


class Looks:
    """One look for everybody who asks within a second of it, with or without a token."""

    def __init__(self, look: Callable[[], Awaitable[Sequence[Standing]]]) -> None:
        self._look = look
        self._last: asyncio.Task[Standings] | None = None
        self._until = 0.0  # on the monotonic clock: so long the last one counts

    async def standings(self) -> Standings:
        """At most a second old."""
        if self._last is None or (self._last.done() and time.monotonic() >= self._until):
            self._last = asyncio.create_task(self._asked())
        return await asyncio.shield(self._last)  # others wait for it too, when this caller goes away

    async def each(self) -> AsyncGenerator[Standings, None]:
        """Look after look, for as long as somebody wants the next one. Between two nothing is held."""
        while True:
            yield await self.standings()
            await asyncio.sleep(max(self._until - time.monotonic(), 0.0))

    async def _asked(self) -> Standings:
        try:
            return await self._look()
        except DatabaseError:
            return None
        finally:
            self._until = time.monotonic() + LOOK_SECONDS
