"""The schema as others build on it: current on file, described everywhere, closed to those without rights."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_union_type,
)
from strawberry.types import get_object_definition

from examples import CLINIC, PATIENT, a_caller
from tsuzuri.domain.callers import FACILITY_ROLES, Caller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql import schema as ours
from tsuzuri.graphql.costs import WEIGHTS
from tsuzuri.graphql.execution import execute
from tsuzuri.graphql.mutations import Mutation
from tsuzuri.graphql.permissions import RolePermission
from tsuzuri.graphql.queries import Query
from tsuzuri.graphql.subscriptions import Subscription
from world import watched

GOLDEN = Path(__file__).with_name("schema.graphql")
TEXT = ours.build_schema().as_str() + "\n"
SCHEMA: GraphQLSchema = build_schema(TEXT)
SAMPLE_VALUES = {
    "PatientKey": '{ insuredPerson: "00012345:1:2:00" }',
    "[PatientKey!]": '[{ insuredPerson: "00012345:1:2:00" }]',
    "ID": f'"{PATIENT}"',
    "String": f'"{CLINIC}"',
    "Int": "1",
    "[String!]": '["x"]',
    "[RecordClass!]": "[CONDITION]",
    "BundleIdentifier": '{ system: "s", value: "v" }',
    "DocumentKind": "REFERRAL",
    "ProxyRelation": "PARENT",
    "CorrectionKind": "CORRECTION",
    "CorrectionOutcome": "ACCEPTED",
    "CorrectionSubject": f'{{ facility: "{CLINIC}" }}',
    "ReviewFinding": "JUSTIFIED",
    "[OpenPeriod!]": '[{ weekday: 1, opens: "09:00", closes: "18:00" }]',
    "[StaffName!]": '[{ person: "x", familyNameKana: "サカイ" }]',
    "DateTime": '"2090-01-01T00:00:00Z"',
    "FacilityInput": f'{{ number: "{CLINIC}", name: "x", kind: CLINIC }}',
}


def test_the_schema_on_file_is_current() -> None:
    if os.environ.get("TSUZURI_WRITE_GOLDEN"):
        GOLDEN.write_text(TEXT, "utf-8")

    assert TEXT == GOLDEN.read_text("utf-8"), "run once with TSUZURI_WRITE_GOLDEN=1 and read the difference"


def test_everything_says_what_it_is() -> None:
    silent = []
    for name, kind in SCHEMA.type_map.items():
        if name.startswith("__") or name in ("String", "Int", "Float", "Boolean", "ID"):
            continue
        if not kind.description and not is_union_type(kind):
            silent.append(name)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            silent += [f"{name}.{field}" for field, it in kind.fields.items() if not it.description]
        assert not isinstance(kind, GraphQLEnumType) or kind.description

    assert silent == []


def roots() -> list[tuple[str, str, GraphQLField]]:
    kinds = {
        "query": SCHEMA.query_type,
        "mutation": SCHEMA.mutation_type,
        "subscription": SCHEMA.subscription_type,
    }
    return [
        (operation, name, field)
        for operation, root in kinds.items()
        for name, field in (root.fields.items() if root else ())
    ]


def selection(kind: Any, depth: int = 0) -> str:
    """Every field below a type, down to the leaves; a type seen deep enough gives only its name."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    if is_union_type(named):
        arms = " ".join(f"... on {arm.name} {selection(arm, depth + 1)}" for arm in named.types)
        return f"{{ __typename {arms} }}"
    fields = []
    for name, field in named.fields.items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        if f"{named.name}.{name}" in WEIGHTS and depth > 2:
            continue  # of all of them it would cost too much
        if depth < 3 or is_leaf_type(get_named_type(field.type)):
            page = "(first: 1)" if "first" in field.args else ""
            fields.append(f"{name}{page} {selection(field.type, depth + 1)}")
    return f"{{ __typename {' '.join(fields)} }}"


def document(operation: str, name: str, field: GraphQLField) -> str:
    given = [
        f"{argument}: {SAMPLE_VALUES[str(it.type).rstrip('!')]}"
        for argument, it in field.args.items()
        if is_required_argument(it)
    ]
    given += ["first: 1"] if "first" in field.args else []
    arguments = f"({', '.join(given)})" if given else ""
    return f"{operation} {{ {name}{arguments} {selection(field.type)} }}"


def caller(role: Role) -> Caller:
    return a_caller(
        person="nobody",
        role=role,
        facility=CLINIC if role in FACILITY_ROLES else None,
        patient=PATIENT if role is Role.PATIENT else None,
    )


def test_every_root_field_is_closed_to_every_role_it_does_not_name(
    open_application: Callable[[], Any],
) -> None:
    built = ours.build_schema()
    named = {
        field.python_name: {
            role
            for permission in field.permission_classes
            if issubclass(permission, RolePermission)
            for role in permission.roles
        }
        for root in (Query, Mutation, Subscription)
        for field in get_object_definition(root, strict=True).fields
    }

    async def walk() -> list[str]:
        wrong = []
        async with open_application() as application:
            for operation, name, field in roots():
                python_name = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
                for role in set(Role) - named[python_name]:
                    asked = built, application, caller(role), document(operation, name, field)
                    answer = await (
                        anext(watched(*asked)) if operation == "subscription" else execute(*asked)
                    )
                    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
                    if codes != {"FORBIDDEN"} or (answer["data"] or {}).get(name) is not None:
                        wrong.append(f"{name} as {role}: {answer}")
        return wrong

    assert asyncio.run(walk()) == []


def test_a_root_field_that_names_no_role_stops_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = get_object_definition(Query, strict=True).fields
    monkeypatch.setattr(fields[0], "permission_classes", [])

    with pytest.raises(ours.OpenField):
        ours.build_schema()


@pytest.mark.parametrize(
    "document",
    [
        "{ " + "a: facilities { nodes { number } } " * 16 + "}",
        "{ " + "facilities { nodes " * 1 + "{ number " * 20 + "}" * 22,
        "{ facilities { nodes { number } } } #"
        + " x" * 10
        + "\n"
        + "fragment F on Facility { number } " * 600,
        "{ nothing }",
        "{",
    ],
)
def test_what_is_too_much_or_unknown_is_refused_before_it_runs(
    document: str, open_application: Callable[[], Any]
) -> None:
    async def ask() -> dict[str, Any]:
        async with open_application() as application:
            return await execute(ours.build_schema(), application, caller(Role.OPERATOR), document)

    answer = asyncio.run(ask())

    assert "data" not in answer
    assert all(error["extensions"]["code"] == "GRAPHQL_INVALID" for error in answer["errors"])
    assert "Did you mean" not in str(answer)
