"""What an operation may hold at most, by its text and variables alone."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLList, GraphQLObjectType, get_named_type, get_nullable_type

from examples import DOCTOR, NUMBER, a_caller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.costs import (
    COST_MAX,
    DEMOGRAPHICS_WEIGHT,
    LISTS,
    NODES,
    PARTS_OF_A_ROW,
    ROOT_WEIGHTS,
    WEIGHTS,
)
from tsuzuri.graphql.execution import execute
from tsuzuri.graphql.gate import Gate, checked_cost
from tsuzuri.graphql.preparing import DocumentRefused, prepare
from tsuzuri.graphql.schema import build_schema

SCHEMA = build_schema()
TYPES = SCHEMA._schema.type_map
DECIDED = ROOT_WEIGHTS["Query"]


def rows(selected: str, variables: dict[str, Any] | None = None, declared: str = "") -> int:
    """Of a selection of one patient's record, without the decision."""
    record = f'patientRecord(patient: {{insuredPerson: "{NUMBER}"}})'
    document = f"query {declared} {{ {record} {{ ... on PatientRecord {{ {selected} }} }} }}"
    return prepare(SCHEMA, document).rows.of(variables or {}) - DECIDED - 1


def codes(answer: dict[str, Any]) -> set[str]:
    return {error["extensions"]["code"] for error in answer["errors"]}


def test_a_page_costs_its_rows_and_what_each_of_them_brings() -> None:
    assert rows("entries(first: 50) { nodes { name value { text } } }") == 50
    assert rows("entries(first: 50) { edges { node { facility { name } document { title } } } }") == 150
    assert rows("entries { nodes { name } }") == 50
    assert rows("entries(first: 3) { totalCount }") == 3 + 10


def test_page_sizes_multiply_along_the_path() -> None:
    inner = "entries(first: 20) { nodes { name } }"

    assert rows(f"documents(first: 10) {{ nodes {{ id {inner} }} }}") == 10 * (1 + 20)


def test_each_alias_is_a_list_of_its_own() -> None:
    assert rows("a: entries(first: 5) { nodes { id } } b: entries(first: 7) { nodes { id } }") == 12


def test_one_name_is_asked_for_once_however_often_it_stands() -> None:
    twice = (
        "entries(first: 5) { nodes { id } } ... { entries(first: 5) { nodes { name facility { name } } } }"
    )

    assert rows(twice) == 5 * (1 + 1)


def test_a_list_without_a_page_size_counts_as_many_as_it_usually_has() -> None:
    assert rows('labSeries(codes: ["HBA1C"]) { points { name } }') == LISTS["LabSeries.points"]


def test_each_patient_of_a_page_over_many_is_decided_on() -> None:
    asked = prepare(SCHEMA, "{ referralInbox(first: 20) { nodes { id } } }")

    assert asked.rows.of({}) == DECIDED + 20 * NODES["Query.referralInbox"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(7, 7), (-7, 0), (0, 0), (2**70, 1_000), (None, 50), ("7", 50), (1.5, 50), (True, 50), ({}, 50)],
)
def test_a_page_size_that_is_none_is_the_usual_one(value: object, expected: int) -> None:
    assert rows("entries(first: $n) { nodes { id } }", {"n": value}, "($n: Int!)") == expected


def test_a_variable_that_is_not_given_has_its_default() -> None:
    assert rows("entries(first: $n) { nodes { id } }", {}, "($n: Int! = 9)") == 9


@pytest.mark.parametrize(
    ("directive", "variables", "asked"),
    [
        ("@skip(if: true)", {}, False),
        ("@include(if: false)", {}, False),
        ("@skip(if: $v)", {"v": True}, False),
        ("@skip(if: $v)", {"v": False}, True),
        ("@include(if: $v)", {"v": False}, False),
        ("@include(if: $v)", {"v": "no"}, True),
        ("@include(if: $v)", {}, True),
    ],
)
def test_what_is_left_out_costs_nothing(directive: str, variables: dict[str, Any], asked: bool) -> None:
    declared = "($v: Boolean!)" if "$v" in directive else ""
    plain = f"entries(first: 5) {directive} {{ nodes {{ id }} }}"
    inside = f"... {directive} {{ entries(first: 5) {{ nodes {{ id }} }} }}"

    assert rows(f"accessId {plain}", variables, declared) == (5 if asked else 0)
    assert rows(f"accessId {inside}", variables, declared) == (5 if asked else 0)


