"""Documents that are odd in form: refused in words when they are not valid, answered when they are."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from psycopg import Connection

from examples import DOCTOR
from tsuzuri.graphql.execution import execute
from tsuzuri.graphql.preparing import DocumentRefused, prepare
from world import SCHEMA, Tell, World, tell_in

FRAGMENT = "fragment Asked on Query { patientRecord(patient: { id: $patient }) { __typename } }"
OPERATION = "query Named($patient: ID!) { ...Asked }"
OTHER = "query Other { facilities { totalCount } }"


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


@pytest.mark.parametrize(
    "document", ["{ }", "{ me { } }", "{ me { ...Nothing } } fragment Nothing on Me { }"]
)
def test_braces_around_nothing_are_refused(document: str) -> None:
    with pytest.raises(DocumentRefused) as refused:
        prepare(SCHEMA, document)

    assert [error.message for error in refused.value.errors] == ["a selection holds at least one field"]


@pytest.mark.parametrize("parts", [(FRAGMENT, OPERATION), (OPERATION, OTHER, FRAGMENT)])
def test_a_variable_in_a_key_is_found_wherever_its_fragment_stands(
    tell: Tell, parts: tuple[str, ...]
) -> None:
    async def story(world: World) -> None:
        document, patient = "\n".join(parts), {"patient": str(uuid4())}

        answer = await execute(SCHEMA, world.application, DOCTOR, document, patient, "Named")

        assert answer == {"data": {"patientRecord": {"__typename": "AccessRefused"}}}

    tell(story)


@pytest.mark.parametrize("key", ['{ id: "x", insuredPerson: "y" }', "{ id: null }", "{ }"])
def test_a_key_that_is_not_exactly_one_is_refused_before_anything_runs(key: str) -> None:
    with pytest.raises(DocumentRefused):
        prepare(SCHEMA, f"{FRAGMENT.replace('{ id: $patient }', key)}\n{{ ...Asked }}")
