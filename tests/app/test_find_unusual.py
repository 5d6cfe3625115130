"""The rules asked about a real log: each thing noticed once, the same again later, and nothing about who was erased."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from psycopg import Connection

from examples import AUDITOR, CLINIC, CLINIC_SYSTEM, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, OPERATOR
from projection_examples import live_rows, rebuilt
from tsuzuri.app.actions.erase import erase_stream
from tsuzuri.app.actions.find_unusual import check_unusual, find_unusual, judge
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.domain.unusual_rules import RULES_OF
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.projections.access_reviews import NAME, ReviewRow
from tsuzuri.projections.catalogue import PROJECTIONS
from unusual_examples import (
    CLINIC_ADMIN,
    DAY,
    HOURS,
    MONDAY,
    NAMES,
    RECORD,
    declared,
    described,
    read,
    snooped,
)
from world import CONSENT, KEY, Tell, World, tell_in

RULES = RULES_OF["2026-11"]
SINCE, UNTIL = MONDAY - 10 * DAY, MONDAY + 20 * DAY


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


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


@pytest.mark.parametrize("topic", ["bundle-registered", "consent-granted", None])
def test_a_bundle_and_a_consent_at_the_card_reader_are_encounters(tell: Tell, topic: str | None) -> None:
    async def story(world: World) -> None:
        await world.register()
        grant = f'mutation {{ grantConsent(patient: {KEY}, facility: "{CLINIC}", classes: [CONDITION]) }}'
        await world.data(CLINIC_SYSTEM, grant)
        await described(world)
        row = world.connection.execute(
            "UPDATE event SET recorded_at = %s WHERE topic = 'bundle-registered' RETURNING patient_id",
            (MONDAY - 30 * DAY,),
        ).fetchone()
        assert row is not None
        world.connection.execute("UPDATE event SET recorded_at = %s WHERE topic = %s", (MONDAY + DAY, topic))
        night = await read(world, MONDAY.replace(hour=23), row[0])
        world.project()

        judged = await judge(world.application.services, OPERATOR, RULES, SINCE, UNTIL)

        assert [one.accesses for one in judged.found] == ([(night,)] if topic is None else [])

    tell(story)


@pytest.mark.parametrize("came", [True, False])
def test_an_emergency_is_looked_at_when_the_patient_never_came(tell: Tell, came: bool) -> None:
    async def story(world: World) -> None:
        emergency = await declared(world)
        await world.data(DOCTOR, RECORD, purpose="BTG")
        if came:
            await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.connection.execute(
            "UPDATE event SET recorded_at = %s::timestamptz + pos * interval '1 minute'", (MONDAY,)
        )
        world.project()

        judged = await judge(world.application.services, OPERATOR, RULES, SINCE, UNTIL)

        assert [(one.rule, str(one.emergency)) for one in judged.found] == (
            [] if came else [("NO_ENCOUNTER", emergency)]
        )

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
