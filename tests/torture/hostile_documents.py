"""Hostile GraphQL: documents that multiply, never end, or ask for what cannot be; and variables that fit nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from edge_examples import AS_OF, BY_KEY, ENTRIES, RECORD, SERIES, TRAIL
from examples import NUMBER


@dataclass(frozen=True)
class Asked:
    document: str
    variables: dict[str, Any] = field(default_factory=dict)
    refused: bool = True


RECORD_OF = f'patientRecord(patient: {{insuredPerson: "{NUMBER}"}})'
IN_RECORD = f"{{ {RECORD_OF} {{ ... on PatientRecord {{ %s }} }} }}"
_WORDS = (
    ["'; DROP TABLE event; --", "%s", "%(a)s", "{}", "$1", "\\", "\0", "\u202e", "é", "\U0001f3c3", "\ufffe", ""]
    + ["日" * 1_000, "a" * 50_000]
)  # fmt: skip
_NUMBERS: list[Any] = [
    -1, 0, 201, 2**31 - 1, 2**31, -(2**31) - 1, 2**53, 2**63, 2**64, 1.5, 1e300, "1", "", True, None, [], {}, [1]
]  # fmt: skip
_TIMES = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "\0", "2026-02-30", -1]
_BROKEN = [
    "{", "}", "{{{{", "query", "{ a(", '{ a(b: "', '{ a(b: """', "{ a(b: 00) }", "{ a(b: 1.) }", "{ a(b: 0x10) }",
    "{ ... }", "{ ...on }", "{ a @ }", "$", "{ a: }", "{ a(b: -) }", "", "\0", "{ __typename\0 }", "＿＿typename",
    '{ facilities(text: "\\u{110000}") { totalCount } }', '{ facilities(text: "\\uD800") { totalCount } }',
    '{ facilities(text: "\\x") { totalCount } }', "type Query { a: Int }", "extend type Query { a: Int } { a }",
    "schema { query: Query }", "{ __typename } { __typename }", "query A { __typename } query A { __typename }",
    'subscription { projectionProgress(name: "record_index") { name } again: __typename }', "mutation { nothing }",
    "{ __type(name: 1) { name } }", "query A on B { c }", "{ facilities(first: 1e400) { totalCount } }",
    "{ facilities(first: 99999999999999999999999999) { totalCount } }",
]  # fmt: skip


def good(random: Random) -> Asked:
    """One that any server should answer: others are broken out of it."""
    return random.choice(
        [
            Asked("{ __typename }"),
            Asked(RECORD, {"number": NUMBER, "first": 5}),
            Asked(ENTRIES, {"number": NUMBER}),
            Asked("query Named { facilities(first: 3) { nodes { number name } } }"),
        ]
    )


