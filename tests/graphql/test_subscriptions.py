"""What an operator is told who watches a projection, from the beginning of a rebuild to what becomes of it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import pytest
from psycopg import Connection

from examples import DOCTOR, OPERATOR
from log_examples import PARTS, an_owner, listed
from projection_examples import an_engine
from tsuzuri.app import looks
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.filling import fill
from tsuzuri.projections.generations import cancel
from tsuzuri.projections.rebuilding import rebuild
from world import Tell, World, tell_in

FACILITIES = PROJECTIONS["facilities"]
WATCH = (
    f'subscription {{ projectionProgress(name: "{FACILITIES.name}") {{ name generation state done total }} }}'
)
PATIENCE_SECONDS = 20.0
Answers = AsyncGenerator[dict[str, Any], None]


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


@pytest.fixture(autouse=True)
def many_looks_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "LOOK_SECONDS", 0.05)


async def following(watched: Answers) -> dict[str, Any]:
    """What is told next."""
    answer = await asyncio.wait_for(anext(watched), PATIENCE_SECONDS)
    assert "errors" not in answer, answer["errors"]
    told: dict[str, Any] = answer["data"]["projectionProgress"]
    return told


async def until(watched: Answers, state: str, **also: Any) -> dict[str, Any]:
    """What is told first of a generation in this state."""
    while True:
        told = await following(watched)
        if {"state": state, **also}.items() <= told.items():
            return told


async def is_over(watched: Answers) -> bool:
    return await asyncio.wait_for(anext(watched, None), PATIENCE_SECONDS) is None


async def order(world: World, mutation: str) -> None:
    await world.data(OPERATOR, f'mutation {{ {mutation}(name: "{FACILITIES.name}") {{ name }} }}')


async def an_event_in_each_part(world: World) -> None:
    for n in range(PARTS):
        await world.application.services.log.save(listed(an_owner(n)))
    world.project()


def test_a_rebuild_is_told_from_its_beginning_until_it_is_promoted(tell: Tell) -> None:
    async def story(world: World) -> None:
        await an_event_in_each_part(world)
        async with aclosing(world.watch(OPERATOR, WATCH)) as watched:
            before = await following(watched)
            await order(world, "rebuildProjection")
            begun = await until(watched, "FILLING")
            assert fill(world.connection, an_engine(), FACILITIES, begun["generation"]).more  # the first part
            further = await until(watched, "FILLING")
            rebuild(world.connection, an_engine(), FACILITIES, promote_if_equal=False)
            filled = await until(watched, "READY")
            await order(world, "promoteProjection")
            promoted = await until(watched, "LIVE")

            assert await is_over(watched)

        total = before["total"]
        assert before == {
            "name": FACILITIES.name,
            "generation": 1,
            "state": "LIVE",
            "done": total,
            "total": total,
        }
        assert begun["generation"] == further["generation"] == filled["generation"] == 2
        assert 0 == begun["done"] < further["done"] < filled["done"] == filled["total"]
        assert (promoted["generation"], promoted["done"]) == (2, promoted["total"])

    tell(story)


def test_one_who_comes_in_the_middle_of_a_rebuild_is_told_of_it_at_once(tell: Tell) -> None:
    async def story(world: World) -> None:
        await an_event_in_each_part(world)
        await order(world, "rebuildProjection")
        async with aclosing(world.watch(OPERATOR, WATCH)) as watched:
            assert (await following(watched))["state"] == "FILLING"

            cancel(world.connection, FACILITIES)

            assert (await following(watched))["state"] == "DROPPED"
            assert await is_over(watched)

    tell(story)


def test_what_was_promoted_and_rolled_back_between_two_looks_is_told_as_retired(tell: Tell) -> None:
    async def story(world: World) -> None:
        await an_event_in_each_part(world)
        rebuild(world.connection, an_engine(), FACILITIES, promote_if_equal=False)
        async with aclosing(world.watch(OPERATOR, WATCH)) as watched:
            assert (await following(watched))["state"] == "READY"
            await order(world, "promoteProjection")
            await order(world, "rollbackProjection")

            told = await until(watched, "RETIRED")

            assert (told["generation"], await is_over(watched)) == (2, True)

    tell(story)


def test_with_nothing_being_rebuilt_the_live_generation_is_told_whenever_it_changes(tell: Tell) -> None:
    async def story(world: World) -> None:
        await an_event_in_each_part(world)
        async with aclosing(world.watch(OPERATOR, WATCH)) as watched:
            first = await following(watched)
            await world.application.services.log.save(listed(an_owner(PARTS)))
            behind = await following(watched)
            world.project()
            current = await following(watched)
            with pytest.raises(TimeoutError):  # nothing has changed
                await asyncio.wait_for(anext(watched), 0.5)

        assert first["done"] == first["total"] == behind["done"] < behind["total"]
        assert current["done"] == current["total"] == behind["total"]

    tell(story)


def test_a_promotion_and_a_rollback_that_nobody_prepared_are_told_of_the_live_one(tell: Tell) -> None:
    async def story(world: World) -> None:
        await an_event_in_each_part(world)
        rebuild(world.connection, an_engine(), FACILITIES)
        async with aclosing(world.watch(OPERATOR, WATCH)) as watched:
            assert (await following(watched))["generation"] == 2

            await order(world, "rollbackProjection")

            assert (await until(watched, "LIVE"))["generation"] == 1

    tell(story)


def test_a_projection_that_there_is_not_is_refused_as_elsewhere(tell: Tell) -> None:
    async def story(world: World) -> None:
        unknown = 'projectionProgress(name: "horoscope") { state }'
        ordered = await world.ask(OPERATOR, 'mutation { pauseProjection(name: "horoscope") { state } }')

        (told,) = [answer async for answer in world.watch(OPERATOR, f"subscription {{ {unknown} }}")]

        (error,), (expected,) = told["errors"], ordered["errors"]
        assert told.get("data") is None
        assert (error["message"], error["extensions"]) == (expected["message"], expected["extensions"])
        assert error["extensions"] == {"code": "UNKNOWN_PROJECTION"}

    tell(story)


def test_whoever_is_no_operator_is_refused_as_with_the_query(tell: Tell) -> None:
    async def story(world: World) -> None:
        (asked,) = (await world.ask(DOCTOR, "{ projections { name } }"))["errors"]

        (told,) = [answer async for answer in world.watch(DOCTOR, WATCH)]

        (error,) = told["errors"]
        assert told.get("data") is None
        assert (error["message"], error["extensions"]) == (asked["message"], asked["extensions"])
        assert error["extensions"] == {"code": "FORBIDDEN"}

    tell(story)


def test_a_subscription_that_does_not_fit_the_schema_is_told_so(tell: Tell) -> None:
    async def story(world: World) -> None:
        wrong = WATCH.replace("state", "nope")
        for document in (wrong, "subscription { x }", "subscription { __typename }", f"{WATCH} {WATCH}"):
            (told,) = [answer async for answer in world.watch(OPERATOR, document)]

            assert {error["extensions"]["code"] for error in told["errors"]} == {"GRAPHQL_INVALID"}, document

    tell(story)


def test_as_an_ordinary_request_it_is_told_how_to_ask(tell: Tell) -> None:
    async def story(world: World) -> None:
        answer = await world.ask(OPERATOR, WATCH)

        (error,) = answer["errors"]
        assert answer["data"] is None
        assert error["extensions"] == {"code": "STREAM_NEEDED"}
        assert "Accept: text/event-stream" in error["message"]

    tell(story)
