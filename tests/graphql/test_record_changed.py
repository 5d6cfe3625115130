"""Who watches a record is told that something she may see has changed: not what, and never of what is kept from her."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from examples import (
    AUDITOR,
    CLINIC_SYSTEM,
    DOCTOR,
    HOSPITAL_SYSTEM,
    NUMBER,
    OPERATOR,
    a_bundle,
    a_caller,
    herself,
)
from tsuzuri.app.shared_looks import SharedLooks
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.eventlog.log import PatientHead
from watch_examples import CHANGED, LATER, becomes, consented, counted, following, grant, is_over
from world import CANCEL, CONSENT, KEY, WITHDRAW, Tell, World, names, record_id, tell_in

READ = f"""query($least: String) {{ patientRecord(patient: {KEY}, minPosition: $least) {{
  ... on PatientRecord {{ entries {{ nodes {{ name }} }} asOf {{ position }} }} }} }}"""
TRAIL = """{ accessTrail { nodes { id outcome entriesShown bases because operationName
  explanation { agrees } } } }"""
HERS = "{ me { accesses { totalCount nodes { id classesAsked } } } }"
OTHER = "00099999:え:7:01"
LINK = """mutation($survivor: ID!, $other: ID!) {
  linkPatients(survivor: $survivor, other: $other, reason: "確認済") }"""
PRACTICE = a_caller("practice-system", Role.SYSTEM, "1310000017")
OWN_DOCTOR = a_caller("dr-sakai", Role.CLINICIAN, CLINIC_SYSTEM.facility)


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def change(world: World, *, by: Caller = CLINIC_SYSTEM, **changes: Any) -> None:
    bundle = a_bundle(**{"local_id": "set-2", "facility": by.facility} | LATER | changes)
    await world.application.register_bundle(by, bundle)
    world.project()


def test_the_first_event_says_where_one_begins_and_each_change_is_told_after_it(tell: Tell) -> None:
    async def story(world: World) -> None:
        await consented(world)
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            began = await following(watch)
            await change(world)
            changed = await following(watch)

            read = await world.data(DOCTOR, READ, least=changed["position"])

        assert began["__typename"] == changed["__typename"] == "RecordChanged"
        assert began["position"] != changed["position"]
        assert names(read["patientRecord"]) == ["狭心症"]

    tell(story)


def test_that_she_watches_is_recorded_before_the_first_event_and_each_event_by_itself(tell: Tell) -> None:
    async def story(world: World) -> None:
        await consented(world)
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            first = await following(watch)
            assert (world.events("access-permitted"), world.events("watcher-told")) == (1, 1)
            await change(world)
            second = await following(watch)
            assert (world.events("access-permitted"), world.events("watcher-told")) == (1, 2)
        world.project()

        trail = (await world.data(AUDITOR, TRAIL))["accessTrail"]["nodes"]

        told = {node["id"]: node for node in trail if node["outcome"] == "WATCHER_TOLD"}
        assert told.keys() == {first["accessId"], second["accessId"]}
        for node in told.values():
            assert (node["operationName"], node["entriesShown"], node["bases"]) == ("Watch", 0, ["CONSENT"])
            assert node["because"] and node["explanation"] == {"agrees": True}

    tell(story)


def test_the_patient_reads_of_the_watch_and_not_of_what_was_told(tell: Tell) -> None:
    async def story(world: World) -> None:
        await consented(world)
        patient = record_id(await world.record())
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            await following(watch)
            await change(world, flags={"20058911": "UNINFORMED"})
            told = await following(watch)
        world.project()

        accesses = (await world.data(herself(patient), HERS))["me"]["accesses"]

        assert told["__typename"] == "RecordChanged", "a doctor sees 未告知, and so that it came"
        watched, _read = accesses["nodes"]
        assert (accesses["totalCount"], watched["classesAsked"]) == (2, ["CONDITION"])
        assert told["accessId"] not in str(accesses)

    tell(story)


@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param({"by": PRACTICE, "flags": {"20058911": "UNDELIVERED"}}, id="未提供"),
        pytest.param({"by": PRACTICE, "number": OTHER}, id="somebody else's"),
    ],
)
def test_what_she_may_not_see_tells_her_nothing(hidden: dict[str, Any], tell: Tell) -> None:
    async def story(world: World) -> None:
        await consented(world)
        looks = counted(world)
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            began = await following(watch)
        await change(world, **hidden)
        async with aclosing(world.watch(DOCTOR, CHANGED, after=began["position"])) as watch:
            before, told = looks.looks, asyncio.ensure_future(following(watch))
            await becomes(lambda: looks.looks > before)
            assert world.events("watcher-told") == 1, "she was told of what is hidden"
            await change(world, local_id="set-3", conditions={"20065012": "頭痛"})
            await told

        assert world.events("watcher-told") == 2

    tell(story)


def test_a_class_that_her_consent_does_not_name_tells_her_nothing_until_it_does(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, grant("DRUG_ALLERGY"))
        world.project()
        looks = counted(world)
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            await following(watch)
            before = looks.looks
            await change(world)
            told = asyncio.ensure_future(following(watch))
            await becomes(lambda: looks.looks > before)
            assert world.events("watcher-told") == 1
            await world.data(HOSPITAL_SYSTEM, CONSENT)
            world.project()

            assert (await told)["__typename"] == "RecordChanged"

    tell(story)


def test_what_is_gone_is_told_too(tell: Tell) -> None:
    async def story(world: World) -> None:
        await consented(world)
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            await following(watch)
            await world.data(CLINIC_SYSTEM, CANCEL)
            world.project()
            changed = await following(watch)

            read = await world.data(DOCTOR, READ, least=changed["position"])

        assert names(read["patientRecord"]) == []

    tell(story)


def test_a_withdrawn_consent_ends_it_before_the_next_event(tell: Tell) -> None:
    async def story(world: World) -> None:
        await consented(world)
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            await following(watch)
            await world.data(HOSPITAL_SYSTEM, WITHDRAW)
            await change(world)

            refused = await following(watch)

            assert (refused["__typename"], refused["reason"]) == ("AccessRefused", "NOT_AVAILABLE")
            assert await is_over(watch)
        assert (world.events("watcher-told"), world.events("access-refused")) == (1, 1)

    tell(story)


class Withdrawing(SharedLooks):
    """The consent is withdrawn when it has been read, and the event is not recorded yet."""

    world: World | None = None

    async def heads(self, patient: UUID) -> list[PatientHead]:
        found = await super().heads(patient)
        if (world := self.world) is not None:
            self.world = None
            await world.data(HOSPITAL_SYSTEM, WITHDRAW)
        return found


def test_a_consent_that_is_withdrawn_between_decision_and_record_ends_it_too(tell: Tell) -> None:
    async def story(world: World) -> None:
        await consented(world)
        world.application.shared_looks = looks = Withdrawing(world.application.services)
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            await following(watch)
            looks.world = world
            await change(world)

            assert (await following(watch))["__typename"] == "AccessRefused"
        assert world.events("watcher-told") == 1

    tell(story)


@pytest.mark.parametrize("known", [True, False])
def test_who_may_not_read_is_refused_at_once_whether_there_is_such_a_patient_or_not(
    known: bool, tell: Tell
) -> None:
    async def story(world: World) -> None:
        if known:
            await world.register()
            world.project()
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            refused = await following(watch)

            assert (refused["__typename"], refused["reason"]) == ("AccessRefused", "NOT_AVAILABLE")
            assert await is_over(watch)
        assert world.events("access-refused") == 1

    tell(story)


def test_who_comes_back_is_told_once_of_all_that_came_in_between(tell: Tell) -> None:
    async def story(world: World) -> None:
        await consented(world)
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            began = await following(watch)
        await change(world)
        await world.data(CLINIC_SYSTEM, CANCEL)  # what was to be seen at the beginning: at no moment any more
        world.project()

        async with aclosing(world.watch(DOCTOR, CHANGED, after=began["position"])) as watch:
            again = await following(watch)
            looks = counted(world)
        async with aclosing(world.watch(DOCTOR, CHANGED, after=again["position"])) as watch:
            nothing = asyncio.ensure_future(following(watch))
            await becomes(lambda: looks.looks)
            await change(world, local_id="set-3", conditions={"20065012": "頭痛"})
            await nothing
        assert world.events("watcher-told") == 3

    tell(story)


def test_from_the_position_of_a_read_the_first_event_comes_whatever_has_changed(tell: Tell) -> None:
    async def story(world: World) -> None:
        await consented(world)
        position = (await world.data(DOCTOR, READ))["patientRecord"]["asOf"]["position"]

        async with aclosing(world.watch(DOCTOR, CHANGED, after=position)) as watch:
            assert (await following(watch))["__typename"] == "RecordChanged"

    tell(story)


def test_a_position_of_another_patient_is_refused_and_the_attempt_is_recorded(tell: Tell) -> None:
    async def story(world: World) -> None:
        await consented(world)
        (answer,) = [one async for one in world.watch(DOCTOR, CHANGED, after="made-up")]

        assert answer["errors"][0]["extensions"]["code"] == "BAD_POSITION"
        assert world.events("access-permitted") == 1

    tell(story)


def test_a_facility_is_told_of_what_it_registered_itself_and_of_nothing_else(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        world.project()
        looks = counted(world)
        async with aclosing(world.watch(OWN_DOCTOR, CHANGED)) as watch:
            await following(watch)
            before = looks.looks
            told = asyncio.ensure_future(following(watch))
            await change(world, by=PRACTICE)
            await becomes(lambda: looks.looks > before)
            assert world.events("watcher-told") == 1
            await change(world)
            await told

    tell(story)


def test_who_is_linked_with_her_is_watched_with_her(tell: Tell) -> None:
    async def story(world: World) -> None:
        await consented(world)
        patient = record_id(await world.record())
        other = await world.application.register_bundle(
            PRACTICE, a_bundle(facility="1310000017", number=OTHER)
        )
        world.project()
        async with aclosing(world.watch(DOCTOR, CHANGED)) as watch:
            await following(watch)
            link = {"survivor": str(patient), "other": str(other.patient)}
            await world.data(OPERATOR, LINK, **link)
            world.project()
            assert (await following(watch))["__typename"] == "RecordChanged", "what was the other's is hers"

            await change(world, by=PRACTICE, number=OTHER)

            assert (await following(watch))["__typename"] == "RecordChanged"

    tell(story)


def test_a_patient_watches_her_own_record_and_is_told_nothing_of_what_is_hidden_from_her(tell: Tell) -> None:
    async def story(world: World) -> None:
        await consented(world)
        patient = record_id(await world.record())
        looks = counted(world)
        async with aclosing(world.watch(herself(patient), CHANGED, purpose="PATRQT")) as watch:
            await following(watch)
            before = looks.looks
            told = asyncio.ensure_future(following(watch))
            await change(world, by=PRACTICE, flags={"20058911": "UNINFORMED"})
            await becomes(lambda: looks.looks > before)
            assert world.events("watcher-told") == 1
            await change(world, local_id="set-3", conditions={"20065012": "頭痛"})
            await told

    tell(story)


def test_nothing_of_a_number_is_in_a_refusal(tell: Tell) -> None:
    async def story(world: World) -> None:
        (answer,) = [one async for one in world.watch(DOCTOR, CHANGED)]

        assert NUMBER not in str(answer)

    tell(story)
