"""A page of rows as it was asked for. It is looked up when the answer needs it, whichever way that is written."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import strawberry
from strawberry import Private

from tsuzuri.domain.vocabulary import RecordClass
from tsuzuri.graphql.paging import Edge, Fetch, Found, PageInfo, Row, Stretch, cut, opened
from tsuzuri.graphql.readings import Shown
from tsuzuri.graphql.seals import Seals
from tsuzuri.graphql.statements import Cursor, Source
from tsuzuri.projections.sql import Composed

Node = TypeVar("Node")
Linking = Callable[[str], Awaitable[Source]]
"""The rows of another type that the rows of a list name: of facilities, of documents."""


@dataclass(eq=False, kw_only=True)
class Listed(Generic[Node]):
    """Which rows, and what becomes of each of them."""

    fetch: Fetch
    source: Source
    where: Sequence[Composed]
    seals: Seals
    use: str  # what its cursors are bound to
    wanted: Stretch
    node: Callable[[Row], Any]
    noted: Callable[[Sequence[Shown]], None] | None = None  # gets what stands on the page
    named: Callable[[Sequence[Shown]], None] | None = None  # gets the documents that its rows name
    linking: Linking | None = None  # None: the database cannot write this list by itself
    cursor: Cursor | None = field(init=False)
    info: PageInfo | None = None
    total: int | None = None
    written: dict[str, Any] | None = None  # JSON of the rows, where the database has written it
    _edges: list[Edge[Any]] | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Raises RequestRefused for a cursor of another list."""
        self.cursor = opened(self.seals, self.use, self.wanted.cursor)

    async def edges(self) -> list[Edge[Any]]:
        async with self._turn:
            if self._edges is None:
                found = await self._found()
                self._edges = [
                    Edge(node=self.node(row), cursor=self.seals.seal(self.use, row["_cursor"]))
                    for row in found.rows
                ]
                ends = [edge.cursor for edge in self._edges]
                self.info = self.page_info(found.more, ends[0] if ends else None, ends[-1] if ends else None)
            return self._edges

    async def page(self) -> PageInfo:
        if self.info is None:
            await self.edges()
        assert self.info is not None
        return self.info

    async def count(self) -> int:
        """How many rows there are that may be seen, on all pages together."""
        if self.total is None:
            self.total = int((await self.fetch(self.source.count(self.where)))[0]["n"])
        return self.total

    def page_info(self, more: bool, start: str | None, end: str | None) -> PageInfo:
        began = self.wanted.cursor is not None
        return PageInfo(
            has_next_page=began if self.wanted.backward else more,
            has_previous_page=more if self.wanted.backward else began,
            start_cursor=start,
            end_cursor=end,
        )

    async def _found(self) -> Found:
        wanted = self.wanted
        statement = self.source.page(self.where, wanted.size, self.cursor, backward=wanted.backward)
        found = cut(await self.fetch(statement), wanted)
        if self.noted is not None:
            self.noted([shown(row) for row in found.rows])
        return found


def shown(row: Mapping[str, Any]) -> Shown:
    """A row of the record or of the trail, as the audit counts it."""
    record_class = row.get("recordClass")
    return row["id"].bytes, None if record_class is None else RecordClass(record_class)


@strawberry.type(description="A page of a list that can be counted, newest first.")
class ListedConnection(Generic[Node]):
    listed: Private[Listed[Any]]

    @strawberry.field(description="Nodes with their cursors.")
    async def edges(self) -> list[Edge[Node]]:
        return await self.listed.edges()

    @strawberry.field(description="Whether and how it goes on.")
    async def page_info(self) -> PageInfo:
        return await self.listed.page()

    @strawberry.field(description="The nodes without their cursors.")
    async def nodes(self) -> list[Node]:
        return [edge.node for edge in await self.listed.edges()]

    @strawberry.field(description="How many there are that you may see, on all pages together.")
    async def total_count(self) -> int:
        return await self.listed.count()
