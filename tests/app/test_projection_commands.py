"""`tsuzuri projections`: what an operator sees and orders at the machine, and the exit code of each."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg import Connection

from command_examples import Done, Tsuzuri
from log_examples import KEY_SETTINGS, Run, an_owner, listed, opened_log, save
from projection_examples import an_engine
from tsuzuri.app.services import Services
from tsuzuri.domain.code_table import NAME as CODES
from tsuzuri.domain.events import OperatorActed
from tsuzuri.domain.owners import projection_owner
from tsuzuri.domain.vocabulary import OperatorAct, Stream
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.generations import Generation, begin_rebuild, generations
from tsuzuri.projections.standings import standings

NAME = "facilities"
CANARY = "カナリア医院"
PATIENCE_SECONDS = 30.0
Order = Callable[..., Done]


@pytest.fixture
def order(tsuzuri: Tsuzuri, dsn: str) -> Order:
    """`tsuzuri projections`, on a log in which two facilities are listed that the projections do not know yet."""
    with opened_log(dsn, connections=1) as log:
        save(log, listed(an_owner(1)), listed(an_owner(2), facility="1399999999"))
    return lambda *words: tsuzuri("projections", *words, TSUZURI_DATABASE=dsn, **KEY_SETTINGS)


def rows(done: Done) -> dict[str, list[str]]:
    """What the table of `list` says of each projection."""
    cells = [re.split(r"\s{2,}", line.strip()) for line in done.out.splitlines()]
    return {row[0].removesuffix(" (paused)"): row for row in cells if len(row) == 9}


def lag_events(connection: Connection[Any]) -> dict[str, int]:
    return {standing.name: standing.lag_events for standing in standings(connection)}


# --- catch-up


def test_catching_up_brings_all_to_the_head_or_the_one_that_is_named(
    order: Order, connection: Connection[Any]
) -> None:
    one = order("catch-up", NAME)
    lags = lag_events(connection)
    every = order("catch-up")

    assert (one.code, one.out) == (0, f"{NAME}: at the log's head, 2 events\n")
    assert lags == {name: 0 if name == NAME else 2 for name in PROJECTIONS}
    assert (every.code, every.out.splitlines()) == (
        0,
        [f"{name}: at the log's head, 2 events" for name in PROJECTIONS],
    )


def test_a_patient_who_is_set_aside_is_told_tried_again_and_left_out(
    order: Order, connection: Connection[Any]
) -> None:
    owner = str(an_owner(2))
    connection.execute("UPDATE event SET state = 'broken' WHERE patient_id = %s", (owner,))

    caught_up = order("catch-up", NAME)
    waiting = order("quarantine", "list", NAME)
    retried = order("quarantine", "retry", NAME, "--why", "mended")
    skipped = order("quarantine", "skip", NAME, owner, "--why", "never to be read")
    nobody = order("quarantine", "list")

    assert caught_up.code == 1
    assert "1 patients were set aside: tsuzuri projections quarantine list" in caught_up.out
    assert waiting.code == 1
    assert re.search(rf"^{NAME} generation 1: patient {owner} stopped at event .* tried 1 times", waiting.out)
    assert (retried.code, retried.out) == (1, "0 current again, 1 stopped once more\n")
    assert (skipped.code, skipped.out) == (0, "1 current again, 0 stopped once more\n")
    assert (nobody.code, nobody.out) == (0, "nobody is quarantined\n")


def test_following_goes_on_as_events_come_until_it_is_asked_to_end(
    dsn: str, order: Order, connection: Connection[Any]
) -> None:
    with process(dsn, "catch-up", "--follow", stdout=subprocess.DEVNULL) as follower:
        becomes(lambda: set(lag_events(connection).values()) == {0})
        with opened_log(dsn, connections=1) as log:
            save(log, listed(an_owner(3), facility="1388888888"))
        becomes(lambda: set(lag_events(connection).values()) == {0})
        row = connection.execute("SELECT sum(pos) FROM part_head").fetchone()
        assert row == (3,)

        follower.send_signal(signal.SIGTERM)

        assert follower.wait(PATIENCE_SECONDS) == 0
    left = connection.execute("SELECT process FROM projector_lease WHERE process IS NOT NULL").fetchall()
    assert left == [], "it has given its parts up"


def test_while_it_is_paused_no_command_applies_anything(order: Order, connection: Connection[Any]) -> None:
    order("pause", NAME)

    refused = [
        order(*words)
        for words in (
            ("catch-up", NAME),
            ("rebuild", NAME),
            ("rebuild", NAME, "--patient", str(an_owner(1))),
            ("quarantine", "retry", NAME),
        )
    ]

    told = f"projection {NAME} is paused; run: tsuzuri projections resume {NAME}"
    assert all(done.code == 1 and told in done.err for done in refused), refused
    assert lag_events(connection)[NAME] == 3, "both facilities, and the order to pause"
    assert generations(connection, NAME) == [Generation(NAME, 1, PROJECTIONS[NAME].version, "LIVE", CODES)]


def test_a_name_or_a_patient_that_is_not_there_is_not_taken_for_good_news(order: Order) -> None:
    nothing = order("quarantine", "list", "horoscope")
    nobody = order("rebuild", NAME, "--patient", str(an_owner(9)))

    assert (nothing.code, nothing.out) == (2, "")
    assert "no projection 'horoscope'" in nothing.err
    assert (nobody.code, nobody.out) == (1, "")
    assert "no event of this patient has come to it" in nobody.err


# --- list


def test_the_list_says_where_each_stands_what_is_paused_and_what_is_beside(
    order: Order, connection: Connection[Any]
) -> None:
    behind = rows(order("list"))
    order("catch-up")
    order("pause", NAME)
    begin_rebuild(connection, an_engine(), PROJECTIONS["identities"])
    done = order("list")

    assert {name: behind[name][2:4] for name in PROJECTIONS} == {name: ["0", "2"] for name in PROJECTIONS}
    current = rows(done)
    assert current[NAME][0] == f"{NAME} (paused)"
    assert current["audit_trail"][:4] == ["audit_trail", "1", "2", "1"], "the order to pause has come since"
    assert current["identities"][-1] == "2"
    assert (done.code, "identities generation 2 FILLING" in done.out) == (0, True)
    assert "…" not in done.out, "a pipe gets every column whole"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a pseudo-terminal")
def test_watched_in_a_terminal_the_list_shows_what_changes(dsn: str, order: Order) -> None:
    ours, theirs = pty.openpty()
    shown = b""

    def shows(words: bytes) -> bool:
        nonlocal shown
        while select.select([ours], [], [], 0)[0]:
            shown += os.read(ours, 65_536)
        return words in shown

    with process(dsn, "list", "--watch", stdout=theirs, TERM="xterm", COLUMNS="200") as watching:
        becomes(lambda: shows(b"audit_trail"))
        assert b"paused" not in shown
        order("pause", NAME)
        becomes(lambda: shows(f"{NAME} (paused)".encode()))

        watching.send_signal(signal.SIGINT)

        assert watching.wait(PATIENCE_SECONDS) == 130  # as a shell tells of who was interrupted
    os.close(ours)
    os.close(theirs)


# --- rebuilds


def test_a_rebuild_that_is_equal_is_promoted_at_once(order: Order) -> None:
    order("catch-up")

    rebuilt = order("rebuild", NAME)

    assert rebuilt.code == 0
    assert rebuilt.out == (
        f"{NAME}: generation 2 has 2 rows, equal to generation 1; reads follow generation 2 now\n"
    )
    assert order("drop", NAME).out == f"{NAME}: dropped 1\n"


def test_one_that_differs_is_not_promoted_and_told_without_a_value(
    order: Order, connection: Connection[Any]
) -> None:
    order("catch-up")
    connection.execute(
        f"UPDATE {NAME}_g1.facility SET name = '{CANARY}' WHERE facility = '1399999999'".encode()
    )

    rebuilt, checked = order("rebuild", NAME), order("check", NAME)

    assert (rebuilt.code, checked.code) == (1, 1)
    assert "differs from generation 1 for 1 patients; reads still follow generation 1\n" in rebuilt.out
    assert checked.out.startswith(f"{NAME}: 1 of 2 patients differ\n")
    for done in (rebuilt, checked):
        assert re.search(rf"  patient {an_owner(2)}  facility: name\n", done.out)
        assert CANARY not in done.out + done.err
    assert order("cancel", NAME).out == f"{NAME}: generation 2 is dropped\n"


def test_what_is_still_being_filled_is_not_promoted_and_what_is_not_there_neither(
    order: Order, connection: Connection[Any]
) -> None:
    nothing = order("promote", NAME)
    begin_rebuild(connection, an_engine(), PROJECTIONS[NAME])
    filling, absent = order("promote", NAME), order("promote", NAME, "--generation", "7")

    assert [done.code for done in (nothing, filling, absent)] == [1, 1, 1]
    assert "has no generation that waits to be promoted" in nothing.err
    assert "generation 2 is still being filled" in filling.err
    assert f"projection {NAME} has no generation 7" in absent.err


def test_one_patient_is_rebuilt_in_place(order: Order, connection: Connection[Any]) -> None:
    order("catch-up")
    connection.execute(f"UPDATE {NAME}_g1.facility SET name = '{CANARY}'".encode())

    done = order("rebuild", NAME, "--patient", str(an_owner(1)))

    assert (done.code, done.out) == (0, f"{NAME}: the patient's rows are made anew\n")
    found = connection.execute(f"SELECT name FROM {NAME}_g1.facility ORDER BY owner_id".encode()).fetchall()
    assert found == [("試験診療所",), (CANARY,)]


# --- orders


def test_each_order_stands_in_the_log_with_who_why_and_ticket(order: Order, run: Run) -> None:
    order("catch-up")
    words = ["rebuild", "rollback", "promote", "pause", "resume", "drop"]
    given = {word: [word, NAME, *(["--generation", "2"] if word == "promote" else [])] for word in words}

    for n, word in enumerate(words):
        done = order(*given[word], "--why", f"drill {n}", "--ticket", f"OPS-{n}")
        assert done.code == 0, done.err

    async def acts(services: Services) -> list[OperatorActed]:
        found = await services.log.stream(projection_owner(NAME), Stream.RECORD)
        return [event for event in found if isinstance(event, OperatorActed)]

    found = run(acts)
    assert [event.act for event in found] == [
        OperatorAct.REBUILD,
        OperatorAct.ROLL_BACK,
        OperatorAct.PROMOTE,
        OperatorAct.PAUSE,
        OperatorAct.RESUME,
        OperatorAct.DROP,
    ]
    assert [(event.reason, event.ticket) for event in found] == [
        (f"drill {n}", f"OPS-{n}") for n in range(len(words))
    ]
    assert all(event.recorded_by.startswith("operator:") for event in found)


def test_a_projection_that_there_is_not_is_wrong_usage(order: Order) -> None:
    for word in ("check", "promote", "rollback", "pause", "resume", "cancel", "drop"):
        done = order(word, "horoscope")

        assert (done.code, done.out) == (2, ""), word
        assert done.err.startswith("tsuzuri: no projection 'horoscope'; there are: ")


# --- processes


# A run in the background has its children ignore interrupts; the command is to be interrupted all the same.
_COMMAND = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from tsuzuri.app.cli import main
main()
"""


@contextmanager
def process(dsn: str, *words: str, stdout: int, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """`tsuzuri projections` as a process of its own, killed at the end unless it has ended before."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TSUZURI_")}
    with subprocess.Popen(
        [sys.executable, "-c", _COMMAND, "projections", *words],
        env=own | {"TSUZURI_DATABASE": dsn} | KEY_SETTINGS | settings,
        stdout=stdout,
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def becomes(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
