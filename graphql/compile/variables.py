"""The variables of an operation, coerced: those of plain types quickly, all others as the library does."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values
from graphql.utilities import coerce_input_value


class Coercion:
    """Of one operation, made once."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._definitions = operation.variable_definitions or ()
        self._plain = _plain(schema, operation)

    def values(self, given: Mapping[str, Any]) -> VariableValues | None:
        """None when one of them is wrong."""
        if self._plain is None:
            return self._as_the_library_does(given)
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for name, kind, signature in self._plain:
            value = given.get(name, Undefined)
            sources[name] = VariableValueSource(signature, value)
            if value is Undefined:
                if is_non_null_type(kind):
                    return None
                continue
            made = coerce_input_value(value, kind)
            if made is Undefined:
                return None
            coerced[name] = made
        return VariableValues(sources, coerced)

    def _as_the_library_does(self, given: Mapping[str, Any]) -> VariableValues | None:
        values = get_variable_values(self._schema, self._definitions, dict(given))
        return values if isinstance(values, VariableValues) else None


def _plain(
    schema: GraphQLSchema, operation: OperationDefinitionNode
) -> Sequence[tuple[str, GraphQLInputType, GraphQLVariableSignature]] | None:
    """None: one is of another type than a scalar or an enum, or has a default."""
    plain = []
    for definition in operation.variable_definitions or ():
        signature = get_variable_signature(schema, definition)
        if isinstance(signature, GraphQLError) or definition.default_value is not None:
            return None
        if not is_leaf_type(get_nullable_type(signature.type)):
            return None
        plain.append((signature.name, signature.type, signature))
    return plain
