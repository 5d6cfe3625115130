"""Every list is paged both ways, in one order, by the same cursors; how many there are is counted when asked for."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from psycopg import Connection

from document_examples import SENDER
from examples import AUDITOR, CLINIC, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, OPERATOR, herself
from referral_examples import sent
from tsuzuri.domain.callers import Caller
from world import CONSENT, KEY, Tell, World, tell_in

PAGE = """{ edges { cursor node { __typename } } nodes { __typename }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }"""
DECLARED = "query($first: Int, $after: String, $last: Int, $before: String)"
GIVEN = "first: $first, after: $after, last: $last, before: $before"
COUNTED = """{ me { referrals(last: 1) { totalCount } record { entries(first: 1) { totalCount }
    documents(last: 1) { totalCount } timeline { totalCount } } } }"""
LIST = "mutation($facility: FacilityInput!) { listFacility(facility: $facility) }"


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def of_record(name: str) -> str:
    return f"""{DECLARED} {{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{
        {name}({GIVEN}) {PAGE} }} }} }}"""


def of_hers(name: str) -> str:
    """A list of her record."""
    return f"{DECLARED} {{ me {{ record {{ {name}({GIVEN}) {PAGE} }} }} }}"


def of_her(name: str) -> str:
    return f"{DECLARED} {{ me {{ {name}({GIVEN}) {PAGE} }} }}"


def at_root(name: str) -> str:
    return f"{DECLARED} {{ {name}({GIVEN}) {PAGE} }}"


def connection_in(data: Any) -> dict[str, Any]:
    """The one list that was asked for."""
    while "edges" not in data:
        (data,) = data.values()
    found: dict[str, Any] = data
    return found


async def forward(world: World, caller: Caller, asked: str, size: int) -> AsyncIterator[dict[str, Any]]:
    after, more = None, True
    while more:
        page = connection_in(await world.data(caller, asked, first=size, after=after))
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        yield page


async def backward(world: World, caller: Caller, asked: str, size: int) -> AsyncIterator[dict[str, Any]]:
    before, more = None, True
    while more:
        page = connection_in(await world.data(caller, asked, last=size, before=before))
        before, more = page["pageInfo"]["startCursor"], page["pageInfo"]["hasPreviousPage"]
        yield page


def cursors(page: dict[str, Any]) -> list[str]:
    return [edge["cursor"] for edge in page["edges"]]


async def told_both_ways(world: World, caller: Caller, asked: str, size: int = 2) -> int:
    """How many nodes there are: the same backward as forward, the pages cut where each way puts them."""
    onward = [page async for page in forward(world, caller, asked, size)]
    back = [page async for page in backward(world, caller, asked, size)]
    there = [cursor for page in onward for cursor in cursors(page)]
    assert [cursor for page in reversed(back) for cursor in cursors(page)] == there
    assert len(there) == len(set(there)) > size, "one page would show nothing"
    assert [len(page["nodes"]) for page in back] == [len(page["nodes"]) for page in onward]
    assert [page["pageInfo"]["hasPreviousPage"] for page in onward] == [False] + [True] * (len(onward) - 1)
    assert [page["pageInfo"]["hasNextPage"] for page in back] == [False] + [True] * (len(back) - 1)
    for page in (*onward, *back):
        ends = (page["pageInfo"]["startCursor"], page["pageInfo"]["endCursor"])
        assert ends == (cursors(page)[0], cursors(page)[-1])
    return len(there)


async def told(world: World, caller: Caller, asked: str, **variables: Any) -> str:
    code: str = (await world.ask(caller, asked, **variables))["errors"][0]["extensions"]["code"]
    return code


def test_her_record_and_her_letters_are_paged_both_ways_by_each_who_finds_them(tell: Tell) -> None:
    async def story(world: World) -> None:
        for number in range(5):
            letter = await sent(world, f"病名{number}", local_id=f"ref-{number}", oral=True)
        her = herself(letter.patient)

        entries = await told_both_ways(world, her, of_hers("entries"), size=3)
        documents = await told_both_ways(world, her, of_hers("documents"))
        timeline = await told_both_ways(world, her, of_hers("timeline"), size=4)
        assert await told_both_ways(world, her, of_her("referrals")) == documents == 5
        assert await told_both_ways(world, DOCTOR, at_root("referralInbox")) == 5
        assert await told_both_ways(world, SENDER, at_root("referralOutbox")) == 5
        world.project()
        assert await told_both_ways(world, her, of_her("accesses"), size=9) > 9

        counted = (await world.data(her, COUNTED))["me"]
        of = {
            name: one["totalCount"] for name, one in (counted["record"] | counted).items() if name != "record"
        }
        assert of == {"entries": entries, "documents": 5, "timeline": timeline, "referrals": 5}
        assert timeline == entries + documents

    tell(story)


def test_facilities_and_the_trail_are_paged_both_ways(tell: Tell) -> None:
    async def story(world: World) -> None:
        for number in (CLINIC, HOSPITAL, "1341234567", "1310000017"):
            facility = {"number": number, "name": f"医院{number}", "kind": "CLINIC"}
            if number == "1341234567":
                facility["kind"] = "PHARMACY"
            await world.data(OPERATOR, LIST, facility=facility)
        await world.register()
        for _ in range(3):
            await world.record()
        world.project()

        assert await told_both_ways(world, DOCTOR, at_root("facilities")) == 4
        assert await told_both_ways(world, AUDITOR, at_root("accessTrail")) == 3

    tell(story)


def test_a_page_is_asked_for_one_way(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register()
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        asked = of_record("entries")
        cursor = connection_in(await world.data(DOCTOR, asked, first=1))["pageInfo"]["endCursor"]

        for both in ({"first": 1, "last": 1}, {"first": 1, "before": cursor}, {"last": 1, "after": cursor}):
            assert await told(world, DOCTOR, asked, **both) == "BAD_INPUT"
        for size in (0, -1, 1_001):
            assert await told(world, DOCTOR, asked, last=size) == "BAD_INPUT"
        assert await told(world, DOCTOR, of_record("documents"), last=201) == "BAD_INPUT"
        assert await told(world, DOCTOR, of_record("documents"), last=1, before=cursor) == "BAD_CURSOR"
        assert len(connection_in(await world.data(DOCTOR, asked, last=1_000))["nodes"]) == 1

    tell(story)


def test_in_front_of_the_first_and_behind_the_last_there_is_nothing(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.register(conditions={"20065011": "上腹部痛", "20058911": "狭心症"})
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        asked = of_record("entries")
        ends = connection_in(await world.data(DOCTOR, asked))["pageInfo"]

        ahead = connection_in(await world.data(DOCTOR, asked, last=5, before=ends["startCursor"]))
        behind = connection_in(await world.data(DOCTOR, asked, first=5, after=ends["endCursor"]))

        nothing = {"startCursor": None, "endCursor": None}
        assert ahead["edges"] == behind["edges"] == []
        assert ahead["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": False, **nothing}
        assert behind["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True, **nothing}

    tell(story)
