"""What one request asks for and what its answer tells, by coordinate: "Entry.name", "Query.access(id)", "AsOf.at"."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    NamedTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    value_from_ast_untyped,
)

from torture.read_surface import coordinate


@dataclass(frozen=True)
class Told:
    """A value of the answer: of which field, and of which field further up each list of it is a page."""

    coordinate: str
    value: Any
    page_of: str


@dataclass
class Covered:
    """One operation of a document, with the variables that were given."""

    schema: GraphQLSchema
    document: DocumentNode
    operation: OperationDefinitionNode
    variables: Mapping[str, Any]
    _fragments: dict[str, FragmentDefinitionNode] = field(init=False)
    _values: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self._fragments = {
            one.name.value: one
            for one in self.document.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        defaults = {
            one.variable.name.value: value_from_ast_untyped(one.default_value)
            for one in self.operation.variable_definitions or ()
            if one.default_value is not None
        }
        self._values = {**defaults, **self.variables}

    def asked(self) -> set[str]:
        """Fields, arguments and input fields that stand in it and are not left out by a directive."""
        assert self.schema.query_type is not None
        return set(self._asked(self.schema.query_type.name, self.operation.selection_set))

    def told(self, data: Mapping[str, Any] | None) -> Iterator[Told]:
        """Every value of the answer whose field is certain: of a union that does not say which it is, none."""
        assert self.schema.query_type is not None
        if data is not None:
            yield from self._told(self.schema.query_type.name, [self.operation.selection_set], data, "")

    def _asked(self, kind: str, selections: SelectionSetNode) -> Iterator[str]:
        for node, of in self._fields(kind, selections):
            if node.name.value == "__typename":
                continue
            found = self._field(of, node)
            yield coordinate(of, node.name.value)
            for argument in node.arguments or ():
                yield coordinate(of, node.name.value, argument.name.value)
                yield from self._given(found.args[argument.name.value].type, argument)
            if node.selection_set:
                yield from self._asked(get_named_type(found.type).name, node.selection_set)

    def _given(self, kind: Any, argument: ArgumentNode) -> Iterator[str]:
        holder = get_named_type(kind)
        if isinstance(holder, GraphQLInputObjectType):
            yield from self._within(holder, argument.value)

    def _within(self, holder: GraphQLInputObjectType, value: Any) -> Iterator[str]:
        """*value*: of the document, or of the variables."""
        if isinstance(value, VariableNode):
            value = self._values.get(value.name.value)
        if isinstance(value, ListValueNode):
            value = list(value.values)
        if isinstance(value, ObjectValueNode):
            value = {one.name.value: one.value for one in value.fields}
        for one in value if isinstance(value, list) else [value]:
            for name, inner in one.items() if isinstance(one, dict) else ():
                yield f"{holder.name}.{name}"
                further = get_named_type(holder.fields[name].type)
                if isinstance(further, GraphQLInputObjectType):
                    yield from self._within(further, inner)

    def _told(
        self, kind: str, sets: list[SelectionSetNode], value: Mapping[str, Any], page_of: str
    ) -> Iterator[Told]:
        actual = self._actual(kind, sets, value)
        fields = [one for selections in sets for one in self._fields(kind, selections, actual)]
        for node, of in fields:
            key = (node.alias or node.name).value
            if key not in value or node.name.value == "__typename":
                continue
            here = coordinate(of, node.name.value)
            yield Told(here, value[key], page_of)
            leads_to = get_named_type(self._field(of, node).type)
            if node.selection_set and is_composite_type(leads_to):
                paged = here if "pageInfo" in getattr(leads_to, "fields", ()) else page_of
                for one in value[key] if isinstance(value[key], list) else [value[key]]:
                    if one is not None:
                        yield from self._told(leads_to.name, [node.selection_set], one, paged)

    def _actual(self, kind: str, sets: list[SelectionSetNode], value: Mapping[str, Any]) -> str:
        """The type of the object; empty where nothing says so."""
        if not is_abstract_type(self.schema.type_map[kind]):
            return kind
        keys = [
            (node.alias or node.name).value
            for selections in sets
            for node, _ in self._fields(kind, selections)
            if node.name.value == "__typename"
        ]
        return next((str(value[key]) for key in keys if key in value), "")

    def _fields(
        self, kind: str, selections: SelectionSetNode, actual: str | None = None
    ) -> Iterator[tuple[FieldNode, str]]:
        """The fields of a selection, also those in fragments, with the type that each is asked of.

        *actual*: only what is asked of an object of this type; None: of any.
        """
        for node in selections.selections:
            if self._left_out(node.directives):
                continue
            if isinstance(node, FieldNode):
                yield node, kind
                continue
            assert isinstance(node, InlineFragmentNode | FragmentSpreadNode)
            fragment = node if isinstance(node, InlineFragmentNode) else self._fragments[node.name.value]
            of = self._condition(fragment.type_condition, kind)
            if actual is None or of == kind or of == actual:
                yield from self._fields(of, fragment.selection_set, actual)

    def _condition(self, condition: NamedTypeNode | None, kind: str) -> str:
        return condition.name.value if condition else kind

    def _field(self, kind: str, node: FieldNode) -> GraphQLField:
        holder = self.schema.type_map[kind]
        assert isinstance(holder, GraphQLObjectType | GraphQLInterfaceType)
        found: GraphQLField = holder.fields[node.name.value]
        return found

    def _left_out(self, directives: tuple[DirectiveNode, ...] | None) -> bool:
        said = {
            one.name.value: self._said(condition.value)
            for one in directives or ()
            for condition in one.arguments or ()
        }
        return said.get("skip") is True or said.get("include") is False

    def _said(self, value: ValueNode) -> Any:
        if isinstance(value, VariableNode):
            return self._values.get(value.name.value)
        return value_from_ast_untyped(value)
