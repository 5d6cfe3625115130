"""What changed since a position: enough to keep a copy by, and no trace of what may not be seen any more."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from psycopg import Connection

from document_examples import SENDER, diagnosis, referral
from examples import CLINIC_SYSTEM, DOCTOR, HOSPITAL_SYSTEM, NUMBER, OPERATOR, a_bundle, herself
from fhir_examples import Json
from rendering_examples import INDICATION
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import RecordClass
from world import CANCEL, CONSENT, KEY, Tell, World, record_id, tell_in

CHANGED = """query($patient: PatientKey!, $purpose: PurposeOfUse! = TREAT, $position: String!, $first: Int,
    $after: String, $ids: [ID!]! = [], $asOf: AsOf) {
  patientRecord(patient: $patient, purpose: $purpose, asOf: $asOf) { ... on PatientRecord { asOf { position }
    changedSince(position: $position, first: $first, after: $after) { totalCount
      nodes { id kind item { __typename ... on Entry { name flags } } } pageInfo { hasNextPage endCursor } }
    present(ids: $ids) } } }"""
HERS = {"insuredPerson": NUMBER}
IDS = f"""{{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{ asOf {{ position }} patient {{ id name }}
    entries {{ nodes {{ id name }} }} }} }} }}"""


OTHER = "00099999:え:7:01"
LINK = """mutation($survivor: ID!, $other: ID!) {
    linkPatients(survivor: $survivor, other: $other, reason: "確認済") }"""
UNLINK = """mutation($patient: ID!, $link: ID!) { unlinkPatients(patient: $patient, link: $link, reason: "誤り") }"""
STANDS = "{ me { record { asOf { position } } } }"


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def untold(*flags: str) -> Json:
    """A diagnosis, with the marks that its Bundle puts on it."""
    tags = [{"system": INDICATION, "code": flag} for flag in flags]
    meta = {"lastUpdated": "2026-01-02T08:00:00+09:00"} | ({"tag": tags} if tags else {})
    return diagnosis(
        "膵癌", code={"coding": [{"system": "urn:codes", "code": "1"}], "text": "膵癌"}, meta=meta
    )


async def start(world: World, **changes: Any) -> tuple[str, dict[str, str]]:
    """A set that the hospital may see: where the answer stood, and the ids of its entries by name."""
    await world.register(**changes)
    await world.data(HOSPITAL_SYSTEM, CONSENT)
    world.project()
    record = (await world.data(DOCTOR, IDS))["patientRecord"]
    return record["asOf"]["position"], {one["name"]: one["id"] for one in record["entries"]["nodes"]}


async def asked(world: World, position: str, caller: Caller = DOCTOR, **more: Any) -> dict[str, Any]:
    purpose = "TREAT" if caller is DOCTOR else "PATRQT"
    given = {"patient": HERS, "position": position, "purpose": purpose, **more}
    record: dict[str, Any] = (await world.data(caller, CHANGED, **given))["patientRecord"]
    return record


async def changed(world: World, position: str, caller: Caller = DOCTOR) -> dict[str, str]:
    """By the name of what is there now, or the id of what is gone."""
    since = (await asked(world, position, caller))["changedSince"]
    assert since["totalCount"] == len(since["nodes"])
    return {node["item"]["name"] if node["item"] else node["id"]: node["kind"] for node in since["nodes"]}


async def refusal(world: World, position: str, **more: Any) -> str:
    given = {"patient": HERS, "position": position, **more}
    (error,) = (await world.ask(DOCTOR, CHANGED, **given))["errors"]
    code: str = error["extensions"]["code"]
    return code


def test_what_came_what_was_said_anew_and_what_was_not_said_again(tell: Tell) -> None:
    async def story(world: World) -> None:
        position, ids = await start(world, conditions={"1": "高血圧症", "2": "腰痛"})
        assert await changed(world, position) == {}

        await world.register(conditions={"1": "高血圧症", "3": "狭心症"})
        world.project()

        assert await changed(world, position) == {
            "高血圧症": "REPLACED",
            "狭心症": "APPEARED",
            ids["腰痛"]: "GONE",
        }
        later = (await asked(world, position))["asOf"]["position"]
        assert await changed(world, later) == {}

    tell(story)


def test_changes_come_in_pages(tell: Tell) -> None:
    async def story(world: World) -> None:
        position, _ = await start(world)
        await world.register(conditions={f"{number}": f"病名{number}" for number in range(5)})
        world.project()

        found: list[str] = []
        after, more = None, True
        while more:
            page = (await asked(world, position, first=4, after=after))["changedSince"]
            found += [node["id"] for node in page["nodes"]]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

        assert len(found) == len(set(found)) == page["totalCount"] == 6

    tell(story)


def test_a_mark_is_a_change_for_who_may_see_it_and_nothing_for_who_may_not(tell: Tell) -> None:
    """The entry that is marked lies in one letter, the mark in another: its row is the one it was."""

    async def story(world: World) -> None:
        told = await world.application.register_bundle(SENDER, referral(untold()))
        everything = CONSENT.replace("CONDITION", ", ".join(RecordClass))
        await world.data(HOSPITAL_SYSTEM, everything)
        world.project()
        record = (await world.data(DOCTOR, IDS))["patientRecord"]
        (marked,) = (one["id"] for one in record["entries"]["nodes"] if one["name"] == "膵癌")
        patient = herself(told.patient)
        hers = (await world.data(patient, STANDS))["me"]["record"]["asOf"]["position"]

        again = referral(untold("UNINFORMED"), local_id="ref-2").replace(b"2026-01-02", b"2026-01-03")
        await world.application.register_bundle(SENDER, again)
        world.project()

        doctors = (await asked(world, record["asOf"]["position"]))["changedSince"]["nodes"]
        (found,) = (one for one in doctors if one["id"] == marked)
        item = {"__typename": "Entry", "name": "膵癌", "flags": ["UNINFORMED"]}
        assert found == {"id": marked, "kind": "REPLACED", "item": item}
        answer = await asked(world, hers, patient, ids=[marked])
        assert marked not in [one["id"] for one in answer["changedSince"]["nodes"]]
        assert answer["present"] == []

    tell(story)


def test_of_what_was_cancelled_nothing_is_told_but_that_it_is_not_present(tell: Tell) -> None:
    async def story(world: World) -> None:
        position, ids = await start(world)
        await world.register(local_id="set-2", conditions={"20058911": "狭心症"})
        world.project()
        before = await changed(world, position)
        present = (await asked(world, position, ids=[*ids.values(), str(uuid4())]))["present"]
        await world.data(CLINIC_SYSTEM, CANCEL)

        unprojected = await changed(world, position)
        world.project()

        assert ids["上腹部痛"] not in unprojected.keys() | (await changed(world, position)).keys()
        assert (before.get("狭心症"), present) == (
            "APPEARED",
            [] if ids["上腹部痛"] in before else [*ids.values()],
        )
        assert (await asked(world, position, ids=list(ids.values())))["present"] == []
        assert await refusal(world, position, ids=["x"]) == "BAD_INPUT"
        assert await refusal(world, position, ids=[str(uuid4())] * 1_001) == "BAD_INPUT"

    tell(story)


def test_who_turns_out_to_be_the_same_person_appears_and_who_is_not_leaves_no_trace(tell: Tell) -> None:
    async def story(world: World) -> None:
        position, ids = await start(world)
        local = a_bundle(number=OTHER, conditions={"2": "狭心症"}).replace(b'"P-1"', b'"P-2"')
        other = (await world.application.register_bundle(CLINIC_SYSTEM, local)).patient
        world.project()
        first = str(record_id((await world.data(DOCTOR, IDS))["patientRecord"]))
        assert await changed(world, position) == {}

        link = (await world.data(OPERATOR, LINK, survivor=first, other=str(other)))["linkPatients"]
        since = (await asked(world, position))["changedSince"]["nodes"]
        both = (await asked(world, position))["asOf"]["position"]
        await world.data(OPERATOR, UNLINK, patient=first, link=link)

        (came,) = since
        assert (came["kind"], came["item"]["name"]) == ("APPEARED", "狭心症")
        assert await changed(world, both) == {}
        held = [*ids.values(), came["id"]]
        assert (await asked(world, both, ids=held))["present"] == list(ids.values())

    tell(story)


def test_on_other_grounds_nothing_is_compared(tell: Tell) -> None:
    """What had been there unseen would be missing from a copy for ever."""

    async def story(world: World) -> None:
        position, _ = await start(world)
        await world.data(HOSPITAL_SYSTEM, CONSENT.replace("CONDITION", "CONDITION, DRUG_ALLERGY"))
        record = await asked(world, position)

        assert record["changedSince"] is None
        assert (await asked(world, record["asOf"]["position"]))["changedSince"] is not None

    tell(story)


def test_a_position_belongs_to_one_patient_and_to_what_is_there_now(tell: Tell) -> None:
    async def story(world: World) -> None:
        position, ids = await start(world)

        assert await refusal(world, "none") == "BAD_POSITION"
        assert await refusal(world, next(iter(ids.values()))) == "BAD_POSITION"
        assert await refusal(world, position, asOf={"position": position}) == "BAD_INPUT"
        earlier = {"at": "2026-11-22T00:00:00+09:00"}
        then = f"""{{ patientRecord(patient: {KEY}, asOf: {{ at: "{earlier["at"]}" }}) {{ ... on PatientRecord {{
            asOf {{ position }} }} }} }}"""
        of_a_moment = (await world.data(DOCTOR, then))["patientRecord"]["asOf"]["position"]
        assert (await asked(world, of_a_moment))["changedSince"] is None

    tell(story)


def test_the_patient_asks_that_the_index_has_reached_a_position_too(tell: Tell) -> None:
    async def story(world: World) -> None:
        position, _ = await start(world)
        patient = herself(record_id((await world.data(DOCTOR, IDS))["patientRecord"]))
        least = (
            "query($position: String!) { me(minPosition: $position) { record { entries { totalCount } } } }"
        )

        found = await world.data(patient, least, position=position)
        (error,) = (await world.ask(patient, least, position="none"))["errors"]

        assert found["me"]["record"]["entries"]["totalCount"] == 1
        assert error["extensions"]["code"] == "BAD_POSITION"
        assert world.events("access-permitted") == 4, "what came to nothing is an access too"

    tell(story)