def test_what_stands_once_with_and_once_without_a_condition_is_asked_for() -> None:
    both = "entries(first: 5) @skip(if: $v) { nodes { id } } ... { entries(first: 5) { nodes { name } } }"

    assert rows(both, {"v": True}, "($v: Boolean!)") == 5


def test_who_is_named_by_demographics_is_looked_for_among_all() -> None:
    asked = prepare(SCHEMA, "query ($p: PatientKey!) { patientRecord(patient: $p) { __typename } }")

    by_number = asked.rows.of({"p": {"insuredPerson": NUMBER}})
    by_name = asked.rows.of({"p": {"demographics": {"kana": "ヤマダ"}}})

    assert by_name - by_number == DEMOGRAPHICS_WEIGHT


def test_each_of_several_patients_is_decided_on_and_looked_for() -> None:
    text = (
        "query ($p: [PatientKey!]!) { patientRecords(patients: $p) { ... on PatientRecord { lastCheckup } } }"
    )
    asked, by_name = prepare(SCHEMA, text), {"demographics": {"kana": "ヤマダ"}}
    written = text.replace("query ($p: [PatientKey!]!) ", "").replace("$p", '[{id: "a"}, {id: "b"}]')

    assert (
        asked.rows.of({"p": [{"insuredPerson": NUMBER}] * 7}) == DECIDED + 7 * NODES["Query.patientRecords"]
    )
    assert asked.rows.of({"p": [by_name, by_name]}) == (
        DECIDED + 2 * (NODES["Query.patientRecords"] + DEMOGRAPHICS_WEIGHT)
    )
    assert prepare(SCHEMA, written).rows.of({}) == DECIDED + 2 * NODES["Query.patientRecords"]


def test_every_declared_size_and_weight_is_of_a_field_that_there_is() -> None:
    for path in (*LISTS, *WEIGHTS, *NODES):
        kind, _, name = path.partition(".")
        owner = TYPES[kind]
        assert isinstance(owner, GraphQLObjectType)
        assert SCHEMA._schema.get_field(owner, name), path
    for path in LISTS:
        kind, _, name = path.partition(".")
        field = TYPES[kind].fields[name]  # type: ignore[attr-defined]
        assert isinstance(get_nullable_type(field.type), GraphQLList), path
        assert get_named_type(field.type).name not in PARTS_OF_A_ROW
    assert PARTS_OF_A_ROW <= TYPES.keys()


NESTED = "entries(first: 10) { nodes { document { " * 3 + "entries(first: 10) { nodes { id } }" + " } } }" * 3
TOO_COSTLY = (
    f'{{ patientRecord(patient: {{insuredPerson: "{NUMBER}"}}) {{ ... on PatientRecord {{ {NESTED} }} }} }}'
)


def test_lists_within_lists_are_refused_before_anything_asks_the_database(
    open_application: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask() -> dict[str, Any]:
        async with open_application() as application:
            for pool in (application.services.pool, application.services.auditors):
                await pool.close()  # who asks it now is told nothing but that
            return await execute(SCHEMA, application, DOCTOR, TOO_COSTLY)

    answer = asyncio.run(ask())

    assert codes(answer) == {"TOO_COSTLY"}
    assert "data" not in answer
    assert "1224" in answer["errors"][0]["message"] and str(COST_MAX) in answer["errors"][0]["message"]


def test_what_costs_as_much_as_is_allowed_runs() -> None:
    pages = "query ($n: Int!) { facilities(first: $n) { nodes { number } } }"
    many = "{ " + " ".join(f"a{n}: facilities(first: $n) {{ nodes {{ number }} }}" for n in range(10)) + " }"
    prepared = prepare(SCHEMA, f"query ($n: Int!) {many}")

    assert checked_cost(prepare(SCHEMA, pages), {"n": 1}) == 2
    assert checked_cost(prepared, {"n": 990}) == COST_MAX
    with pytest.raises(DocumentRefused):
        checked_cost(prepared, {"n": 991})


def test_a_server_that_lets_anything_run_still_has_the_limit() -> None:
    with pytest.raises(DocumentRefused):
        Gate(development=True).check(
            a_caller(person="o", role=Role.OPERATOR), prepare(SCHEMA, TOO_COSTLY), None
        )
