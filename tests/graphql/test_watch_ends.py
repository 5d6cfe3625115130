"""What ends a watch besides a withdrawal, and what one is told who takes long to listen."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from emergency_examples import ADMIN, END, declared, entitled, now_is
from examples import CLINIC_SYSTEM, DOCTOR, HOSPITAL, NUMBER, OPERATOR, a_bundle, herself
from tsuzuri.app.actions import watch_record
from watch_examples import CHANGED, LATER, Told, becomes, consented, counted, following, is_over
from world import KEY, Tell, World, record_id, tell_in

HER = {"insuredPerson": NUMBER}
DENY = f'mutation {{ denyConsent(patient: {KEY}, facility: "{HOSPITAL}") }}'
REFUSED = {"__typename": "AccessRefused", "reason": "NOT_AVAILABLE"}


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def change(world: World, number: int = 1) -> None:
    at = datetime(2026, 11, 21, number, tzinfo=UTC).isoformat()
    await world.application.register_bundle(CLINIC_SYSTEM, a_bundle(**LATER | {"timestamp": at}))
    world.project()


def without_id(told: Told) -> Told:
    return {key: value for key, value in told.items() if key != "accessId"}


def test_a_consent_that_ends_by_its_time_ends_it_though_nothing_happens(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_record, "AGAIN_SECONDS", 0.05)

    async def story(world: World) -> None:
        await consented(world)
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            await following(watch)
            now_is(world, datetime.now(UTC) + timedelta(hours=25))

            assert without_id(await following(watch)) == REFUSED
            assert await is_over(watch)

    tell(story)


def test_a_denial_ends_it(tell: Tell) -> None:
    async def story(world: World) -> None:
        await consented(world)
        patient = record_id(await world.record())
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            await following(watch)
            await world.data(herself(patient), DENY)
            world.project()

            assert without_id(await following(watch)) == REFUSED

    tell(story)


@pytest.mark.parametrize("what", ["emergency", "right", "facility"])
def test_what_an_emergency_rests_on_ends_it_too(what: str, tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        right = await entitled(world)
        world.project()
        emergency = (await declared(world, DOCTOR, HER))["id"]
        async with aclosing(world.watch(DOCTOR, CHANGED, purpose="BTG")) as watch:
            assert (await following(watch))["__typename"] == "RecordChanged"
            match what:
                case "emergency":
                    await world.data(DOCTOR, END, patient=HER, emergency=emergency)
                case "right":
                    await world.application.take_emergency_right(ADMIN, UUID(right))
                case "facility":
                    await world.application.close_facility(OPERATOR, HOSPITAL, "廃院")
            await change(world)

            assert (await following(watch))["__typename"] == "AccessRefused"
            assert await is_over(watch)
        assert world.events("watcher-told") == 1

    tell(story)


def test_who_takes_long_is_told_the_newest_and_nothing_twice(tell: Tell) -> None:
    async def story(world: World) -> None:
        await consented(world)
        looks = counted(world)
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            await following(watch)
            for number in (1, 2, 3):
                await change(world, number)
            newest = await following(watch)
            before = looks.looks
        async with aclosing(world.watch(DOCTOR, CHANGED, after=newest["position"])) as watch:
            told = asyncio.ensure_future(following(watch))
            await becomes(lambda: looks.looks > before)
            assert world.events("watcher-told") == 2
            await change(world, 4)
            await told

    tell(story)
