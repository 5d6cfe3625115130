"""`tsuzuri notices`, and `tsuzuri serve` doing the same by itself."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection

from command_examples import Done, Tsuzuri
from log_examples import KEY_SETTINGS, settings_at
from notice_examples import an_emergency, lines
from tsuzuri.app.commands.serve import processes
from tsuzuri.app.metrics import metrics
from tsuzuri.app.notices.beside import FILE, send_on_and_on
from tsuzuri.app.notices.place import sending
from world import Tell, tell_in

SECONDS_MAX = 60.0
Order = Callable[..., Done]


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


@pytest.fixture
def notices(tsuzuri: Tsuzuri, dsn: str) -> Order:
    return lambda *words, **more: tsuzuri("notices", *words, TSUZURI_DATABASE=dsn, **KEY_SETTINGS, **more)


async def declare(world: Any) -> None:
    await an_emergency(world)


def test_what_waits_is_sent_once_and_the_status_says_how_it_stands(
    tell: Tell, notices: Order, tmp_path: Any
) -> None:
    tell(declare)

    before, sent, again, after = notices("status"), notices("send"), notices("send"), notices("status")

    assert before.out.startswith("sent by: nobody now\nnot gone through yet: an event of ")
    assert (sent.code, sent.out) == (0, "3 notices delivered\n")
    assert (again.code, again.out) == (0, "0 notices delivered\n")
    assert after.out == "sent by: nobody now\nnot gone through yet: nothing\n"
    assert len(lines(tmp_path / "home" / FILE)) == 3


def test_a_webhook_that_is_down_is_an_exit_code_and_a_line_without_the_patient(
    tell: Tell, notices: Order
) -> None:
    tell(declare)

    done = notices("send", TSUZURI_NOTICE_URL="http://127.0.0.1:1/")

    assert (done.code, done.out) == (1, "0 notices delivered\n")
    assert '"outlet":"TSUZURI_NOTICE_URL: no answer (URLError)"' in done.err
    assert "run this again" in done.err


def test_a_process_beside_serve_sends_by_itself(
    tell: Tell, dsn: str, connection: Connection[Any], tmp_path: Any
) -> None:
    settings = settings_at(tmp_path / "home")
    with processes(settings, dsn, [send_on_and_on]):
        tell(declare)
        file, until = settings.home / FILE, time.monotonic() + SECONDS_MAX
        while not file.exists() or len(lines(file)) < 3:
            assert time.monotonic() < until, "nothing was sent"
            time.sleep(0.05)
        told = metrics([], sending(connection)).decode()

    assert "tsuzuri_notices_sender 1.0" in told
    assert "tsuzuri_notices_lag_seconds" in told
    assert sending(connection).sender is None, "it gave up what it held when it ended"
