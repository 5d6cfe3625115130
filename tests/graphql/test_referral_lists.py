"""Inbox and outbox: each tells a facility of its own referrals, and each patient who looked."""

from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection

from examples import DOCTOR, HOSPITAL, herself
from fhir_examples import FACILITY
from referral_examples import THIRD, inbox, refused, sent, standing
from world import Tell, World, tell_in


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def test_the_patient_sees_where_each_stands_whoever_may_read_it(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world)
        asked = "{ me { referrals { nodes { id state recipient { number } } } } }"

        (one,) = (await world.data(herself(told.patient), asked))["me"]["referrals"]["nodes"]

        assert one == {"id": str(told.document), "state": "HELD", "recipient": {"number": HOSPITAL}}

    tell(story)


def test_each_look_into_the_inbox_and_the_outbox_is_told_to_the_patient(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await sent(world, oral=True)
        await inbox(world)
        await standing(world)
        world.project()
        asked = "{ me { accesses { nodes { facility { number } bases classesPermitted role } } } }"

        looks = (await world.data(herself(told.patient), asked))["me"]["accesses"]["nodes"]

        assert looks == [
            {
                "facility": {"number": FACILITY},
                "bases": ["OWN_FACILITY"],
                "classesPermitted": ["REFERRAL"],
                "role": "SYSTEM",
            },
            {
                "facility": {"number": HOSPITAL},
                "bases": ["REFERRAL"],
                "classesPermitted": ["REFERRAL"],
                "role": "CLINICIAN",
            },
        ]

    tell(story)


def test_an_empty_inbox_leaves_no_trace_of_anybody(tell: Tell) -> None:
    async def story(world: World) -> None:
        await sent(world)

        assert await inbox(world) == []

        assert world.events("access-permitted") == world.events("access-refused") == 0

    tell(story)


def test_a_page_goes_on_behind_the_last_one_it_looked_at(tell: Tell) -> None:
    async def story(world: World) -> None:
        numbers = [str((await sent(world, local_id=f"ref-{n}", oral=True)).document) for n in range(5)]
        asked = """query($after: String) { referralInbox(first: 2, after: $after) { nodes { id }
            pageInfo { endCursor hasNextPage } } }"""
        found: list[str] = []
        after, more = None, True

        while more:
            page = (await world.data(DOCTOR, asked, after=after))["referralInbox"]
            found += [node["id"] for node in page["nodes"]]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

        assert found == numbers[::-1]
        assert await refused(world, THIRD, asked, after=after) == "BAD_CURSOR"

    tell(story)
