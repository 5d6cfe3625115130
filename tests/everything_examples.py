"""Everything that can be asked of a record, made from the schema: a field that is added is asked too.

Whole: a field with all that it leads to, no type within itself. Lean: each type whole once, elsewhere in a word.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
)

from fhir_examples import FACILITY
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from world import SCHEMA, World

CODE = "20071111"
TYPES = build_schema(SCHEMA.as_str()).type_map
RECORD, ME = "PatientRecord", "Me"
VARIABLES = {
    "patient": "PatientKey!",
    "her": "ID",
    "purpose": "PurposeOfUse!",
    "letter": "ID!",
    "then": "DateTime!",
    "position": "String!",
}
ARGUMENTS = {
    "codes": f'["{CODE}", "HBA1C"]',
    "change": "DENY",
    "id": "$letter",
    "purpose": "$purpose",
    "position": "$position",
}
"""By name. What a field demands beside them is filled in by its type."""
FILTERS = {
    "entries": [
        "(first: 1)",
        "(last: 1)",
        f'(filter: {{ codes: ["{CODE}"] }})',
        '(filter: { groups: ["HBA1C"], text: "a1c", documentKinds: [OBSERVATIONS] })',
        "(filter: { flags: { anyOf: [UNINFORMED, LTS], noneOf: [UNDELIVERED] } })",
        f'(filter: {{ classes: [CONDITION], facilities: ["{FACILITY}"] }})',
        '(filter: { from: "2020-01-01T00:00:00Z", to: "2030-01-01T00:00:00Z" })',
    ],
    "timeline": ["(first: 1)", "(last: 1)", "(filter: { classes: [CONDITION] })"],
    "documents": [
        "(first: 1)",
        "(last: 1)",
        "(filter: { kinds: [REFERRAL] })",
        f'(filter: {{ classes: [REFERRAL], facilities: ["{FACILITY}"], text: "見本" }})',
    ],
}
COMPARED_ELSEWHERE = frozenset(("accessesProof",))
"""Random from end to end: what two worlds' proofs have in common is compared in test_proofs_tell_nothing.py."""
OF_ONES_OWN = frozenset(("patientRecord", "patientRecords", "me"))
"""Root fields that tell of whole records: these are walked field by field, and are one type in all three."""
_IN_A_WORD = frozenset(("id", "name", "number", "totalCount", "hasNextPage", "endCursor", "cursor", "text"))


def fields_of(of: str) -> dict[str, GraphQLField]:
    """Of an interface what all have in common: one name means two things in what may stand there."""
    kind = TYPES[of]
    assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
    return {name: field for name, field in kind.fields.items() if name not in COMPARED_ELSEWHERE}


def called(name: str, field: GraphQLField) -> str:
    """The field with the arguments that it demands, and those that say who asks for whom."""
    given = [
        f"{one}: {_value(one, argument)}" for one, argument in field.args.items() if _told(one, argument)
    ]
    return f"{name}({', '.join(given)})" if given else name


def _told(name: str, argument: GraphQLArgument) -> bool:
    return is_required_argument(argument) or name in ("patient", "purpose")


def _value(name: str, argument: GraphQLArgument) -> str:
    kind = get_named_type(argument.type)
    if name == "patient" and kind.name == "PatientKey":
        return "$patient"
    if name == "patient" and not is_required_argument(argument):
        return "$her"
    if name in ARGUMENTS:
        return ARGUMENTS[name]
    values = {"ID": "$letter", "DateTime": "$then", "Boolean": "false", "Int": "1", "Float": "1"}
    plain = next(iter(kind.values)) if isinstance(kind, GraphQLEnumType) else values.get(kind.name, '"none"')
    return f"[{plain}]" if is_list_type(get_nullable_type(argument.type)) else plain


def selection(of: str, *within: str) -> str:
    """Every field of a type and of what it leads to; no type within itself."""
    kind = TYPES[of]
    if isinstance(kind, GraphQLUnionType):
        parts = [f"... on {one.name} {selection(one.name, *within)}" for one in kind.types]
        return f"{{ __typename {' '.join(parts)} }}"
    return f"{{ {' '.join(asked(of, *within))} }}"


def asked(of: str, *within: str) -> Iterator[str]:
    """Each field of a type with all that it leads to, by itself."""
    for name, field in fields_of(of).items():
        leads_to = get_named_type(field.type)
        if is_leaf_type(leads_to):
            yield called(name, field)
        elif leads_to.name not in (of, *within):
            yield f"{called(name, field)} {selection(leads_to.name, of, *within)}"


