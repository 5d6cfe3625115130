"""`tsuzuri reviews`, and `tsuzuri serve` asking the same by itself."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from command_examples import Done, Tsuzuri
from log_examples import KEY_SETTINGS, settings_at
from projection_examples import catch_up
from tsuzuri.app.commands.serve import processes
from tsuzuri.app.reviews_beside import find_regularly
from tsuzuri.domain.opening_hours import JAPAN
from unusual_examples import MONDAY, snooped
from world import Tell, World, tell_in

SECONDS_MAX = 60.0
PERIOD = ("--from", "2026-05-20", "--to", "2026-06-20")
Order = Callable[..., Done]


@pytest.fixture
def reviews(tsuzuri: Tsuzuri, dsn: str) -> Order:
    return lambda *words: tsuzuri("reviews", *words, TSUZURI_DATABASE=dsn, **KEY_SETTINGS)


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def opened(connection: Connection[Any]) -> int:
    row = connection.execute("SELECT count(*) FROM event WHERE topic = 'review-opened'").fetchone()
    assert row is not None
    return int(row[0])


def test_what_is_found_is_told_stored_once_and_found_again(
    tell: Tell, reviews: Order, connection: Connection[Any]
) -> None:
    async def story(world: World) -> None:
        await snooped(world)

    tell(story)

    asked = reviews("find", *PERIOD, "--dry-run")
    lacking = reviews("check", *PERIOD)
    before = opened(connection)
    found, again = reviews("find", *PERIOD), reviews("find", *PERIOD)
    catch_up(connection)
    checked = reviews("check", *PERIOD)

    *lines, account = asked.out.splitlines()
    assert [line.split("  ")[1] for line in lines] == ["MANY_PATIENTS", "OWN_FAMILY_NAME", "OFF_HOURS"]
    assert account == "3 found by 2026-11 from 2026-05-20 00:00 to 2026-06-20 00:00: nothing was stored"
    assert (lacking.code, before, opened(connection)) == (1, 0, 3)
    assert found.out.splitlines() == [*lines, account.replace("nothing was stored", "3 reviews were opened")]
    assert again.out.splitlines()[:-1] == lines and again.out.endswith("0 reviews were opened\n")
    assert (checked.code, checked.out.split()[0]) == (0, "3")
    assert not any(secret in found.out for secret in ("サカイ", "ハナコ", "試験"))


def test_rules_and_moments_that_there_are_not(reviews: Order) -> None:
    assert reviews("find", "--rules", "1999-01").code == 2
    assert reviews("check", "--from", "yesterday").code == 2


def test_beside_the_service_it_is_asked_without_anybody(
    tell: Tell, dsn: str, connection: Connection[Any], tmp_path: Path
) -> None:
    weeks = (datetime.now(JAPAN) - MONDAY).days // 7 - 4

    async def story(world: World) -> None:
        await snooped(world, MONDAY + timedelta(weeks=weeks))

    tell(story)
    began = time.monotonic()

    with processes(settings_at(tmp_path / "home"), dsn, [find_regularly]):
        while opened(connection) < 3:
            assert time.monotonic() < began + SECONDS_MAX, "nothing was noticed"
            time.sleep(0.1)
