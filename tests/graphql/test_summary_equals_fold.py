"""For every patient, the summary is what a second fold makes of the Bundles: written from the rules, not from our code.

The fold lies in tests/oracle. It imports nothing that reads, stores or answers.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from psycopg import Connection

from oracle import clinosim, received, summary, troubles
from oracle.asking import asked, compared, live
from oracle.patients import in_trouble, of_clinosim, of_the_sample
from oracle.summary import Rules
from world import Tell, World, tell_in

SIX_YEARS = timedelta(days=6 * 366)
TURNED_OFF = {
    "a set ends what it does not name": Rules(sets=False),
    "the newest set by what it says": Rules(said=False),
    "a mark reaches other Bundles": Rules(marks=False),
    "what is too old is not seen": Rules(periods=False),
    "the last three": Rules(last=4),
    "documents give entries": Rules(extraction=False),
}


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def test_the_fold_imports_nothing_of_ours() -> None:
    for module in (received, summary, troubles, clinosim):
        assert "tsuzuri" not in Path(module.__file__ or "").read_text(encoding="utf-8"), module.__name__


def test_every_patient_of_the_sample(tell: Tell) -> None:
    async def story(world: World) -> None:
        lives = of_the_sample(30)
        await live(world, lives)

        now = compared(await asked(world, lives, datetime.now(UTC)))
        later = compared(await asked(world, lives, datetime.now(UTC) + SIX_YEARS))

        print(f"{len(lives)} patients, {now.lines} lines now and {later.lines} in six years")
        assert not now.faults and not later.faults
        assert len(lives) == 30 and 0 < later.lines < now.lines

    tell(story)


@pytest.mark.realdata
def test_every_patient_of_clinosim(tell: Tell) -> None:
    async def story(world: World) -> None:
        lives = of_clinosim()
        await live(world, lives)

        now = compared(await asked(world, lives, datetime.now(UTC)))

        print(f"{len(lives)} patients, {now.lines} lines")
        assert not now.faults
        assert len(lives) == 30 and now.lines > 1_000

    tell(story)


def test_in_any_order_taken_back_put_back_corrected_and_marked(tell: Tell) -> None:
    async def story(world: World) -> None:
        print(f"seed {(seed := int.from_bytes(os.urandom(4)))}")
        lives = list(in_trouble(of_the_sample(12), Random(seed)))
        await live(world, lives)

        assert not compared(await asked(world, lives, datetime.now(UTC))).faults

    tell(story)


def test_the_comparison_fails_when_any_rule_of_the_fold_is_turned_off(tell: Tell) -> None:
    async def story(world: World) -> None:
        lives = list(in_trouble(of_the_sample(12), Random(1)))
        await live(world, lives)
        answers = await asked(world, lives, datetime.now(UTC))
        answers += await asked(world, lives, datetime.now(UTC) + SIX_YEARS)

        needless = [rule for rule, without in TURNED_OFF.items() if not compared(answers, without).faults]

        assert needless == []
        assert not compared(answers).faults

    tell(story)
