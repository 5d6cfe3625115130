"""`tsuzuri retention`, and `tsuzuri serve` doing the same by itself: what is told, and that nobody is named in it."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from command_examples import Done, Tsuzuri
from examples import NUMBER
from log_examples import KEY_SETTINGS, Run, opened_payloads, settings_at
from projection_examples import catch_up
from retention_examples import diagnoses, report, result
from tsuzuri.app.actions.load_streams import load_record
from tsuzuri.app.commands.serve import processes
from tsuzuri.app.retention_beside import SERVICE, erase_regularly
from tsuzuri.app.services import Services
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import Stream

SECONDS_MAX = 60.0
Order = Callable[..., Done]


@pytest.fixture
def retention(tsuzuri: Tsuzuri, dsn: str) -> Order:
    return lambda *words: tsuzuri("retention", *words, TSUZURI_DATABASE=dsn, **KEY_SETTINGS)


@pytest.fixture
def oldest(run: Run, connection: Connection[Any]) -> RegisteredBundle:
    """The first of four reports of the same test, all long past their year; beside it a diagnosis of today."""

    async def story(services: Services) -> RegisteredBundle:
        first, *_ = [
            await report(services, result(f"2020-0{month}-10", 6.0), local_id=f"lab-{month}")
            for month in (1, 2, 3, 4)
        ]
        await diagnoses(services)
        return first

    told: RegisteredBundle = run(story)
    catch_up(connection)
    return told


def test_a_plan_lists_and_a_run_erases_what_is_past_its_time(
    retention: Order, oldest: RegisteredBundle, connection: Connection[Any]
) -> None:
    line = f"{oldest.patient}  {oldest.document}  OBSERVATIONS  LAB_RESULT  past 2021-01-09 15:00:00+0000"
    before = opened_payloads(connection)

    plan, ran = retention("plan"), retention("run")
    catch_up(connection)
    again = retention("run")

    assert plan.out.splitlines() == [line, "1 Bundles of 1 patients would be erased: LAB_RESULT 1"]
    assert ran.out.splitlines() == [line, "1 Bundles of 1 patients erased: LAB_RESULT 1"]
    assert again.out == "0 Bundles of 0 patients erased: none\n"
    assert (plan.code, ran.code, again.code) == (0, 0, 0)
    assert len(before) - len(opened_payloads(connection)) == 3


def test_a_plan_for_a_later_moment_and_as_json(
    retention: Order, oldest: RegisteredBundle, connection: Connection[Any]
) -> None:
    done = retention("plan", "--at", "2400-04-01", "--limit", "9", "--json")

    *found, account = map(json.loads, done.out.splitlines())
    assert {one["kind"] for one in found} == {"CONDITIONS", "OBSERVATIONS"}
    lab = next(one for one in found if one["kind"] == "OBSERVATIONS")
    assert (lab["patient"], lab["document"]) == (str(oldest.patient), str(oldest.document))
    assert (lab["classes"], len(lab["payloads"]), lab["since"]) == (["LAB_RESULT"], 3, "2021-01-09T15:00:00Z")
    assert account == {
        "bundles": 2,
        "classes": {"CONDITION": 1, "LAB_RESULT": 1},
        "patients": 1,
        "held": 0,
        "behind": 0,
        "unreadable": 0,
        "more": False,
    }
    assert len(opened_payloads(connection)) == 15


def test_what_was_passed_over_and_what_is_left_is_told(
    retention: Order, oldest: RegisteredBundle, run: Run
) -> None:
    limited = retention("plan", "--at", "2400-04-01T00:00:00+09:00", "--limit", "1").out.splitlines()
    run(diagnoses)
    run(lambda services: diagnoses(services, local_id="more"))
    behind = retention("run").out.splitlines()

    assert limited[1:] == [
        "1 Bundles of 1 patients would be erased: LAB_RESULT 1",
        "there is more: --limit was reached",
    ]
    assert behind == [
        "0 Bundles of 0 patients erased: none",
        "1 patients were passed over: the index was behind their records",
    ]


def test_a_moment_that_is_none_is_wrong_usage(retention: Order) -> None:
    done = retention("plan", "--at", "next year")

    assert done.code == 2
    assert "2027-04-01" in done.err


def test_nothing_that_is_told_names_anybody_or_says_what_she_had(
    retention: Order, oldest: RegisteredBundle
) -> None:
    told = "".join(
        done.out + done.err
        for done in (
            retention("plan", "--at", "2400-01-01"),
            retention("plan", "--at", "2400-01-01", "--json"),
            retention("run"),
        )
    )

    assert str(oldest.document) in told
    for secret in (*NUMBER.split(":")[:2], "試験", "花子", "上腹部痛", "HbA1c", "3D0460000001906202"):
        assert secret not in told


def test_beside_the_service_it_is_erased_without_being_asked_and_ends_with_it(
    oldest: RegisteredBundle, run: Run, dsn: str, connection: Connection[Any], tmp_path: Path
) -> None:
    settings = settings_at(tmp_path / "home", TSUZURI_RETENTION_HOURS="24")
    began = time.monotonic()

    with processes(settings, dsn, [erase_regularly]):
        while len(opened_payloads(connection)) == 15:
            assert time.monotonic() < began + SECONDS_MAX, "nothing was erased"
            time.sleep(0.1)

    async def told(services: Services) -> None:
        *_, event = await services.log.stream(oldest.patient, Stream.RECORD)
        assert (event.document, event.erased_by) == (oldest.document, SERVICE.person)
        record = await load_record(services, oldest.patient)
        assert sum(bool(known.bodies) for known in record.documents.values()) == 4

    run(told)
