"""The scenarios of access that people ask about afterwards: told to the microsecond, explained from the log."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from examples import (
    AUDITOR,
    CLINIC_SYSTEM,
    DOCTOR,
    OPERATOR,
    a_bundle,
    herself,
)
from explained_examples import (
    A_MICROSECOND,
    ADMIN,
    CLOSE,
    DECLARE,
    ER_DOCTOR,
    GIVE,
    LINK,
    LIST,
    OPEN,
    PHARMACIST,
    access_at,
    at,
    begun,
    explained,
    now,
    read,
    step,
)
from world import WITHDRAW, Tell, World, tell_in


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


# --- (c) twenty-four hours


def test_a_consent_of_24_hours_is_answered_at_235959_and_refused_at_240000(tell: Tell) -> None:
    async def story(world: World) -> None:
        given = now(world).replace(microsecond=0) + timedelta(seconds=1)
        at(world, given)
        await begun(world)
        until = given + timedelta(hours=24)

        last = await read(world, moment=until - timedelta(seconds=1))
        over = await read(world, moment=until)

        assert last["__typename"] == "PatientRecord" and last["entries"]["totalCount"] == 1
        assert (over["__typename"], over["reason"]) == ("AccessRefused", "NOT_AVAILABLE")
        why = await explained(world, last)
        counted = step(why, "CONSENT_COUNTS")
        assert why["grounds"] == [{"basis": "CONSENT", "because": counted["because"]}]
        why_not = await explained(world, over)
        ended = step(why_not, "CONSENT_OVER")
        japan = until + timedelta(hours=9)
        assert ended["words"] == f"This consent was over since {japan:%Y-%m-%d %H:%M:%S} +09:00."
        assert f"{japan.day}日 {japan:%H:%M:%S}（+09:00）に終了していました" in ended["japanese"]
        assert (ended["matched"], ended["because"]) == (False, counted["because"])
        trail = await world.data(AUDITOR, "{ accessTrail { nodes { outcome reason } } }")
        assert {"outcome": "REFUSED", "reason": "NOT_AVAILABLE"} in trail["accessTrail"]["nodes"]

    tell(story)


# --- (d) withdrawn, and the read before it is lawful still


def test_a_read_before_the_withdrawal_is_lawful_still_and_the_moment_after_it_says_no(tell: Tell) -> None:
    async def story(world: World) -> None:
        unseen = now(world)
        patient = await begun(world)
        before = await read(world)
        between = now(world)
        withdrawal = (await world.data(herself(patient), WITHDRAW))["withdrawConsent"]
        after = await read(world)

        why, why_not = await explained(world, before), await explained(world, after)

        assert step(why, "CONSENT_COUNTS")["because"] == why["grounds"][0]["because"]
        assert not [one for one in why["steps"] if one["rule"] == "CONSENT_WITHDRAWN"]
        withdrawn = step(why_not, "CONSENT_WITHDRAWN")
        assert (withdrawn["matched"], withdrawn["endedBy"]) == (False, withdrawal)
        assert (why["consentVersion"], why_not["consentVersion"]) == (1, 2)
        assert (await access_at(world, patient, between))["decision"] == "PERMITTED"
        then = await access_at(world, patient, now(world))
        assert (then["decision"], step(then, "CONSENT_WITHDRAWN")["endedBy"]) == ("REFUSED", withdrawal)
        nobody = await access_at(world, patient, unseen)
        assert nobody["decision"] == "REFUSED" and step(nobody, "PATIENT_UNKNOWN")

    tell(story)


# --- (i) an emergency


def test_a_pharmacist_opens_no_emergency_and_a_doctor_with_the_right_does(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        await world.data(herself(patient), WITHDRAW)
        await world.data(OPERATOR, LIST, emergency=True)
        right = (await world.data(ADMIN, GIVE))["giveEmergencyRight"]

        no = (await world.data(PHARMACIST, DECLARE))["declareEmergency"]
        undeclared = await read(world, ER_DOCTOR, "BTG")
        emergency = (await world.data(ER_DOCTOR, DECLARE))["declareEmergency"]
        yes = await read(world, ER_DOCTOR, "BTG")
        colleague = await read(world, DOCTOR, "BTG")

        assert no["reason"] == "EMERGENCY_NOT_PERMITTED"
        assert step(await explained(world, no), "RIGHT_NOT_OF_ROLE")["words"] == (
            "Only clinicians declare emergencies, not the role pharmacist."
        )
        assert undeclared["reason"] == "EMERGENCY_NOT_DECLARED"
        assert step(await explained(world, undeclared), "EMERGENCY_MISSING")["matched"] is False
        assert yes["grounds"] == [{"basis": "EMERGENCY", "because": emergency["id"]}]
        why = await explained(world, yes)
        assert step(why, "RIGHT_HELD")["because"] == right
        assert step(why, "EMERGENCY_COUNTS")["because"] == emergency["id"]
        assert colleague["reason"] == "EMERGENCY_NOT_PERMITTED"
        assert "dr-hamada no right" in step(await explained(world, colleague), "RIGHT_MISSING")["words"]
        last = datetime.fromisoformat(emergency["until"]) - A_MICROSECOND
        at(world, last + timedelta(days=1))
        person = {"purpose": "BTG", "person": "dr-er"}
        assert (await access_at(world, patient, last, **person))["decision"] == "PERMITTED"
        over = await access_at(world, patient, last + A_MICROSECOND, **person)
        assert over["reason"] == "EMERGENCY_NOT_DECLARED" and step(over, "EMERGENCY_OVER")

    tell(story)


def test_an_emergency_for_somebody_nobody_knows_is_explained_as_that(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.data(OPERATOR, LIST, emergency=True)
        await world.data(ADMIN, GIVE)

        nobody = (await world.data(ER_DOCTOR, DECLARE))["declareEmergency"]

        why = await explained(world, nobody)
        assert (nobody["reason"], why["reason"]) == ("NOT_AVAILABLE", "NOT_AVAILABLE")
        assert step(why, "PATIENT_UNKNOWN") and step(why, "RIGHT_HELD")["matched"]

    tell(story)


# --- (j) a disaster window


def test_a_disaster_window_opens_and_closes_to_the_microsecond(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        await world.data(OPERATOR, LIST, emergency=False)
        since = now(world).replace(microsecond=0) + timedelta(hours=1)
        until = since + timedelta(days=7)
        window = (await world.data(OPERATOR, OPEN, since=since.isoformat(), until=until.isoformat()))[
            "openDisasterWindow"
        ]

        reads = [
            await read(world, purpose="DISASTER", moment=moment)
            for moment in (since - A_MICROSECOND, since, until - A_MICROSECOND, until)
        ]

        assert [one.get("reason") for one in reads] == ["DISASTER_NOT_OPEN", None, None, "DISASTER_NOT_OPEN"]
        told = [await explained(world, one) for one in reads]
        rules = ["WINDOW_NOT_YET", "WINDOW_COUNTS", "WINDOW_COUNTS", "WINDOW_OVER"]
        assert [step(one, rule)["because"] for one, rule in zip(told, rules, strict=True)] == [window] * 4
        assert told[1]["grounds"] == [{"basis": "DISASTER", "because": window}]
        at(world, until)
        there = await access_at(world, patient, until - A_MICROSECOND, purpose="DISASTER")
        assert there["decision"] == "PERMITTED"
        assert (await access_at(world, patient, until, purpose="DISASTER"))["reason"] == "DISASTER_NOT_OPEN"

    tell(story)


def test_a_disaster_window_that_is_closed_early_is_closed_at_once(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        await world.data(OPERATOR, LIST, emergency=False)
        until = (now(world) + timedelta(days=7)).isoformat()
        window = (await world.data(OPERATOR, OPEN, until=until))["openDisasterWindow"]
        seen = await read(world, purpose="DISASTER")

        closing = (await world.data(OPERATOR, CLOSE, id=window))["closeDisasterWindow"]
        refused = await read(world, purpose="DISASTER")

        assert (seen["__typename"], refused["reason"]) == ("PatientRecord", "DISASTER_NOT_OPEN")
        assert step(await explained(world, seen), "WINDOW_COUNTS")["because"] == window
        closed = step(await explained(world, refused), "WINDOW_CLOSED")
        assert (closed["because"], closed["endedBy"]) == (window, closing)
        assert "期間前に終了" in closed["japanese"]

    tell(story)


# --- who else is the same person


def test_a_linked_patients_consent_is_told_from_the_link_on(tell: Tell) -> None:
    async def story(world: World) -> None:
        consenting = await begun(world)
        other = a_bundle(local_id="set-2", number="00099999:え:7:01").replace(b'"P-1"', b'"P-2"')
        told = await world.application.register_bundle(CLINIC_SYSTEM, other)
        unlinked = now(world)
        await world.data(OPERATOR, LINK, a=str(told.patient), b=str(consenting))
        world.project()

        seen = await read(world)

        why = await explained(world, seen)
        assert step(why, "CONSENT_COUNTS")["because"] == why["grounds"][0]["because"]
        assert (await access_at(world, told.patient, unlinked))["decision"] == "REFUSED"
        assert (await access_at(world, told.patient, now(world)))["decision"] == "PERMITTED"

    tell(story)
