"""A connection used through libpq itself: one message, one answer, and nothing of the driver in between.

The driver's cursor costs several times what the answer to a small question costs the server.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from psycopg import AsyncConnection, OperationalError
from psycopg.errors import FeatureNotSupported, InvalidSqlStatementName, error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

PREPARED_MAX = 200  # statements that one connection keeps
_ONCE_MAX = 1_000
_NAMES = count(1)
"""For every connection of the process, so that no name is ever used again: one that a server still held under another
statement would answer another question."""


class Line:
    """One connection, and which statements it has prepared. Raises psycopg.Error from each of its calls."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection
        self._pgconn: PGconn = connection.pgconn
        self._pgconn.nonblocking = 1
        self._names: OrderedDict[str, bytes] = OrderedDict()
        self._once: OrderedDict[str, None] = OrderedDict()
        self._answered: asyncio.Future[PGresult] | None = None
        self._result: PGresult | None = None
        self._loop = asyncio.get_running_loop()
        self._socket = self._pgconn.socket
        self._loop.add_reader(self._socket, self._readable)
        self._hooked = True

    @classmethod
    async def opened(cls, dsn: str, options: str) -> "Line":
        return cls(await AsyncConnection.connect(dsn, autocommit=True, options=options, connect_timeout=5))

    @property
    def busy(self) -> bool:
        """It waits for an answer, or is lost."""
        return self._answered is not None or self._connection.closed

    async def execute(
        self,
        statement: str,
        values: Sequence[bytes | None],
        *,
        oids: Sequence[int] | None = None,
        form: Format = Format.BINARY,
        answer: Format = Format.BINARY,
        again: bool = False,
    ) -> PGresult:
        """One statement and its values, all in one form; its whole answer.

        *again*: the statement is known to come often; else it is prepared when it comes the second time.
        """
        name = await self._prepared(statement, oids, again)
        formats = [form] * len(values)
        if name is not None:
            try:
                self._pgconn.send_query_prepared(name, values, formats, answer)
                return await self._answer()
            except (InvalidSqlStatementName, FeatureNotSupported):
                # Somebody deallocated it, or a table of it was made anew with other columns: it is asked by itself.
                del self._names[statement]
                await self._deallocate(name)
        self._pgconn.send_query_params(statement.encode(), values, oids, formats, answer)
        return await self._answer()

    async def close(self) -> None:
        self._unhook()
        await self._connection.close()

    async def _prepared(self, statement: str, oids: Sequence[int] | None, again: bool) -> bytes | None:
        """The name that it is prepared under; None for one that comes the first time."""
        if (name := self._names.get(statement)) is not None:
            self._names.move_to_end(statement)
            return name
        if statement not in self._once and not again:
            self._once[statement] = None
            if len(self._once) > _ONCE_MAX:
                self._once.popitem(last=False)
            return None
        self._once.pop(statement, None)
        if len(self._names) >= PREPARED_MAX:
            _, oldest = self._names.popitem(last=False)
            await self._deallocate(oldest)
        name = b"line_%d" % next(_NAMES)
        self._pgconn.send_prepare(name, statement.encode(), oids)
        await self._answer()
        self._names[statement] = name
        return name

    async def _deallocate(self, name: bytes) -> None:
        self._pgconn.send_query(b"DEALLOCATE " + name)
        with suppress(InvalidSqlStatementName):  # somebody has done so already
            await self._answer()

    async def _answer(self) -> PGresult:
        self._answered, self._result = self._loop.create_future(), None
        if self._pgconn.flush():
            self._loop.add_writer(self._socket, self._writable)
        result = await self._answered
        self._answered = None
        if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            raise error_from_result(result)
        return result

    def _writable(self) -> None:
        try:
            if not self._pgconn.flush():
                self._loop.remove_writer(self._socket)
        except OperationalError as error:
            self._lost(error)

    def _readable(self) -> None:
        try:
            self._pgconn.consume_input()
            while not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is None:
                    break
                self._result = result
            else:
                return
        except OperationalError as error:
            self._lost(error)
            return
        if self._answered is not None and self._result is not None and not self._answered.done():
            self._answered.set_result(self._result)

    def _lost(self, error: OperationalError) -> None:
        self._unhook()
        self._pgconn.finish()
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error)

    def _unhook(self) -> None:
        """Once, and while the socket is still this line's: once it is closed, its number may be that of another."""
        if self._hooked:
            self._hooked = False
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
