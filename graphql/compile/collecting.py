"""Which fields a selection set asks for of one type (GraphQL, "Field Collection"), and under which names."""

from collections.abc import Iterable, Mapping

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    visit,
)

Collected = dict[str, list[FieldNode]]
"""Nodes by the name that they have in the answer, in the order of the answer."""


class Collecting:
    """Of one document, when the conditions of @skip and @include are what *conditions* says (variable → value)."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, conditions: Mapping[str, bool | None]
    ) -> None:
        self._schema = schema
        self._conditions = conditions
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }

    def fields(self, of: GraphQLObjectType, selections: Iterable[SelectionSetNode]) -> Collected:
        """Those of all the selection sets together, for an object of this type."""
        collected: Collected = {}
        visited: set[str] = set()
        for selection_set in selections:
            self._collect(of, selection_set, collected, visited)
        return collected

    def _collect(
        self, of: GraphQLObjectType, selections: SelectionSetNode, into: Collected, visited: set[str]
    ) -> None:
        for selection in selections.selections:
            if not self._included(selection.directives):
                continue
            match selection:
                case FieldNode():
                    name = selection.alias.value if selection.alias else selection.name.value
                    into.setdefault(name, []).append(selection)
                case InlineFragmentNode():
                    on = selection.type_condition
                    if on is None or self._applies(on.name.value, of):
                        self._collect(of, selection.selection_set, into, visited)
                case FragmentSpreadNode():
                    name = selection.name.value
                    if name in visited:
                        continue
                    visited.add(name)
                    fragment = self.fragments[name]
                    if self._applies(fragment.type_condition.name.value, of):
                        self._collect(of, fragment.selection_set, into, visited)

    def _applies(self, condition: str, of: GraphQLObjectType) -> bool:
        if condition == of.name:
            return True
        named = self._schema.get_type(condition)
        return isinstance(named, GraphQLAbstractType) and self._schema.is_sub_type(named, of)

    def _included(self, directives: Iterable[DirectiveNode] | None) -> bool:
        for directive in directives or ():
            if directive.name.value in ("skip", "include"):
                (condition,) = directive.arguments or ()
                given = condition.value
                value = (
                    self._conditions[given.name.value]
                    if isinstance(given, VariableNode)
                    else getattr(given, "value", False)
                )
                if bool(value) == (directive.name.value == "skip"):
                    return False
        return True


def condition_names(document: DocumentNode) -> tuple[str, ...]:
    """The variables by which @skip and @include decide: a document is another plan for each of their values."""
    found = _Conditions()
    visit(document, found)
    return tuple(dict.fromkeys(found.names))


class _Conditions(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        if node.name.value in ("skip", "include"):
            given = [argument.value for argument in node.arguments or ()]
            self.names += [value.name.value for value in given if isinstance(value, VariableNode)]
