"""A few connections lent one at a time: the one that was given back last goes out first."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from psycopg import Connection, OperationalError
from psycopg.pq import TransactionStatus

C = TypeVar("C", bound=Connection[Any])
_CONNECT_SECONDS, _WAIT_SECONDS = 5, 5.0


class Connections(Generic[C]):
    """Connections to one place, made when they are needed. Safe to use from many threads.

    Nothing looks at a connection before it is lent, and nothing connects in the background. One that is found lost is
    let go; whoever finds it so calls `forget`, sends again, and is on a new one as soon as there is a server.
    """

    def __init__(self, kind: type[C], dsn: str, most: int, options: str) -> None:
        self._kind, self._dsn, self._options = kind, dsn, options
        self._idle: list[C] = []
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def connection(self) -> Iterator[C]:
        """One connection, in autocommit. Raises psycopg.OperationalError when none can be had."""
        if not self._free.acquire(timeout=_WAIT_SECONDS):
            raise OperationalError(f"no connection became free within {_WAIT_SECONDS:.0f} s")
        try:
            lent = self._idle.pop() if self._idle else self._connected()
            try:
                yield lent
            finally:
                if lent.pgconn.transaction_status == TransactionStatus.IDLE:
                    self._idle.append(lent)
                else:
                    lent.close()  # lost, or left in the middle of something
        finally:
            self._free.release()

    def forget(self) -> None:
        """Let go of those that wait: where one was lost, the others may be too."""
        while self._idle:
            self._idle.pop().close()

    def _connected(self) -> C:
        return self._kind.connect(
            self._dsn, autocommit=True, options=self._options, connect_timeout=_CONNECT_SECONDS
        )