def _depth(random: Random) -> Asked:
    depth = random.choice([13, 50, 500, 3_000])
    inside = random.choice(
        ["document { entries(first: 1) { nodes { ", "a { b { c { ", "ofType { fields { type { "]
    )
    return Asked(
        IN_RECORD
        % ("entries { nodes { " + inside * (depth // 3 + 1) + "id" + " }" * (3 * (depth // 3 + 1) + 2))
    )


def _values(random: Random) -> Asked:
    depth = random.choice([50, 400, 3_000])
    opening, closing = random.choice([("[", "]"), ("{a: ", "}")])
    return Asked(f"{{ facilities(text: {opening * depth}1{closing * depth}) {{ totalCount }} }}")


def _aliases(random: Random) -> Asked:
    count = random.choice([16, 100, 1_000, 5_000])
    field_ = random.choice(["__typename", RECORD_OF + " { __typename }", "facilities { nodes { name } }"])
    return Asked("{ " + " ".join(f"a{n}: {field_}" for n in range(count)) + " }")


def _cycle(random: Random) -> Asked:
    count = random.choice([1, 2, 3, 50, 400])
    ring = " ".join(f"fragment F{n} on Query {{ ...F{(n + 1) % count} }}" for n in range(count))
    return Asked(
        random.choice(["{ ...F0 } ", "query A { ...F0 } query B { ...F0 } ", "subscription { ...F0 } "])
        + ring
    )


def _amplified(random: Random) -> Asked:
    breadth, levels = random.choice([(8, 4), (10, 4), (2, 20), (3, 10), (2, 100)])
    fragments = " ".join(
        f"fragment F{level} on Query {{ " + " ".join(f"...F{level + 1}" for _ in range(breadth)) + " }"
        for level in range(levels)
    )
    return Asked(f"{{ ...F0 }} {fragments} fragment F{levels} on Query {{ {_some_aliases(random)} }}")


def _some_aliases(random: Random) -> str:
    return " ".join(f"b{n}: __typename" for n in range(random.choice([16, 30])))


def _directives(random: Random) -> Asked:
    count = random.choice([200, 1_000, 5_000])
    directive = random.choice(
        ["@include(if: true)", "@skip(if: false)", "@nothing", "@deprecated", "@nothing(x: [1, {a: 2}])"]
    )
    return Asked("{ __typename " + f"{directive} " * count + "}")


def _duplicates(random: Random) -> Asked:
    return Asked(
        "{ "
        + random.choice(["__typename ", "facilities { totalCount } "])
        * random.choice([2_000, 20_000 // 4, 20_000])
        + "}"
    )


def _overlapping(random: Random) -> Asked:
    count = random.choice([50, 200, 400])
    return Asked(
        "{ "
        + " ".join(f"facilities(first: {n + 1}) {{ nodes {{ x: number }} }}" for n in range(count))
        + " }"
    )


def _padding(random: Random) -> Asked:
    pad = random.choice(["#" + "x" * 60 + "\n", "#\n", ",", " ", "\ufeff", "\t", "# {{{ \n"])
    text = (
        "{ __typename "
        + pad
        * (
            random.choice([1_000, 60_000, 240_000])
            // len(pad.encode())
            // (3 if len(pad) > 1 or pad.isascii() else 2)
        )
        + "}"
    )
    return Asked(text, refused=False)


def _unknown_fields(random: Random) -> Asked:
    names = [
        f"{random.choice(['pati', 'recor', 'sum', '_', 'x'])}{random.randrange(10**6)}"
        for _ in range(random.choice([1, 150, 600]))
    ]
    return Asked(random.choice(["{ %s }", IN_RECORD]).replace("%s", " ".join(names)))


def _huge(random: Random) -> Asked:
    name = "n" * random.choice([1_000, 50_000, 250_000])
    return Asked(
        random.choice(
            [
                f"{{ {name} }}",
                f"query {name} {{ {name} }}",
                f"query (${name}: Int) {{ __typename }}",
                f'{{ facilities(text: "{name}", {name}: 1) {{ totalCount }} }}',
                f"{{ __typename @{name} }}",
                f"fragment {name} on {name} {{ __typename }} {{ __typename }}",
                f'{{ access(id: """{name}""") {{ {name} }} }}',
            ]
        )
    )


def _schema(random: Random) -> Asked:
    levels = random.choice([3, 10, 100])
    return Asked(
        "{ __schema { types { fields { type "
        + "{ ofType " * levels
        + "{ name }"
        + " }" * levels
        + " } } } }",
        refused=False,
    )


def _variables(random: Random) -> Asked:
    word, number = random.choice(_WORDS), random.choice(_NUMBERS)
    anything = random.choice([*_WORDS, *_NUMBERS])
    period = {random.choice(["from", "to"]): random.choice(_TIMES)}
    keys = [{}, None, 1, {"id": word}, {"insuredPerson": word}, {"local": {"facility": "\0", "number": word}}]
    document, variables = random.choice(
        [
            (RECORD, {"number": NUMBER, "first": number}),
            (RECORD, {"number": NUMBER, "first": 1, "after": anything}),
            (ENTRIES, {"number": NUMBER, "filter": {"codes": [word] * random.choice([1, 1_000])}}),
            (ENTRIES, {"number": anything, "filter": random.choice([{}, {"from": "x"}, {"nothing": 1}, []])}),
            (ENTRIES, {"number": NUMBER, "filter": period}),
            (AS_OF, {"number": NUMBER, "at": {"position": word}, "least": anything}),
            (BY_KEY, {"key": random.choice(keys)}),
            (TRAIL, {"filter": {"person": word}, "first": number, "after": anything}),
            (SERIES, {"number": NUMBER, "codes": random.choice([_WORDS, ["x"] * 5_000, [None], [[]], "x"])}),
        ]
    )
    return Asked(document, variables, refused=False)


def _declared(random: Random) -> Asked:
    types = ["Int", "Strange", "[[[Int!]!]!]!", "PatientRecord"]
    declared = " ".join(
        f"${random.choice('abc')}{n}: {random.choice(types)}" for n in range(random.choice([1, 1_000]))
    )
    document = random.choice(
        [
            f"query ({declared}) {{ __typename }}",
            "query { facilities(first: $no) { totalCount } }",
            "query ($a: Int, $a: Int) { __typename }",
        ]
    )
    return Asked(document, {f"x{n}": n for n in range(random.choice([0, 1_000]))})


def _text(random: Random) -> Asked:
    return Asked(random.choice(_BROKEN))


def _mutated(random: Random) -> Asked:
    asked = good(random)
    letters = list(asked.document)
    for _ in range(random.randrange(1, 6)):
        place = random.randrange(len(letters))
        letters[place] = random.choice(
            ["{", "}", "(", ")", '"', "$", "@", "!", ":", "...", "\\", "\0", "日", "", " "]
        )
    return Asked("".join(letters), asked.variables, refused=False)


def _product(random: Random) -> Asked:
    inside = "nodes { document { entries(first: 200) { " * random.choice([1, 2]) + "totalCount"
    return Asked(
        IN_RECORD % ("entries(first: 200) { " + inside + " } } }" * (inside.count("nodes")) + " }"),
        refused=False,
    )


DOCUMENTS: dict[str, Callable[[Random], Asked]] = {
    "depth": _depth,
    "nested values": _values,
    "aliases": _aliases,
    "fragment cycles": _cycle,
    "fragments that multiply": _amplified,
    "directives": _directives,
    "duplicates": _duplicates,
    "overlapping": _overlapping,
    "padding": _padding,
    "unknown fields": _unknown_fields,
    "huge names": _huge,
    "introspection": _schema,
    "variables that do not fit": _variables,
    "declarations": _declared,
    "no documents": _text,
    "mutated documents": _mutated,
    "lists in lists": _product,
}
"""Each makes a document, and says whether every server must refuse it."""