def filtered() -> Iterator[str]:
    for name, filters in FILTERS.items():
        whole = selection(get_named_type(fields_of(RECORD)[name].type).name, RECORD)
        yield from (f"{name}{one} {whole}" for one in filters)


def lean(of: str, seen: set[str]) -> str:
    """Every field of a type; of a type in *seen*, which grows, only a word."""
    kind = TYPES[of]
    if isinstance(kind, GraphQLUnionType):
        return (
            f"{{ __typename {' '.join(f'... on {one.name} {lean(one.name, seen)}' for one in kind.types)} }}"
        )
    if of in seen:
        return f"{{ {' '.join(['__typename', *sorted(_IN_A_WORD & fields_of(of).keys())])} }}"
    seen.add(of)
    inside = (
        called(name, field)
        + (
            ""
            if is_leaf_type(get_named_type(field.type))
            else f" {lean(get_named_type(field.type).name, seen)}"
        )
        for name, field in fields_of(of).items()
    )
    return f"{{ {' '.join(inside)} }}"


def lean_fields(of: str, *besides: str) -> Iterator[str]:
    """Each field of a type. What a list of it holds is whole in that list, and told in a word elsewhere."""
    kinds = {name: get_named_type(field.type).name for name, field in fields_of(of).items()}
    homes = {name: _listed(kind) for name, kind in kinds.items() if _listed(kind)}
    seen = {of, *besides}
    for name, field in fields_of(of).items():
        if kinds[name] in besides:
            continue
        inside = (seen | set(homes.values())) - {homes.get(name, "")}
        yield called(name, field) + (
            "" if is_leaf_type(TYPES[kinds[name]]) else f" {lean(kinds[name], inside)}"
        )
        seen |= inside - set(homes.values())


def _listed(of: str) -> str:
    """What a connection's nodes are; empty for anything else, and for a union, which tells others' nodes."""
    kind = TYPES[of]
    if not isinstance(kind, GraphQLObjectType) or "edges" not in kind.fields:
        return ""
    node = get_named_type(kind.fields["nodes"].type)
    return node.name if isinstance(node, GraphQLObjectType) else ""


def lean_filtered() -> Iterator[str]:
    """Each filter once, under a name of its own: entries1, entries2, …"""
    for name, filters in FILTERS.items():
        of = get_named_type(fields_of(RECORD)[name].type).name
        page = f"{lean(of, {*TYPES} - {of, 'PageInfo', *_edges(of)})}"
        yield from (f"{name}{number}: {name}{one} {page}" for number, one in enumerate(filters, start=1))


def _edges(of: str) -> list[str]:
    return [get_named_type(fields_of(of)["edges"].type).name]


def operations(caller: Caller) -> list[str]:
    """One operation for each field there is to ask: a document has a limit."""
    record = [*asked(RECORD), *filtered()]
    if caller.role is not Role.PATIENT:
        return [operation(in_record(one)) for one in record]
    inside = [f"record {{ {one} }}" for one in record]
    return [
        operation(in_me(one))
        for one in (*inside, *(one for one in asked(ME) if not one.startswith("record ")))
    ]


def other_roots() -> list[str]:
    """Every root field of a query that is not walked field by field, whoever may ask for it."""
    return [
        operation(f"{called(name, field)} {selection(get_named_type(field.type).name)}")
        for name, field in fields_of("Query").items()
        if name not in OF_ONES_OWN
    ]


def in_record(inside: str, more: str = "") -> str:
    refused = selection("AccessRefused")
    key = f"patientRecord(patient: $patient, purpose: $purpose{more})"
    return f"{key} {{ __typename ... on AccessRefused {refused} ... on PatientRecord {{ {inside} }} }}"


def in_me(inside: str) -> str:
    return f"me(patient: $her) {{ {inside} }}"


def operation(inside: str) -> str:
    declared = ", ".join(f"${name}: {kind}" for name, kind in VARIABLES.items() if f"${name}" in inside)
    return f"query Everything{f'({declared})' if declared else ''} {{ {inside} }}"


async def before_all(world: World, caller: Caller, patient: UUID, values: Mapping[str, Any]) -> str:
    """A position in front of all there is of her, as given out on the caller's grounds; "none" to who has none."""
    document = operation(in_record("asOf { position }"))
    record = (await world.ask(caller, document, **named(document, values)))["data"]["patientRecord"]
    if "asOf" not in record:
        return "none"
    seals, use = world.application.seals, f"position/{patient}"
    _, grounds, *_ = seals.open(use, record["asOf"]["position"], list[str])
    return seals.seal(use, ["0", grounds], length=256)


def named(document: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Of these variables those that the document declares."""
    return {name: value for name, value in values.items() if f"${name}:" in document}
