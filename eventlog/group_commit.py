"""Group commit: what arrives while commits are under way shares the next one.

Two commits at most are under way, each of half of those that wait: while the server works on one, the events of the
other are made. No timers: a lone caller waits for nobody, and the more callers there are the more of them share a
flush. Each is answered only when its own events are durable, or are known not to be.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from psycopg import Error

from tsuzuri.eventlog.append_call import answered
from tsuzuri.eventlog.appending import LogUnavailable, NarrowedMeanwhile, Taken, Write, meaning
from tsuzuri.eventlog.connecting import SESSION
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.in_doubt import IN_DOUBT_SECONDS, PAUSE_SECONDS, lost
from tsuzuri.eventlog.lines import Line
from tsuzuri.eventlog.places import Stored
from tsuzuri.eventlog.sealed_writes import SealedWrite, call, seal_write

GROUP_WRITES_MAX = 512
GROUP_BYTES_MAX = 4 * 1024 * 1024
_COMMITS = 2  # under way at a time
_OPTIONS = f"{SESSION} -c statement_timeout=30s -c lock_timeout=10s"


Stores = Callable[[Sequence[SealedWrite]], Awaitable[list[list[Stored] | None]]]
"""Looks up where writes lie that may be stored already. Raises LogUnavailable."""


@dataclass
class GroupCounts:
    """Since the beginning: how many writes have shared how many commits."""

    commits: int = 0
    writes: int = 0


@dataclass(frozen=True)
class _Waiting:
    """One write, and who waits for it."""

    sealed: SealedWrite
    answered: asyncio.Future[list[Stored]]


class GroupCommit:
    """Appends writes whose streams' keys the ring has looked up. Belongs to one event loop."""

    def __init__(self, dsn: str, ring: KeyRing, parts: int, stored: Stores) -> None:
        self._dsn = dsn
        self._ring = ring
        self._parts = parts
        self._stored = stored
        self._idle: list[Line] = []
        self._queue: deque[_Waiting] = deque()
        self._sent = 0  # how many are in the commits under way
        self._working: set[asyncio.Task[None]] = set()
        self.counts = GroupCounts()

    async def append(self, write: Write) -> list[Stored]:
        """Where the events lie, once they are durable.

        Raises:
            NarrowedMeanwhile, ClaimedElsewhere, KeyChanged, IntegrityError: see `appending`; nothing was written.
            LogUnavailable: it is not known whether the write was stored; the same events may be sent again.
        """
        waiting = _Waiting(
            seal_write(write, self._ring, self._parts), asyncio.get_running_loop().create_future()
        )
        self._queue.append(waiting)
        if len(self._working) < _COMMITS:
            task = asyncio.create_task(self._work())
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        return await waiting.answered

    async def close(self) -> None:
        """Ends the commits under way first."""
        await asyncio.gather(*self._working)
        while self._idle:
            await self._idle.pop().close()

    async def _work(self) -> None:
        """Group after group, as long as somebody waits."""
        while self._queue:
            group = self._next_group()
            self._sent += len(group)
            try:
                await self._commit(group)
            except Exception as error:  # whatever it is, nobody waits for ever
                _fail(group, error)
            finally:
                self._sent -= len(group)

    def _next_group(self) -> list[_Waiting]:
        share = -(-(len(self._queue) + self._sent) // _COMMITS)
        group = [self._queue.popleft()]
        weight = group[0].sealed.bytes
        while self._queue and len(group) < min(share, GROUP_WRITES_MAX):
            weight += self._queue[0].sealed.bytes
            if weight > GROUP_BYTES_MAX:
                break
            group.append(self._queue.popleft())
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        """One transaction for all; a write that is refused drops out, and the others are sent again at once."""
        while group:
            writes = [waiting.sealed for waiting in group]
            try:
                places = await self._send(writes)
            except NarrowedMeanwhile as narrowed:
                _fail([group[number] for number in narrowed.writes], NarrowedMeanwhile())
                group = [waiting for number, waiting in enumerate(group) if number not in narrowed.writes]
            except Taken as taken:
                group = await self._without_stored(group, taken)
            except LogUnavailable as unavailable:
                _fail(group, unavailable)
                return
            except Exception as error:
                if len(group) == 1:
                    _fail(group, error)
                    return
                for waiting in group:  # one of them was at fault: each by itself
                    await self._commit([waiting])
                return
            else:
                self.counts.commits += 1
                self.counts.writes += len(group)
                self._answer(group, places)
                return

    async def _without_stored(self, group: list[_Waiting], taken: Taken) -> list[_Waiting]:
        """Answer those that an earlier try has stored; without any, one of the group is at fault, so each alone."""
        found = await self._stored([waiting.sealed for waiting in group])
        lacking = [waiting for waiting, places in zip(group, found, strict=True) if places is None]
        for waiting, places in zip(group, found, strict=True):
            if places is not None:
                self._answer([waiting], [places])
        if len(lacking) < len(group):
            return lacking
        if len(group) == 1:
            _fail(group, taken)
        else:
            for waiting in group:
                await self._commit([waiting])
        return []

    def _answer(self, group: Sequence[_Waiting], places: Sequence[list[Stored]]) -> None:
        for waiting, stored in zip(group, places, strict=True):
            self._ring.stored(waiting.sealed.new_keys)
            if not waiting.answered.done():  # else the caller has gone
                waiting.answered.set_result(stored)

    async def _send(self, writes: Sequence[SealedWrite]) -> list[list[Stored]]:
        """A write whose reply was lost is sent again; if it was stored, that raises Taken."""
        deadline = time.monotonic() + IN_DOUBT_SECONDS
        sent = call(writes, self._parts)
        statement, given = sent.statement.decode(), sent.parameters
        values = [None if one is None else one.packed for one in given]
        oids = [0 if one is None else one.oid for one in given]
        while True:
            try:
                async with self._line() as line:
                    answer = await line.execute(statement, values, oids=oids, again=True)
                return sent.places(*answered(answer))
            except Error as error:
                if told := meaning(error):
                    raise told from None
                if not lost(error) or time.monotonic() > deadline:
                    raise LogUnavailable("the access could not be recorded") from error
                await asyncio.sleep(PAUSE_SECONDS)

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[Line]:
        """One that no other commit uses. Raises psycopg.Error."""
        line = self._idle.pop() if self._idle else await Line.opened(self._dsn, _OPTIONS)
        try:
            yield line
        finally:
            if line.busy:
                await line.close()
            else:
                self._idle.append(line)


def _fail(group: Sequence[_Waiting], error: Exception) -> None:
    for waiting in group:
        if not waiting.answered.done():
            waiting.answered.set_exception(error)
