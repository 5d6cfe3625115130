"""The rules asked about a real log: each thing noticed once, the same again later, and nothing about who was erased."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import Connection

from event_examples import EXAMPLES
from examples import AUDITOR, CLINIC, DOCTOR, HOSPITAL, OPERATOR, a_caller
from projection_examples import live_rows, rebuilt
from tsuzuri.app.actions.erase import erase_stream
from tsuzuri.app.actions.find_unusual import check_unusual, find_unusual, judge
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.domain.events import AccessPermitted, PatientIdentified, originator
from tsuzuri.domain.opening_hours import JAPAN
from tsuzuri.domain.unusual_rules import RULES_OF
from tsuzuri.domain.vocabulary import Role, Stream
from tsuzuri.eventlog.appending import Beside
from tsuzuri.projections.access_reviews import NAME, ReviewRow
from tsuzuri.projections.catalogue import PROJECTIONS
from world import Tell, World, tell_in

RULES = RULES_OF["2026-11"]
MONDAY = datetime(2026, 6, 1, 10, 0, tzinfo=JAPAN)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
SINCE, UNTIL = MONDAY - 10 * DAY, MONDAY + 20 * DAY
CLINIC_ADMIN = a_caller("admin-endo", Role.FACILITY_ADMIN, CLINIC)
READ = next(event for event in EXAMPLES if isinstance(event, AccessPermitted))
NAMED = next(event for event in EXAMPLES if isinstance(event, PatientIdentified))
HOURS = f"""mutation {{ setFacilityHours(number: "{CLINIC}", closedDays: ["2026-06-05"],
    weekly: [{{ weekday: 1, opens: "09:00", closes: "18:00" }},
             {{ weekday: 5, opens: "09:00", closes: "18:00" }}]) }}"""
NAMES = """mutation { nameStaff(staff: [{ person: "dr-sakai", familyNameKana: "さかい" }]) }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def dated(world: World, at: datetime, event: UUID) -> None:
    """It was recorded then: time goes by while a story is told."""
    world.connection.execute("UPDATE event SET recorded_at = %s WHERE event_id = %s", (at, event))


async def read(world: World, at: datetime, patient: UUID) -> UUID:
    """By the clinic's doctor, under a consent, of somebody who was never there."""
    event = replace(
        READ,
        originator_id=originator(patient, Stream.ACCESS),
        event_id=uuid4(),
        patient=patient,
        told=replace(READ.told, person="dr-sakai", role=Role.CLINICIAN, facility=CLINIC),
    )
    await world.application.services.log.append_access([event], Beside())
    dated(world, at, event.event_id)
    return event.event_id


async def named(world: World, at: datetime, patient: UUID, kana: str) -> None:
    event = replace(
        NAMED,
        originator_id=originator(patient, Stream.RECORD),
        event_id=uuid4(),
        patient=patient,
        demographics=replace(NAMED.demographics, kana=kana),
    )
    await world.application.services.log.save(event)
    dated(world, at, event.event_id)


async def described(world: World) -> None:
    """The clinic is listed, open on Mondays and Fridays, and has named its doctor, since May."""
    listed = {"number": CLINIC, "name": "試験診療所", "kind": "CLINIC"}
    document = "mutation($f: FacilityInput!) { listFacility(facility: $f) }"
    await world.data(OPERATOR, document, f=listed)
    assert await world.data(CLINIC_ADMIN, HOURS) == {"setFacilityHours": True}
    assert await world.data(CLINIC_ADMIN, NAMES) == {"nameStaff": True}
    world.connection.execute("UPDATE event SET recorded_at = %s", (MONDAY - 30 * DAY,))


async def snooped(world: World) -> UUID:
    """Eight strangers in a morning, a namesake, and one in the night; the namesake's id."""
    await described(world)
    for number in range(8):
        await read(world, MONDAY + number * MINUTE, uuid4())
    namesake = uuid4()
    await named(world, MONDAY - DAY, namesake, "サカイ　ハナコ")
    await read(world, MONDAY + 5 * MINUTE, namesake)
    await read(world, MONDAY.replace(hour=23) + 7 * DAY, uuid4())
    world.project()
    return namesake


