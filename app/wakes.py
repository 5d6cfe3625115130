"""Wakes who watches a patient when a projection has come to an event of hers: one look at the tables for everybody.

Nothing is queued: who is woken asks how things stand, so several events at once, or while she was busy, wake once.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import structlog
from psycopg import AsyncConnection

from tsuzuri.app.services import Services
from tsuzuri.eventlog.connecting import LogRole, session_options
from tsuzuri.projections.reached import Reached, reached

RETRY_SECONDS = 1.0
_OPTIONS = session_options(statement_seconds=10, lock_seconds=5)
_log = structlog.get_logger()


class Watcher:
    """Somebody who waits for what happens to one patient, and to whoever is the same person."""

    def __init__(self, wakes: "Wakes", patients: Iterable[UUID]) -> None:
        self._wakes = wakes
        self._woken = asyncio.Event()
        self.patients = frozenset(patients)

    def turn_to(self, patients: Iterable[UUID]) -> None:
        """Who is the same person may change."""
        if self.patients != (changed := frozenset(patients)):
            self._wakes.leave(self)
            self.patients = changed
            self._wakes.join(self)

    def wake(self) -> None:
        self._woken.set()

    async def woken(self, seconds: float) -> None:
        """Returns at once when something has happened since it returned last; else when it does, or after so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()


class Wakes:
    """Follows the checkpoint of one projection, in the parts of those who are watched, as long as anybody watches.

    *about_anybody*: topics of events that lie in the stream of who did it, and may be about any patient.
    """

    def __init__(
        self,
        services: Services,
        projection: str,
        topics: Sequence[str],
        *,
        look_seconds: float,
        about_anybody: Sequence[str] = (),
    ) -> None:
        self._services = services
        self._projection = projection
        self._topics, self._about_anybody = topics, about_anybody
        self._look_seconds = look_seconds
        self._watchers: defaultdict[UUID, set[Watcher]] = defaultdict(set)
        self._watched: Counter[int] = Counter()  # part → for how many
        self._seen: dict[int, int | None] = {}  # part → where the last look found the checkpoint
        self._following: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self, patients: Iterable[UUID]) -> Iterator[Watcher]:
        """From here on nothing is missed: what was reached before is there to be read."""
        watcher = Watcher(self, patients)
        self.join(watcher)
        try:
            yield watcher
        finally:
            self.leave(watcher)

    def join(self, watcher: Watcher) -> None:
        for patient in watcher.patients:
            self._watchers[patient].add(watcher)
            for part in self._parts(patient):
                self._watched[part] += 1
                self._seen.setdefault(part, None)
        if self._following is None:
            self._following = asyncio.create_task(self._follow())

    def leave(self, watcher: Watcher) -> None:
        for patient in watcher.patients:
            self._watchers[patient].discard(watcher)
            if not self._watchers[patient]:
                del self._watchers[patient]
            for part in self._parts(patient):
                self._watched[part] -= 1
                if not self._watched[part]:
                    del self._watched[part], self._seen[part]
        if not self._watchers and self._following is not None:
            self._following.cancel()
            self._following = None

    def _parts(self, patient: UUID) -> Iterable[int]:
        """Where what concerns her may lie."""
        return (
            range(self._services.log.parts) if self._about_anybody else [self._services.log.part_of(patient)]
        )

    async def _follow(self) -> None:
        """On a connection of its own: whatever else is read, it goes on. It ends even if its cancellation is lost."""
        this = asyncio.current_task()
        while self._following is this:
            try:
                async with await AsyncConnection.connect(
                    self._services.logins.of(LogRole.READER), autocommit=True, options=_OPTIONS
                ) as connection:
                    while self._following is this:
                        await self._look(connection)
                        await asyncio.sleep(self._look_seconds)
            except Exception as error:  # whatever it is, nobody waits for ever
                _log.warning("watching_waits", projection=self._projection, fault=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _look(self, connection: AsyncConnection[Any]) -> None:
        asked = dict(self._seen)
        found = await reached(
            connection, self._projection, asked, topics=self._topics, about_anybody=self._about_anybody
        )
        for part, one in found.items():
            if part in self._seen:
                self._seen[part] = one.pos
                for watcher in self._concerned(part, one, first=asked[part] is None):
                    watcher.wake()

    def _concerned(self, part: int, found: Reached, *, first: bool) -> Iterator[Watcher]:
        """On the first look at a part everybody there: what came between her own look and this one is not known."""
        if first or found.anybody:
            of = [one for one in self._watchers if found.anybody or self._services.log.part_of(one) == part]
        else:
            of = [owner for owner in found.owners if owner in self._watchers]
        for patient in of:
            yield from self._watchers[patient]
