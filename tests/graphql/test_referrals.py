"""診療情報提供書 from its sender to the one facility it is for: held, viewable, received, erased (scenario h)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from psycopg import Connection

from document_examples import SENDER, diagnosis, referral
from examples import CLINIC, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, OPERATOR, herself
from fhir_examples import FACILITY
from projection_examples import catch_up, rebuilt
from referral_examples import (
    A_MICROSECOND,
    LETTER,
    ORAL_TAKEN_BACK,
    READ,
    RECEIVE,
    TAKE_BACK,
    THIRD,
    THIRD_SYSTEM,
    WEEK,
    at,
    consent,
    inbox,
    refused,
    sent,
    standing,
)
from tsuzuri.app.actions.erase import lift_hold, place_hold
from tsuzuri.app.actions.erase_expired import Account, run_retention
from tsuzuri.projections.catalogue import PROJECTIONS
from world import KEY, Tell, World, tell_in


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def test_held_until_the_patient_consents_then_viewable_received_and_gone_a_week_later(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world)
        referral_id = str(told.document)

        assert (await standing(world))["state"] == "HELD"
        assert await inbox(world) == []
        assert await refused(world, DOCTOR, RECEIVE, id=referral_id) == "NOT_AVAILABLE"

        await consent(world, HOSPITAL_SYSTEM)
        (waiting,) = await inbox(world)
        assert (await standing(world))["state"] == waiting["state"] == "VIEWABLE"
        assert waiting["sender"]["number"] == FACILITY and "狭心症" in waiting["document"]["html"]

        await world.data(DOCTOR, RECEIVE, id=referral_id)
        received = await standing(world)
        ends = datetime.fromisoformat(received["visibleUntil"])
        assert received["state"] == "RECEIVED" and received["recipient"]["number"] == HOSPITAL
        assert ends - datetime.fromisoformat(received["receivedAt"]) == WEEK
        assert [one["state"] for one in await inbox(world, state="RECEIVED")] == ["RECEIVED"]
        assert await inbox(world, state="VIEWABLE") == []

        at(world, ends - A_MICROSECOND)
        await consent(world, HOSPITAL_SYSTEM)
        assert [one["id"] for one in await inbox(world)] == [referral_id]
        at(world, ends)
        assert await inbox(world) == []
        record = (await world.data(DOCTOR, READ, id=referral_id))["patientRecord"]
        assert record["document"] is None and record["documents"]["totalCount"] == 0
        assert record["entries"]["nodes"] == [{"name": "狭心症", "recordClass": "CONDITION"}], "that lives on"
        assert (await standing(world))["state"] == "EXPIRED"

    tell(story)


def test_one_that_nobody_received_is_seen_no_more_after_six_months(tell: Tell) -> None:
    async def story(world: World) -> None:
        await sent(world, oral=True)
        ends = datetime.fromisoformat((await standing(world))["visibleUntil"])

        at(world, ends - A_MICROSECOND)
        assert len(await inbox(world)) == 1
        at(world, ends)
        assert await inbox(world) == []

    tell(story)


def test_no_third_facility_reads_it_whatever_it_may_see_else(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, oral=True)
        await consent(world, THIRD_SYSTEM)

        record = (await world.data(THIRD, READ, id=str(told.document)))["patientRecord"]

        assert record["document"] is None and record["documents"]["totalCount"] == 0
        assert record["entries"]["nodes"] == [{"name": "狭心症", "recordClass": "CONDITION"}], (
            "what was taken out of it is information like any other; the letter is not"
        )
        assert await inbox(world, THIRD) == []
        assert await refused(world, THIRD, RECEIVE, id=str(told.document)) == "NOT_AVAILABLE"
        assert await refused(world, THIRD, RECEIVE, id=str(told.patient)) == "NOT_AVAILABLE", "no such thing"
        assert len(await inbox(world)) == 1, "its recipient does"

    tell(story)


@pytest.mark.parametrize("route", ["with the referral", "told to the sender later", "by the patient"])
def test_consent_for_one_letter_opens_all_of_that_letter_and_nothing_else(tell: Tell, route: str) -> None:
    async def story(world: World) -> None:
        told = await sent(world, oral=route == "with the referral")
        other = await sent(world, "腰痛", local_id="ref-2")
        asked = {"id": str(told.document), "to": HOSPITAL}
        if route == "told to the sender later":
            await world.data(SENDER, LETTER, **asked)
        if route == "by the patient":
            await world.data(herself(told.patient), LETTER, **asked)
        world.project()

        record = (await world.data(DOCTOR, READ, id=str(told.document)))["patientRecord"]
        beside = (await world.data(DOCTOR, READ, id=str(other.document)))["patientRecord"]

        assert record["grounds"] == [{"basis": "REFERRAL", "recipient": HOSPITAL}]
        assert record["document"] is not None and beside["document"] is None
        assert "狭心症" in {node["name"] for node in record["entries"]["nodes"]}
        assert "腰痛" not in {node["name"] for node in record["entries"]["nodes"]}
        (one,) = await inbox(world)
        assert one["id"] == str(told.document)
        assert {entry["recordClass"] for entry in one["document"]["entries"]["nodes"]} == {
            "CONDITION",
            "REFERRAL",
        }
        assert len(one["document"]["attachments"]) == 1

    tell(story)


def test_what_was_told_to_the_sender_it_takes_back_and_a_late_copy_does_not_open_it_again(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, oral=True)
        asked = {"id": str(told.document), "to": HOSPITAL}

        await world.data(SENDER, ORAL_TAKEN_BACK, **asked)
        again = await sent(world, oral=True)

        assert again.outcome == "UNCHANGED"
        assert await inbox(world) == []
        assert (await standing(world))["state"] == "HELD"

    tell(story)


def test_a_withdrawal_after_receipt_ends_the_reading_too(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, oral=True)
        await world.data(DOCTOR, RECEIVE, id=str(told.document))

        await world.data(herself(told.patient), TAKE_BACK, to=HOSPITAL)

        assert await inbox(world) == [], "before the register knows it"
        answer = (await world.data(DOCTOR, READ, id=str(told.document)))["patientRecord"]
        assert answer["__typename"] == "AccessRefused"
        assert await refused(world, DOCTOR, RECEIVE, id=str(told.document)) == "NOT_AVAILABLE"
        assert (await standing(world))["state"] == "RECEIVED", "that it was received stays true"

    tell(story)


def test_only_the_sender_the_patient_and_the_recipients_own_reader_open_it(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world)
        asked = {"id": str(told.document), "to": HOSPITAL}

        assert await refused(world, THIRD_SYSTEM, LETTER, **asked) == "FORBIDDEN"
        assert await refused(world, SENDER, LETTER, **asked | {"to": CLINIC}) == "FORBIDDEN", (
            "not addressed there"
        )
        assert await refused(world, THIRD_SYSTEM, LETTER, **asked | {"to": CLINIC}) == "USELESS_CONSENT"
        assert (
            await refused(world, herself(told.patient), LETTER, **asked | {"to": CLINIC}) == "USELESS_CONSENT"
        )
        assert world.events("consent-granted") == 0

    tell(story)


def test_one_that_is_readdressed_is_no_longer_the_first_recipients(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, oral=True)
        await consent(world, HOSPITAL_SYSTEM)
        await consent(world, THIRD_SYSTEM)
        await world.data(DOCTOR, RECEIVE, id=str(told.document))

        replaced = referral(diagnosis("狭心症"), recipient=CLINIC)
        assert (await world.application.register_bundle(SENDER, replaced)).outcome == "REPLACED"

        assert await inbox(world) == [], "before the projections know it"
        world.project()
        assert await inbox(world) == []
        (now,) = await inbox(world, THIRD)
        assert (now["id"], now["state"]) == (str(told.document), "VIEWABLE"), (
            "this version nobody has received"
        )

    tell(story)


def test_cancelled_it_is_gone_and_restored_it_is_where_it_was(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, oral=True)
        await world.data(DOCTOR, RECEIVE, id=str(told.document))
        before = await standing(world)
        ends, named = before["visibleUntil"], f'system: "{before["system"]}", value: "{before["value"]}"'
        order = f'Bundle(patient: {KEY}, kind: REFERRAL, reason: "mistake", identifier: {{ {named} }})'

        await world.data(SENDER, f"mutation {{ cancel{order} }}")
        assert (await standing(world))["state"] == "CANCELLED"
        assert await inbox(world) == []
        await world.data(SENDER, f"mutation {{ restore{order} }}")

        again = await standing(world)
        assert (again["state"], again["visibleUntil"]) == ("RECEIVED", ends)
        at(world, ends)
        record = (await world.data(herself(told.patient), "{ me { record { documents { totalCount } } } }"))[
            "me"
        ]
        assert record["record"]["documents"]["totalCount"] == 0

    tell(story)


def test_received_again_nothing_changes(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, oral=True)

        for _ in range(2):
            await world.data(DOCTOR, RECEIVE, id=str(told.document))

        assert world.events("referral-received") == 1

    tell(story)


def test_a_week_after_receipt_it_is_erased_its_diagnoses_survive_a_rebuild_and_a_hold_keeps_it(
    tell: Tell,
) -> None:
    async def story(world: World) -> None:
        services = world.application.services
        told = await sent(world, oral=True)
        await world.data(DOCTOR, RECEIVE, id=str(told.document))
        ends = datetime.fromisoformat((await standing(world))["visibleUntil"])

        async def erased(moment: datetime) -> Account:
            return await run_retention(services, OPERATOR, moment, limit=10, tell=lambda *_: None)

        assert (await erased(ends - A_MICROSECOND)).bundles == 0
        hold = await place_hold(services, OPERATOR, told.patient, reason="dispute")
        catch_up(world.connection)
        kept = await erased(ends)
        assert (kept.bundles, kept.held) == (0, 1)
        assert len(await inbox(world)) == 1, "before its end a hold changes nothing for its readers"

        await lift_hold(services, OPERATOR, told.patient, hold, reason="settled")
        catch_up(world.connection)
        assert (await erased(ends)).bundles == 1

        assert await inbox(world) == [], "before the projections know it"
        catch_up(world.connection)
        for name, projection in PROJECTIONS.items():
            assert rebuilt(world.connection, projection).equal, name
        gone = await standing(world)
        assert gone["state"] == "ERASED" and gone["erasedAt"] is not None
        await consent(world, HOSPITAL_SYSTEM)
        record = (await world.data(DOCTOR, READ, id=str(told.document)))["patientRecord"]
        assert record["document"] is None
        assert record["entries"]["nodes"] == [{"name": "狭心症", "recordClass": "CONDITION"}]
        assert await inbox(world) == []
        looks = (await world.data(herself(told.patient), "{ me { accesses { totalCount } } }"))["me"]
        assert looks["accesses"]["totalCount"] >= 1, "who looked stays"

    tell(story)