def test_each_thing_is_noticed_once_and_found_again_the_same(tell: Tell) -> None:
    async def story(world: World) -> None:
        services = world.application.services
        await snooped(world)
        assert len((await judge(services, OPERATOR, RULES, SINCE, UNTIL)).found) == 3
        assert world.events("review-opened") == 0

        judged, opened = await find_unusual(services, OPERATOR, RULES, SINCE, UNTIL)
        again, none = await find_unusual(services, OPERATOR, RULES, SINCE - DAY, UNTIL + 3 * DAY)

        assert [one.rule for one in judged.found] == ["MANY_PATIENTS", "OWN_FAMILY_NAME", "OFF_HOURS"]
        assert again.found == judged.found
        assert sorted(opened) == sorted(one.id for one in judged.found) and none == []
        assert world.events("review-opened") == 3
        world.project()
        rows = live_rows(world.connection, NAME, ReviewRow)
        assert {row.cause: len(row.patients) for row in rows} == {
            "MANY_PATIENTS": 9,
            "OWN_FAMILY_NAME": 1,
            "OFF_HOURS": 1,
        }
        assert rebuilt(world.connection, PROJECTIONS[NAME]).equal
        _, differences = await check_unusual(services, OPERATOR, RULES, SINCE, UNTIL)
        assert not differences and differences.same == 3

    tell(story)


def test_a_rerun_tells_what_is_lacking_and_what_is_too_much(tell: Tell) -> None:
    async def story(world: World) -> None:
        services = world.application.services
        await snooped(world)
        judged, _ = await find_unusual(services, OPERATOR, RULES, SINCE, UNTIL)
        late = next(one for one in judged.found if one.rule == "OFF_HOURS")
        night = await read(world, MONDAY.replace(hour=22) + 4 * DAY, uuid4())
        world.project()
        told = []
        for column, value in (
            ("person", "dr-x"),
            ("at", MONDAY + 7 * DAY),
        ):  # somebody changes the trail's table
            world.connection.execute(
                f"UPDATE audit_trail_g1.access SET {column} = %s WHERE access = %s".encode(),
                (value, late.accesses[0]),
            )
            told.append((await check_unusual(services, OPERATOR, RULES, SINCE, UNTIL))[1])

        assert [(one.changed, one.only_stored) for one in told] == [([late.id], []), ([], [late.id])]
        assert [one.accesses for one in told[0].only_found] == [(night,)]
        assert all(told)

    tell(story)


def test_of_who_was_erased_nobody_is_accused(tell: Tell) -> None:
    async def story(world: World) -> None:
        services = world.application.services
        namesake = await snooped(world)
        await find_unusual(services, OPERATOR, RULES, SINCE, UNTIL)
        await erase_stream(services, OPERATOR, namesake, Stream.RECORD, reason="請求")
        world.project()

        judged, differences = await check_unusual(services, OPERATOR, RULES, SINCE, UNTIL)

        assert judged.erased == {namesake}
        assert not differences
        assert (differences.same, differences.erased) == (1, 2)

    tell(story)


def test_nothing_is_judged_before_an_encounter_can_have_been_registered(tell: Tell) -> None:
    async def story(world: World) -> None:
        await described(world)
        for _ in range(20):
            await read(world, world.application.services.now() - DAY, uuid4())
        world.project()

        judged, opened = await find_unusual(world.application.services, OPERATOR, RULES, None, None)

        assert (judged.found, opened) == ([], [])
        assert judged.until <= world.application.services.now() - RULES.encounter_after

    tell(story)


def test_only_an_operator_asks(tell: Tell) -> None:
    async def story(world: World) -> None:
        for caller in (AUDITOR, CLINIC_ADMIN, DOCTOR):
            with pytest.raises(NotPermitted):
                await judge(world.application.services, caller, RULES, None, None)

    tell(story)


# --- what a facility says of itself


def test_what_is_said_again_is_no_event_and_what_cannot_be_is_refused(tell: Tell) -> None:
    async def story(world: World) -> None:
        await described(world)
        hospital = {"number": HOSPITAL, "name": "試験病院", "kind": "HOSPITAL"}
        await world.data(OPERATOR, "mutation($f: FacilityInput!) { listFacility(facility: $f) }", f=hospital)
        backwards = HOURS.replace('opens: "09:00"', 'opens: "19:00"')

        assert await world.data(OPERATOR, HOURS) == {"setFacilityHours": False}
        assert await world.data(CLINIC_ADMIN, NAMES) == {"nameStaff": False}
        for caller, document, code in (
            (CLINIC_ADMIN, backwards, "BAD_INPUT"),
            (CLINIC_ADMIN, HOURS.replace("weekday: 5", "weekday: 1"), "BAD_INPUT"),
            (CLINIC_ADMIN, NAMES.replace("さかい", "酒井"), "BAD_INPUT"),
            (OPERATOR, HOURS.replace(CLINIC, HOSPITAL), "BAD_INPUT"),
            (CLINIC_ADMIN, HOURS.replace(CLINIC, HOSPITAL), "FORBIDDEN"),
            (DOCTOR, HOURS, "FORBIDDEN"),
            (OPERATOR, NAMES, "FORBIDDEN"),
        ):
            answer = await world.ask(caller, document)
            assert answer["errors"][0]["extensions"]["code"] == code
        assert world.events("facility-hours-set") == world.events("staff-named") == 1

    tell(story)
