"""What an operation costs, from its fields, the schema and its variables: known before anything asks the database.

Counted are the rows that the answer may hold at most: page sizes multiply along the path. What has no page size counts
as many as it usually has. What takes more work than its rows tell has a weight, in rows too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_input_object_type,
    is_leaf_type,
    is_list_type,
)
from graphql.type import GraphQLID, get_nullable_type

from tsuzuri.graphql.paging import PAGE_DEFAULT
from tsuzuri.graphql.selected_fields import Condition, Given, SelectedField, Variables

ROWS_OF_A_COST = 10
COST_MAX = 1_000
SIZE_MAX = 1_000  # who asks for a larger page is refused by the field, which says what it gives

LIST_USUAL = 20
LISTS = {
    "LabSeries.points": 100,
    "EntryGroup.entries": 5,
    "Explanation.steps": 10,
    "Replay.changes": 1,
    "Replay.erasures": 5,
    "OwnAccess.explanation": 3,
    "Me.consents": 50,
    "Query.projections": 10,
    "Query.savedQuestions": 10,
    "AccessCounts.groups": 100,
    "Answer.findings": 100,
}
"""How many a list usually has that has no page size."""

PARTS_OF_A_ROW = frozenset(
    {
        *("Attachment", "ClassCount", "Coding", "CodeGroup", "Ground", "LabSeries", "PageInfo"),
        *("ProjectionProgress", "ReferenceRange", "Standing", "Summary", "Value"),
        "ReplayShown",
    }
)
"""Types that come with the row that names them, and hold no row themselves."""

WEIGHTS = {
    "Document.html": 100,  # the received bytes are opened and made into a page
    "Access.explanation": 100,  # streams are read once more and decided on
    "OwnAccess.explanation": 100,
    "Access.replay": 1_000,  # a record is folded from the log, and asked again
    "Query.accessAt": 100,
    "Access.proof": 100,  # some hundreds of hashes are read
    "Query.consistencyProof": 500,
    "Query.accessesProof": 200,
    "Me.accessesProof": 200,
    "Query.accessCounts": 1_000,  # the trail is gone through, not a page of it
    "Query.ask": 2_000,
    "Me.preview": 50,
    "Me.consentResources": 50,
    "PatientRecord.changedSince": 100,  # all of the record then is compared with all of it now
    "PatientRecord.present": 50,
    "Query.projectionCheck": 5_000,
    "Query.__schema": 500,
    "Query.__type": 50,
    "Mutation.registerBundle": 500,
}
_NODES = ("edges", "nodes")
ROOT_WEIGHTS = {"Query": 10, "Mutation": 50, "Subscription": 10}
"""A decision, and an event that is appended."""
NODES = {
    "Query.patientRecords": 10,
    "Query.referralInbox": 10,
    "Query.referralOutbox": 10,
    "Query.correctionRequests": 10,
    "Query.overdueCorrections": 10,
}
"""Pages over many patients: each node is decided on, and has an event, of its own."""
COUNT_WEIGHT = 10  # totalCount
DEMOGRAPHICS_WEIGHT = 200  # name, birth date and sex are looked for among all patients


@dataclass(frozen=True)
class Demographics:
    """How many patients a variable names by demographics."""

    given: Given

    def of(self, variables: Variables) -> int:
        return _by_demographics(self.given.value(variables))


@dataclass(frozen=True)
class Size:
    """The largest of the numbers, and of the lengths of the lists, that these give."""

    written: tuple[Any, ...]  # Given, or as it stands
    usual: int  # when none of them gives any

    def of(self, variables: Variables) -> int:
        given = [one.value(variables) if isinstance(one, Given) else one for one in self.written]
        return max((size for one in given if (size := _size(one)) is not None), default=self.usual)


@dataclass(frozen=True)
class Rows:
    """`fixed` rows, and those of the parts."""

    fixed: int = 0
    parts: tuple["Part", ...] = ()

    def of(self, variables: Variables) -> int:
        return self.fixed + sum(part.of(variables) for part in self.parts)

    def beside(self, others: Iterable["Rows"]) -> "Rows":
        rows = [self, *others]
        return Rows(sum(one.fixed for one in rows), tuple(part for one in rows for part in one.parts))

    def times(self, size: int | Size | Demographics) -> "Rows":
        if isinstance(size, int) and not self.parts:
            return Rows(self.fixed * size)
        return Rows(0, (Part(self, size, ()),))

    def under(self, conditions: Iterable[Condition]) -> "Rows":
        wanted = tuple(conditions)
        return Rows(0, (Part(self, 1, wanted),)) if wanted else self


@dataclass(frozen=True)
class Part:
    """Rows that variables multiply, or leave out."""

    each: Rows
    size: int | Size | Demographics
    conditions: tuple[Condition, ...]

    def of(self, variables: Variables) -> int:
        if not all(condition.holds(variables) for condition in self.conditions):
            return 0
        return self.each.of(variables) * (
            self.size if isinstance(self.size, int) else self.size.of(variables)
        )


def cost(rows: Rows, variables: Variables | None) -> int:
    """In units of ROWS_OF_A_COST, at least 1."""
    return max(1, -(-rows.of(variables or {}) // ROWS_OF_A_COST))


def rows_of(fields: Iterable[SelectedField]) -> Rows:
    """What these fields of one level may hold, in as few steps for each set of variables as there are that matter."""
    return Rows().beside(_rows(field) for field in fields)


def _rows(field: SelectedField) -> Rows:
    definition = field.definition
    named = get_named_type(definition.type)
    weight = Rows(_weight(field)).beside(_looked_up(field))
    if is_leaf_type(named) or field.name.startswith("__"):
        rows = weight
    elif isinstance(named, GraphQLObjectType) and "pageInfo" in named.fields:
        page = (
            Rows(NODES.get(field.path, 1))
            .beside(_of_nodes(below) for below in field.below)
            .times(_page_size(field))
        )
        once = (_rows(below) for below in field.below if below.name not in _NODES)
        rows = weight.beside([page, *once])
    else:
        own = Rows(0 if named.name in PARTS_OF_A_ROW else NODES.get(field.path, 1))
        rows = weight.beside([own.beside(map(_rows, field.below)).times(_list_size(field, named))])
    return rows.under(field.conditions)


def _of_nodes(field: SelectedField) -> Rows:
    """What the nodes of a page hold; their own rows are counted with the page."""
    if field.name not in _NODES:
        return Rows()
    below = field.below if field.name == "nodes" else [b for edge in field.below for b in edge.below]
    return Rows().beside(map(_rows, below)).under(field.conditions)


def _weight(field: SelectedField) -> int:
    if field.name == "totalCount":
        return COUNT_WEIGHT
    return WEIGHTS.get(field.path, ROOT_WEIGHTS.get(field.parent, 0))


def _looked_up(field: SelectedField) -> Iterable[Rows]:
    for name, written in field.arguments.items():
        key = get_named_type(field.definition.args[name].type)
        if is_input_object_type(key) and "demographics" in key.fields:
            named = Demographics(written) if isinstance(written, Given) else _by_demographics(written)
            yield Rows(DEMOGRAPHICS_WEIGHT).times(named)


def _by_demographics(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_by_demographics, value[:SIZE_MAX]))
    return int(isinstance(value, Mapping) and value.get("demographics") is not None)


def _page_size(field: SelectedField) -> int | Size:
    return _sized(
        [field.arguments[name] for name in ("first", "last") if name in field.arguments], PAGE_DEFAULT
    )


def _list_size(field: SelectedField, named: GraphQLNamedType) -> int | Size:
    """As many as are asked for by key; else as many as there usually are."""
    if named.name in PARTS_OF_A_ROW or not is_list_type(get_nullable_type(field.definition.type)):
        return 1
    usual = LISTS.get(field.path, LIST_USUAL)
    keys = [name for name, argument in field.definition.args.items() if _lists_keys(argument.type)]
    return _sized([field.arguments[name] for name in keys if name in field.arguments], usual)


def _lists_keys(kind: GraphQLInputType) -> bool:
    key = get_named_type(kind)
    return is_list_type(get_nullable_type(kind)) and (is_input_object_type(key) or key is GraphQLID)


def _sized(written: list[Any], usual: int) -> int | Size:
    size = Size(tuple(written), usual)
    return size if any(isinstance(one, Given) for one in written) else size.of({})


def _size(value: Any) -> int | None:
    """None: it is no size, and is refused when it is executed."""
    if isinstance(value, list):
        return min(len(value), SIZE_MAX)
    if isinstance(value, int) and not isinstance(value, bool):
        return max(0, min(value, SIZE_MAX))
    return None
