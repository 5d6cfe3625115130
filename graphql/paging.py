"""Relay connections: pages by cursor, forward and backward, each with a size."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from tsuzuri.graphql.context import RequestRefused
from tsuzuri.graphql.seals import SealBroken, Seals
from tsuzuri.graphql.statements import Cursor, Source
from tsuzuri.projections.sql import Composed

PAGE_DEFAULT = 50
PAGE_MAX = 200
ENTRIES_MAX = 1_000
"""Entries on a page: an export goes through a record in few requests."""
PATIENTS_MAX = 50
"""Of so many patients one page may tell: each of them has a read in the audit trail."""

Node = TypeVar("Node")
Row = dict[str, Any]
Fetch = Callable[[Any], Awaitable[list[Row]]]
Count = Callable[[], Awaitable[int]]


def _first(most: int) -> str:
    return f"How many at most from the start, or behind `after`: 1 to {most}. {PAGE_DEFAULT}, when `last` is not given."


def _last(most: int) -> str:
    return f"How many at most from the end, or in front of `before`: 1 to {most}. The order stays."


First = Annotated[int | None, strawberry.argument(description=_first(PAGE_MAX))]
Last = Annotated[int | None, strawberry.argument(description=_last(PAGE_MAX))]
FirstEntries = Annotated[int | None, strawberry.argument(description=_first(ENTRIES_MAX))]
LastEntries = Annotated[int | None, strawberry.argument(description=_last(ENTRIES_MAX))]
FirstOverPatients = Annotated[int | None, strawberry.argument(description=_first(PATIENTS_MAX))]
LastOverPatients = Annotated[int | None, strawberry.argument(description=_last(PATIENTS_MAX))]
After = Annotated[
    str | None, strawberry.argument(description="Go on behind this cursor (`pageInfo.endCursor`).")
]
Before = Annotated[
    str | None, strawberry.argument(description="Go back in front of this cursor (`pageInfo.startCursor`).")
]


@strawberry.type(description="Whether and how a page goes on, either way (Relay).")
class PageInfo:
    has_next_page: bool = strawberry.field(
        description="There is more behind `endCursor`. Paging backward: the page ends in front of a cursor."
    )
    has_previous_page: bool = strawberry.field(
        description="There is more in front of `startCursor`. Paging forward: the page began behind a cursor."
    )
    start_cursor: str | None = strawberry.field(description="Cursor of the first node: give it as `before`.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last node: give it as `after`.")


@strawberry.type(description="One node of a page, with its cursor.")
class Edge(Generic[Node]):
    node: Node = strawberry.field(description="What stands here.")
    cursor: str = strawberry.field(description="A sealed place in this list.")


@strawberry.type(description="A page of a list, newest first.")
class Connection(Generic[Node]):
    edges: list[Edge[Node]] = strawberry.field(description="Nodes with their cursors.")
    page_info: PageInfo = strawberry.field(description="Whether and how it goes on.")

    @strawberry.field(description="The nodes without their cursors.")
    async def nodes(self) -> list[Node]:
        return [edge.node for edge in self.edges]


@strawberry.type(description="A page of a list that can be counted, newest first.")
class CountedConnection(Connection[Node], Generic[Node]):
    count: strawberry.Private[Count]

    @strawberry.field(description="How many there are that you may see, on all pages together.")
    async def total_count(self) -> int:
        return await self.count()


@dataclass(frozen=True)
class Stretch:
    """Which part of a list is asked for: so many nodes behind a cursor or, backward, in front of one."""

    size: int
    cursor: str | None  # sealed
    backward: bool


@dataclass(frozen=True)
class Found:
    """The rows of a page, in the order of the list."""

    rows: list[Row]
    more: bool  # there are more in the direction it was asked


def stretch(
    first: int | None, after: str | None, last: int | None, before: str | None, most: int = PAGE_MAX
) -> Stretch:
    """Raises RequestRefused."""
    backward = last is not None or before is not None
    if backward and (first is not None or after is not None):
        raise RequestRefused(
            "BAD_INPUT", "page forward by first and after, or backward by last and before: not by both"
        )
    asked, size, cursor = ("last", last, before) if backward else ("first", first, after)
    size = PAGE_DEFAULT if size is None else size
    if not 1 <= size <= most:
        raise RequestRefused("BAD_INPUT", f"{asked} is a number from 1 to {most}")
    return Stretch(size, cursor, backward)


def opened(seals: Seals, use: str, cursor: str | None) -> Cursor | None:
    """Raises RequestRefused for a cursor of another list, another patient, or nobody's."""
    if cursor is None:
        return None
    try:
        return Cursor(tuple(seals.open(use, cursor)))
    except SealBroken:
        raise RequestRefused("BAD_CURSOR", "this cursor was not given out for this list") from None


async def find(
    fetch: Fetch, source: Source, where: Sequence[Composed], seals: Seals, use: str, wanted: Stretch
) -> Found:
    """One page of the rows that may be seen. Raises RequestRefused."""
    cursor = opened(seals, use, wanted.cursor)
    return cut(await fetch(source.page(where, wanted.size, cursor, backward=wanted.backward)), wanted)


def cut(rows: list[Row], wanted: Stretch) -> Found:
    """*rows*: as a statement finds them, away from the cursor; one more than was asked for tells that there is more."""
    found = rows[: wanted.size]
    return Found(found[::-1] if wanted.backward else found, len(rows) > wanted.size)


def counted(fetch: Fetch, source: Source, where: Sequence[Composed]) -> Count:
    """Counts all rows that may be seen, when it is asked to."""

    async def count() -> int:
        number: int = (await fetch(source.count(where)))[0]["n"]
        return number

    return count


def page(
    seals: Seals, use: str, wanted: Stretch, found: Found, node: Callable[[Row], Any | None]
) -> tuple[list[Edge[Any]], PageInfo]:
    """The edges of the rows of which *node* makes one; a page goes on from the last row it looked at."""
    nodes = [(made, row["_cursor"]) for row in found.rows if (made := node(row)) is not None]
    edges = [Edge(node=made, cursor=seals.seal(use, cursor)) for made, cursor in nodes]
    began = wanted.cursor is not None
    info = PageInfo(
        has_next_page=began if wanted.backward else found.more,
        has_previous_page=found.more if wanted.backward else began,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    if found.more and wanted.backward:
        info.start_cursor = seals.seal(use, found.rows[0]["_cursor"])
    elif found.more:
        info.end_cursor = seals.seal(use, found.rows[-1]["_cursor"])
    return edges, info
