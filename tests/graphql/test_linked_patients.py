"""名寄せ: two patients turn out to be one person, and perhaps not to be. Reads cover both; nothing moves."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
import pytest
from psycopg import Connection

from examples import (
    AUDITOR,
    CLINIC_SYSTEM,
    DOCTOR,
    HOSPITAL,
    HOSPITAL_SYSTEM,
    NUMBER,
    OPERATOR,
    a_bundle,
    a_caller,
    herself,
)
from projection_examples import BUNDLE_SYSTEM, bundle_value, rebuilt
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.projections.catalogue import PROJECTIONS
from world import Tell, World, names, record_id, tell_in

OTHER = "00099999:え:7:01"
THIRD = "00088888:お:8:02"
PRACTICE = a_caller(person="practice-system", role=Role.SYSTEM, facility="1310000017")
READ = """query($patient: PatientKey!, $asOf: AsOf) { patientRecord(patient: $patient, asOf: $asOf) { __typename
  ... on PatientRecord { accessId incomplete patient { id name } asOf { position }
    entries { totalCount nodes { id name flags } } summary { conditions { name flags } }
    documents { totalCount } } ... on AccessRefused { reason } } }"""
GRANT = """mutation($patient: PatientKey!, $to: String!) {
  grantConsent(patient: $patient, facility: $to, classes: [CONDITION]) }"""
WITHDRAW = (
    "mutation($patient: PatientKey!, $to: String!) { withdrawConsent(patient: $patient, facility: $to) }"
)
LINK = """mutation($survivor: ID!, $other: ID!) {
  linkPatients(survivor: $survivor, other: $other, reason: "確認済") }"""
UNLINK = """mutation($patient: ID!, $link: ID!) { unlinkPatients(patient: $patient, link: $link, reason: "誤り") }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def register(world: World, number: str, *, by: Caller = CLINIC_SYSTEM, **changes: Any) -> UUID:
    """A set of diagnoses under a number, and a local number of its own."""
    told = await world.application.register_bundle(by, sent(number, by=by, **changes))
    world.project()
    return told.patient


def sent(number: str, *, by: Caller = CLINIC_SYSTEM, **changes: Any) -> bytes:
    assert by.facility is not None
    tree = json.loads(a_bundle(number=number, facility=by.facility, **changes))
    tree["entry"][0]["resource"]["identifier"][0]["value"] = f"P-{number[:8]}"
    return orjson.dumps(tree)


async def two(world: World) -> tuple[UUID, UUID]:
    """One person under two numbers, at two facilities; the hospital may see what is under the first."""
    first = await register(world, NUMBER, conditions={"1": "高血圧症"})
    second = await register(world, OTHER, by=PRACTICE, conditions={"2": "狭心症"})
    await world.data(HOSPITAL_SYSTEM, GRANT, patient={"insuredPerson": NUMBER}, to=HOSPITAL)
    world.project()
    return first, second


async def link(world: World, survivor: UUID, other: UUID) -> str:
    made: str = (await world.data(OPERATOR, LINK, survivor=str(survivor), other=str(other)))["linkPatients"]
    return made


async def unlink(world: World, patient: UUID, made: str) -> None:
    await world.data(OPERATOR, UNLINK, patient=str(patient), link=made)


async def read(world: World, number: str, caller: Caller = DOCTOR, **variables: Any) -> dict[str, Any]:
    asked = {"patient": {"insuredPerson": number}, **variables}
    record: dict[str, Any] = (await world.data(caller, READ, **asked))["patientRecord"]
    return record


async def told(world: World, caller: Caller, document: str, **variables: Any) -> str:
    (error,) = (await world.ask(caller, document, **variables))["errors"]
    code: str = error["extensions"]["code"]
    return code


