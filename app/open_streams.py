"""How many streams a caller may have open in this process, whichever way they come: each holds memory for hours."""

from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager

from tsuzuri.app.edge import EdgeRefused
from tsuzuri.domain.callers import Caller
from tsuzuri.graphql.execution import Answer

STREAMS_MAX = 100  # a ward has fewer beds
SOCKETS_MAX = 10

Answers = AsyncGenerator[Answer, None]
"""GraphQL responses."""
_Who = tuple[str, str | None]


class OpenStreams:
    """Counts what is open. Belongs to one event loop."""

    def __init__(self, *, streams_max: int = STREAMS_MAX, sockets_max: int = SOCKETS_MAX) -> None:
        self._streams_max, self._sockets_max = streams_max, sockets_max
        self._streams: Counter[_Who] = Counter()
        self._sockets: Counter[_Who] = Counter()

    async def stream(self, caller: Caller, answers: Answers) -> Answers:
        """The same answers, counted until they end. Raises EdgeRefused instead of the first."""
        async with aclosing(answers):
            with _one_more(self._streams, self._streams_max, caller, "streams"):
                async for answer in answers:
                    yield answer

    @contextmanager
    def socket(self, caller: Caller) -> Iterator[None]:
        """Raises EdgeRefused."""
        with _one_more(self._sockets, self._sockets_max, caller, "sockets"):
            yield


@contextmanager
def _one_more(opened: Counter[_Who], most: int, caller: Caller, what: str) -> Iterator[None]:
    who = caller.person, caller.facility
    if opened[who] >= most:
        raise EdgeRefused(429, "TOO_MANY_STREAMS", f"you have {most} {what} open here: close one first")
    opened[who] += 1
    try:
        yield
    finally:
        opened[who] -= 1
        if not opened[who]:
            del opened[who]
