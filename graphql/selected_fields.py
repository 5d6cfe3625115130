"""The fields that an operation asks for, as it will be executed: fragments followed, what has one name asked for once.

Variables are not known yet, so what depends on them says on which (GraphQL, "CollectFields").
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    value_from_ast_untyped,
)

Variables = Mapping[str, Any]


@dataclass(frozen=True)
class Given:
    """A value that a variable holds, once the operation is run."""

    variable: str
    default: Any = None

    def value(self, variables: Variables) -> Any:
        return variables.get(self.variable, self.default)


@dataclass(frozen=True)
class Condition:
    """@skip or @include by a variable. What is no Boolean leaves the field in: execution refuses it later."""

    variable: str
    default: bool | None
    wanted: bool

    def holds(self, variables: Variables) -> bool:
        return variables.get(self.variable, self.default) is not (not self.wanted)


Conditions = frozenset[Condition]


@dataclass(frozen=True, eq=False)
class SelectedField:
    """A field under one response name of one type."""

    parent: str  # the type that it is a field of
    name: str
    definition: GraphQLField
    arguments: Mapping[str, Any]  # as written; Given where a variable alone stands for the whole
    conditions: Conditions  # all must hold for it to be asked for
    below: tuple["SelectedField", ...]

    @property
    def path(self) -> str:
        return f"{self.parent}.{self.name}"

    def and_below(self) -> Iterable["SelectedField"]:
        yield self
        for field in self.below:
            yield from field.and_below()


def selected_fields(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> tuple[SelectedField, ...]:
    """Of a valid document within its limits. `__typename` is not among them."""
    root = schema.get_root_type(operation.operation)
    assert root is not None, "the document is valid"
    return _Selecting(schema, document, operation).below(root, [(operation.selection_set, frozenset())])


class _Selecting:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode):
        self._schema = schema
        self._fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        self._defaults = {
            definition.variable.name.value: value_from_ast_untyped(definition.default_value)
            for definition in operation.variable_definitions or ()
            if definition.default_value is not None
        }

    def below(
        self, parent: GraphQLNamedType, selected: list[tuple[SelectionSetNode, Conditions]]
    ) -> tuple[SelectedField, ...]:
        """The fields of one level, in their order."""
        found: dict[tuple[str, str], list[tuple[FieldNode, Conditions]]] = {}
        seen: set[tuple[str, Conditions]] = set()
        for selection_set, conditions in selected:
            self._collect(parent, selection_set, conditions, found, seen)
        return tuple(self._field(type_name, nodes) for (type_name, _), nodes in found.items())

    def _collect(
        self,
        parent: GraphQLNamedType,
        selected: SelectionSetNode,
        conditions: Conditions,
        found: dict[tuple[str, str], list[tuple[FieldNode, Conditions]]],
        seen: set[tuple[str, Conditions]],
    ) -> None:
        for selection in selected.selections:
            own = self._conditions(selection.directives or ())
            if own is None:
                continue
            under = conditions | own
            if isinstance(selection, FieldNode):
                if selection.name.value != "__typename":
                    shown = (selection.alias or selection.name).value
                    found.setdefault((parent.name, shown), []).append((selection, under))
                continue
            of: FragmentDefinitionNode | InlineFragmentNode
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if (name, under) in seen:
                    continue
                seen.add((name, under))
                of = self._fragments[name]
            else:
                assert isinstance(selection, InlineFragmentNode)
                of = selection
            narrowed = self._schema.get_type(of.type_condition.name.value) if of.type_condition else parent
            assert narrowed is not None, "the document is valid"
            self._collect(narrowed, of.selection_set, under, found, seen)

    def _field(self, parent: str, nodes: list[tuple[FieldNode, Conditions]]) -> SelectedField:
        node = nodes[0][0]
        common = frozenset.intersection(*(conditions for _, conditions in nodes))
        owner = self._schema.get_type(parent)
        definition = self._schema.get_field(owner, node.name.value)  # type: ignore[arg-type]
        assert definition is not None, "the document is valid"
        selected = [(n.selection_set, own - common) for n, own in nodes if n.selection_set]
        introspects = node.name.value.startswith("__")
        return SelectedField(
            parent=parent,
            name=node.name.value,
            definition=definition,
            arguments={a.name.value: self._written(a.value) for a in node.arguments or ()},
            conditions=common,
            below=() if introspects else self.below(get_named_type(definition.type), selected),
        )

    def _written(self, value: ValueNode) -> Any:
        if isinstance(value, VariableNode):
            return Given(value.name.value, self._defaults.get(value.name.value))
        return value_from_ast_untyped(value)  # a variable inside is None: it is there, whatever it holds

    def _conditions(self, directives: Iterable[DirectiveNode]) -> Conditions | None:
        """None: it is never asked for."""
        conditions = set()
        for directive in directives:
            if directive.name.value not in ("skip", "include"):
                continue
            wanted = directive.name.value == "include"
            written = self._written((directive.arguments or ())[0].value)
            if isinstance(written, Given):
                conditions.add(Condition(written.variable, written.default, wanted))
            elif written is not wanted:
                return None
        return frozenset(conditions)