def test_a_read_by_either_number_covers_both_and_unlinking_undoes_it_at_once(tell: Tell) -> None:
    async def story(world: World) -> None:
        first, second = await two(world)
        assert (await read(world, OTHER))["__typename"] == "AccessRefused"

        made = await link(world, first, second)
        both = [await read(world, number) for number in (NUMBER, OTHER)]
        assert [sorted(names(record)) for record in both] == [["狭心症", "高血圧症"]] * 2
        assert {record_id(record) for record in both} == {first}, "the survivor stands for both"
        assert sorted(c["name"] for c in both[0]["summary"]["conditions"]) == ["狭心症", "高血圧症"]

        await unlink(world, second, made)
        assert names(await read(world, NUMBER)) == ["高血圧症"]
        assert (await read(world, OTHER))["__typename"] == "AccessRefused"
        then = {"position": both[0]["asOf"]["position"]}
        assert names(await read(world, NUMBER, asOf=then)) == ["高血圧症"], "not at an earlier moment either"

    tell(story)


def test_as_of_before_the_link_shows_nothing_of_the_other(tell: Tell) -> None:
    async def story(world: World) -> None:
        first, second = await two(world)
        before = (await read(world, NUMBER))["asOf"]["position"]

        await link(world, first, second)

        assert names(await read(world, OTHER, asOf={"position": before})) == ["高血圧症"]
        after = (await read(world, NUMBER))["asOf"]["position"]
        assert len(after) == len(before), "a position's length does not tell that she is linked"

    tell(story)


def test_what_comes_in_belongs_to_whom_it_names_and_goes_with_her_when_it_is_undone(tell: Tell) -> None:
    async def story(world: World) -> None:
        first, second = await two(world)
        made = await link(world, first, second)

        later = await register(world, OTHER, by=PRACTICE, local_id="set-9", conditions={"3": "肺炎"})
        assert later == second
        assert sorted(names(await read(world, NUMBER))) == ["肺炎", "高血圧症"], (
            "its set ends what it had said"
        )

        await unlink(world, first, made)
        assert names(await read(world, NUMBER)) == ["高血圧症"]

    tell(story)


def test_a_set_under_one_number_ends_what_its_facility_said_under_the_other(tell: Tell) -> None:
    async def story(world: World) -> None:
        first = await register(world, NUMBER, conditions={"1": "高血圧症"})
        second = await register(
            world, OTHER, local_id="set-2", conditions={"2": "狭心症"}, timestamp="2027-01-01T10:00:00+09:00"
        )
        assert first != second
        await world.data(HOSPITAL_SYSTEM, GRANT, patient={"insuredPerson": NUMBER}, to=HOSPITAL)

        made = await link(world, first, second)
        assert names(await read(world, NUMBER)) == ["狭心症"]

        await unlink(world, first, made)
        assert names(await read(world, NUMBER)) == ["高血圧症"]

    tell(story)


def test_a_mark_under_one_number_hides_the_fact_under_the_other(tell: Tell) -> None:
    async def story(world: World) -> None:
        first = await register(world, NUMBER, conditions={"20065011": "うつ病"}, local_id="set-1")
        second = await register(
            world,
            OTHER,
            local_id="set-2",
            conditions={"20065011": "うつ病"},
            flags={"20065011": "UNDELIVERED"},
        )
        await world.data(HOSPITAL_SYSTEM, GRANT, patient={"insuredPerson": NUMBER}, to=HOSPITAL)
        assert names(await read(world, NUMBER)) == ["うつ病"]

        await link(world, first, second)

        record = await read(world, NUMBER)
        assert names(record) == [] and record["entries"]["totalCount"] == 0

    tell(story)


def test_the_same_bundle_under_another_of_her_numbers_replaces_the_one_that_is_there(tell: Tell) -> None:
    async def story(world: World) -> None:
        first, second = await two(world)
        await link(world, first, second)

        again = await world.application.register_bundle(
            CLINIC_SYSTEM, sent(OTHER, conditions={"1": "高血圧症、改"})
        )

        assert (again.outcome, again.patient) == ("REPLACED", first)
        cancelled = await world.data(
            CLINIC_SYSTEM,
            """mutation($patient: PatientKey!, $value: String!, $system: String!) { cancelBundle(patient: $patient,
              kind: CONDITIONS, reason: "x", identifier: { system: $system, value: $value }) }""",
            patient={"insuredPerson": OTHER},
            system=BUNDLE_SYSTEM,
            value=bundle_value("set-1"),
        )
        assert cancelled["cancelBundle"] == str(again.document)
        assert names(await read(world, OTHER)) == ["狭心症"]

    tell(story)


