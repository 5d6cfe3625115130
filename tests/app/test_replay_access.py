"""An access is run again as it was, whatever became of the record since: and what differs is told."""

from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection

from examples import AUDITOR, herself
from explained_examples import begun
from world import CANCEL, CLINIC_SYSTEM, ME, Tell, World, tell_in

REPLAY = """query($id: ID!) { access(id: $id) { replay { verdict hindrance then { answerSha256 entries }
  now { answerSha256 entries } changes { what then now } erasures { document } entryIds content } } }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def replayed(world: World, access: str) -> dict[str, Any]:
    world.project()
    return (await world.data(AUDITOR, REPLAY, id=access))["access"]["replay"]


def test_an_answer_is_found_again(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        record = await world.record()
        await world.data(herself(patient), ME)
        await world.register(
            conditions={"20065011": "上腹部痛", "8830417": "片頭痛"},
            flags={"8830417": "UNINFORMED"},
            timestamp="2026-11-20T11:00:00+09:00",
        )
        world.project()
        second = await world.record()
        await world.data(CLINIC_SYSTEM, CANCEL)
        world.project()
        third = await world.record()
        for one in (record, second, third):
            print(await replayed(world, one["accessId"]))
        mine = (await world.data(AUDITOR, "{ accessTrail { nodes { id role outcome } } }"))["accessTrail"][
            "nodes"
        ]
        for one in mine:
            print(one, await replayed(world, one["id"]))

    tell(story)
