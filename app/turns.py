"""How many operations run at once, and who is next: callers take turns, so that a flood waits behind itself."""

import asyncio
from collections import deque
from collections.abc import Hashable


class QueueFull(Exception):
    """Nobody waits here without bound. `own`: it is this caller who has too many waiting."""

    def __init__(self, *, own: bool) -> None:
        super().__init__("too many wait")
        self.own = own


class Turns:
    """At most *most* at once, at most *each* of one principal. Belongs to one event loop.

    Whoever has to wait does so in a line of the principal's own; the lines are served in rotation. Between two
    principals it makes no difference how long the line of the other is.
    """

    def __init__(self, *, most: int, each: int, waiting_max: int, waiting_each_max: int) -> None:
        self.running = 0
        self.waiting = 0
        self._most, self._each = most, each
        self._waiting_max, self._waiting_each_max = waiting_max, waiting_each_max
        self._running: dict[Hashable, int] = {}
        self._lines: dict[Hashable, deque[asyncio.Future[None]]] = {}  # none is empty
        self._next: deque[Hashable] = deque()  # who has a line and may run one more, each once

    def take(self, principal: Hashable) -> bool:
        """Whether there was room at once, and nobody who may run waits for it."""
        mine = self._running.get(principal, 0)
        if self.running >= self._most or mine >= self._each or principal in self._lines:
            return False
        self._running[principal] = mine + 1
        self.running += 1
        return True

    async def wait(self, principal: Hashable) -> None:
        """Until it is this one's turn. Raises QueueFull at once; cancelled, the place in the line is given up."""
        if self.take(principal):
            return  # room came while the caller went from there to here
        line = self._lines.get(principal)
        own = line is not None and len(line) >= self._waiting_each_max
        if own or self.waiting >= self._waiting_max:
            raise QueueFull(own=own)
        turn = asyncio.get_running_loop().create_future()
        if line is None:
            line = self._lines[principal] = deque()
            if self._running.get(principal, 0) < self._each:
                self._next.append(principal)
        line.append(turn)
        self.waiting += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back(principal)  # it came in the same moment
            else:
                self._leave(principal, turn)
            raise

    def give_back(self, principal: Hashable) -> None:
        """What ran has ended: the next one begins."""
        mine = self._running[principal] - 1
        if mine:
            self._running[principal] = mine
        else:
            del self._running[principal]
        self.running -= 1
        if mine == self._each - 1 and principal in self._lines:
            self._next.append(principal)
        while self._next and self.running < self._most:
            self._begin(self._next.popleft())

    def _begin(self, principal: Hashable) -> None:
        line = self._lines[principal]
        mine = self._running.get(principal, 0)
        while line:
            turn = line.popleft()
            self.waiting -= 1
            if not turn.done():  # else it was given up, and is about to be told
                turn.set_result(None)
                mine += 1
                self._running[principal] = mine
                self.running += 1
                break
        if not line:
            del self._lines[principal]
        elif mine < self._each:
            self._next.append(principal)

    def _leave(self, principal: Hashable, turn: asyncio.Future[None]) -> None:
        line = self._lines.get(principal)
        if line is None or turn not in line:
            return  # it was passed over
        line.remove(turn)
        self.waiting -= 1
        if not line:
            del self._lines[principal]
            if principal in self._next:
                self._next.remove(principal)
