"""What a token's SMART scopes leave out is not there, whatever the patient has consented to."""

from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection

from examples import CLINIC, DOCTOR, HOSPITAL_SYSTEM, herself
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.scopes import scopes_of
from tsuzuri.domain.vocabulary import Role
from world import CONSENT, Tell, World, names, record_id, tell_in


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def with_scope(caller: Caller, scope: str) -> Caller:
    return Caller(**vars(caller) | {"scopes": scopes_of(scope)})


@pytest.mark.parametrize(
    ("scope", "answer"),
    [
        ("user/*.rs", ["上腹部痛"]),
        ("openid user/Condition.rs", ["上腹部痛"]),
        ("user/Observation.rs", "NOT_AVAILABLE"),
        ("user/Condition.read", "SCOPE_NOT_PERMITTED"),
        ("patient/Condition.rs", "SCOPE_NOT_PERMITTED"),
        ("", "SCOPE_NOT_PERMITTED"),
    ],
)
def test_a_clinicians_token_reads_what_its_scopes_name(
    tell: Tell, scope: str, answer: str | list[str]
) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()

        record = await world.record(with_scope(DOCTOR, scope))

        assert (record.get("reason") or names(record)) == answer

    tell(story)


def test_a_patients_own_token_is_limited_too(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        patient = record_id(await world.record())
        asked = "{ me { record { entries { totalCount } } } }"

        all_of_it = await world.data(herself(patient), asked)
        labs = await world.data(with_scope(herself(patient), "patient/Observation.rs"), asked)

        assert all_of_it["me"]["record"]["entries"]["totalCount"] == 1
        assert labs["me"]["record"]["entries"]["totalCount"] == 0

    tell(story)


def test_what_a_facility_registered_itself_is_read_within_the_scopes_too(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        world.project()
        own = Caller(person="dr-sakai", role=Role.CLINICIAN, facility=CLINIC)

        assert names(await world.record(with_scope(own, "user/Condition.rs"))) == ["上腹部痛"]
        assert (await world.record(own))["reason"] == "SCOPE_NOT_PERMITTED"

    tell(story)
