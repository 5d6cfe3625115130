"""What the log keeps of an operation's variables: those it declares, and of long ones the digest."""

import asyncio
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import orjson
import pytest
from psycopg import Connection

from examples import CLINIC_SYSTEM, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, NUMBER, a_bundle
from log_examples import opened_events
from projection_examples import catch_up
from tsuzuri.domain.events import AccessPermitted
from tsuzuri.eventlog.mapper import event_mapper
from tsuzuri.graphql.execution import VARIABLES_BYTES_MAX, execute
from tsuzuri.graphql.schema import build_schema

SCHEMA = build_schema()
CONSENT = """mutation ($number: String!, $facility: String!) {
  grantConsent(patient: {insuredPerson: $number}, facility: $facility, classes: [CONDITION]) }"""
READ = """
query Read($number: String!, $codes: [String!]) { patientRecord(patient: {insuredPerson: $number}) {
  ... on PatientRecord { entries(filter: {codes: $codes}) { totalCount } } } }
query Other($other: String!) { patientRecord(patient: {insuredPerson: $other}) { __typename } }"""

Stored = Callable[..., tuple[str, str | None]]


@pytest.fixture
def stored(open_application: Callable[[], Any], connection: Connection[Any]) -> Stored:
    """Read one record with these variables; what the log keeps of them, and the operation's name."""

    def run(variables: Mapping[str, Any], name: str | None = "Read") -> tuple[str, str | None]:
        async def inside() -> None:
            async with open_application() as application:
                await application.register_bundle(CLINIC_SYSTEM, a_bundle())
                consent = {"number": NUMBER, "facility": HOSPITAL}
                await execute(SCHEMA, application, HOSPITAL_SYSTEM, CONSENT, consent)
                catch_up(connection)
                answer = await execute(SCHEMA, application, DOCTOR, READ, variables, name)
                assert "errors" not in answer, answer

        asyncio.run(inside())
        (access,) = [event for event in opened_events(connection) if event.topic == AccessPermitted.TOPIC]
        audit = event_mapper().to_domain_event(access).audit
        return audit.variables, audit.operation_name

    return run


def test_what_the_operation_does_not_declare_is_not_kept(stored: Stored) -> None:
    known = {"number": NUMBER, "codes": ["20065011"]}

    kept = stored({**known, "other": "of another operation", "junk": "x" * 240_000})

    assert kept == (orjson.dumps(known).decode(), "Read")


@pytest.mark.parametrize("over", [0, 1])
def test_more_than_four_kilobytes_are_kept_as_their_digest(stored: Stored, over: int) -> None:
    empty = orjson.dumps({"number": NUMBER, "codes": [""]})
    variables = {"number": NUMBER, "codes": ["x" * (VARIABLES_BYTES_MAX - len(empty) + over)]}
    whole = orjson.dumps(variables)
    assert len(whole) == VARIABLES_BYTES_MAX + over

    kept, _ = stored(variables)

    assert kept == (f'{{"sha256":"{sha256(whole).hexdigest()}"}}' if over else whole.decode())
