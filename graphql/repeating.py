"""Runs one root field of a recorded operation again, over an application that shows the past."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    execute,
)
from strawberry import Schema
from strawberry.utils.await_maybe import await_maybe

from tsuzuri.graphql.context import Context
from tsuzuri.graphql.preparing import Prepared

REPEATABLE = frozenset({"patientRecord", "patientRecords", "node", "me"})
"""The root fields whose answers tell of one patient each, and hang on nothing but her and the list of facilities."""


@dataclass(frozen=True)
class Repeated:
    """What an operation answered."""

    data: Mapping[str, Any] | None
    errors: tuple[GraphQLError, ...]


def roots(prepared: Prepared, key: str) -> frozenset[str]:
    """The names of the root fields that answer under this key, as far as variables leave them in."""
    fragments = _fragments(prepared.parsed)
    return frozenset(_names(_under(prepared.operation.selection_set, key, fragments).selections))


async def repeat(
    schema: Schema, context: Context, prepared: Prepared, variables: Mapping[str, Any], key: str
) -> Repeated:
    """Only what answers under this key of the root: what else it asked for is another access, or none.

    It was valid as a whole, and is not validated again: some of its variables stand for nothing now.
    """
    fragments = _fragments(prepared.parsed)
    only = OperationDefinitionNode(
        operation=prepared.operation.operation,
        name=prepared.operation.name,
        variable_definitions=prepared.operation.variable_definitions,
        directives=prepared.operation.directives,
        selection_set=_under(prepared.operation.selection_set, key, fragments),
    )
    result = await await_maybe(
        execute(
            schema._schema,
            DocumentNode(definitions=(only, *fragments.values())),
            context_value=context,
            variable_values=dict(variables),
        )
    )
    return Repeated(result.data, tuple(result.errors or ()))


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}


def _under(
    selections: SelectionSetNode, key: str, fragments: Mapping[str, FragmentDefinitionNode]
) -> SelectionSetNode:
    """The selections of the root that answer under *key*; a fragment that is spread here stands here itself."""
    kept: list[SelectionNode] = []
    for one in selections.selections:
        match one:
            case FieldNode():
                if (one.alias or one.name).value == key:
                    kept.append(one)
            case InlineFragmentNode():
                inside = _under(one.selection_set, key, fragments)
                kept.append(_inline(one.type_condition, one.directives, inside))
            case FragmentSpreadNode():
                spread = fragments[one.name.value]
                inside = _under(spread.selection_set, key, fragments)
                kept.append(_inline(spread.type_condition, one.directives, inside))
    return SelectionSetNode(selections=tuple(kept))


def _inline(type_condition: Any, directives: Any, inside: SelectionSetNode) -> InlineFragmentNode:
    return InlineFragmentNode(type_condition=type_condition, directives=directives, selection_set=inside)


def _names(selections: Any) -> set[str]:
    found: set[str] = set()
    for one in selections:
        if isinstance(one, FieldNode):
            found.add(one.name.value)
        elif isinstance(one, InlineFragmentNode):
            found |= _names(one.selection_set.selections)
    return found
