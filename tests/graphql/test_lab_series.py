"""One result over time: across facilities and their codes, under the release that the index is filled under."""

from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection

from code_examples import (
    CORE,
    FILTRATION_RATE,
    HBA1C_HPLC,
    HBA1C_LATEX,
    JLAC10_OID,
    LOCAL,
    results_bundle,
    with_filtration_rate,
)
from examples import CLINIC, CLINIC_SYSTEM, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, NUMBER, OPERATOR
from projection_examples import an_engine
from tsuzuri.app.actions.take_release import take_release
from tsuzuri.domain.rules.systems import JLAC10
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.generations import previous_generation, promote
from tsuzuri.projections.rebuilding import rebuild
from world import CONSENT, KEY, Tell, World, tell_in

INDEX = PROJECTIONS["record_index"]
SERIES = f"""query Series($codes: [String!]!) {{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{
  labSeries(codes: $codes) {{ codes group {{ id name }} points {{ name registeredBy {{ number }} }} }} }} }} }}"""
SUMMARY = f"""{{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{
  summary {{ labResults {{ name }} }} }} }} }}"""
LABS = CONSENT.replace("CONDITION", "LAB_RESULT")


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def send(
    world: World, codes: dict[str, list[tuple[str, str]]], day: int, *, hospital: bool = False
) -> None:
    facility, system = (HOSPITAL, HOSPITAL_SYSTEM) if hospital else (CLINIC, CLINIC_SYSTEM)
    bundle = results_bundle(
        facility, codes, number=NUMBER, local_id=f"labs-{day}", measured=f"2026-11-{day:02}T09:00:00+09:00"
    )
    await world.application.register_bundle(system, bundle)


async def two_facilities(world: World) -> None:
    """HbA1c by two methods at two facilities, a potassium, and two tests that have local codes only."""
    await send(world, {"HbA1c": [(CORE, HBA1C_LATEX), (LOCAL, "0411")]}, 1)
    await send(world, {"ヘモグロビンA1c": [(JLAC10_OID, HBA1C_HPLC), (LOCAL, "A77")]}, 2, hospital=True)
    await send(
        world, {"カリウム": [(CORE, "3H015000002326101")], "HBA1C": [(LOCAL, "HBA1C")]}, 3, hospital=True
    )
    await send(world, {"血沈": [(LOCAL, "A77")]}, 4)
    await world.data(HOSPITAL_SYSTEM, LABS)
    world.project()


async def series(world: World, *codes: str) -> tuple[str | None, list[str]]:
    """Id of the group, and the names of the points."""
    found = (await world.data(DOCTOR, SERIES, codes=list(codes)))["patientRecord"]["labSeries"]
    assert found["codes"] == list(codes)
    return found["group"] and found["group"]["id"], [point["name"] for point in found["points"]]


async def summary(world: World) -> list[str]:
    found = (await world.data(DOCTOR, SUMMARY))["patientRecord"]["summary"]["labResults"]
    return [entry["name"] for entry in found]


def test_a_trend_spans_the_codes_and_facilities_of_its_group(tell: Tell) -> None:
    async def story(world: World) -> None:
        await two_facilities(world)
        trend = ("HBA1C", ["HbA1c", "ヘモグロビンA1c"])

        for asked in ("HBA1C", HBA1C_LATEX, HBA1C_HPLC, f"{CORE}|{HBA1C_LATEX}", f"{JLAC10}|{HBA1C_HPLC}"):
            assert await series(world, asked) == trend, asked
        answer = (await world.data(DOCTOR, SERIES, codes=["HBA1C"]))["patientRecord"]["labSeries"]
        assert answer["group"]["name"] == "HbA1c(NGSP)"
        assert [point["registeredBy"]["number"] for point in answer["points"]] == [CLINIC, HOSPITAL]

    tell(story)


def test_a_facilitys_own_code_is_asked_as_it_is_and_is_in_no_group(tell: Tell) -> None:
    async def story(world: World) -> None:
        await two_facilities(world)

        assert await series(world, f"{LOCAL}|0411") == (None, ["HbA1c"])
        assert await series(world, f"{LOCAL}|A77") == (None, ["ヘモグロビンA1c", "血沈"])
        assert await series(world, f"{LOCAL}|HBA1C") == (None, ["HBA1C"])
        assert await series(world, "name/血沈") == (None, [])

    tell(story)


def test_several_groups_are_one_list_and_no_group(tell: Tell) -> None:
    async def story(world: World) -> None:
        await two_facilities(world)

        assert await series(world, "HBA1C", "K") == (None, ["HbA1c", "ヘモグロビンA1c", "カリウム"])
        assert await series(world, "HBA1C", f"{LOCAL}|A77") == (None, ["HbA1c", "ヘモグロビンA1c", "血沈"])
        assert await series(world) == (None, [])

    tell(story)


def test_results_that_may_not_be_seen_are_in_no_trend(tell: Tell) -> None:
    async def story(world: World) -> None:
        await send(world, {"HbA1c": [(CORE, HBA1C_LATEX)]}, 1)
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()

        assert await series(world, "HBA1C") == ("HBA1C", [])

    tell(story)


def test_a_new_release_groups_what_is_read_from_the_generation_under_it(tell: Tell) -> None:
    release, egfr = with_filtration_rate(), {"eGFR": [(JLAC10, FILTRATION_RATE)]}

    async def story(world: World) -> None:
        engine = an_engine()
        await send(world, egfr, 1)
        await send(world, {"推算GFR": [(JLAC10_OID, FILTRATION_RATE)]}, 2, hospital=True)
        await world.data(HOSPITAL_SYSTEM, LABS)
        world.project()
        await take_release(world.application.services, OPERATOR, release)

        live = await series(world, "EGFR")
        promote(world.connection, engine, INDEX, rebuild(world.connection, engine, INDEX).generation)
        promoted = await series(world, "EGFR")
        promote(world.connection, engine, INDEX, previous_generation(world.connection, INDEX.name))
        rolled_back = await series(world, "EGFR")

        assert live == rolled_back == (None, [])
        assert promoted == ("EGFR", ["eGFR", "推算GFR"])

    tell(story)


def test_the_last_three_of_each_go_by_the_release_of_the_index_that_is_read(tell: Tell) -> None:
    async def story(world: World) -> None:
        engine = an_engine()
        for day in range(1, 6):
            name, hospital = ("eGFR", False) if day % 2 else ("推算GFR", True)
            await send(world, {name: [(JLAC10, FILTRATION_RATE)]}, day, hospital=hospital)
        await world.data(HOSPITAL_SYSTEM, LABS)
        world.project()
        await take_release(world.application.services, OPERATOR, with_filtration_rate())
        apart = await summary(world)

        promote(world.connection, engine, INDEX, rebuild(world.connection, engine, INDEX).generation)
        world.project()

        assert apart == ["eGFR", "推算GFR", "eGFR", "推算GFR", "eGFR"]
        assert await summary(world) == ["eGFR", "推算GFR", "eGFR"]

    tell(story)
