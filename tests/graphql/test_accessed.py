"""A patient is told who looks: what her list of accesses shows, each once, in its order, wherever she goes on."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from examples import AUDITOR, DOCTOR, a_caller, herself
from tsuzuri.domain.vocabulary import Role
from watch_examples import ACCESSED, CHANGED, Watch, consented, following, is_over
from world import ENTRIES, KEY, Tell, World, record_id, tell_in

MOTHER = a_caller("mother", Role.PATIENT, patient=UUID(int=77))
APPOINT = f"""mutation {{ appointProxy(patient: {KEY}, person: "mother", relation: PARENT,
  until: "2090-01-01T00:00:00Z") }}"""
END = f"mutation($id: ID!) {{ endProxy(patient: {KEY}, proxy: $id) }}"
TRAIL = "query($patient: ID!) { accessTrail(filter: { patient: $patient }) { totalCount } }"
HERS = "{ me { accesses { nodes { id } } } }"


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def begun(world: World) -> UUID:
    await consented(world)
    return record_id(await world.record())


async def while_projecting(world: World, watch: Watch) -> dict[str, Any]:
    """What is told next, while the projector runs on and on, as it does beside a server."""
    told = asyncio.ensure_future(following(watch))
    while not told.done():
        world.project()
        await asyncio.sleep(0.05)
    return await told


def test_her_own_look_is_told_first_and_each_that_follows(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        async with aclosing(world.watch(herself(patient), ACCESSED)) as watch:
            own = await while_projecting(world, watch)
            await world.data(DOCTOR, ENTRIES)
            doctors = await while_projecting(world, watch)
            await world.data(AUDITOR, TRAIL, patient=str(patient))
            auditors = await while_projecting(world, watch)

        assert (own["access"]["role"], own["access"]["bases"]) == ("PATIENT", ["SELF"])
        assert doctors["access"]["facility"] == {"number": DOCTOR.facility}
        assert "a doctor or dentist" in doctors["access"]["words"]
        assert auditors["access"]["role"] == "AUDITOR"
        assert world.events("watcher-told") == 3

    tell(story)


def test_what_is_told_is_what_her_list_shows(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        async with aclosing(world.watch(herself(patient), ACCESSED)) as watch:
            told = [await while_projecting(world, watch)]
            async with aclosing(world.watch(DOCTOR, CHANGED)) as other:
                await following(other)
            await world.data(DOCTOR, ENTRIES)
            told += [await while_projecting(world, watch) for _ in range(2)]

        listed = (await world.data(herself(patient), HERS))["me"]["accesses"]["nodes"]
        assert [one["access"]["id"] for one in reversed(told)] == [one["id"] for one in listed[: len(told)]]

    tell(story)


def test_whoever_comes_back_is_told_what_came_in_between_once(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        async with aclosing(world.watch(herself(patient), ACCESSED)) as watch:
            own = await while_projecting(world, watch)
        await world.data(DOCTOR, ENTRIES)
        await world.data(DOCTOR, ENTRIES)
        world.project()

        async with aclosing(world.watch(herself(patient), ACCESSED, after=own["position"])) as watch:
            told = [await while_projecting(world, watch) for _ in range(3)]

        assert [one["access"]["role"] for one in told] == ["CLINICIAN", "CLINICIAN", "PATIENT"]
        assert len({one["access"]["id"] for one in (own, *told)}) == 4

    tell(story)


def test_who_stands_for_her_is_told_until_she_does_not_any_more(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        proxy = (await world.data(herself(patient), APPOINT))["appointProxy"]
        async with aclosing(world.watch(MOTHER, ACCESSED, patient=str(patient))) as watch:
            await while_projecting(world, watch)
            await world.data(herself(patient), END, id=proxy)
            await world.data(DOCTOR, ENTRIES)

            refused = await while_projecting(world, watch)

            assert refused == {"__typename": "AccessRefused", "reason": "NOT_AVAILABLE"}
            assert await is_over(watch)

    tell(story)


def test_a_stranger_is_refused_and_a_position_of_another_list_too(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        async with aclosing(world.watch(MOTHER, ACCESSED, patient=str(patient))) as watch:
            assert (await following(watch))["__typename"] == "AccessRefused"
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            position = (await following(watch))["position"]

        (answer,) = [one async for one in world.watch(herself(patient), ACCESSED, after=position)]

        assert answer["errors"][0]["extensions"]["code"] == "BAD_POSITION"

    tell(story)
