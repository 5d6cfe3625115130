"""`tsuzuri audit explain`: what the operator at the machine reads, and that she is in the trail for it."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from command_examples import Tsuzuri
from examples import AUDITOR, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, NUMBER, herself
from log_examples import KEY_SETTINGS
from world import CONSENT, WITHDRAW, Tell, World, record_id, tell_in

TRAIL = '{ accessTrail(filter: { outcome: "TRAIL_READ" }) { nodes { person role patient operationName } } }'


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


class Told:
    """What a story leaves for the commands behind it."""

    access: str
    patient: UUID
    between: datetime


@pytest.fixture
def told(tell: Tell) -> Told:
    """A read under a consent that was withdrawn since."""
    left = Told()

    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        record = await world.record(DOCTOR)
        left.access, left.patient = record["accessId"], record_id(record)
        left.between = world.application.services.now()
        await world.data(herself(left.patient), WITHDRAW)
        world.project()

    tell(story)
    return left


def test_an_access_is_explained_in_either_language_and_as_json(
    told: Told, tsuzuri: Tsuzuri, dsn: str
) -> None:
    english = tsuzuri("audit", "explain", told.access, TSUZURI_DATABASE=dsn, **KEY_SETTINGS)
    japanese = tsuzuri("audit", "explain", told.access, "--language", "ja")
    machine = json.loads(tsuzuri("audit", "explain", told.access, "--json").out)

    lines = english.out.splitlines()
    assert english.code == 0 and lines[0] == "+ The role clinician may read records."
    assert any(line.startswith("+ The patient consented: facility 1319876543, treatment") for line in lines)
    assert lines[-1] == "= as it was recorded"
    assert "患者の同意がありました" in japanese.out and "一致します" in japanese.out
    assert (machine["decision"], machine["agrees"], machine["consentVersion"]) == ("PERMITTED", True, 1)
    (counted,) = [one for one in machine["steps"] if one["rule"] == "CONSENT_COUNTS"]
    assert counted["because"] == machine["grounds"][0]["because"]
    assert set(counted["words"]) == {"en", "ja"}
    assert NUMBER not in english.out + japanese.out


def test_a_moment_is_explained_before_and_after_the_withdrawal(
    told: Told, tsuzuri: Tsuzuri, dsn: str
) -> None:
    def explained(at: datetime) -> tuple[str, str]:
        asked = ["--patient", str(told.patient), "--facility", HOSPITAL, "--at", at.isoformat()]
        done = tsuzuri("audit", "explain", *asked, TSUZURI_DATABASE=dsn, **KEY_SETTINGS)
        assert done.code == 0, done.err
        return done.out, done.out.splitlines()[-2]

    then, last = explained(told.between)
    assert "The patient consented" in then and "it could be read: condition." in last
    now, last = explained(datetime.now(told.between.tzinfo))
    assert "This consent had been withdrawn" in now and "it could not be read" in last


def test_each_look_is_in_the_trail_with_who_ran_the_command(
    told: Told, tell: Tell, tsuzuri: Tsuzuri, dsn: str
) -> None:
    assert tsuzuri("audit", "explain", told.access, TSUZURI_DATABASE=dsn, **KEY_SETTINGS).code == 0

    async def story(world: World) -> None:
        world.project()
        (look,) = (await world.data(AUDITOR, TRAIL))["accessTrail"]["nodes"]
        assert (look["role"], look["patient"]) == ("OPERATOR", str(told.patient))
        assert look["person"].startswith("operator:") and look["operationName"] == "tsuzuri audit explain"

    tell(story)


def test_what_cannot_be_explained_is_told_in_a_line(told: Told, tsuzuri: Tsuzuri, dsn: str) -> None:
    unknown = tsuzuri("audit", "explain", str(UUID(int=9)), TSUZURI_DATABASE=dsn, **KEY_SETTINGS)
    neither = tsuzuri("audit", "explain")
    half: list[str | Path] = ["audit", "explain", "--patient", str(told.patient), "--facility", HOSPITAL]
    zoneless = tsuzuri(*half, "--at", "2026-11-23T12:00:00")
    ahead = tsuzuri(*half, "--at", (told.between + timedelta(days=1)).isoformat())

    assert (unknown.code, unknown.out) == (1, "") and "no such access" in unknown.err
    assert (neither.code, tsuzuri(*half).code, zoneless.code, ahead.code) == (2, 2, 2, 2)
    assert ahead.err == "tsuzuri: this moment has not been yet: ask of one that has\n"
