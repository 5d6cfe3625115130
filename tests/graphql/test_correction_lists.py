"""訂正等請求・利用停止等請求: who reads the requests, since when they wait, and who is told of each look."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from psycopg import Connection

from correction_examples import (
    ADMIN,
    ANSWER,
    INBOX,
    MINE,
    OTHER_ADMIN,
    TAKE_BACK,
    WORDS,
    ask,
    begun,
    inbox,
    mine,
    named,
    overdue,
    refused,
)
from examples import (
    AUDITOR,
    CLINIC,
    HOSPITAL,
    OPERATOR,
    herself,
)
from projection_examples import rebuilt
from referral_examples import at
from tsuzuri.app.actions.erase import erase_stream
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.projections.catalogue import PROJECTIONS
from world import Tell, World, tell_in

DAY = timedelta(days=1)


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def test_what_is_taken_back_while_it_is_read_is_not_shown(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        said = {"patient": named(patient), "request": await ask(world, patient)}
        settle = world.application.settle
        taken_back: list[Any] = []

        async def settle_after_she_took_it_back(*given: Any) -> None:
            if not taken_back:
                taken_back.append(await world.data(herself(patient), TAKE_BACK, **said))
            await settle(*given)

        monkeypatch.setattr(world.application, "settle", settle_after_she_took_it_back)  # to place the race

        assert await inbox(world) == [] and len(taken_back) == 1

    tell(story)


def test_each_look_of_the_facility_and_of_the_operating_body_is_told_to_her(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        request = await ask(world, patient)
        await inbox(world)
        await inbox(world, OTHER_ADMIN)
        assert world.events("access-permitted") == 1, "who finds nothing has looked at nobody"
        at(world, world.application.now() + 30 * DAY)
        await overdue(world, AUDITOR)
        world.project()

        asked = (
            """{ me { accesses { nodes { role purpose bases classesPermitted facility { number } } } } }"""
        )
        looks = (await world.data(herself(patient), asked))["me"]["accesses"]["nodes"]

        assert looks == [
            {
                "role": "AUDITOR",
                "purpose": "HSYSADMIN",
                "bases": ["AUDIT"],
                "classesPermitted": [],
                "facility": None,
            },
            {
                "role": "FACILITY_ADMIN",
                "purpose": "HOPERAT",
                "bases": ["OWN_FACILITY"],
                "classesPermitted": [],
                "facility": {"number": CLINIC},
            },
        ]
        trail = "{ accessTrail { nodes { role outcome entriesShown patient explanation { agrees steps { rule } } } } }"
        seen = (await world.data(AUDITOR, trail))["accessTrail"]["nodes"]
        explained = [one.pop("explanation") for one in seen]
        assert {one["agrees"] for one in explained if one} == {True}
        assert {
            "role": "FACILITY_ADMIN",
            "outcome": "PERMITTED",
            "entriesShown": 1,
            "patient": str(patient),
        } in seen
        assert WORDS not in str(seen) and request not in str(seen)

    tell(story)


def test_from_the_thirtieth_day_on_it_is_overdue_and_the_operating_body_knows_without_her_words(
    tell: Tell,
) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        request = await ask(world, patient)
        answered = await ask(world, patient, "もう一つ")
        await world.data(ADMIN, ANSWER, patient=named(patient), request=answered)
        world.project()
        row = world.connection.execute(
            "SELECT requested_at FROM correction_requests_g1.correction_request WHERE request = %s",
            (request,),
        ).fetchone()
        assert row is not None

        at(world, row[0] + 30 * DAY - timedelta(microseconds=1))
        assert await overdue(world, AUDITOR) == []
        assert [one["overdue"] for one in await inbox(world, state="WAITING")] == [False]

        at(world, row[0] + 30 * DAY)
        assert await overdue(world, AUDITOR) == [
            {
                "id": request,
                "patientId": str(patient),
                "kind": "CORRECTION",
                "waitedDays": 30,
                "facility": {"number": CLINIC},
            }
        ]
        (late,) = await inbox(world, state="WAITING")
        assert (late["overdue"], late["waitedDays"]) == (True, 30)
        assert "回答がありません" in (await mine(world, patient))[1]["told"]

    tell(story)


def test_linked_patients_find_what_each_of_them_asked_and_it_is_answered_under_either(tell: Tell) -> None:
    async def story(world: World) -> None:
        first = await begun(world)
        second = await begun(world, number="00099999:え:7:01", local_id="set-9", name="試験 華子")
        assert first != second
        request = await ask(world, second)
        link = 'mutation($a: ID!, $b: ID!) { linkPatients(survivor: $a, other: $b, reason: "確認済") }'
        made = (await world.data(OPERATOR, link, a=str(first), b=str(second)))["linkPatients"]
        world.project()

        assert [one["id"] for one in await mine(world, first)] == [request]
        await world.data(ADMIN, ANSWER, patient=named(first), request=request)
        unlink = 'mutation($p: ID!, $l: ID!) { unlinkPatients(patient: $p, link: $l, reason: "誤り") }'
        await world.data(OPERATOR, unlink, p=str(first), l=made)
        world.project()

        assert await mine(world, first) == []
        assert [one["state"] for one in await mine(world, second)] == ["ANSWERED"]

    tell(story)


def test_with_the_record_her_words_are_gone_at_once(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        request = await ask(world, patient)

        await erase_stream(world.application.services, OPERATOR, patient, Stream.RECORD, reason="本人の求め")

        assert await inbox(world) == [] and await mine(world, patient) == [], "before the projection knows it"
        assert (await refused(world, ADMIN, ANSWER, patient=named(patient), request=request))[0] == (
            "NOTHING_TO_ANSWER"
        )
        world.project()
        assert await inbox(world) == [] and await mine(world, patient) == []
        assert world.events("correction-requested") == 1, "that she asked stays in the log"

    tell(story)


def test_a_page_goes_on_behind_the_last_and_is_one_facility_s(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        requests = [await ask(world, patient, f"{number}件目") for number in range(3)]
        elsewhere = await ask(world, patient, facility=HOSPITAL)

        first = (await world.data(ADMIN, INBOX, first=2))["correctionRequests"]
        after = first["pageInfo"]["endCursor"]
        last = (await world.data(ADMIN, INBOX, first=2, after=after))["correctionRequests"]

        found = [node["id"] for node in first["nodes"] + last["nodes"]]
        assert found == requests[::-1]
        assert (first["pageInfo"]["hasNextPage"], last["pageInfo"]["hasNextPage"]) == (True, False)
        assert [one["id"] for one in await inbox(world, OTHER_ADMIN)] == [elsewhere]
        assert (await refused(world, OTHER_ADMIN, INBOX, after=after))[0] == "BAD_CURSOR"
        assert (await refused(world, ADMIN, INBOX, first=51))[0] == "BAD_INPUT"

    tell(story)


def test_a_rebuild_gives_the_rows_that_stand(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        for number, document in enumerate((TAKE_BACK, ANSWER)):
            said = {"patient": named(patient), "request": await ask(world, patient, f"{number}件目")}
            await world.data(ADMIN if document is ANSWER else herself(patient), document, **said)
        await ask(world, patient)
        world.project()

        assert rebuilt(world.connection, PROJECTIONS["correction_requests"]).equal
        assert len((await world.data(herself(patient), MINE))["me"]["correctionRequests"]["nodes"]) == 3

    tell(story)
