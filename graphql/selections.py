"""Whether an operation asks for a field of what a resolver is about to make: what is dear is not made for nobody."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)
from strawberry.types import Info


def asks_for(info: Info[Any, Any], name: str) -> bool:
    """Under any alias, in any fragment; one that @skip or @include leaves out counts as asked for."""
    raw = info._raw_info
    return any(
        node.selection_set is not None and _holds(node.selection_set, name, raw.fragments)
        for node in raw.field_nodes
    )


def _holds(selections: SelectionSetNode, name: str, fragments: Mapping[str, FragmentDefinitionNode]) -> bool:
    for selection in selections.selections:
        match selection:
            case FieldNode():
                if selection.name.value == name:
                    return True
            case InlineFragmentNode():
                if _holds(selection.selection_set, name, fragments):
                    return True
            case FragmentSpreadNode():
                if _holds(fragments[selection.name.value].selection_set, name, fragments):
                    return True
    return False
