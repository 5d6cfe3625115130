"""災害: a window opens the records where it is open, from one second to another, and what she refused stays refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from emergency_examples import (
    CLOSE_WINDOW,
    OPEN_WINDOW,
    TOWN,
    entitled,
    now_is,
    read,
)
from examples import CLINIC, DOCTOR, HOSPITAL, NUMBER, OPERATOR, a_caller, herself
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from world import Tell, World, tell_in

HER = {"insuredPerson": NUMBER}
PHARMACIST = a_caller("pharmacist-ito", Role.PHARMACIST, HOSPITAL)
OTHER_TOWN = a_caller("dr-sakai", Role.CLINICIAN, CLINIC)
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def struck(world: World, towns: list[str] | None = None) -> str:
    """One diagnosis, two facilities, and a window of an hour; its id."""
    await world.register(facility=CLINIC)
    world.project()
    await entitled(world)
    said = {"towns": towns or [TOWN], "since": START.isoformat(), "until": (START + HOUR).isoformat()}
    window: str = (await world.data(OPERATOR, OPEN_WINDOW, **said))["openDisasterWindow"]
    return window


async def seen(world: World, at: datetime, caller: Caller = DOCTOR) -> str:
    now_is(world, at)
    answer = await read(world, caller, HER, "DISASTER")
    return str(answer.get("reason") or answer["grounds"][0]["basis"])


def test_it_works_at_the_second_it_opens_and_stops_at_the_second_it_ends(tell: Tell) -> None:
    async def story(world: World) -> None:
        await struck(world)

        assert await seen(world, START - TICK) == "DISASTER_NOT_OPEN"
        assert await seen(world, START) == "DISASTER"
        assert await seen(world, START + HOUR - TICK) == "DISASTER"
        assert await seen(world, START + HOUR) == "DISASTER_NOT_OPEN"
        assert await seen(world, START, PHARMACIST) == "DISASTER"
        assert await seen(world, START, OTHER_TOWN) == "DISASTER_NOT_OPEN"
        assert world.events("access-permitted") == 3, "every view is kept"

    tell(story)


def test_the_operating_body_closes_it_for_a_town_or_for_all(tell: Tell) -> None:
    async def story(world: World) -> None:
        window = await struck(world, [TOWN, "11202"])

        await world.data(OPERATOR, CLOSE_WINDOW, window=window, towns=[TOWN])
        assert await seen(world, START) == "DISASTER_NOT_OPEN"
        assert await seen(world, START, OTHER_TOWN) != "DISASTER_NOT_OPEN"
        await world.data(OPERATOR, CLOSE_WINDOW, window=window)
        assert await seen(world, START, OTHER_TOWN) == "DISASTER_NOT_OPEN"
        again = await world.ask(OPERATOR, CLOSE_WINDOW, window=window)
        assert again["errors"][0]["extensions"]["code"] == "NO_SUCH_WINDOW"

    tell(story)


def test_a_window_that_follows_prolongs_it(tell: Tell) -> None:
    async def story(world: World) -> None:
        await struck(world)
        said = {"since": (START + HOUR).isoformat(), "until": (START + 2 * HOUR).isoformat()}
        await world.data(OPERATOR, OPEN_WINDOW, towns=[TOWN + "1"], **said)

        assert [await seen(world, START + hours * HOUR) for hours in (0, 1)] == ["DISASTER"] * 2
        assert await seen(world, START + 2 * HOUR) == "DISASTER_NOT_OPEN"

    tell(story)


def test_what_she_refused_stays_refused(tell: Tell) -> None:
    async def story(world: World) -> None:
        await struck(world)
        now_is(world, START)
        patient = UUID((await read(world, DOCTOR, HER, "DISASTER"))["patient"]["id"])

        await world.data(herself(patient), f'mutation {{ denyConsent(patient: {{ id: "{patient}" }}) }}')

        assert await seen(world, START) == "NOT_AVAILABLE"

    tell(story)


@pytest.mark.parametrize(
    "caller", [DOCTOR, OTHER_TOWN, PHARMACIST], ids=["a doctor", "another", "a pharmacist"]
)
def test_nobody_else_opens_one(tell: Tell, caller: Caller) -> None:
    async def story(world: World) -> None:
        answer = await world.ask(caller, OPEN_WINDOW, towns=[TOWN], until=(START + HOUR).isoformat())

        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"

    tell(story)


def test_everybody_may_know_which_windows_are_open(tell: Tell) -> None:
    async def story(world: World) -> None:
        window = await struck(world)

        now_is(world, START)
        (told,) = (await world.data(PHARMACIST, "{ disasterWindows { id municipalities until } }"))[
            "disasterWindows"
        ]
        assert (told["id"], told["municipalities"]) == (window, [TOWN])
        now_is(world, START + HOUR)
        assert (await world.data(DOCTOR, "{ disasterWindows { id } }"))["disasterWindows"] == []

    tell(story)
