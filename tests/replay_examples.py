"""Accesses that are replayed: what an auditor asks for, and how a story asks for all of them."""

from typing import Any

from examples import AUDITOR
from tsuzuri.domain.callers import Caller
from world import World

SHOWN = "{ answerSha256 entriesSha256 entries }"
REPLAY = f"""query Replay($id: ID!, $allowance: ID) {{ access(id: $id) {{ replay(allowance: $allowance) {{
  verdict hindrance then {SHOWN} now {SHOWN} changes {{ what then now }} erasures {{ event document classes }}
  entryIds content }} }} }}"""
ALLOW = """mutation Allow($access: ID!, $person: String!) {
  allowReplayContent(access: $access, person: $person) { id until } }"""
TRAIL = (
    "query($outcome: String) { accessTrail(filter: { outcome: $outcome }) { nodes { id operationName } } }"
)


async def replayed(
    world: World, access: str, caller: Caller = AUDITOR, allowance: str | None = None
) -> dict[str, Any]:
    """What a replay of this access tells, once the trail has come to it."""
    world.project()
    asked = {"id": access} if allowance is None else {"id": access, "allowance": allowance}
    found: dict[str, Any] = (await world.data(caller, REPLAY, **asked))["access"]["replay"]
    return found


async def accesses(world: World, outcome: str = "PERMITTED") -> list[str]:
    """The ids of all of them, newest first."""
    world.project()
    trail = (await world.data(AUDITOR, TRAIL, outcome=outcome))["accessTrail"]
    return [node["id"] for node in trail["nodes"]]


async def verdicts(world: World, outcome: str = "PERMITTED") -> list[str]:
    """Of every access, oldest first: the verdict, or what hindered it."""
    found = [await replayed(world, access) for access in reversed(await accesses(world, outcome))]
    return [one["hindrance"] or one["verdict"] for one in found]
