"""A document as a tree of what has to be done for each of its fields, made once and used for every request.

It resolves what the schema's own resolvers resolve and writes what ordinary execution would write, without finding out
anew for each object what a selection means. What goes wrong in it is told by ordinary execution, which runs then.
"""

from asyncio import iscoroutine
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    SelectionSetNode,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.values import VariableValues
from graphql.pyutils import Path
from strawberry import Schema

from tsuzuri.graphql.compile.collecting import Collected, Collecting
from tsuzuri.graphql.compile.resolvers import LibraryResolver, Resolver, resolver_of
from tsuzuri.graphql.compile.rows import RowsPlan, rows_plan

Serialize = Callable[[Any], Any]


class Unfit(Exception):
    """A document of which no plan can be made: ordinary execution runs it."""


@dataclass(frozen=True, eq=False)
class Shape:
    """What a value becomes in the answer."""

    nullable: bool
    items: "Shape | None" = None  # of a list
    serialize: Serialize | None = None  # of a leaf
    objects: "Mapping[str, ObjectPlan] | None" = None  # by type name
    abstract: GraphQLAbstractType | None = None  # says which of the types it is
    classes: "Mapping[type, ObjectPlan]" = field(default_factory=dict)  # of those whose class says so


@dataclass(frozen=True, eq=False)
class FieldPlan:
    """One field of the answer."""

    key: str
    shape: Shape
    attribute: str | None  # of the source object, when that is all there is to it
    resolver: Resolver | LibraryResolver | None  # else what finds the value
    info: GraphQLResolveInfo[Any]  # without what only the request knows


@dataclass(frozen=True, eq=False)
class ObjectPlan:
    """The fields that are asked for of one type, in the order of the answer. A None is `__typename`."""

    type_name: str
    fields: Sequence[tuple[str, FieldPlan | None]]
    rows: RowsPlan | None = None  # of a page that the database can write


class Compiler:
    """Makes the plan of one operation."""

    def __init__(self, schema: Schema, operation: OperationDefinitionNode, collecting: Collecting) -> None:
        self._converter = schema
        self._schema = schema._schema
        self._operation = operation
        self._collecting = collecting

    def plan(self) -> ObjectPlan:
        """Raises Unfit."""
        operation = self._operation
        root = self._schema.get_root_type(operation.operation)
        if root is None:
            raise Unfit
        return self._object(root, self._collecting.fields(root, [operation.selection_set]))

    def _object(self, of: GraphQLObjectType, collected: Collected) -> ObjectPlan:
        fields: list[tuple[str, FieldPlan | None]] = []
        for key, nodes in collected.items():
            name = nodes[0].name.value
            fields.append((key, None if name == "__typename" else self._field(of, key, name, nodes)))
        return ObjectPlan(of.name, tuple(fields), rows_plan(of, collected, self._collecting))

    def _field(self, of: GraphQLObjectType, key: str, name: str, nodes: list[FieldNode]) -> FieldPlan:
        found = of.fields.get(name)
        if found is None:  # introspection
            raise Unfit
        ours = found.extensions["strawberry-definition"]
        return FieldPlan(
            key=key,
            shape=self._shape(found.type, nodes),
            attribute=ours.python_name if ours.is_basic_field else None,
            resolver=None if ours.is_basic_field else resolver_of(self._converter, found, ours, nodes[0]),
            info=self._info(of, name, found, nodes),
        )

    def _shape(self, of: GraphQLOutputType, nodes: list[FieldNode], *, nullable: bool = True) -> Shape:
        if isinstance(of, GraphQLNonNull):
            return self._shape(of.of_type, nodes, nullable=False)
        if isinstance(of, GraphQLList):
            return Shape(nullable, items=self._shape(of.of_type, nodes))
        if is_leaf_type(of):
            return Shape(nullable, serialize=_serialize(of))
        selections = [node.selection_set for node in nodes if node.selection_set]
        if isinstance(of, GraphQLObjectType):
            return Shape(nullable, objects={of.name: self._object(of, self._fields(of, selections))})
        assert is_abstract_type(of)
        types = self._schema.get_possible_types(of)
        objects = {one.name: self._object(one, self._fields(one, selections)) for one in types}
        classes = {one.extensions["strawberry-definition"].origin: objects[one.name] for one in types}
        return Shape(nullable, objects=objects, abstract=of, classes=classes)

    def _fields(self, of: GraphQLObjectType, selections: Sequence[SelectionSetNode]) -> Collected:
        return self._collecting.fields(of, selections)

    def _info(
        self, of: GraphQLObjectType, name: str, found: GraphQLField, nodes: list[FieldNode]
    ) -> GraphQLResolveInfo[Any]:
        return GraphQLResolveInfo(
            field_name=name,
            field_nodes=nodes,
            return_type=found.type,
            parent_type=of,
            path=Path(None, name, of.name),
            schema=self._schema,
            fragments=self._collecting.fragments,
            root_value=None,
            operation=self._operation,
            variable_values=VariableValues({}, {}),
            context=None,
            is_awaitable=iscoroutine,  # type: ignore[arg-type]
            abort_signal=None,
            async_helpers=None,  # type: ignore[arg-type]
        )


def _serialize(of: GraphQLLeafType) -> Serialize:
    if isinstance(of, GraphQLEnumType):
        names = {value.value: name for name, value in of.values.items()}
        names |= {member: name for member, name in names.items()}
        return names.__getitem__
    return of.coerce_output_value
