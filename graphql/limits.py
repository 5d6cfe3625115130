"""How much one document may ask for at all: counted before it is validated, each fragment once.

A rule that follows fragments instead takes time that doubles with each of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.validation.rules import overlapping_fields_can_be_merged

CHARACTERS_MAX = 65_536  # comments are no tokens, and are read all the same
TOKENS_MAX = 2_000
OPERATIONS_MAX = 10
FRAGMENTS_MAX = 50
VARIABLES_MAX = 50
DIRECTIVES_MAX = 5  # at one place
ROOT_FIELDS_MAX = 20
DEPTH_MAX = 12  # fields above a field
ALIASES_MAX = 15
FIELDS_MAX = 5_000  # with each fragment written out wherever it is spread
NESTING_MAX = 50  # selections within selections, fragments too: what walks a document calls itself as often

# Fields of one name are compared each with each: a hundred of them use this up.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 20_000


@dataclass(frozen=True)
class Extent:
    """What lies in a selection set, with its fragments written out."""

    depth: int = 0  # levels of fields
    nesting: int = 0  # levels of selection sets
    width: int = 0  # fields of the first level
    fields: int = 0
    aliases: int = 0

    def beside(self, other: "Extent") -> "Extent":
        return Extent(
            depth=max(self.depth, other.depth),
            nesting=max(self.nesting, other.nesting),
            width=self.width + other.width,
            fields=self.fields + other.fields,
            aliases=self.aliases + other.aliases,
        )


def check_extent(document: DocumentNode) -> None:
    """Raises GraphQLError for a document that no limit lets through, or that never ends."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    fragments = [d for d in document.definitions if isinstance(d, FragmentDefinitionNode)]
    _check(len(operations), OPERATIONS_MAX, "operations found")
    _check(len(fragments), FRAGMENTS_MAX, "fragments found")
    extents = _Extents({fragment.name.value: fragment for fragment in fragments})
    for fragment in fragments:
        extents.of_fragment(fragment.name.value)
    for operation in operations:
        _check(len(operation.variable_definitions or ()), VARIABLES_MAX, "variables found")
        _check_directives(operation.directives)
        extent = extents.of(operation.selection_set)
        if extent.depth > DEPTH_MAX + 1:
            raise GraphQLError(f"the operation exceeds the maximum operation depth of {DEPTH_MAX}")
        _check(extent.aliases, ALIASES_MAX, "aliases found")
        _check(extent.fields, FIELDS_MAX, "fields found, each fragment written out")
        _check(extent.width, ROOT_FIELDS_MAX, "root fields found")


class _Extents:
    """Counts selection sets of one document."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode]):
        self._fragments = fragments
        self._known: dict[str, Extent] = {}
        self._open: set[str] = set()

    def of(self, selected: SelectionSetNode | None) -> Extent:
        extent = Extent()
        for selection in selected.selections if selected else ():
            _check_directives(selection.directives)
            if isinstance(selection, FragmentSpreadNode):
                extent = extent.beside(self.of_fragment(selection.name.value))
            elif isinstance(selection, FieldNode):
                extent = extent.beside(_field(selection, self.of(selection.selection_set)))
            elif isinstance(selection, InlineFragmentNode):
                extent = extent.beside(self.of(selection.selection_set))
        if extent.nesting == NESTING_MAX:
            raise GraphQLError(f"selections lie within each other more than {NESTING_MAX} times")
        return replace(extent, nesting=1 + extent.nesting)

    def of_fragment(self, name: str) -> Extent:
        if name in self._open:
            raise GraphQLError(f"the fragment spreads itself: {name}")
        if name not in self._known:
            self._open.add(name)
            self._known[name] = self.of(self._fragments[name].selection_set)
            self._open.remove(name)
        return self._known[name]


def _field(field: FieldNode, below: Extent) -> Extent:
    introspects = field.name.value.startswith(
        "__"
    )  # graphql-core has a limit of its own for what is nested there
    return Extent(
        depth=1 if introspects else 1 + below.depth,
        nesting=below.nesting,
        width=1,
        fields=1 + below.fields,
        aliases=below.aliases + (field.alias is not None),
    )


def _check_directives(directives: Sequence[DirectiveNode] | None) -> None:
    _check(len(directives or ()), DIRECTIVES_MAX, "directives found at one place")


def _check(number: int, most: int, what: str) -> None:
    if number > most:
        raise GraphQLError(f"{number} {what}: {most} are allowed")
