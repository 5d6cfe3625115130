"""Which operation of a document is meant, before anything validates it: the rules count on a document that is whole."""

from functools import lru_cache

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    parse,
    visit,
)

from tsuzuri.graphql.limits import TOKENS_MAX


def chosen_operation(document: str, name: str | None) -> OperationDefinitionNode:
    """The operation to run (GraphQL, "GetOperation"). Raises GraphQLError for what a client can mend."""
    parsed = _parsed(document)
    operations = [d for d in parsed.definitions if isinstance(d, OperationDefinitionNode)]
    if name is None and len(operations) != 1:
        raise GraphQLError(f"the document holds {len(operations)} operations: say which with operationName")
    chosen = [d for d in operations if name is None or (d.name is not None and d.name.value == name)]
    if not chosen:
        raise GraphQLError("the document holds no operation of the name that was given")
    return chosen[0]


def is_subscription(document: str, name: str | None) -> bool:
    """Whether the operation to run is one. Of a broken document it is not known: running it says what is wrong."""
    try:
        return chosen_operation(document, name).operation is OperationType.SUBSCRIPTION
    except GraphQLError:
        return False


@lru_cache(maxsize=128)
def _parsed(document: str) -> DocumentNode:
    parsed = parse(document, max_tokens=TOKENS_MAX, no_location=False)
    spreads = _Spreads()
    visit(parsed, spreads)
    defined = {d.name.value for d in parsed.definitions if isinstance(d, FragmentDefinitionNode)}
    if unknown := spreads.names - defined:
        raise GraphQLError(f"the document spreads a fragment that it does not define: {min(unknown)}")
    return parsed


class _Spreads(Visitor):
    """The names of all fragments that a document spreads."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.names.add(node.name.value)
