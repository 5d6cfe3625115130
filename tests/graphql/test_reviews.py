"""Reviews: open before anything was shown, seen by those who watch over it, and closed once."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from examples import AUDITOR, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, OPERATOR, a_caller
from projection_examples import live_rows, rebuilt
from tsuzuri.app.actions.erase import erase_stream
from tsuzuri.domain.vocabulary import Role, Stream
from tsuzuri.projections.access_reviews import NAME, ReviewRow
from tsuzuri.projections.catalogue import PROJECTIONS
from unusual_examples import ADMIN, CLINIC_ADMIN, RECORD, declared
from world import KEY, Tell, World, tell_in

REVIEWS = """query($state: ReviewState) { accessReviews(state: $state, first: 10) { totalCount nodes {
    id cause rules person role facility { number } patients because reason reads classes widenedAt widenedBecause
    says saysJa closedAt finding words closedBy } } }"""
CLOSE = """mutation($review: ID!, $finding: ReviewFinding!, $words: String!) {
    closeReview(review: $review, finding: $finding, words: $words) }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def reviews(world: World, state: str | None = None, caller: Any = AUDITOR) -> list[dict[str, Any]]:
    found = (await world.data(caller, REVIEWS, state=state))["accessReviews"]
    assert found["totalCount"] == len(found["nodes"])
    nodes: list[dict[str, Any]] = found["nodes"]
    return nodes


async def code(world: World, caller: Any, **said: Any) -> str:
    (error,) = (await world.ask(caller, CLOSE, **{"finding": "JUSTIFIED", "words": "x"} | said))["errors"]
    told: str = error["extensions"]["code"]
    return told


def test_an_emergency_is_reviewed_before_anything_was_shown(tell: Tell) -> None:
    async def story(world: World) -> None:
        emergency = await declared(world)

        (review,) = await reviews(world, "OPEN")

        assert (review["cause"], review["because"], review["reason"]) == ("EMERGENCY", emergency, "意識なし")
        assert (review["person"], review["facility"]["number"]) == ("dr-hamada", HOSPITAL)
        assert (review["reads"], review["classes"], review["widenedAt"]) == (0, [], None)
        await world.data(DOCTOR, RECORD, purpose="BTG")
        await world.data(
            DOCTOR,
            f'mutation {{ widenEmergency(patient: {KEY}, emergency: "{emergency}", reason: "手術歴") }}',
        )
        await world.data(DOCTOR, RECORD, purpose="BTG")
        world.project()
        (later,) = await reviews(world)
        assert later["id"] == review["id"]
        assert (later["reads"], later["widenedBecause"]) == (2, "手術歴")
        assert "CONDITION" in later["classes"] and "DISCHARGE_SUMMARY" in later["classes"]

    tell(story)


def test_a_review_is_closed_once_and_the_next_read_opens_another(tell: Tell) -> None:
    async def story(world: World) -> None:
        await declared(world)
        (review,) = await reviews(world)
        said = {"review": review["id"], "finding": "NOT_JUSTIFIED", "words": "当直の患者ではない"}

        await world.data(ADMIN, CLOSE, **said)

        assert await code(world, AUDITOR, review=review["id"]) == "REVIEW_CLOSED_ALREADY", (
            "before it is shown"
        )
        world.project()
        assert await code(world, ADMIN, **said | {"words": "x"}) == "REVIEW_CLOSED_ALREADY"
        (closed,) = await reviews(world, "CLOSED")
        assert (closed["finding"], closed["words"], closed["closedBy"]) == (
            "NOT_JUSTIFIED",
            "当直の患者ではない",
            "admin-aoki",
        )
        assert await reviews(world, "OPEN") == []
        await world.data(DOCTOR, RECORD, purpose="BTG")
        world.project()
        (next_one,) = await reviews(world, "OPEN")
        assert (next_one["reads"], next_one["reason"]) == (1, "意識なし")
        assert world.events("review-closed") == 1

    tell(story)


