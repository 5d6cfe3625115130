"""A thousand timings of each of two questions, in turns, whose answers may not tell which of them was asked.

Nobody by that number, and somebody who has let nobody in; a world as it looks, and one in which more is veiled.
"""

import asyncio
import gc
import math
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from torture.veiled_readers import READERS
from torture.veiled_steps import Lived
from torture.veiled_worlds import Family, MakeApplication, live, opened
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.readings import Reading, RefusedReading
from world import World

ROUNDS, WARMING = 1_000, 100
WORLDS = 40  # of each arm, in turns
BOUND = 3.29  # |z|: one in a thousand by chance
DELAY = timedelta(milliseconds=0.3)
_READER = "2719999999"  # one facility asks about everybody
_RECORD = """entries(first: 20) { totalCount nodes { id name } pageInfo { endCursor } } documents { totalCount }
  timeline(first: 20) { nodes { __typename } } summary { conditions { name } labResults { name } }"""
_ASKED = f"""query Timed($patient: PatientKey!) {{ patientRecord(patient: $patient) {{ __typename
  ... on PatientRecord {{ {_RECORD} }} }} }}"""
_HERS = f"query Timed {{ me {{ record {{ {_RECORD} }} }} }}"
Arm = Callable[[int], Awaitable[None]]
"""Asks about the *n*-th of its worlds."""


class SlowerForTheKnown(TsuzuriApplication):
    """A refusal takes a little longer when there is somebody by that number."""

    async def open_record(self, *given: Any, **named: Any) -> Reading | RefusedReading:
        opened = await super().open_record(*given, **named)
        if isinstance(opened, RefusedReading) and opened.known_patient is not None:
            until = time.perf_counter() + DELAY.total_seconds()
            while time.perf_counter() < until:
                pass
        return opened


def signed_rank(differences: Sequence[float]) -> float:
    """Wilcoxon's z of paired differences. Outliers count by rank, and what slows both arms of a round not at all."""
    ordered = sorted((abs(one), math.copysign(1, one)) for one in differences if one)
    position, total, squares = 0, 0.0, 0.0
    for _, tied in groupby(ordered, key=lambda one: one[0]):
        signs = [sign for _, sign in tied]
        rank = position + (len(signs) + 1) / 2
        position += len(signs)
        total += rank * sum(signs)
        squares += rank * rank * len(signs)
    return total / math.sqrt(squares) if squares else 0.0


async def in_turns(one: Arm, other: Arm, random: Random) -> list[float]:
    """How much longer the first took, in seconds, round by round; who comes first is drawn."""
    gc.collect()
    gc.disable()
    try:
        found = []
        for number in range(-WARMING, ROUNDS):
            order = [(0, one), (1, other)]
            random.shuffle(order)
            took = [0.0, 0.0]
            for place, arm in order:
                began = time.perf_counter()
                await arm(number % WORLDS)
                took[place] = time.perf_counter() - began
            if number >= 0:
                found.append(took[0] - took[1])
        return found
    finally:
        gc.enable()


def _lives(seed: str, name: str) -> tuple[list[Family], list[Lived], list[Lived]]:
    """Families of two worlds: of each the first is in one arm, the second in the other."""
    reader = next(one for one in READERS if one.name == name)
    symbol = f"覆{READERS.index(reader)}"
    made: list[Family] = []
    for number in range(WORLDS):
        family = f"{seed}/{name}/{number}"
        numbers = [f"00012345:{symbol}:{4 * number + nth}:01" for nth in range(4)]
        lives = [
            (Lived(numbers[nth], _READER, numbers[nth + 2]), steps)
            for nth, steps in enumerate(reader.family(family, 2))
        ]
        made.append(Family(reader, family, lives))
    firsts, seconds = ([family.lives[nth][0] for family in made] for nth in (0, 1))
    return made, firsts, seconds


def _arm(world: World, family: Family, lives: Sequence[Lived]) -> Arm:
    async def ask(number: int) -> None:
        lived = lives[number]
        caller = family.reader.caller(lived)
        if caller.role is Role.PATIENT:
            await world.data(caller, _HERS)
        else:
            await world.data(caller, _ASKED, patient={"insuredPerson": lived.number})

    return ask


async def _timed(
    folder: Path, dsn: str, make: MakeApplication, names: Sequence[str]
) -> dict[str, list[float]]:
    seed = os.environ.get("TSUZURI_SEED") or str(Random().randrange(10**9))
    async with opened(folder, dsn, make) as world:
        found: dict[str, list[float]] = {}
        for name in names:
            made, firsts, seconds = _lives(seed, name)
            await live(world, made)
            arms = _arm(world, made[0], firsts), _arm(world, made[0], seconds)
            found[f"{name} (seed {seed})"] = await in_turns(*arms, Random(seed))
        return found


def tormented(folder: Path, make: MakeApplication, names: Sequence[str]) -> Outcome:
    with fresh_log(folder) as dsn:
        found = asyncio.run(_timed(folder, dsn, make, names))
    done, faults = [], []
    for name, differences in found.items():
        z = signed_rank(differences)
        middle = sorted(differences)[len(differences) // 2] * 1000
        done.append(f"{name}: z {z:+.2f}, median difference {middle:+.3f} ms")
        faults += [f"{name}: |z| is {abs(z):.2f}"] if abs(z) >= BOUND else []
    return Outcome(f"{ROUNDS:,} timings of each arm; {'; '.join(done)}", faults)


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, TsuzuriApplication, ("nobody let in", "clinician", "herself"))


def slower_for_the_known(folder: Path, share: float) -> Outcome:
    return tormented(folder, SlowerForTheKnown, ("nobody let in",))


TORTURE = Torture("non-interference, times", run, {"0.3 ms longer for the known": slower_for_the_known})
