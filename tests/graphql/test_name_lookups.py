"""By name and birth date a patient can be guessed: so each caller may try a few times a minute, and no more."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from psycopg import Connection

from emergency_examples import DECLARE, entitled
from examples import DOCTOR, HOSPITAL, a_caller
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.rates import Rate, Rates
from tsuzuri.domain.vocabulary import Role
from world import KEY, Tell, World, tell_in

WHO = {"kana": "シケン ハナコ", "birthDate": "1970-01-02", "sex": "female", "insurerNumber": "00012345"}
READ = """query ($who: Demographics!, $purpose: PurposeOfUse!) {
  one: patientRecord(patient: {demographics: $who}, purpose: $purpose) { __typename }
  other: patientRecord(patient: {demographics: $who}, purpose: $purpose) { __typename } }"""
BY_NUMBER = f"{{ patientRecord(patient: {KEY}) {{ __typename }} }}"
A_MINUTE = 10
TOO_MANY = {"code": "RATE_LIMITED", "retryAfterSeconds": 6}  # at ten a minute the next is free then


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    """Time stands still: however long a test takes, nothing becomes free meanwhile."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[TsuzuriApplication]:
        async with open_application() as application:
            lookups = Rates(dict.fromkeys(Role, Rate(A_MINUTE / 60, A_MINUTE)), clock=lambda: 0.0)
            yield TsuzuriApplication(replace(application.services, name_lookups=lookups), "schema")

    return tell_in(opened, connection)


def test_so_many_a_minute_are_usual(open_application: Callable[[], Any]) -> None:
    async def story() -> None:
        async with open_application() as application:
            lookups = application.services.name_lookups
            assert [lookups.take(DOCTOR, 1) for _ in range(A_MINUTE)] == [0.0] * A_MINUTE
            assert lookups.take(DOCTOR, 1) > 0.0

    asyncio.run(story())


def refusals(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [error["extensions"] for error in answer.get("errors", [])]


@pytest.mark.parametrize("purpose", ["ETREAT", "TREAT"])
def test_each_name_in_a_document_counts_whatever_it_is_asked_for(tell: Tell, purpose: str) -> None:
    async def story(world: World) -> None:
        said = {"who": WHO, "purpose": purpose}
        for _ in range(A_MINUTE // 2):
            assert refusals(await world.ask(DOCTOR, READ, **said)) == []
        recorded = world.events("access-refused")

        answer = await world.ask(DOCTOR, READ, **said)

        assert answer["data"] is None
        assert TOO_MANY in refusals(answer)
        assert world.events("access-refused") == recorded == A_MINUTE

    tell(story)


def test_a_declaration_counts_like_a_read(tell: Tell) -> None:
    async def story(world: World) -> None:
        await entitled(world)
        said = {"patient": {"demographics": WHO}, "reason": "意識なし、搬送"}
        for _ in range(A_MINUTE):
            assert refusals(await world.ask(DOCTOR, DECLARE, **said)) == []

        assert refusals(await world.ask(DOCTOR, DECLARE, **said)) == [TOO_MANY]
        assert TOO_MANY in refusals(await world.ask(DOCTOR, READ, who=WHO, purpose="BTG"))

    tell(story)


def test_it_holds_back_nobody_else_and_nobody_who_knows_the_number(tell: Tell) -> None:
    async def story(world: World) -> None:
        said = {"who": WHO, "purpose": "ETREAT"}
        for _ in range(A_MINUTE):
            await world.ask(DOCTOR, READ, **said)
        colleague = a_caller("dr-kudo", Role.CLINICIAN, HOSPITAL)

        assert TOO_MANY in refusals(await world.ask(DOCTOR, READ, **said))
        assert refusals(await world.ask(colleague, READ, **said)) == []
        assert refusals(await world.ask(DOCTOR, BY_NUMBER)) == []

    tell(story)
