"""One diagnosis or allergy of several facilities is seen once, with who confirmed it last and if that is long ago."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from psycopg import Connection

from document_examples import body, permit, sent
from examples import CLINIC, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, a_bundle, herself
from fhir_examples import FACILITY, a_collection, a_resource, coded, quantity
from world import KEY, Tell, World, record_id, tell_in

FIELDS = (
    "recordClass name codes { code } entries { name facility { number } } lastConfirmedBy { number } stale"
)
GROUPS = f"""{{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{ summary {{
    conditionGroups {{ {FIELDS} lastConfirmedAt }} allergyGroups {{ {FIELDS} }} }} }} }} }}"""
HERS = "{ me { summary { conditionGroups { name entries { name } } } } }"
RESULTS = f"""{{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{
    labSeries(codes: ["K-1"]) {{ points {{ value {{ number unit }} interpretation abnormal }} }} }} }} }}"""
FOOD = "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyFoodAllergen_CS"


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def summary(world: World) -> Any:
    return (await world.data(DOCTOR, GROUPS))["patientRecord"]["summary"]


def test_one_diagnosis_of_two_facilities_is_one_group_confirmed_by_the_later(tell: Tell) -> None:
    async def story(world: World) -> None:
        now = world.application.services.now().replace(microsecond=0)
        long_ago, lately = now - timedelta(days=800), now - timedelta(hours=1)
        await world.register(
            conditions={"20065011": "上腹部痛", "20058911": "狭心症"}, timestamp=long_ago.isoformat()
        )
        await world.application.register_bundle(
            HOSPITAL_SYSTEM,
            a_bundle(
                facility=HOSPITAL, conditions={"20065011": "上腹部の痛み"}, timestamp=lately.isoformat()
            ),
        )
        await permit(world)
        world.project()

        told = await summary(world)

        pain, angina = told["conditionGroups"]
        assert (pain["name"], pain["lastConfirmedBy"]["number"], pain["stale"]) == (
            "上腹部の痛み",
            HOSPITAL,
            False,
        )
        assert [(e["name"], e["facility"]["number"]) for e in pain["entries"]] == [
            ("上腹部の痛み", HOSPITAL),
            ("上腹部痛", CLINIC),
        ]
        assert pain["codes"] == [{"code": "20065011"}]
        assert (angina["name"], angina["lastConfirmedBy"]["number"], angina["stale"]) == (
            "狭心症",
            CLINIC,
            True,
        )
        assert angina["lastConfirmedAt"] == long_ago.isoformat()  # though it was brought in today

    tell(story)


def test_a_group_turns_stale_when_nobody_confirms_it(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        world.project()
        services = world.application.services
        later = services.now() + timedelta(days=366)
        object.__setattr__(services, "now", lambda: later)
        await permit(world)

        assert [group["stale"] for group in (await summary(world))["conditionGroups"]] == [True]

    tell(story)


def test_drug_and_other_allergies_stand_together_and_tell_their_class(tell: Tell) -> None:
    async def story(world: World) -> None:
        drug = a_resource("AllergyIntolerance", code={"text": "造影剤"}, category=["medication"])
        food = a_resource("AllergyIntolerance", code=coded(FOOD, "J9FC11190000", "さば"), category=["food"])
        await sent(world, body(a_collection(drug, food)))
        await permit(world)

        groups = (await summary(world))["allergyGroups"]

        assert {(group["recordClass"], group["name"]) for group in groups} == {
            ("DRUG_ALLERGY", "造影剤"),
            ("OTHER_ALLERGY", "さば"),
        }
        assert {group["lastConfirmedBy"]["number"] for group in groups} == {FACILITY}

    tell(story)


def test_an_untold_diagnosis_is_in_no_group_of_the_patients(tell: Tell) -> None:
    async def story(world: World) -> None:
        names = {"20065011": "上腹部痛", "20071111": "膵癌"}
        await world.register(conditions=names, flags={"20071111": "UNINFORMED"})
        await permit(world)
        world.project()
        patient = herself(record_id(await world.record()))

        hers = (await world.data(patient, HERS))["me"]["summary"]["conditionGroups"]

        assert hers == [{"name": "上腹部痛", "entries": [{"name": "上腹部痛"}]}]
        assert len((await summary(world))["conditionGroups"]) == 2

    tell(story)


def test_a_series_tells_of_each_result_whether_it_is_abnormal(tell: Tell) -> None:
    async def story(world: World) -> None:
        span = [{"low": quantity(3.6, "mmol/L"), "high": quantity(4.8, "mmol/L")}]
        results = [
            a_resource(
                "Observation",
                code=coded("urn:local", "K-1", "カリウム"),
                effectiveDateTime=f"2026-01-0{day}",
                valueQuantity=quantity(number, "mmol/L"),
                referenceRange=told,
            )
            for day, number, told in ((1, 4.1, span), (2, 5.9, span), (3, 5.9, []))
        ]
        await sent(world, body(a_collection(*results)))
        await permit(world)

        points = (await world.data(DOCTOR, RESULTS))["patientRecord"]["labSeries"]["points"]

        assert [(p["value"], p["abnormal"]) for p in points] == [
            ({"number": "4.1", "unit": "mmol/L"}, False),
            ({"number": "5.9", "unit": "mmol/L"}, True),
            ({"number": "5.9", "unit": "mmol/L"}, None),
        ]

    tell(story)
