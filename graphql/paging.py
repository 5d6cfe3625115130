"""Relay connections: pages by cursor, forward, each with a size."""

from typing import Annotated, Any, Generic, TypeVar

import strawberry

from tsuzuri.graphql.context import RequestRefused
from tsuzuri.graphql.seals import SealBroken, Seals
from tsuzuri.graphql.statements import Cursor

PAGE_DEFAULT = 50
PAGE_MAX = 200

Node = TypeVar("Node")
First = Annotated[int, strawberry.argument(description=f"How many at most, 1 to {PAGE_MAX}.")]
After = Annotated[
    str | None, strawberry.argument(description="Go on behind this cursor (`pageInfo.endCursor`).")
]


@strawberry.type(description="Whether and how a page goes on (Relay).")
class PageInfo:
    has_next_page: bool = strawberry.field(description="There is more behind `endCursor`.")
    has_previous_page: bool = strawberry.field(description="This page began behind a cursor.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first node.")
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


def page_size(first: int) -> int:
    """Raises RequestRefused."""
    if not 1 <= first <= PAGE_MAX:
        raise RequestRefused("BAD_INPUT", f"first is a number from 1 to {PAGE_MAX}")
    return first


def opened(seals: Seals, use: str, after: str | None) -> Cursor | None:
    """Raises RequestRefused for a cursor of another list, another patient, or nobody's."""
    if after is None:
        return None
    try:
        return Cursor(tuple(seals.open(use, after)))
    except SealBroken:
        raise RequestRefused("BAD_CURSOR", "this cursor was not given out for this list") from None


def page(
    seals: Seals, use: str, nodes: list[tuple[Any, list[Any]]], first: int, *, began: bool
) -> tuple[list[Edge[Any]], PageInfo]:
    """Edges out of up to *first* + 1 nodes with their cursor values; the one too many tells that there is more."""
    edges = [Edge(node=node, cursor=seals.seal(use, cursor)) for node, cursor in nodes[:first]]
    info = PageInfo(
        has_next_page=len(nodes) > first,
        has_previous_page=began,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return edges, info
