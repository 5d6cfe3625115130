"""Who may run what: cards of trusted documents, documents that are not trusted, the schema itself."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from examples import CLINIC, DOCTOR, NUMBER, PATIENT, a_caller
from tsuzuri.domain.callers import FACILITY_ROLES, Caller
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Role
from tsuzuri.graphql.cards import Card, differences
from tsuzuri.graphql.execution import execute
from tsuzuri.graphql.gate import Gate
from tsuzuri.graphql.preparing import DocumentRefused, prepare
from tsuzuri.graphql.schema import build_schema

SCHEMA = build_schema()
READ = """query Read($patient: PatientKey!, $purpose: PurposeOfUse! = TREAT, $first: Int!) {
  patientRecord(patient: $patient, purpose: $purpose) {
    ... on PatientRecord { entries(first: $first, filter: {classes: [CONDITION]}) { nodes { name } } } } }"""
KEY = {"insuredPerson": NUMBER}
PREPARED = prepare(SCHEMA, READ)
CARD = Card(
    name="Read",
    about="Diagnoses.",
    sha256=PREPARED.sha256,
    roles=frozenset({Role.CLINICIAN}),
    purposes=frozenset({PurposeOfUse.TREAT}),
    classes=frozenset({RecordClass.CONDITION}),
    cost=PREPARED.cost({"first": 50}),
)
GATE = Gate(trusted={CARD.sha256: CARD}, trusted_only=True)
INTROSPECTION = [
    "{ __schema { queryType { name } } }",
    '{ __type(name: "Query") { name } }',
    "{ facilities { nodes { number } } ...F } fragment F on Query { ... { x: __schema { description } } }",
    '{ __type(name: "Query") @skip(if: false) { name } }',
]


def caller(role: Role) -> Caller:
    return a_caller(
        person="somebody",
        role=role,
        facility=CLINIC if role in FACILITY_ROLES else None,
        patient=PATIENT if role is Role.PATIENT else None,
    )


def refused(gate: Gate, role: Role, document: str, **variables: Any) -> str | None:
    try:
        gate.check(caller(role), prepare(SCHEMA, document), variables)
    except DocumentRefused as refusal:
        (error,) = refusal.errors
        return str((error.extensions or {})["code"])
    return None


# --- cards


def test_a_trusted_document_runs_for_those_on_its_card() -> None:
    assert refused(GATE, Role.CLINICIAN, READ, patient=KEY, first=50) is None


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.CLINICIAN}))
@pytest.mark.parametrize("gate", [GATE, replace(GATE, trusted_only=False, development=True)])
def test_and_for_nobody_else_however_it_came(gate: Gate, role: Role) -> None:
    assert refused(gate, role, READ, patient=KEY, first=50) == "FORBIDDEN"


def test_it_runs_for_the_purposes_on_its_card_alone() -> None:
    asked = {"patient": KEY, "first": 1}

    assert refused(GATE, Role.CLINICIAN, READ, purpose="TREAT", **asked) is None
    assert refused(GATE, Role.CLINICIAN, READ, purpose="BTG", **asked) == "FORBIDDEN"
    by_default = replace(CARD, purposes=frozenset({PurposeOfUse.BTG}))
    other = Gate(trusted={CARD.sha256: by_default})
    assert refused(other, Role.CLINICIAN, READ, **asked) == "FORBIDDEN"
    assert refused(other, Role.CLINICIAN, READ, purpose=None, **asked) == "FORBIDDEN"


@pytest.mark.parametrize("purpose", ["treat", 1, [], {}, ["TREAT"]])
def test_what_is_no_purpose_is_left_to_the_execution_which_refuses_it(purpose: object) -> None:
    assert refused(GATE, Role.CLINICIAN, READ, patient=KEY, first=1, purpose=purpose) is None


def test_it_costs_no_more_than_its_card_says() -> None:
    assert refused(GATE, Role.CLINICIAN, READ, patient=KEY, first=200) == "TOO_COSTLY"
    by_name = {"demographics": {"kana": "ヤマダ", "birthDate": "1950-01-01", "sex": "male"}}
    assert refused(GATE, Role.CLINICIAN, READ, patient=by_name, first=1) == "TOO_COSTLY"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "name": ({"name": "Write"}, "name is Read, the card says Write"),
    "digest": ({"sha256": "0" * 64}, "sha256 is"),
    "class not said": ({"classes": frozenset()}, "classes is CONDITION, the card says none"),
    "class too many": ({"classes": frozenset(RecordClass)}, "classes is CONDITION"),
    "role": ({"roles": frozenset(Role)}, "its fields are closed to AUDITOR OPERATOR SYSTEM"),
    "costs more": ({"cost": 1}, "it costs 7 to 1000, the card says 1"),
    "costs more than any may": ({"cost": 1_001}, "the card says 1001"),
}


@pytest.mark.parametrize(("change", "told"), WRONG.values(), ids=WRONG)
def test_a_card_says_what_its_document_does(change: dict[str, Any], told: str) -> None:
    (wrong,) = differences(replace(CARD, **change), PREPARED)

    assert told in wrong
    assert differences(CARD, PREPARED) == []


def test_a_purpose_that_stands_in_the_document_stands_on_the_card() -> None:
    undeclared = READ.replace("$purpose: PurposeOfUse! = TREAT, ", "")
    fixed = prepare(SCHEMA, undeclared.replace("$purpose", "BTG"))
    card = replace(CARD, sha256=fixed.sha256)

    assert differences(card, fixed) == ["it names the purposes BTG, the card does not"]


# --- documents that nobody trusts


def test_a_document_that_is_not_registered_runs_unless_only_those_may() -> None:
    changed = READ + "\n"

    assert refused(replace(GATE, trusted_only=False), Role.CLINICIAN, changed, patient=KEY, first=1) is None
    assert refused(GATE, Role.CLINICIAN, changed, patient=KEY, first=1) == "DOCUMENT_NOT_REGISTERED"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("development", [True, False])
def test_only_an_operator_of_a_development_server_is_let_off(role: Role, development: bool) -> None:
    told = refused(replace(GATE, development=development), role, "{ projections { name } }")

    assert (told is None) is (development and role is Role.OPERATOR)


# --- the schema


@pytest.mark.parametrize("document", INTROSPECTION)
@pytest.mark.parametrize("role", Role)
def test_the_schema_is_told_to_operators_and_in_development(role: Role, document: str) -> None:
    closed = refused(Gate(), role, document)

    assert closed == (None if role is Role.OPERATOR else "INTROSPECTION_CLOSED")
    assert refused(Gate(development=True), role, document) is None


def test_the_name_of_a_type_is_no_question_about_the_schema() -> None:
    assert refused(Gate(), Role.CLINICIAN, "{ __typename facilities { __typename } }") is None


def test_what_is_refused_at_the_gate_reads_nothing(open_application: Callable[[], Any]) -> None:
    async def ask() -> dict[str, Any]:
        async with open_application() as application:
            application.gate = GATE
            for pool in (application.services.pool, application.services.auditors):
                await pool.close()
            return await execute(SCHEMA, application, DOCTOR, INTROSPECTION[0])

    answer = asyncio.run(ask())

    assert "data" not in answer
    assert answer["errors"][0]["extensions"] == {"code": "INTROSPECTION_CLOSED"}