def test_a_withdrawal_by_either_takes_back_what_was_given_under_both(tell: Tell) -> None:
    async def story(world: World) -> None:
        first, second = await two(world)
        await world.data(HOSPITAL_SYSTEM, GRANT, patient={"insuredPerson": OTHER}, to=HOSPITAL)
        made = await link(world, first, second)

        await world.data(herself(second), WITHDRAW, patient={"id": str(first)}, to=HOSPITAL)

        assert (await read(world, NUMBER))["__typename"] == "AccessRefused"
        await unlink(world, first, made)
        assert (await read(world, NUMBER))["__typename"] == "AccessRefused"
        assert (await read(world, OTHER))["__typename"] == "AccessRefused"

    tell(story)


def test_she_sees_her_record_consents_and_readers_under_either(tell: Tell) -> None:
    async def story(world: World) -> None:
        first, second = await two(world)
        await read(world, NUMBER)
        await link(world, first, second)
        await read(world, OTHER)
        world.project()
        asked = (
            "{ me { record { entries { totalCount } } consents { recordClass } accesses { totalCount } } }"
        )

        mine = [(await world.data(herself(one), asked))["me"] for one in (first, second)]

        assert [me["record"]["entries"]["totalCount"] for me in mine] == [2, 2]
        assert [len(me["consents"]) for me in mine] == [1, 1]
        assert mine[0]["accesses"]["totalCount"] == 2
        trail = "query($filter: TrailFilter) { accessTrail(filter: $filter) { nodes { patient } } }"
        world.project()
        found = await world.data(AUDITOR, trail, filter={"patient": str(second), "facility": HOSPITAL})
        assert [access["patient"] for access in found["accessTrail"]["nodes"]] == [str(first)], (
            "the read while they were linked was a read of hers"
        )

    tell(story)


def test_an_unlink_between_the_decision_and_its_append_means_decide_again(tell: Tell) -> None:
    async def story(world: World) -> None:
        first, second = await two(world)
        made = await link(world, first, second)
        fetch, undone = world.application.fetch, False

        async def unlink_then_fetch(*given: Any) -> Any:
            nonlocal undone
            if not undone:
                undone = True
                await unlink(world, second, made)
            return await fetch(*given)

        object.__setattr__(world.application, "fetch", unlink_then_fetch)

        assert names(await read(world, NUMBER)) == ["高血圧症"]
        assert world.events("access-permitted") == 1

    tell(story)


def test_of_three_the_link_in_the_middle_is_undone(tell: Tell) -> None:
    async def story(world: World) -> None:
        first, second = await two(world)
        third = await register(world, THIRD, local_id="set-3", conditions={"3": "喘息"})
        middle = await link(world, first, second)
        await link(world, third, second)
        assert {record_id(await read(world, number)) for number in (NUMBER, OTHER, THIRD)} == {third}

        await unlink(world, third, middle)

        assert {record_id(await read(world, number)) for number in (NUMBER, THIRD)} == {third}
        assert (await read(world, OTHER))["__typename"] == "AccessRefused"

    tell(story)


def test_who_cannot_be_linked_or_unlinked(tell: Tell) -> None:
    async def story(world: World) -> None:
        first, second = await two(world)
        made = await link(world, first, second)
        nobody = str(UUID(int=7))

        assert await told(world, OPERATOR, LINK, survivor=str(second), other=str(first)) == "CANNOT_LINK"
        assert await told(world, OPERATOR, LINK, survivor=str(first), other=str(first)) == "CANNOT_LINK"
        assert await told(world, OPERATOR, LINK, survivor=str(first), other=nobody) == "CANNOT_LINK"
        assert await told(world, OPERATOR, UNLINK, patient=str(first), link=nobody) == "NOTHING_TO_UNLINK"
        assert await told(world, DOCTOR, UNLINK, patient=str(first), link=made) == "FORBIDDEN"

    tell(story)


def test_a_rebuild_gives_the_rows_that_stand(tell: Tell) -> None:
    async def story(world: World) -> None:
        first, second = await two(world)
        made = await link(world, first, second)
        await read(world, OTHER)
        await unlink(world, first, made)
        await link(world, second, first)
        world.project()

        for name, projection in PROJECTIONS.items():
            assert rebuilt(world.connection, projection).equal, name

    tell(story)
