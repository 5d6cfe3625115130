"""The saved questions, each over a world in which there is something to be found, and something that is not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import Connection

from examples import (
    AUDITOR,
    DOCTOR,
    HOSPITAL,
    OPERATOR,
    a_caller,
    herself,
)
from explained_examples import EXPLAIN, access_at, begun, now, read
from question_examples import ASK, EVER, accesses, ask, entries
from tsuzuri.app.actions.ask_question import ANSWERS
from tsuzuri.app.actions.erase import erase_stream
from tsuzuri.domain.events import AccessPermitted
from tsuzuri.domain.questions import CATALOGUE, Question
from tsuzuri.domain.vocabulary import Role, Stream
from tsuzuri.eventlog.appending import Beside
from unusual_examples import MONDAY, declared, snooped
from unusual_examples import read as strange_read
from world import WITHDRAW, Tell, World, tell_in


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


# --- the catalogue


def test_every_question_is_answered_and_listed_with_its_words(tell: Tell) -> None:
    async def story(world: World) -> None:
        assert ANSWERS.keys() == set(Question)
        listed = (
            """{ savedQuestions { name needs takes words(language: EN) japanese: words(language: JA) } }"""
        )

        told = (await world.data(AUDITOR, listed))["savedQuestions"]

        assert [(one["name"], one["needs"], one["takes"]) for one in told] == [
            (saved.name, list(saved.needs), list(saved.takes)) for saved in CATALOGUE.values()
        ]
        assert all(one["words"] and one["japanese"] for one in told)
        assert world.events("trail-read") == 0, "the catalogue tells of nobody"

    tell(story)


def test_asking_is_in_the_trail_and_a_question_that_is_not_fit_is_not_asked(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        await read(world)
        answer = await ask(world, "WHO_SAW", patient=str(patient))
        world.project()
        looks = """{ accessTrail(filter: { outcome: "TRAIL_READ" }) { nodes { id patient entriesShown } } }"""

        (look,) = (await world.data(AUDITOR, looks))["accessTrail"]["nodes"]

        assert look == {
            "id": answer["accessId"],
            "patient": str(patient),
            "entriesShown": len(answer["findings"]),
        }
        before = world.events("trail-read")
        for wrong in ({}, {"patient": str(patient), "at": now(world).isoformat()}, {"patient": "x"}):
            refused = await world.ask(AUDITOR, ASK, question="WHO_SAW", **wrong)
            assert refused["errors"][0]["extensions"]["code"] == "BAD_INPUT"
        assert world.events("trail-read") == before

    tell(story)


# --- who saw, and when


def test_who_saw_a_patient_in_a_period_and_on_what_basis(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        seen = await read(world)
        between = now(world)
        refused = await read(world, a_caller("dr-x", Role.CLINICIAN, "1310000009"))
        await world.data(herself(patient), "{ me { record { entries { totalCount } } } }")

        answer = await ask(world, "WHO_SAW", patient=str(patient))
        first = await ask(world, "WHO_SAW", patient=str(patient), to=between.isoformat())
        hers = await ask(world, "WHO_SAW", patient=str(patient), person="patient")

        assert [(one["person"], one["bases"]) for one in answer["findings"]] == [
            ("dr-hamada", ["CONSENT"]),
            ("dr-x", []),
            ("patient", ["SELF"]),
        ]
        assert accesses(answer)[:2] == [seen["accessId"], refused["accessId"]]
        assert accesses(first) == [seen["accessId"]] and len(hers["findings"]) == 1
        assert answer["completeUntil"] > answer["findings"][-1]["since"]
        assert accesses(await ask(world, "WHO_SAW", patient=str(uuid4()))) == []

    tell(story)


def test_what_a_doctor_saw_at_a_moment(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        seen = await entries(world)
        around = {"person": DOCTOR.person, "at": now(world).isoformat()}

        answer = await ask(world, "SEEN_AT", **around)
        earlier = (now(world) - timedelta(minutes=6)).isoformat()

        assert accesses(answer) == [seen["accessId"]]
        assert "Shown: condition: 1." in answer["findings"][0]["words"]
        assert "傷病名1件" in answer["findings"][0]["japanese"]
        assert accesses(await ask(world, "SEEN_AT", **around | {"at": earlier})) == []
        assert accesses(await ask(world, "SEEN_AT", **around | {"at": earlier, "minutes": 7})) != []
        assert accesses(await ask(world, "SEEN_AT", **around | {"person": "dr-er"})) == []
        ahead = await world.ask(AUDITOR, ASK, question="SEEN_AT", person="x", at="2090-01-01T00:00:00Z")
        assert ahead["errors"][0]["extensions"]["code"] == "BAD_INPUT"

    tell(story)


# --- reads without a basis


def test_a_lawful_read_stays_lawful_when_the_consent_is_withdrawn(tell: Tell) -> None:
    """Scenario (d): revoked, and what was seen before is proven to have been lawful still."""

    async def story(world: World) -> None:
        patient = await begun(world)
        seen = await read(world)
        moment = now(world)
        await world.data(herself(patient), WITHDRAW)
        refused = await read(world)
        assert refused["__typename"] == "AccessRefused"

        answer = await ask(world, "WITHOUT_BASIS", **EVER)
        explained = (await world.data(AUDITOR, EXPLAIN, id=seen["accessId"]))["access"]["explanation"]

        assert (answer["findings"], answer["undecided"]) == ([], 0)
        assert (explained["decision"], explained["agrees"]) == ("PERMITTED", True)
        assert (await access_at(world, patient, moment))["decision"] == "PERMITTED"
        assert (await access_at(world, patient, now(world)))["decision"] == "REFUSED"

    tell(story)


async def forged(world: World, patient: UUID, like: AccessPermitted) -> str:
    """A read that is recorded as if it had been permitted; the guard is not asked."""
    event = replace(like, event_id=uuid4(), audit=replace(like.audit, decided_at=now(world)))
    await world.application.services.log.append_access([event], Beside())
    return str(event.event_id)


def test_a_read_that_cites_what_had_ended_or_never_was_is_found(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        await read(world)
        (lawful,) = await world.application.services.log.stream(patient, Stream.ACCESS)
        assert accesses(await ask(world, "WITHOUT_BASIS", **EVER)) == []
        await world.data(herself(patient), WITHDRAW)
        late = await forged(world, patient, lawful)
        never = await strange_read(world, now(world), uuid4())

        answer = await ask(world, "WITHOUT_BASIS", **EVER)

        says = {one["accesses"][0]: one["words"] for one in answer["findings"]}
        assert says.keys() == {late, str(never)}
        assert says[late].startswith("What it cites had ended")
        assert says[str(never)].startswith("What it cites did not let it be seen")
        only = await ask(world, "WITHOUT_BASIS", **EVER, patient=str(patient))
        assert accesses(only) == [late]

    tell(story)


def test_of_what_rested_on_erased_consents_it_says_that_nobody_can_tell(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        await read(world)
        await erase_stream(world.application.services, OPERATOR, patient, Stream.CONSENT, reason="request")

        answer = await ask(world, "WITHOUT_BASIS", **EVER)

        assert (answer["findings"], answer["undecided"]) == ([], 1)

    tell(story)


def test_more_reads_than_one_answer_goes_through_are_refused_in_words(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tsuzuri.app.questions.without_basis.READS_MAX", 1)

    async def story(world: World) -> None:
        await begun(world)
        await read(world)
        assert (await ask(world, "WITHOUT_BASIS", **EVER))["findings"] == []
        await read(world)
        world.project()

        answer = await world.ask(AUDITOR, ASK, question="WITHOUT_BASIS", **EVER)

        assert answer["errors"][0]["extensions"]["code"] == "TOO_COSTLY"
        assert "shorter period" in answer["errors"][0]["message"]

    tell(story)


# --- unusual access


def test_the_rules_for_unusual_access_are_asked_one_by_one(tell: Tell) -> None:
    async def story(world: World) -> None:
        await snooped(world)
        period = {
            "from": (MONDAY - timedelta(days=10)).isoformat(),
            "to": (MONDAY + timedelta(days=20)).isoformat(),
        }
        many = await ask(world, "MANY_PATIENTS", **period)
        names = await ask(world, "OWN_FAMILY_NAME", **period)
        hours = await ask(world, "OFF_HOURS", **period)

        (found,) = many["findings"]
        assert (found["person"], len(found["patients"]), found["number"]) == ("dr-sakai", 9, 9)
        assert (len(names["findings"]), len(hours["findings"])) == (1, 1)
        assert (await ask(world, "MANY_PATIENTS", **period, person="dr-x"))["findings"] == []
        assert (await ask(world, "MANY_PATIENTS", **period, facility=HOSPITAL))["findings"] == []
        assert (await ask(world, "EMERGENCY_WITHOUT_ENCOUNTER", **period))["findings"] == []
        assert world.events("review-opened") == 0, "asking opens nothing"

    tell(story)


def test_an_emergency_without_a_later_encounter_is_found(tell: Tell) -> None:
    async def story(world: World) -> None:
        await declared(world)
        await read(world, purpose="BTG")
        world.connection.execute("UPDATE event SET recorded_at = recorded_at - interval '20 days'")
        world.connection.execute("UPDATE audit_trail_g1.access SET at = at - interval '20 days'")
        world.project()
        world.connection.execute(
            "UPDATE event SET recorded_at = %s WHERE topic = 'trail-read'", (now(world),)
        )
        world.connection.execute(
            """UPDATE audit_trail_g1.access a SET at = e.recorded_at FROM event e
               WHERE e.event_id = a.access"""
        )
        period = {
            "from": (now(world) - timedelta(days=30)).isoformat(),
            "to": (now(world) - timedelta(days=15)).isoformat(),
        }

        (found,) = (await ask(world, "EMERGENCY_WITHOUT_ENCOUNTER", **period))["findings"]

        assert (found["person"], found["facility"]["number"]) == ("dr-hamada", HOSPITAL)

    tell(story)
