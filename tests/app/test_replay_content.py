"""What a replay showed takes two: who replays, and somebody else who lets her, for an hour."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from psycopg import Connection

from command_examples import Tsuzuri
from examples import AUDITOR, DOCTOR, OPERATOR, a_caller
from explained_examples import at, begun, now
from log_examples import KEY_SETTINGS
from replay_examples import ALLOW, REPLAY, replayed
from tsuzuri.domain.replay_allowances import ALLOWED_FOR
from tsuzuri.domain.vocabulary import Role
from world import Tell, World, tell_in

OTHER_AUDITOR = a_caller("auditor-baba", Role.AUDITOR)
LOOKS = (
    """{ accessTrail(filter: { outcome: "TRAIL_READ" }) { nodes { person operationName entriesShown } } }"""
)


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def code(world: World, caller: Any, document: str, **variables: Any) -> str:
    answer = await world.ask(caller, document, **variables)
    told: str = answer["errors"][0]["extensions"]["code"]
    return told


async def allowed(world: World, access: str, caller: Any = OPERATOR, person: str = AUDITOR.person) -> str:
    told = (await world.data(caller, ALLOW, access=access, person=person))["allowReplayContent"]
    allowance: str = told["id"]
    return allowance


def test_it_shows_what_was_answered_when_somebody_else_lets_her(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        record = await world.record()
        assert (await replayed(world, record["accessId"]))["content"] is None

        allowance = await allowed(world, record["accessId"])
        found = await replayed(world, record["accessId"], allowance=allowance)

        content = json.loads(found["content"])
        for volatile in ("accessId", "asOf"):
            content.pop(volatile), record.pop(volatile)
        assert (found["verdict"], content) == ("SAME_ANSWER", record)

    tell(story)


def test_nobody_lets_herself_and_nobody_uses_what_was_given_to_another_or_too_long_ago(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        access, other = (await world.record())["accessId"], (await world.record())["accessId"]
        world.project()
        own = {"access": access, "person": AUDITOR.person}
        allowance = await allowed(world, access)
        asked = {"id": access, "allowance": allowance}

        assert await code(world, AUDITOR, ALLOW, **own) == "OWN_REPLAY"
        assert await code(world, DOCTOR, ALLOW, **own) == "FORBIDDEN"
        assert await code(world, OPERATOR, ALLOW, **own | {"access": allowance}) == "NO_SUCH_ACCESS"
        assert await code(world, OTHER_AUDITOR, REPLAY, **asked) == "CONTENT_NOT_ALLOWED"
        assert await code(world, AUDITOR, REPLAY, **asked | {"id": other}) == "CONTENT_NOT_ALLOWED"
        assert await code(world, AUDITOR, REPLAY, id=access, allowance=access) == "CONTENT_NOT_ALLOWED"
        at(world, now(world) + ALLOWED_FOR + timedelta(seconds=1))
        assert await code(world, AUDITOR, REPLAY, **asked) == "CONTENT_NOT_ALLOWED"

    tell(story)


def test_who_let_whom_and_what_was_looked_at_is_in_the_trail(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        access = (await world.record())["accessId"]
        world.project()
        await replayed(world, access, allowance=await allowed(world, access))
        world.project()

        looks = (await world.data(AUDITOR, LOOKS))["accessTrail"]["nodes"]

        told = [(one["person"], one["operationName"], one["entriesShown"]) for one in looks]
        assert told == [(AUDITOR.person, "Replay", 2), (OPERATOR.person, "Allow", 0)]

    tell(story)


def test_at_the_machine(tell: Tell, tsuzuri: Tsuzuri, dsn: str) -> None:
    told: dict[str, Any] = {}

    async def story(world: World) -> None:
        await begun(world)
        told.update(await world.record())
        world.project()

    tell(story)
    access = told["accessId"]

    done = tsuzuri("audit", "replay", access, TSUZURI_DATABASE=dsn, **KEY_SETTINGS)
    machine = json.loads(tsuzuri("audit", "replay", access, "--json").out)
    japanese = tsuzuri("audit", "replay", access, "--language", "ja")
    unknown = tsuzuri("audit", "replay", str(begun_nowhere()))
    alone = tsuzuri("audit", "replay", access, "--content", access)
    given = tsuzuri("audit", "allow-content", access, "--to", AUDITOR.person)

    lines = done.out.splitlines()
    assert done.code == 0 and lines[0] == "= SAME_ANSWER" and "digest for digest" in lines[1]
    assert machine["verdict"] == "SAME_ANSWER" and machine["content"] is None
    assert machine["entries"] == [told["entries"]["nodes"][0]["id"]]
    assert "一致します" in japanese.out
    assert (unknown.code, alone.code, given.code) == (1, 2, 0)
    assert "上腹部痛" not in done.out + japanese.out

    async def read(world: World) -> None:
        allowance = given.out.split()[0]
        assert "上腹部痛" in (await replayed(world, access, allowance=allowance))["content"]

    tell(read)


def begun_nowhere() -> str:
    """An id that the trail does not have."""
    return "99999999-0000-4000-8000-000000000000"
