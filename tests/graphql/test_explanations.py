"""Whatever came of an access, an auditor can ask why, of her alone; the patient is told in plain words; all is kept."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from document_examples import SENDER, diagnosis, referral
from examples import (
    AUDITOR,
    CLINIC,
    CLINIC_SYSTEM,
    DOCTOR,
    HOSPITAL,
    HOSPITAL_SYSTEM,
    OPERATOR,
    a_bundle,
    a_caller,
    herself,
)
from explained_examples import (
    ACCESS_AT,
    ADMIN,
    EXPLAIN,
    OWN,
    access_at,
    begun,
    explained,
    now,
    read,
    step,
)
from tsuzuri.app.actions.erase import erase_stream
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role, Stream
from tsuzuri.eventlog.appending import Beside
from world import CONSENT, Tell, World, tell_in


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


# --- what else can be asked about


def test_what_rested_on_erased_consents_cannot_be_decided_again_and_says_so(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        before = await read(world)
        await erase_stream(world.application.services, OPERATOR, patient, Stream.CONSENT, reason="request")
        world.project()

        found = (await world.data(AUDITOR, EXPLAIN, id=before["accessId"]))["access"]

        assert (found["outcome"], found["explanation"]["agrees"]) == ("PERMITTED", None)
        assert found["explanation"]["steps"][0]["rule"] == "CONSENTS_ERASED"

    tell(story)


@pytest.mark.parametrize(
    ("caller", "purpose", "rule"),
    [
        (a_caller("dr-x", Role.CLINICIAN, HOSPITAL, scopes=frozenset()), "TREAT", "SCOPE_READS_NOTHING"),
        (DOCTOR, "HPAYMT", "PURPOSE_NOT_OF_ROLE"),
        (ADMIN, "TREAT", "ROLE_DOES_NOT_READ"),
        (herself(UUID(int=7)), "PATRQT", "NOT_HERSELF"),
        (a_caller("dr-y", Role.CLINICIAN, "1310000009"), "TREAT", "CONSENT_TO_ANOTHER_FACILITY"),
    ],
)
def test_a_refused_read_is_explained_by_what_refused_it(
    tell: Tell, caller: Caller, purpose: str, rule: str
) -> None:
    async def story(world: World) -> None:
        await begun(world)

        refused = await read(world, caller, purpose)

        assert step(await explained(world, refused), rule)["matched"] is False

    tell(story)


def test_a_read_of_somebody_nobody_knows_is_explained_as_that(tell: Tell) -> None:
    async def story(world: World) -> None:
        refused = await read(world)

        why = await explained(world, refused)

        assert [one["rule"] for one in why["steps"]][0] == "PATIENT_UNKNOWN"
        assert step(why, "CONSENT_MISSING")

    tell(story)


def test_a_look_at_the_referrals_one_sent_is_explained_by_its_own_decision(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.application.register_bundle(SENDER, referral(diagnosis("狭心症")))
        world.project()
        await world.data(SENDER, "{ referralOutbox { nodes { state } } }")
        world.project()
        listed = await world.data(
            AUDITOR, "{ accessTrail { nodes { explanation { agrees steps { rule } } } } }"
        )

        (node,) = listed["accessTrail"]["nodes"]

        assert node["explanation"]["agrees"] is True
        assert {"rule": "OWN_REFERRALS"} in node["explanation"]["steps"]

    tell(story)


@pytest.mark.parametrize(("grounds", "agrees"), [(None, True), ((), False)])
def test_an_access_of_old_is_explained_at_the_moment_it_was_recorded(
    tell: Tell, grounds: tuple[()] | None, agrees: bool
) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        await read(world)
        (today,) = await world.application.services.log.stream(patient, Stream.ACCESS)
        audit = replace(today.audit, decided_at=None, readable=())
        audit = audit if grounds is None else replace(audit, grounds=grounds)
        old = replace(today, event_id=UUID(int=5), audit=audit)
        await world.application.services.log.append_access([old], Beside())
        world.project()

        found = (await world.data(AUDITOR, EXPLAIN, id=str(old.event_id)))["access"]["explanation"]

        assert found["agrees"] is agrees
        rules = [one["rule"] for one in found["steps"]]
        assert rules[:2] == ["MOMENT_OF_RECORDING", "EVERY_SCOPE_ASSUMED"] and rules[-1] == "PERMITTED"

    tell(story)


# --- who may ask, and that it is known that she did


def test_a_facility_is_explained_what_it_registered_itself(tell: Tell) -> None:
    async def story(world: World) -> None:
        unregistered = now(world)
        patient = await begun(world)
        own = await read(world, a_caller("dr-sakai", Role.CLINICIAN, CLINIC))

        assert step(await explained(world, own), "REGISTERED_HERE")["matched"]
        then = await access_at(world, patient, now(world), facility=CLINIC)
        assert [ground["basis"] for ground in then["grounds"]] == ["OWN_FACILITY"]
        assert (await access_at(world, patient, unregistered, facility=CLINIC))["decision"] == "REFUSED"

    tell(story)


def test_asking_why_is_in_the_trail_and_a_look_at_the_trail_has_no_why(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        seen = await read(world)
        await explained(world, seen)
        await access_at(world, patient, now(world))
        world.project()

        asked = '{ accessTrail(filter: { outcome: "TRAIL_READ" }) { nodes { patient explanation { decision } } } }'
        looks = (await world.data(AUDITOR, asked))["accessTrail"]["nodes"]

        assert looks == [{"patient": str(patient), "explanation": None}] * 2
        assert world.events("trail-read") == 2 + 2, (
            "one for the list, one for her whose accesses were explained"
        )

    tell(story)


def test_a_moment_that_has_not_been_is_not_explained(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        ahead = (now(world) + timedelta(hours=1)).isoformat()

        answer = await world.ask(AUDITOR, ACCESS_AT, patient=str(patient), facility=HOSPITAL, at=ahead)

        assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"

    tell(story)


def test_only_auditors_ask_why(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        seen = await read(world)
        asked = {"patient": str(patient), "facility": HOSPITAL, "at": now(world).isoformat()}

        for caller in (ADMIN, DOCTOR, OPERATOR, herself(patient)):
            for document, variables in ((EXPLAIN, {"id": seen["accessId"]}), (ACCESS_AT, asked)):
                answer = await world.ask(caller, document, **variables)
                assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"

    tell(story)


def test_the_patient_is_told_in_plain_words_what_let_somebody_look(tell: Tell) -> None:
    async def story(world: World) -> None:
        flagged = a_bundle(flags={"20065011": "UNINFORMED"})
        patient = (await world.application.register_bundle(CLINIC_SYSTEM, flagged)).patient
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        world.project()
        seen = await read(world)
        world.project()

        nodes = (await world.data(herself(patient), OWN))["me"]["accesses"]["nodes"]

        (hers,) = [one["explanation"] for one in nodes if one["id"] == seen["accessId"]]
        assert hers == [
            {
                "basis": "CONSENT",
                "words": "You had let this facility see: condition.",
                "japanese": "あなたがこの医療機関に閲覧を同意した情報です: 傷病名。",
            }
        ]
        assert "上腹部痛" not in str(nodes) and "dr-hamada" not in str(nodes)

    tell(story)