def test_of_two_who_close_it_at_once_one_is_told_so(tell: Tell) -> None:
    async def story(world: World) -> None:
        await declared(world)
        (review,) = await reviews(world)
        said = {"review": review["id"], "finding": "UNCLEAR"}

        answers = await asyncio.gather(
            world.ask(ADMIN, CLOSE, **said, words="家族に確認中"),
            world.ask(AUDITOR, CLOSE, **said, words="照会中"),
        )

        refused = [answer["errors"][0]["extensions"]["code"] for answer in answers if "errors" in answer]
        assert refused == ["REVIEW_CLOSED_ALREADY"]
        assert world.events("review-closed") == 1

    tell(story)


def test_only_those_who_watch_over_it_see_and_close(tell: Tell) -> None:
    async def story(world: World) -> None:
        await declared(world)
        (review,) = await reviews(world, caller=ADMIN)

        assert await reviews(world, caller=CLINIC_ADMIN) == []
        assert await code(world, CLINIC_ADMIN, review=review["id"]) == "NO_SUCH_REVIEW"
        assert await code(world, ADMIN, review=str(UUID(int=5))) == "NO_SUCH_REVIEW"
        assert await code(world, ADMIN, review=review["id"], words="  ") == "BAD_INPUT"
        own = a_caller("dr-hamada", Role.FACILITY_ADMIN, HOSPITAL)
        assert await code(world, own, review=review["id"]) == "OWN_REVIEW"
        for caller in (DOCTOR, OPERATOR, HOSPITAL_SYSTEM):
            assert await code(world, caller, review=review["id"]) == "FORBIDDEN"
            assert (await world.ask(caller, REVIEWS))["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        world.project()
        trail = '{ accessTrail(filter: { outcome: "TRAIL_READ" }) { nodes { person } } }'
        looked = (await world.data(AUDITOR, trail))["accessTrail"]["nodes"]
        assert {one["person"] for one in looked} >= {"admin-aoki", "admin-endo"}

    tell(story)


def test_a_disaster_is_one_review_for_each_reader_and_patient(tell: Tell) -> None:
    async def story(world: World) -> None:
        await declared(world)
        other = a_caller("dr-noto", Role.CLINICIAN, HOSPITAL)
        window = await world.data(
            OPERATOR,
            'mutation { openDisasterWindow(municipalities: ["17202"], until: "2090-01-01T00:00:00Z", reason: "地震") }',
        )
        for caller in (DOCTOR, DOCTOR, other):
            await world.data(caller, RECORD, purpose="DISASTER")
        world.project()

        found = [one for one in await reviews(world) if one["cause"] == "DISASTER"]

        assert {(one["person"], one["reads"], one["because"]) for one in found} == {
            ("dr-hamada", 2, window["openDisasterWindow"]),
            ("dr-noto", 1, window["openDisasterWindow"]),
        }

    tell(story)


def test_a_rebuild_gives_the_rows_that_stand_whatever_was_erased(tell: Tell) -> None:
    async def story(world: World) -> None:
        emergency = await declared(world)
        patient = live_rows(world.connection, NAME, ReviewRow)[0].patients[0]
        await world.data(DOCTOR, RECORD, purpose="BTG")
        await world.data(
            OPERATOR,
            'mutation { openDisasterWindow(municipalities: ["17202"], until: "2090-01-01T00:00:00Z", reason: "地震") }',
        )
        await world.data(DOCTOR, RECORD, purpose="DISASTER")
        world.project()
        assert emergency in {str(row.because) for row in live_rows(world.connection, NAME, ReviewRow)}
        assert rebuilt(world.connection, PROJECTIONS[NAME]).equal

        left = []
        for stream in (Stream.CONSENT, Stream.ACCESS):
            await erase_stream(world.application.services, OPERATOR, patient, stream, reason="請求")
            world.project()
            left.append([row.cause for row in live_rows(world.connection, NAME, ReviewRow)])
            assert rebuilt(world.connection, PROJECTIONS[NAME]).equal

        assert left == [["DISASTER"], []]

    tell(story)
