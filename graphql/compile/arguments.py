"""The arguments of a field, as its resolver takes them: what is constant is made once, and the rest quickly."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    is_leaf_type,
    value_from_ast,
)
from strawberry import Schema
from strawberry.types.arguments import convert_argument
from strawberry.types.field import StrawberryField

Variables = Mapping[str, Any]
Made = Callable[[Variables], Any]
"""A value out of the coerced variables; Undefined: it was not given."""


class NotMadeHere(Exception):
    """Arguments of a form that the library itself has to convert."""


@dataclass
class Arguments:
    """By the names of the resolver."""

    constants: dict[str, Any] = field(default_factory=dict)
    made: list[tuple[str, Made]] = field(default_factory=list)

    def values(self, variables: Variables) -> dict[str, Any]:
        values = self.constants.copy()
        for name, made in self.made:
            value = made(variables)
            if value is not Undefined:
                values[name] = value
        return values


def arguments_of(schema: Schema, of: GraphQLField, ours: StrawberryField, node: FieldNode) -> Arguments:
    """Raises NotMadeHere."""
    config, registry = schema.config, schema.schema_converter.scalar_registry
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    arguments = Arguments()
    for argument in ours.arguments:
        name = config.name_converter.from_argument(argument)
        definition, written = of.args[name], given.get(name)
        if written is not None and _has_variables(written):
            made = _made(schema, definition.type, written)
            default = definition.default_value
            if isinstance(written, VariableNode) and default is not Undefined:
                made = _or_default(made, convert_argument(default, argument.type, registry, config))
            arguments.made.append((argument.python_name, made))
            continue
        value = definition.default_value if written is None else value_from_ast(written, definition.type)
        if value is not Undefined:
            arguments.constants[argument.python_name] = convert_argument(
                value, argument.type, registry, config
            )
    return arguments


def _or_default(made: Made, default: Any) -> Made:
    def value(variables: Variables) -> Any:
        found = made(variables)
        return default if found is Undefined else found

    return value


def _made(schema: Schema, kind: GraphQLInputType, written: ValueNode) -> Made:
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    match written:
        case VariableNode():
            return _variable(written.name.value, inner)
        case ObjectValueNode() if isinstance(inner, GraphQLInputObjectType):
            return _object(schema, inner, written)
        case _ if not _has_variables(written):
            value = value_from_ast(written, kind)
            return lambda _: value
        case _:
            raise NotMadeHere


def _variable(name: str, kind: GraphQLInputType) -> Made:
    if is_leaf_type(kind):
        return lambda variables: variables.get(name, Undefined)
    items = kind.of_type if isinstance(kind, GraphQLList) else None
    plain = items.of_type if isinstance(items, GraphQLNonNull) else items
    if plain is None or not is_leaf_type(plain):
        raise NotMadeHere

    def made(variables: Variables) -> Any:
        value = variables.get(name, Undefined)
        return list(value) if isinstance(value, Sequence) else value

    return made


def _object(schema: Schema, kind: GraphQLInputObjectType, written: ObjectValueNode) -> Made:
    """An instance of the input's class, whose own defaults stand for what is left out."""
    definition = kind.extensions["strawberry-definition"]
    config, registry = schema.config, schema.schema_converter.scalar_registry
    given = {one.name.value: one.value for one in written.fields}
    constants: dict[str, Any] = {}
    made: list[tuple[str, Made]] = []
    for ours in definition.fields:
        name = config.name_converter.from_field(ours)
        value = given.get(name)
        if value is None:
            default = kind.fields[name].default_value
            if default is not Undefined:
                constants[ours.python_name] = convert_argument(default, ours.type, registry, config)
        elif _has_variables(value):
            made.append((ours.python_name, _made(schema, kind.fields[name].type, value)))
        else:
            coerced = value_from_ast(value, kind.fields[name].type)
            constants[ours.python_name] = convert_argument(coerced, ours.type, registry, config)
    whole = Arguments(constants, made)
    return lambda variables: definition.origin(**whole.values(variables))


def _has_variables(value: ValueNode) -> bool:
    match value:
        case VariableNode():
            return True
        case ListValueNode():
            return any(map(_has_variables, value.values))
        case ObjectValueNode():
            return any(_has_variables(one.value) for one in value.fields)
        case _:
            return False
