"""The list of facilities through GraphQL: everybody asks, operators keep it, pharmacies stand in it too."""

from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection

from examples import CLINIC, CLINIC_SYSTEM, DOCTOR, HOSPITAL, OPERATOR, a_bundle, a_caller
from tsuzuri.domain.vocabulary import Role
from world import ENTRIES, KEY, Tell, World, names, tell_in

PHARMACY = "1341234567"
PHARMACY_SYSTEM = a_caller(person="pharmacy-system", role=Role.SYSTEM, facility=PHARMACY)
PHARMACIST = a_caller(person="pharmacist-ito", role=Role.PHARMACIST, facility=PHARMACY)
LIST = """mutation List($facility: FacilityInput!) { listFacility(facility: $facility) }"""
FIND = """query Find($filter: FacilityFilter, $first: Int!, $after: String) {
    facilities(filter: $filter, first: $first, after: $after) {
        nodes { number kind municipality departments departmentCodes emergency closedAt }
        pageInfo { hasNextPage endCursor } } }"""
TOWN = {"municipality": "112011", "municipalityName": "川越市"}
ENTERED: list[dict[str, Any]] = [
    {"number": HOSPITAL, "name": "試験病院", "kind": "HOSPITAL", "emergency": True, **TOWN},
    {
        "number": CLINIC,
        "name": "Test 診療所",
        "kind": "CLINIC",
        "departments": ["内科", "漢方科"],
        "departmentCodes": ["01", ""],
        **TOWN,
    },
    {"number": PHARMACY, "name": "試験薬局", "kind": "PHARMACY"},
]


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def enter_all(world: World) -> None:
    for facility in ENTERED:
        assert await world.data(OPERATOR, LIST, facility=facility) == {"listFacility": True}
    world.project()


async def found(world: World, filter: dict[str, Any]) -> list[str]:
    page = (await world.data(DOCTOR, FIND, filter=filter, first=10))["facilities"]
    return [node["number"] for node in page["nodes"]]


def test_facilities_are_found_by_kind_place_name_and_right(tell: Tell) -> None:
    async def story(world: World) -> None:
        await enter_all(world)

        assert await found(world, {}) == sorted([HOSPITAL, CLINIC, PHARMACY], reverse=True)
        assert await found(world, {"kind": "PHARMACY"}) == [PHARMACY]
        assert await found(world, {"municipality": "11201"}) == [HOSPITAL, CLINIC]
        assert await found(world, {"municipality": "112011", "emergency": False}) == [CLINIC]
        assert await found(world, {"emergency": True}) == [HOSPITAL]
        assert await found(world, {"text": "test"}) == [CLINIC]
        assert await found(world, {"text": "試験"}) == [PHARMACY, HOSPITAL]
        assert await found(world, {"text": CLINIC[:6]}) == [CLINIC]
        assert (
            await found(world, {"text": "ｔｅｓｔ　診"})
            == await found(world, {"text": "TEST 診"})
            == [CLINIC]
        )
        for text in ("%", "_", "\\", "試%院"):
            assert await found(world, {"text": text}) == []
        wrong = await world.ask(DOCTOR, FIND, filter={"municipality": "1120"}, first=1)
        assert wrong["errors"][0]["extensions"]["code"] == "BAD_INPUT"

    tell(story)


def test_a_part_of_a_name_is_found_by_trigrams_where_the_database_has_them(tell: Tell) -> None:
    async def story(world: World) -> None:
        await enter_all(world)
        there = "SELECT FROM pg_available_extensions WHERE name = 'pg_trgm'"
        made = "SELECT FROM pg_indexes WHERE indexname = 'facility_sought'"

        assert len(world.connection.execute(made).fetchall()) == len(
            world.connection.execute(there).fetchall()
        )

    tell(story)


def test_a_filtered_list_goes_on_where_its_page_ended(tell: Tell) -> None:
    async def story(world: World) -> None:
        await enter_all(world)
        asked: dict[str, Any] = {"filter": {"municipality": "11201"}, "first": 1}

        first = (await world.data(DOCTOR, FIND, **asked))["facilities"]
        after = first["pageInfo"]["endCursor"]
        second = (await world.data(DOCTOR, FIND, after=after, **asked))["facilities"]

        assert [page["nodes"][0]["number"] for page in (first, second)] == [HOSPITAL, CLINIC]
        assert [page["pageInfo"]["hasNextPage"] for page in (first, second)] == [True, False]
        assert second["nodes"][0] == {
            "number": CLINIC,
            "kind": "CLINIC",
            "municipality": "11201",
            "departments": ["内科", "漢方科"],
            "departmentCodes": ["01", ""],
            "emergency": False,
            "closedAt": None,
        }

    tell(story)


def test_what_says_nothing_new_is_no_event_and_what_cannot_be_is_refused(tell: Tell) -> None:
    async def story(world: World) -> None:
        await enter_all(world)
        close = f'mutation {{ closeFacility(number: "{HOSPITAL}", reason: "廃止届") }}'

        assert await world.data(OPERATOR, LIST, facility=ENTERED[0]) == {"listFacility": False}
        assert await world.data(OPERATOR, close) == {"closeFacility": True}
        assert await world.data(OPERATOR, close) == {"closeFacility": False}
        for mutation, variables, code in (
            (LIST, {"facility": ENTERED[1] | {"emergency": True}}, "BAD_INPUT"),
            (LIST, {"facility": ENTERED[2] | {"number": CLINIC}}, "BAD_INPUT"),
            ('mutation { closeFacility(number: "1310000009") }', {}, "NOTHING_TO_CLOSE"),
            ('mutation { closeFacility(number: "13") }', {}, "BAD_INPUT"),
        ):
            answer = await world.ask(OPERATOR, mutation, **variables)
            assert answer["errors"][0]["extensions"]["code"] == code
        for caller in (DOCTOR, CLINIC_SYSTEM):
            assert "errors" in await world.ask(caller, close)
            assert "errors" in await world.ask(caller, LIST, facility=ENTERED[0])
        assert world.events("facility-listed") == len(ENTERED)
        assert world.events("facility-closed") == 1
        world.project()
        (closed,) = (await world.data(DOCTOR, FIND, filter={"kind": "HOSPITAL"}, first=1))["facilities"][
            "nodes"
        ]
        assert closed["closedAt"] is not None
        assert closed["emergency"] is False

    tell(story)


def test_a_pharmacy_is_granted_consent_its_pharmacist_reads_and_its_system_sends(tell: Tell) -> None:
    grant = f'mutation {{ grantConsent(patient: {KEY}, facility: "{PHARMACY}", classes: [CONDITION]) }}'

    async def story(world: World) -> None:
        await enter_all(world)
        await world.register()
        await world.data(PHARMACY_SYSTEM, grant)
        world.project()

        record = (await world.data(PHARMACIST, ENTRIES))["patientRecord"]
        sent = await world.application.register_bundle(PHARMACY_SYSTEM, a_bundle(facility=PHARMACY))

        assert names(record) == ["上腹部痛"]
        assert sent.patient.hex == record["patient"]["id"].replace("-", "")

    tell(story)
