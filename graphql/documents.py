"""Which operation of a document is meant, before anything validates it: the rules count on a document that is whole."""

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
    Visitor,
    parse,
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
