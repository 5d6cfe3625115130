"""Counts over the trail agree with the list, whatever they are counted by, and are themselves in the trail."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection

from examples import AUDITOR, CLINIC, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, a_caller, herself
from explained_examples import ER_DOCTOR
from tsuzuri.domain.vocabulary import Role
from world import CONSENT, KEY, Tell, World, record_id, tell_in

COUNTS = """query($by: [TrailGrouping!]!, $filter: TrailFilter) { accessCounts(by: $by, filter: $filter) {
  accessId more groups { accesses patients entriesShown person role purpose basis recordClass outcome
    operationName day facility { number } } } }"""
LIST = """query($filter: TrailFilter) { accessTrail(first: 200, filter: $filter) { nodes { at person role purpose
  bases classesPermitted outcome operationName entriesShown patient facility { number } } } }"""
SEEN = f"query Seen {{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{ entries {{ nodes {{ id }} }} }} }} }}"


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def counted(world: World, *by: str, **wanted: Any) -> list[dict[str, Any]]:
    told = (await world.data(AUDITOR, COUNTS, by=list(by), filter=wanted))["accessCounts"]
    assert not told["more"]
    groups: list[dict[str, Any]] = told["groups"]
    return groups


async def several(world: World) -> None:
    await world.register(conditions={"20065011": "上腹部痛", "20061423": "高血圧症"})
    await world.data(HOSPITAL_SYSTEM, CONSENT)
    world.project()
    for caller in (DOCTOR, DOCTOR, ER_DOCTOR, a_caller("dr-sakai", Role.CLINICIAN, CLINIC)):
        await world.data(caller, SEEN)
    await world.data(a_caller("dr-x", Role.CLINICIAN, "1310000009"), SEEN)
    patient = record_id(await world.record())
    await world.data(herself(patient), "query Own { me { record { entries { totalCount } } } }")
    world.project()


def test_counts_agree_with_the_list_whatever_they_are_counted_by(tell: Tell) -> None:
    async def story(world: World) -> None:
        await several(world)
        wanted = {"to": world.application.services.now().isoformat()}
        rows = (await world.data(AUDITOR, LIST, filter=wanted))["accessTrail"]["nodes"]
        assert len(rows) == 7
        of_row: dict[str, Callable[[dict[str, Any]], list[Any]]] = {
            "FACILITY": lambda row: [row["facility"] and row["facility"]["number"]],
            "PERSON": lambda row: [row["person"]],
            "ROLE": lambda row: [row["role"]],
            "PURPOSE": lambda row: [row["purpose"]],
            "BASIS": lambda row: row["bases"] or [None],
            "CLASS": lambda row: row["classesPermitted"] or [None],
            "OUTCOME": lambda row: [row["outcome"]],
            "OPERATION": lambda row: [row["operationName"]],
        }
        fields = {"CLASS": "recordClass", "OPERATION": "operationName"}
        for by, values in of_row.items():
            groups = await counted(world, by, **wanted)
            field = fields.get(by, by.lower())
            found = {
                group["facility"] and group["facility"]["number"] if by == "FACILITY" else group[field]: group
                for group in groups
            }
            expected = Counter(value for row in rows for value in values(row))
            assert {value: group["accesses"] for value, group in found.items()} == expected, by
            shown: Counter[Any] = Counter()
            for row in rows:
                for value in values(row):
                    shown[value] += row["entriesShown"]
            assert {value: group["entriesShown"] for value, group in found.items()} == shown, by
        assert [one["accesses"] for one in await counted(world, **wanted)] == [7]

    tell(story)


def test_two_things_are_counted_by_at_once_and_a_filter_holds(tell: Tell) -> None:
    async def story(world: World) -> None:
        await several(world)

        groups = await counted(world, "PERSON", "BASIS", outcome="PERMITTED", facility=HOSPITAL)

        assert [(one["person"], one["basis"], one["accesses"], one["patients"]) for one in groups] == [
            ("dr-hamada", "CONSENT", 3, 1),
            ("dr-er", "CONSENT", 1, 1),
        ]
        assert await counted(world, "PERSON", person="nobody") == []
        assert await counted(world, person="nobody") == []

    tell(story)


def test_a_day_is_one_in_japan(tell: Tell) -> None:
    async def story(world: World) -> None:
        await several(world)
        world.connection.execute("UPDATE event SET recorded_at = '2026-11-22T15:00:00Z'")
        world.connection.execute("TRUNCATE audit_trail_g1.access")
        world.connection.execute("UPDATE projection_checkpoint SET pos = 0 WHERE name = 'audit_trail'")
        world.project()

        (group,) = await counted(world, "DAY")

        assert group["day"] == "2026-11-23"

    tell(story)


def test_counting_is_in_the_trail_with_how_many_groups_were_told(tell: Tell) -> None:
    async def story(world: World) -> None:
        await several(world)
        told = (await world.data(AUDITOR, COUNTS, by=["OUTCOME"]))["accessCounts"]
        world.project()

        looks = await counted(world, "OUTCOME", outcome="TRAIL_READ")

        assert [(one["accesses"], one["entriesShown"]) for one in looks] == [(1, len(told["groups"]))]

    tell(story)


def test_what_is_counted_by_twice_is_refused(tell: Tell) -> None:
    async def story(world: World) -> None:
        answer = await world.ask(AUDITOR, COUNTS, by=["DAY", "DAY"])

        assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"
        assert world.events("trail-read") == 0

    tell(story)
