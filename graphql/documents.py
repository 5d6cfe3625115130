"""Which operation of a document is meant, before anything validates it: the rules count on a document that is whole.

And what of its text may name a patient, for whoever keeps it.
"""

import re

from graphql import (
    ArgumentNode,
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from tsuzuri.graphql.limits import CHARACTERS_MAX, TOKENS_MAX, check_extent


def chosen_operation(parsed: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation to run (GraphQL, "GetOperation"). Raises GraphQLError for what a client can mend."""
    operations = [d for d in parsed.definitions if isinstance(d, OperationDefinitionNode)]
    if name is None and len(operations) != 1:
        raise GraphQLError(f"the document holds {len(operations)} operations: say which with operationName")
    chosen = [d for d in operations if name is None or (d.name is not None and d.name.value == name)]
    if not chosen:
        raise GraphQLError("the document holds no operation of the name that was given")
    return chosen[0]


_MAY_NAME = re.compile('["#]|[0-9]{5}')


def names_nobody(document: str) -> bool:
    """It holds no string, no comment and no long number: nothing in which a patient's number or name could stand."""
    return _MAY_NAME.search(document) is None


def patient_keys(parsed: DocumentNode, operation: OperationDefinitionNode) -> frozenset[str] | None:
    """The variables that stand in an argument `patients`, when all of them are PatientKeys; else None."""
    found = _NamedPatients()
    visit(parsed, found)
    types = {
        definition.variable.name.value: print_ast(definition.type)
        for definition in operation.variable_definitions or ()
    }
    keys = all("PatientKey" in types.get(name, "") for name in found.variables)
    return frozenset(found.variables) if keys else None


class _NamedPatients(Visitor):
    """The variables in arguments of that name."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()
        self._within = False

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        self._within = node.name.value == "patients"

    def leave_argument(self, *_: object) -> None:
        self._within = False

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        if self._within:
            self.variables.add(node.name.value)


def parsed_document(document: str) -> DocumentNode:
    """Within its limits, and with every fragment that it spreads. Raises GraphQLError."""
    if len(document) > CHARACTERS_MAX:
        raise GraphQLError(f"the document holds more than {CHARACTERS_MAX} characters")
    parsed = parse(document, max_tokens=TOKENS_MAX, no_location=False)
    spreads = _Spreads()
    visit(parsed, spreads)
    defined = {d.name.value for d in parsed.definitions if isinstance(d, FragmentDefinitionNode)}
    if unknown := spreads.names - defined:
        raise GraphQLError(f"the document spreads a fragment that it does not define: {min(unknown)}")
    check_extent(parsed)
    return parsed


class _Spreads(Visitor):
    """The names of all fragments that a document spreads. Raises GraphQLError for braces around nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.names.add(node.name.value)

    def enter_selection_set(self, node: SelectionSetNode, *_: object) -> None:
        if not node.selections:  # the parser takes them, and the rules count on a field
            raise GraphQLError("a selection holds at least one field", node)
