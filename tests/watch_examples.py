"""Somebody who watches a record, and how one knows that she has looked."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from examples import HOSPITAL, HOSPITAL_SYSTEM
from tsuzuri.app.shared_looks import SharedLooks
from tsuzuri.domain.callers import Caller
from tsuzuri.projections.sight import Sight
from world import CONSENT, KEY, World

PATIENCE_SECONDS = 20.0
CHANGED = f"""subscription Watch($after: String, $purpose: PurposeOfUse! = TREAT) {{
  recordChanged(patient: {KEY}, purpose: $purpose, after: $after) {{
    __typename ... on RecordChanged {{ accessId position }} ... on AccessRefused {{ accessId reason }} }} }}"""
ACCESSED = """subscription WhoLooks($patient: ID, $after: String) { accessed(patient: $patient, after: $after) {
  __typename ... on NewAccess { position access { id role bases facility { number } words(language: EN) } }
  ... on AccessRefused { reason } } }"""
LATER: dict[str, Any] = {"conditions": {"20058911": "狭心症"}, "timestamp": "2026-11-21T10:00:00+09:00"}
"""Of what the clinic sends: another Bundle, a day later."""

Told = dict[str, Any]
Watch = AsyncGenerator[Told, None]


class CountedLooks(SharedLooks):
    """Says how often somebody who watches has looked at what she may see."""

    looks = 0

    async def seen(self, sight: Sight) -> int:
        found = await super().seen(sight)
        self.looks += 1
        return found


def counted(world: World) -> CountedLooks:
    world.application.shared_looks = looks = CountedLooks(world.application.services)
    return looks


async def becomes(true: Any) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not true():
            await asyncio.sleep(0.01)


async def following(watch: Watch) -> Told:
    """What is told next."""
    answer = await asyncio.wait_for(anext(watch), PATIENCE_SECONDS)
    assert "errors" not in answer, answer["errors"]
    (told,) = answer["data"].values()
    assert isinstance(told, dict)
    return told


async def is_over(watch: Watch) -> bool:
    return await asyncio.wait_for(anext(watch, None), PATIENCE_SECONDS) is None


async def consented(world: World, caller: Caller = HOSPITAL_SYSTEM) -> None:
    """One diagnosis from the clinic, which the hospital may see."""
    await world.register()
    await world.data(caller, CONSENT)
    world.project()


def grant(*classes: str) -> str:
    return f'mutation {{ grantConsent(patient: {KEY}, facility: "{HOSPITAL}", classes: [{", ".join(classes)}]) }}'
