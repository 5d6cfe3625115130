"""Where the projections and the notices stand, looked at once a second, however many ask."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

from psycopg import Error as DatabaseError

LOOK_SECONDS = 1.0

T = TypeVar("T")


class Looks(Generic[T]):
    """One look for everybody who asks within a second of it, with or without a token."""

    def __init__(self, look: Callable[[], Awaitable[T]]) -> None:
        self._look = look
        self._last: asyncio.Task[T | None] | None = None
        self._until = 0.0  # on the monotonic clock: so long the last one counts

    async def latest(self) -> T | None:
        """At most a second old. None: the database did not answer."""
        if self._last is None or (self._last.done() and time.monotonic() >= self._until):
            self._last = asyncio.create_task(self._asked())
        return await asyncio.shield(self._last)  # others wait for it too, when this caller goes away

    async def each(self) -> AsyncGenerator[T | None, None]:
        """Look after look, for as long as somebody wants the next one. Between two nothing is held."""
        while True:
            yield await self.latest()
            await asyncio.sleep(max(self._until - time.monotonic(), 0.0))

    async def _asked(self) -> T | None:
        try:
            return await self._look()
        except DatabaseError:
            return None
        finally:
            self._until = time.monotonic() + LOOK_SECONDS
