"""A few lines for reading, shared by all who read."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from psycopg import OperationalError
from psycopg.adapt import Transformer
from psycopg.pq import Format
from psycopg.pq.abc import PGresult

from tsuzuri.eventlog.connecting import session_options
from tsuzuri.eventlog.lines import Line

WAIT_SECONDS = 5.0
_PLANS = "-c plan_cache_mode=force_generic_plan -c jit=off -c random_page_cost=1.1"
"""A patient's rows are few and lie in memory or on a disk without heads: a page is read as far as it goes, in the order
of its index, and not whole to be sorted then."""


class QuickReads:
    """A few connections of one role. Belongs to one event loop."""

    def __init__(self, dsn: str, connections: int) -> None:
        self._dsn = dsn
        self._places = connections  # how many connections may still be opened
        self._idle: list[Line] = []
        self._waiting: deque[asyncio.Future[Line]] = deque()

    async def fetch(self, statement: str, values: Sequence[Any], *, binary: bool = False) -> PGresult:
        """The rows of one SELECT with $1, $2, … for the values; *binary*: in PostgreSQL's own form, else as text.

        Raises psycopg.Error.
        """
        packed = [given(value) for value in values]
        answer = Format.BINARY if binary else Format.TEXT
        line = await self._line()
        try:
            return await line.execute(statement, packed, form=Format.TEXT, answer=answer)
        except OperationalError:
            if (
                not line.busy
            ):  # else it was lost, perhaps while nobody used it: the question is asked once more
                raise
        finally:
            await self._give_back(line)
        async with self._opened_for_one() as fresh:
            return await fresh.execute(statement, packed, form=Format.TEXT, answer=answer)

    async def close(self) -> None:
        """Of those that are idle; the others close when they are given back."""
        self._places = -1
        while self._idle:
            await self._idle.pop().close()

    @asynccontextmanager
    async def _opened_for_one(self) -> AsyncIterator[Line]:
        """Beside the others, for one question."""
        line = await self._opened()
        try:
            yield line
        finally:
            await line.close()

    async def _line(self) -> Line:
        if self._idle:
            return self._idle.pop()
        if self._places > 0:
            self._places -= 1
            try:
                return await self._opened()
            except BaseException:
                self._places += 1
                raise
        waiting: asyncio.Future[Line] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            return await asyncio.wait_for(waiting, WAIT_SECONDS)
        except TimeoutError:
            raise OperationalError("no connection became free in time") from None

    async def _give_back(self, line: Line) -> None:
        if (
            line.busy or self._places < 0
        ):  # its question was given up: the answer would be taken for the next one's
            await line.close()
            if self._places >= 0:
                self._places += 1
                await self._open_for_who_waits()
            return
        if (waiting := self._next()) is not None:
            waiting.set_result(line)
        else:
            self._idle.append(line)

    async def _open_for_who_waits(self) -> None:
        if (waiting := self._next()) is None:
            return
        self._places -= 1
        try:
            waiting.set_result(await self._opened())
        except Exception as error:
            self._places += 1
            waiting.set_exception(error)

    async def _opened(self) -> Line:
        return await Line.opened(
            self._dsn, f"{session_options(statement_seconds=30, lock_seconds=5)} {_PLANS}"
        )

    def _next(self) -> asyncio.Future[Line] | None:
        while self._waiting:
            if not (waiting := self._waiting.popleft()).done():
                return waiting
        return None


def rows_of(result: PGresult) -> list[dict[str, Any]]:
    """The rows of an answer in PostgreSQL's own form, by the names of its columns; times in UTC."""
    if not result.ntuples:
        return []
    names = [(result.fname(column) or b"").decode() for column in range(result.nfields)]
    reading = Transformer()
    reading.set_pgresult(result)
    return reading.load_rows(0, result.ntuples, lambda values: dict(zip(names, values, strict=True)))


def given(value: Any) -> bytes | None:
    """A value as PostgreSQL reads it."""
    if value is None:
        return None
    return _TEXTS.get(type(value), _text)(value)


def _text(value: Any) -> bytes:
    return str(value).encode()


@lru_cache(maxsize=4_096)
def _lasting_array(values: tuple[Any, ...]) -> bytes:
    """Of what statements that are made once hold: classes, marks."""
    return _array(values)


def _array(values: Sequence[Any]) -> bytes:
    return b"{" + b",".join([_element(one) for one in values]) + b"}"


def _element(value: Any) -> bytes:
    text = given(value)
    if text is None:
        return b"NULL"
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


_TEXTS: Mapping[type, Callable[[Any], bytes]] = {
    str: str.encode,
    int: lambda value: b"%d" % value,
    UUID: lambda value: value.hex.encode(),
    bool: lambda value: b"t" if value else b"f",
    datetime: lambda value: value.isoformat().encode(),
    bytes: lambda value: b"\\x" + value.hex().encode(),
    list: _array,
    tuple: _lasting_array,
}
