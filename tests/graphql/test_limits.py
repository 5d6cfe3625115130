"""What one document may ask for at all. Each of these once took seconds, or for ever."""

from collections.abc import Sequence

import pytest
from graphql import GraphQLError

from tsuzuri.graphql import preparing
from tsuzuri.graphql.limits import (
    ALIASES_MAX,
    CHARACTERS_MAX,
    DEPTH_MAX,
    FIELDS_MAX,
    FRAGMENTS_MAX,
    NESTING_MAX,
    ROOT_FIELDS_MAX,
)
from tsuzuri.graphql.preparing import ERRORS_MAX, DocumentRefused, Prepared, prepare
from tsuzuri.graphql.schema import build_schema

SCHEMA = build_schema()


def refused(document: str) -> Sequence[GraphQLError]:
    with pytest.raises(DocumentRefused) as refusal:
        prepare(SCHEMA, document)
    return refusal.value.errors


def doubling(number: int) -> str:
    """Fragments that spread the next one twice each: written out they are 2 to the power of *number*."""
    spreads = [f"fragment F{n} on Facility {{ ...F{n + 1} ...F{n + 1} }}" for n in range(number)]
    return f"{{ facilities {{ nodes {{ ...F0 }} }} }} {' '.join(spreads)} fragment F{number} on Facility {{ number }}"


def nested(number: int) -> str:
    return "{ " + "... { " * number + "__typename" + " }" * number + " }"


def chained(number: int) -> str:
    spreads = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(number))
    return f"{{ ...F0 }} {spreads} fragment F{number} on Query {{ __typename }}"


def aliased(number: int) -> str:
    return "{ " + " ".join(f"a{n}: __typename" for n in range(number)) + " }"


def in_operations(number: int) -> str:
    return " ".join(f"query Q{n} {{ __typename }}" for n in range(number))


DEEP = "{ me { record { entries { nodes { " + "document { entries { nodes { " * 3 + "id" + " }" * 14
TOO_MUCH = {
    "fields, doubled by fragments": (doubling(20), f"{FIELDS_MAX} are allowed"),
    "fields, doubled by as many fragments as there may be": (
        doubling(FRAGMENTS_MAX - 1),
        "within each other",
    ),
    "a fragment that spreads itself": (
        "{ ...F } fragment F on Query { ...F }",
        "the fragment spreads itself: F",
    ),
    "two that spread each other": (
        "{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }",
        "the fragment spreads itself",
    ),
    "one that spreads itself and that nobody asks for": (
        "{ __typename } fragment F on Query { ...F }",
        "the fragment spreads itself",
    ),
    "inline fragments within each other": (nested(NESTING_MAX), "within each other"),
    "aliases": (aliased(ALIASES_MAX + 1), f"{ALIASES_MAX + 1} aliases found"),
    "aliases in a fragment spread twice": (
        "{ x: facilities { ...F } y: facilities { ...F } } fragment F on FacilityConnection { "
        + " ".join(f"a{n}: __typename" for n in range(7))
        + " }",
        "16 aliases found",
    ),
    "depth": (DEEP, f"maximum operation depth of {DEPTH_MAX}"),
    "depth through fragments": (
        "{ me { record { ...A } } } fragment A on PatientRecord { entries { nodes { document { ...B } } } } "
        "fragment B on Document { entries { nodes { document { entries { nodes { document { entries { nodes "
        "{ id } } } } } } } } }",
        f"maximum operation depth of {DEPTH_MAX}",
    ),
    "root fields": ("{ " + "__typename " * (ROOT_FIELDS_MAX + 1) + "}", "root fields found"),
    "operations": (in_operations(11), "11 operations found"),
    "fragments": (
        "{ __typename } "
        + " ".join(f"fragment F{n} on Query {{ __typename }}" for n in range(FRAGMENTS_MAX + 1)),
        "fragments found",
    ),
    "variables": (
        "query (" + " ".join(f"$v{n}: Int" for n in range(51)) + ") { __typename }",
        "51 variables found",
    ),
    "directives of a field": ("{ __typename" + " @skip(if: false)" * 6 + " }", "6 directives found"),
    "directives of an operation": ("query" + " @a" * 6 + " { __typename }", "6 directives found"),
    "comments": ("{ __typename } #" + "x" * CHARACTERS_MAX, f"more than {CHARACTERS_MAX} characters"),
    "tokens": ("{" + " __typename" * 2_000 + "}", "more than 2000 tokens"),
    "fields of one name": (
        "{ facilities { nodes {" + " number" * 1_000 + " } } }",
        "Validation aborted",
    ),
}


@pytest.mark.parametrize(("document", "reason"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_document_that_asks_for_too_much_is_refused(document: str, reason: str) -> None:
    assert any(reason in error.message for error in refused(document))


ENOUGH = {
    "inline fragments within each other": nested(NESTING_MAX - 2),
    "fragments that spread the next one": chained(FRAGMENTS_MAX - 4),
    "aliases": aliased(ALIASES_MAX),
    "fields of one name": "{ facilities { nodes {" + " number" * 60 + " } } }",
    "six aliased lists": "query ($n: Int!) { me { record { "
    + " ".join(
        f"a{n}: entries(first: $n, filter: {{classes: [CONDITION]}}) "
        "{ totalCount nodes { id name effective status value { text } facility { number name } } }"
        for n in range(6)
    )
    + " } } }",
}


@pytest.mark.parametrize("document", ENOUGH.values(), ids=ENOUGH)
def test_what_keeps_to_the_limits_is_prepared(document: str) -> None:
    assert isinstance(prepare(SCHEMA, document), Prepared)


def test_no_more_errors_are_told_than_an_author_reads() -> None:
    unknown = " ".join(f"u{n}" for n in range(400))

    assert len(refused(f"{{ facilities {{ nodes {{ {unknown} }} }} }}")) == ERRORS_MAX + 1


def test_an_error_says_where_without_holding_the_document() -> None:
    (error,) = refused("{\n  nothing\n}")

    assert [(place.line, place.column) for place in error.locations or ()] == [(2, 3)]
    assert error.nodes is None


def test_documents_are_prepared_once_and_the_oldest_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = preparing._Kept()
    monkeypatch.setattr(preparing, "_kept", kept)
    monkeypatch.setattr(preparing, "MEMORY_MAX_BYTES", 20_000)
    first = prepare(SCHEMA, "{ __typename }")

    assert prepare(SCHEMA, "{ __typename }") is first
    for n in range(100):
        prepare(SCHEMA, f"{{ a{n}: __typename }}")
    assert prepare(SCHEMA, "{ __typename }") is not first
    assert kept._bytes <= 20_000
