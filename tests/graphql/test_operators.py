"""What an operator sees and orders through GraphQL, and what readers see of a patient who is set aside."""

from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection

from examples import CLINIC_SYSTEM, DOCTOR, HOSPITAL_SYSTEM, OPERATOR
from projection_examples import an_engine
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.rebuilding import rebuild
from world import CANCEL, CONSENT, Tell, World, names, record_id, tell_in

INDEX = PROJECTIONS["record_index"]
STANDING = "name generation state paused quarantined rebuild { generation state done total }"


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def order(world: World, mutation: str) -> Any:
    ((_, answer),) = (await world.data(OPERATOR, f"mutation {{ {mutation} }}")).items()
    return answer


async def standing(world: World) -> dict[str, Any]:
    found = (await world.data(OPERATOR, f"{{ projections {{ {STANDING} }} }}"))["projections"]
    by_name: dict[str, dict[str, Any]] = {one["name"]: one for one in found}
    return by_name[INDEX.name]


def break_last(world: World, topic: str) -> bytes:
    """The last event of this kind cannot be decoded any more; what it was."""
    row = world.connection.execute(
        "SELECT part, pos, state FROM event WHERE topic = %s ORDER BY recorded_at DESC LIMIT 1", (topic,)
    ).fetchone()
    assert row is not None
    part, pos, state = row
    world.connection.execute("UPDATE event SET state = 'broken' WHERE part = %s AND pos = %s", (part, pos))
    return bytes(state)


def test_a_projection_is_rebuilt_checked_promoted_and_rolled_back(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        begun = await order(
            world,
            f'rebuildProjection(name: "{INDEX.name}", reason: "drill", ticket: "OPS-1") {{ {STANDING} }}',
        )
        assert begun["rebuild"]["generation"] == 2
        rebuild(world.connection, an_engine(), INDEX, promote_if_equal=False)
        waiting = await standing(world)
        assert waiting["rebuild"]["state"] == "READY"
        assert waiting["rebuild"]["done"] == waiting["rebuild"]["total"] > 0

        checked = await world.data(
            OPERATOR,
            f'{{ projectionCheck(name: "{INDEX.name}") {{ equal patients differences {{ table }} }} }}',
        )
        promoted = await order(world, f'promoteProjection(name: "{INDEX.name}") {{ {STANDING} }}')
        read = await world.record()
        back = await order(world, f'rollbackProjection(name: "{INDEX.name}") {{ {STANDING} }}')

        assert checked["projectionCheck"] == {"equal": True, "patients": 1, "differences": []}
        assert (promoted["generation"], promoted["rebuild"]) == (2, None)
        assert names(read) == names(await world.record()) == ["上腹部痛"]
        assert back["generation"] == 1
        assert world.events("operator-acted") == 3

    tell(story)


def test_a_paused_projection_stands_still_until_it_is_resumed(tell: Tell) -> None:
    async def story(world: World) -> None:
        assert (await order(world, f'pauseProjection(name: "{INDEX.name}") {{ paused }}')) == {"paused": True}
        assert (await standing(world))["paused"]
        assert (await order(world, f'resumeProjection(name: "{INDEX.name}") {{ paused }}')) == {
            "paused": False
        }

    tell(story)


def test_nothing_is_promoted_that_is_not_there(tell: Tell) -> None:
    async def story(world: World) -> None:
        for mutation, code in (
            (f'promoteProjection(name: "{INDEX.name}") {{ name }}', "UNKNOWN_GENERATION"),
            (f'promoteProjection(name: "{INDEX.name}", generation: 9) {{ name }}', "UNKNOWN_GENERATION"),
            (f'rollbackProjection(name: "{INDEX.name}") {{ name }}', "UNKNOWN_GENERATION"),
            ('pauseProjection(name: "horoscope") { name }', "UNKNOWN_PROJECTION"),
            (f'skipQuarantined(name: "{INDEX.name}", patient: "x", reason: "r") {{ current }}', "BAD_INPUT"),
            (f'skipQuarantined(name: "{INDEX.name}", patient: "x", reason: " ") {{ current }}', "BAD_INPUT"),
        ):
            answer = await world.ask(OPERATOR, f"mutation {{ {mutation} }}")
            assert answer["errors"][0]["extensions"]["code"] == code, mutation
        assert world.events("operator-acted") == 0

    tell(story)


def test_a_patient_who_is_set_aside_is_read_as_incomplete_until_she_is_current_again(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        whole = await world.record()
        await world.register(local_id="set-2", conditions={"20058911": "狭心症"})
        state = break_last(world, "bundle-registered")
        world.project()

        record = await world.record()

        assert record["incomplete"] is True
        assert names(record) == [], "nobody knows what the unreadable event hides"
        found = (
            await world.data(OPERATOR, "{ quarantinedPatients { projection patient topic step attempts } }")
        )["quarantinedPatients"]
        assert [one for one in found if one["projection"] == INDEX.name] == [
            {
                "projection": INDEX.name,
                "patient": str(record_id(whole)),
                "topic": "bundle-registered",
                "step": "decode",
                "attempts": 1,
            }
        ]
        world.connection.execute("UPDATE event SET state = %s WHERE state = 'broken'", (state,))
        for one in found:
            tried = await order(world, f'retryQuarantined(name: "{one["projection"]}") {{ current stopped }}')
            assert tried == {"current": 1, "stopped": 0}
        record = await world.record()
        assert (sorted(names(record)), record["incomplete"]) == (["狭心症"], False)

    tell(story)


def test_what_was_cancelled_behind_the_event_that_failed_is_not_shown(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.register(local_id="set-2", conditions={"20058911": "狭心症"})
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        await world.data(CLINIC_SYSTEM, CANCEL)
        break_last(world, "bundle-cancelled")
        world.project()

        record = await world.record(DOCTOR)

        assert (names(record), record["incomplete"]) == ([], True)

    tell(story)
