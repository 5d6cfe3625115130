"""A document that shows a fault, made as small as it still shows it."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

from graphql import (
    REMOVE,
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    print_ast,
    visit,
)
from graphql.language.visitor import VisitorAction

from torture.random_documents import Asked

TRIES_MAX = 400
_PARTS = (
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    DirectiveNode,
    ArgumentNode,
    OperationDefinitionNode,
)
Faulty = Callable[[Asked], Awaitable[bool]]
"""Whether a document still shows the fault; one that is not valid any more shows none."""


async def shrunk(asked: Asked, faulty: Faulty) -> Asked:
    """Whatever can go goes, the largest parts first, for as long as there are tries."""
    tries, smaller = 0, True
    while smaller and tries < TRIES_MAX:
        smaller = False
        for one in _smaller(asked):
            tries += 1
            if tries > TRIES_MAX:
                break
            if await faulty(one):
                asked, smaller = one, True
                break
    return asked


def _smaller(asked: Asked) -> Iterator[Asked]:
    """The document without one of its parts, each in turn, as a reader meets them."""
    document = parse(asked.document)
    everything = _Without(-1)
    visit(document, everything)
    for number in range(everything.seen):
        left: DocumentNode = visit(document, _Without(number))
        tidied = _tidied(left)
        text = print_ast(tidied)
        if text != asked.document and not _hollow(tidied):
            yield replace(asked, document=text)
    for name in asked.variables:
        yield replace(asked, variables={one: value for one, value in asked.variables.items() if one != name})


class _Without(Visitor):
    """Takes out the part of this number."""

    def __init__(self, number: int):
        super().__init__()
        self.number, self.seen = number, 0

    def enter(self, node: Node, *_: object) -> VisitorAction:
        if not isinstance(node, _PARTS):
            return None
        self.seen += 1
        return REMOVE if self.seen == self.number + 1 else None


class _Used(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.fragments: set[str] = set()
        self.variables: set[str] = set()

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.fragments.add(node.name.value)

    def enter_variable(self, node: VariableNode, _key: object, parent: object, *_: object) -> None:
        if not isinstance(parent, VariableDefinitionNode):
            self.variables.add(node.name.value)


class _Unused(Visitor):
    def __init__(self, used: _Used):
        super().__init__()
        self.used = used

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: object) -> VisitorAction:
        return None if node.name.value in self.used.fragments else REMOVE

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: object) -> VisitorAction:
        return None if node.variable.name.value in self.used.variables else REMOVE


class _Hollow(Visitor):
    found = False

    def enter_selection_set(self, node: SelectionSetNode, *_: object) -> None:
        self.found = self.found or not node.selections


def _hollow(document: DocumentNode) -> bool:
    """Whether braces are left with nothing in them, which no document may have."""
    seen = _Hollow()
    visit(document, seen)
    return seen.found


def _tidied(document: DocumentNode) -> DocumentNode:
    """Without the fragments and variables that nothing uses any more."""
    while True:
        used = _Used()
        visit(document, used)
        tidied: DocumentNode = visit(document, _Unused(used))
        if print_ast(tidied) == print_ast(document):
            return tidied
        document = tidied
