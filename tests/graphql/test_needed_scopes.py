"""What a token's SMART scopes leave out is not done, whatever its role may do."""

from collections.abc import Callable
from typing import Any

import pytest
from graphql import OperationType
from psycopg import Connection

from examples import CLINIC, CLINIC_SYSTEM, HOSPITAL, OPERATOR, PATIENT, a_bundle, a_caller, herself
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.scopes import scopes_of
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import RequestRefused
from tsuzuri.graphql.needed_scopes import DECIDED_WITHIN, READING, WRITING, lacking_scope
from world import CANCEL, CONSENT, SCHEMA, Tell, World, tell_in


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def with_scope(caller: Caller, scope: str) -> Caller:
    return Caller(**vars(caller) | {"scopes": scopes_of(scope)})


def fields(operation: OperationType) -> set[str]:
    root = SCHEMA._schema.get_root_type(operation)
    assert root is not None
    return set(root.fields)


def test_every_root_field_says_which_scope_it_asks_for() -> None:
    reading = fields(OperationType.QUERY) | fields(OperationType.SUBSCRIPTION)
    writing = fields(OperationType.MUTATION)

    assert reading == (set(READING) | DECIDED_WITHIN) & reading, (
        "list the new field in graphql/needed_scopes.py"
    )
    assert writing == (set(WRITING) | DECIDED_WITHIN) & writing, (
        "list the new field in graphql/needed_scopes.py"
    )
    assert set(READING) | set(WRITING) | DECIDED_WITHIN == reading | writing


@pytest.mark.parametrize("field", sorted(WRITING))
def test_each_change_asks_for_its_own_scope_in_the_context_of_the_role(field: str) -> None:
    needed = WRITING[field]
    for role, context in ((Role.CLINICIAN, "user"), (Role.PATIENT, "patient"), (Role.SYSTEM, "system")):
        facility, patient = (None, PATIENT) if role is Role.PATIENT else (CLINIC, None)
        somebody = a_caller("somebody", role, facility, patient=patient)

        def lacks(scope: str, of: Caller = somebody) -> str | None:
            return lacking_scope(with_scope(of, scope), OperationType.MUTATION, field)

        assert lacks(f"{context}/{needed}") is None
        assert lacks(f"{context}/*.cruds") is None
        others = "patient" if context == "user" else "user"
        for scope in ("", "openid", f"{context}/*.rs", f"{others}/*.cruds", f"{context}/Flag.cruds"):
            assert lacks(scope) == f"{context}/{needed}"


def test_a_field_that_nobody_listed_asks_for_everything() -> None:
    for operation in OperationType:
        assert lacking_scope(with_scope(OPERATOR, "user/*.crud"), operation, "eraseAll") == "user/*.cruds"


@pytest.mark.parametrize(
    ("caller", "document"),
    [
        (a_caller("auditor-abe", Role.AUDITOR), "{ accessTrail { totalCount } }"),
        (OPERATOR, "{ projections { name } }"),
        (OPERATOR, 'mutation { pauseProjection(name: "record_index") { name } }'),
        (herself(), f'mutation {{ denyConsent(patient: {{ id: "{PATIENT}" }}) }}'),
        (CLINIC_SYSTEM, CONSENT),
        (CLINIC_SYSTEM, CANCEL),
    ],
)
def test_a_token_without_scopes_gives_no_right_to_anything(tell: Tell, caller: Caller, document: str) -> None:
    async def story(world: World) -> None:
        answer = await world.ask(with_scope(caller, "openid offline_access"), document)

        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN"
        assert "scope" in error["message"]

    tell(story)


# --- what a facility's system sends


@pytest.mark.parametrize(
    "scope", ["system/Condition.c", "system/*.c", "system/Condition.rs system/Condition.c"]
)
def test_who_may_create_what_a_bundle_holds_registers_it(tell: Tell, scope: str) -> None:
    async def story(world: World) -> None:
        registered = await world.application.register_bundle(with_scope(CLINIC_SYSTEM, scope), a_bundle())

        assert registered.outcome == "REGISTERED"

    tell(story)


@pytest.mark.parametrize(
    "scope",
    ["", "system/*.rs", "system/*.ruds", "system/Observation.c", "user/Condition.c", "system/Bundle.c"],
)
def test_who_may_not_registers_nothing(tell: Tell, scope: str) -> None:
    async def story(world: World) -> None:
        with pytest.raises(RequestRefused) as refused:
            await world.application.register_bundle(with_scope(CLINIC_SYSTEM, scope), a_bundle())

        assert refused.value.code == "FORBIDDEN"
        assert world.events("bundle-registered") == 0

    tell(story)


def test_a_cancellation_asks_for_d_and_its_undoing_for_u(tell: Tell) -> None:
    restore = CANCEL.replace("cancelBundle", "restoreBundle")

    async def story(world: World) -> None:
        await world.register()
        cancels, restores = (with_scope(CLINIC_SYSTEM, f"system/Condition.{one}") for one in "du")

        assert "system/Condition.d" in (await world.ask(restores, CANCEL))["errors"][0]["message"]
        await world.data(cancels, CANCEL)
        assert "system/Condition.u" in (await world.ask(cancels, restore))["errors"][0]["message"]
        await world.data(restores, restore)

    tell(story)


def test_a_card_reader_that_may_record_consents_withdraws_none(tell: Tell) -> None:
    withdraw = (
        f'mutation {{ withdrawConsent(patient: {{ insuredPerson: "1:2:3:00" }}, facility: "{HOSPITAL}") }}'
    )

    async def story(world: World) -> None:
        await world.register()
        reader = with_scope(CLINIC_SYSTEM, "system/Consent.c")

        await world.data(a_caller("reader", Role.SYSTEM, HOSPITAL, scopes=reader.scopes), CONSENT)
        assert "system/Consent.u" in (await world.ask(reader, withdraw))["errors"][0]["message"]

    tell(story)
