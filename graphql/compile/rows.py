"""What a page of rows has to be for one document: which columns, which other rows, which texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLList, GraphQLNonNull, GraphQLObjectType

from tsuzuri.graphql.compile.collecting import Collected, Collecting
from tsuzuri.graphql.compile.declared import DECLARED
from tsuzuri.graphql.compile.pieces import Filled, Linked, Pieces, Unwritable, concat, hole, text
from tsuzuri.projections.view import View


@dataclass(frozen=True, eq=False)
class RowsPlan:
    """How the database writes the rows of a connection. The rows of the page are called `page`."""

    view: View
    texts: dict[str, str]  # by the name that the nodes or edges have in the answer
    worked: Sequence[Filled]  # fills the holes, by number
    linked: Sequence[Linked]
    columns: dict[str, set[str]]  # that are looked up, by alias
    informed: bool  # where the page begins and ends has to be known
    counted: bool


def rows_plan(of: GraphQLObjectType, collected: Collected, collecting: Collecting) -> RowsPlan | None:
    """None: not a connection, or its nodes have a field that the database cannot write."""
    if "edges" not in of.fields or "nodes" not in of.fields:
        return None
    texts: dict[str, str] = {}
    pieces = Pieces(collecting, "page")
    try:
        node = _item(of, "nodes")
        if node.name not in DECLARED:
            return None
        for key, nodes in collected.items():
            name = nodes[0].name.value
            selections = [one.selection_set for one in nodes if one.selection_set]
            if name == "nodes":
                texts[key] = pieces.object(node, collecting.fields(node, selections), "page")
            elif name == "edges":
                texts[key] = _edge(_item(of, "edges"), node, pieces, collecting, selections)
    except Unwritable:
        return None
    asked = {nodes[0].name.value for nodes in collected.values()}
    return RowsPlan(
        view=DECLARED[node.name].view,
        texts=texts,
        worked=pieces.worked,
        linked=pieces.linked,
        columns=pieces.columns,
        informed="pageInfo" in asked,
        counted="totalCount" in asked,
    )


def _edge(
    of: GraphQLObjectType,
    node: GraphQLObjectType,
    pieces: Pieces,
    collecting: Collecting,
    selections: Sequence[Any],
) -> str:
    parts: list[str] = []
    for number, (key, nodes) in enumerate(collecting.fields(of, selections).items()):
        parts.append(text(f'{"," if number else "{"}"{key}":'))
        parts += _edge_field(of, node, nodes, pieces, collecting)
    return concat([*parts, text("}")] if parts else [text("{}")])


def _edge_field(
    of: GraphQLObjectType,
    node: GraphQLObjectType,
    nodes: list[FieldNode],
    pieces: Pieces,
    collecting: Collecting,
) -> Sequence[str]:
    match nodes[0].name.value:
        case "__typename":
            return [text(f'"{of.name}"')]
        case "cursor":
            pieces.worked.append(None)
            return hole(len(pieces.worked) - 1, "page.cursor")
        case _:
            selections = [one.selection_set for one in nodes if one.selection_set]
            return pieces.members(node, collecting.fields(node, selections), "page")


def _item(of: GraphQLObjectType, name: str) -> GraphQLObjectType:
    kind: Any = of.fields[name].type
    while isinstance(kind, GraphQLNonNull | GraphQLList):
        kind = kind.of_type
    if not isinstance(kind, GraphQLObjectType):  # of several types
        raise Unwritable
    return kind
