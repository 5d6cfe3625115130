"""The scenarios of access that people ask about afterwards: told to the microsecond, explained from the log."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
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
from tsuzuri.app.actions.erase import erase_stream
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role, Stream
from tsuzuri.eventlog.appending import Beside
from world import CONSENT, KEY, WITHDRAW, Tell, World, tell_in

A_MICROSECOND = timedelta(microseconds=1)
ER_DOCTOR = a_caller("dr-er", Role.CLINICIAN, HOSPITAL)
PHARMACIST = a_caller("ph-sato", Role.PHARMACIST, HOSPITAL)
ADMIN = a_caller("admin-aoki", Role.FACILITY_ADMIN, HOSPITAL)

READ = f"""query($purpose: PurposeOfUse!) {{ patientRecord(patient: {KEY}, purpose: $purpose) {{ __typename
  ... on PatientRecord {{ accessId grounds {{ basis because }} entries {{ totalCount }} }}
  ... on AccessRefused {{ accessId reason }} }} }}"""
STEPS = """decision reason agrees decidedAt consentVersion grounds { basis because }
  steps { rule matched because endedBy words japanese: words(language: JA) }"""
EXPLAIN = f"query($id: ID!) {{ access(id: $id) {{ outcome explanation {{ {STEPS} }} }} }}"
ACCESS_AT = f"""query($patient: ID!, $facility: String!, $at: DateTime!, $purpose: PurposeOfUse! = TREAT,
  $role: Role! = CLINICIAN, $person: String! = "") {{
  accessAt(patient: $patient, facility: $facility, at: $at, purpose: $purpose, role: $role, person: $person)
  {{ {STEPS} }} }}"""
LIST = f"""mutation($emergency: Boolean!) {{ listFacility(facility: {{ number: "{HOSPITAL}", name: "中央病院",
  kind: HOSPITAL, emergency: $emergency, municipality: "17202", municipalityName: "七尾市" }}) }}"""
GIVE = 'mutation { giveEmergencyRight(person: "dr-er", until: "2090-01-01T00:00:00Z") }'
DECLARE = f"""mutation {{ declareEmergency(patient: {KEY}, reason: "意識なし") {{ __typename
  ... on Emergency {{ id until }} ... on AccessRefused {{ accessId reason }} }} }}"""
OPEN = """mutation($since: DateTime, $until: DateTime!) {
  openDisasterWindow(municipalities: ["17202"], since: $since, until: $until, reason: "地震") }"""
CLOSE = "mutation($id: ID!) { closeDisasterWindow(window: $id) }"
LINK = 'mutation($a: ID!, $b: ID!) { linkPatients(survivor: $a, other: $b, reason: "確認済") }'
OWN = """{ me { accesses { nodes { id explanation { basis because words japanese: words(language: JA) } } } } }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def at(world: World, moment: datetime) -> None:
    """What the service takes for now."""
    object.__setattr__(world.application.services, "now", lambda: moment)


def now(world: World) -> datetime:
    return world.application.services.now()


async def read(
    world: World, caller: Caller = DOCTOR, purpose: str = "TREAT", *, moment: datetime | None = None
) -> dict[str, Any]:
    if moment is not None:
        at(world, moment)
    found: dict[str, Any] = (await world.data(caller, READ, purpose=purpose))["patientRecord"]
    return found


async def explained(world: World, access: dict[str, Any]) -> dict[str, Any]:
    """Why this access came out as it did; in every case as it was recorded."""
    world.project()
    explanation: dict[str, Any] = (await world.data(AUDITOR, EXPLAIN, id=access["accessId"]))["access"][
        "explanation"
    ]
    assert explanation["agrees"] is True
    permitted = access["__typename"] == "PatientRecord"
    assert explanation["decision"] == ("PERMITTED" if permitted else "REFUSED")
    return explanation


async def access_at(world: World, patient: UUID, moment: datetime, **more: str) -> dict[str, Any]:
    asked = {"patient": str(patient), "facility": HOSPITAL, "at": moment.isoformat()} | more
    explanation: dict[str, Any] = (await world.data(AUDITOR, ACCESS_AT, **asked))["accessAt"]
    assert explanation["agrees"] is None, "nothing was recorded"
    return explanation


def step(explanation: dict[str, Any], rule: str) -> dict[str, Any]:
    (found,) = [one for one in explanation["steps"] if one["rule"] == rule]
    return dict(found)


async def begun(world: World) -> UUID:
    """One diagnosis from the clinic, which the hospital may see for 24 hours."""
    told = await world.application.register_bundle(CLINIC_SYSTEM, a_bundle())
    await world.data(HOSPITAL_SYSTEM, CONSENT)
    world.project()
    return told.patient


# --- (c) twenty-four hours


def test_a_consent_of_24_hours_is_answered_at_235959_and_refused_at_240000(tell: Tell) -> None:
    async def story(world: World) -> None:
        given = now(world).replace(microsecond=0) + timedelta(seconds=1)
        at(world, given)
        await begun(world)
        until = given + timedelta(hours=24)

        last = await read(world, moment=until - timedelta(seconds=1))
        over = await read(world, moment=until)

        assert last["__typename"] == "PatientRecord" and last["entries"]["totalCount"] == 1
        assert (over["__typename"], over["reason"]) == ("AccessRefused", "NOT_AVAILABLE")
        why = await explained(world, last)
        counted = step(why, "CONSENT_COUNTS")
        assert why["grounds"] == [{"basis": "CONSENT", "because": counted["because"]}]
        why_not = await explained(world, over)
        ended = step(why_not, "CONSENT_OVER")
        japan = until + timedelta(hours=9)
        assert ended["words"] == f"This consent was over since {japan:%Y-%m-%d %H:%M:%S} +09:00."
        assert f"{japan.day}日 {japan:%H:%M:%S}（+09:00）に終了していました" in ended["japanese"]
        assert (ended["matched"], ended["because"]) == (False, counted["because"])
        trail = await world.data(AUDITOR, "{ accessTrail { nodes { outcome reason } } }")
        assert {"outcome": "REFUSED", "reason": "NOT_AVAILABLE"} in trail["accessTrail"]["nodes"]

    tell(story)


# --- (d) withdrawn, and the read before it is lawful still


def test_a_read_before_the_withdrawal_is_lawful_still_and_the_moment_after_it_says_no(tell: Tell) -> None:
    async def story(world: World) -> None:
        unseen = now(world)
        patient = await begun(world)
        before = await read(world)
        between = now(world)
        withdrawal = (await world.data(herself(patient), WITHDRAW))["withdrawConsent"]
        after = await read(world)

        why, why_not = await explained(world, before), await explained(world, after)

        assert step(why, "CONSENT_COUNTS")["because"] == why["grounds"][0]["because"]
        assert not [one for one in why["steps"] if one["rule"] == "CONSENT_WITHDRAWN"]
        withdrawn = step(why_not, "CONSENT_WITHDRAWN")
        assert (withdrawn["matched"], withdrawn["endedBy"]) == (False, withdrawal)
        assert (why["consentVersion"], why_not["consentVersion"]) == (1, 2)
        assert (await access_at(world, patient, between))["decision"] == "PERMITTED"
        then = await access_at(world, patient, now(world))
        assert (then["decision"], step(then, "CONSENT_WITHDRAWN")["endedBy"]) == ("REFUSED", withdrawal)
        nobody = await access_at(world, patient, unseen)
        assert nobody["decision"] == "REFUSED" and step(nobody, "PATIENT_UNKNOWN")

    tell(story)


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


# --- (i) an emergency


def test_a_pharmacist_opens_no_emergency_and_a_doctor_with_the_right_does(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        await world.data(herself(patient), WITHDRAW)
        await world.data(OPERATOR, LIST, emergency=True)
        right = (await world.data(ADMIN, GIVE))["giveEmergencyRight"]

        no = (await world.data(PHARMACIST, DECLARE))["declareEmergency"]
        undeclared = await read(world, ER_DOCTOR, "BTG")
        emergency = (await world.data(ER_DOCTOR, DECLARE))["declareEmergency"]
        yes = await read(world, ER_DOCTOR, "BTG")
        colleague = await read(world, DOCTOR, "BTG")

        assert no["reason"] == "EMERGENCY_NOT_PERMITTED"
        assert step(await explained(world, no), "RIGHT_NOT_OF_ROLE")["words"] == (
            "Only clinicians declare emergencies, not the role pharmacist."
        )
        assert undeclared["reason"] == "EMERGENCY_NOT_DECLARED"
        assert step(await explained(world, undeclared), "EMERGENCY_MISSING")["matched"] is False
        assert yes["grounds"] == [{"basis": "EMERGENCY", "because": emergency["id"]}]
        why = await explained(world, yes)
        assert step(why, "RIGHT_HELD")["because"] == right
        assert step(why, "EMERGENCY_COUNTS")["because"] == emergency["id"]
        assert colleague["reason"] == "EMERGENCY_NOT_PERMITTED"
        assert "dr-hamada no right" in step(await explained(world, colleague), "RIGHT_MISSING")["words"]
        last = datetime.fromisoformat(emergency["until"]) - A_MICROSECOND
        at(world, last + timedelta(days=1))
        person = {"purpose": "BTG", "person": "dr-er"}
        assert (await access_at(world, patient, last, **person))["decision"] == "PERMITTED"
        over = await access_at(world, patient, last + A_MICROSECOND, **person)
        assert over["reason"] == "EMERGENCY_NOT_DECLARED" and step(over, "EMERGENCY_OVER")

    tell(story)


def test_an_emergency_for_somebody_nobody_knows_is_explained_as_that(tell: Tell) -> None:
    async def story(world: World) -> None:
        await world.data(OPERATOR, LIST, emergency=True)
        await world.data(ADMIN, GIVE)

        nobody = (await world.data(ER_DOCTOR, DECLARE))["declareEmergency"]

        why = await explained(world, nobody)
        assert (nobody["reason"], why["reason"]) == ("NOT_AVAILABLE", "NOT_AVAILABLE")
        assert step(why, "PATIENT_UNKNOWN") and step(why, "RIGHT_HELD")["matched"]

    tell(story)


# --- (j) a disaster window


def test_a_disaster_window_opens_and_closes_to_the_microsecond(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        await world.data(OPERATOR, LIST, emergency=False)
        since = now(world).replace(microsecond=0) + timedelta(hours=1)
        until = since + timedelta(days=7)
        window = (await world.data(OPERATOR, OPEN, since=since.isoformat(), until=until.isoformat()))[
            "openDisasterWindow"
        ]

        reads = [
            await read(world, purpose="DISASTER", moment=moment)
            for moment in (since - A_MICROSECOND, since, until - A_MICROSECOND, until)
        ]

        assert [one.get("reason") for one in reads] == ["DISASTER_NOT_OPEN", None, None, "DISASTER_NOT_OPEN"]
        told = [await explained(world, one) for one in reads]
        rules = ["WINDOW_NOT_YET", "WINDOW_COUNTS", "WINDOW_COUNTS", "WINDOW_OVER"]
        assert [step(one, rule)["because"] for one, rule in zip(told, rules, strict=True)] == [window] * 4
        assert told[1]["grounds"] == [{"basis": "DISASTER", "because": window}]
        at(world, until)
        there = await access_at(world, patient, until - A_MICROSECOND, purpose="DISASTER")
        assert there["decision"] == "PERMITTED"
        assert (await access_at(world, patient, until, purpose="DISASTER"))["reason"] == "DISASTER_NOT_OPEN"

    tell(story)


def test_a_disaster_window_that_is_closed_early_is_closed_at_once(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        await world.data(OPERATOR, LIST, emergency=False)
        until = (now(world) + timedelta(days=7)).isoformat()
        window = (await world.data(OPERATOR, OPEN, until=until))["openDisasterWindow"]
        seen = await read(world, purpose="DISASTER")

        closing = (await world.data(OPERATOR, CLOSE, id=window))["closeDisasterWindow"]
        refused = await read(world, purpose="DISASTER")

        assert (seen["__typename"], refused["reason"]) == ("PatientRecord", "DISASTER_NOT_OPEN")
        assert step(await explained(world, seen), "WINDOW_COUNTS")["because"] == window
        closed = step(await explained(world, refused), "WINDOW_CLOSED")
        assert (closed["because"], closed["endedBy"]) == (window, closing)
        assert "期間前に終了" in closed["japanese"]

    tell(story)


# --- who else is the same person


def test_a_linked_patients_consent_is_told_from_the_link_on(tell: Tell) -> None:
    async def story(world: World) -> None:
        consenting = await begun(world)
        other = a_bundle(local_id="set-2", number="00099999:え:7:01").replace(b'"P-1"', b'"P-2"')
        told = await world.application.register_bundle(CLINIC_SYSTEM, other)
        unlinked = now(world)
        await world.data(OPERATOR, LINK, a=str(told.patient), b=str(consenting))
        world.project()

        seen = await read(world)

        why = await explained(world, seen)
        assert step(why, "CONSENT_COUNTS")["because"] == why["grounds"][0]["because"]
        assert (await access_at(world, told.patient, unlinked))["decision"] == "REFUSED"
        assert (await access_at(world, told.patient, now(world)))["decision"] == "PERMITTED"

    tell(story)


# --- what else can be asked about


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
        consent = (await world.data(HOSPITAL_SYSTEM, CONSENT))["grantConsent"]
        world.project()
        seen = await read(world)
        world.project()

        nodes = (await world.data(herself(patient), OWN))["me"]["accesses"]["nodes"]

        (hers,) = [one["explanation"] for one in nodes if one["id"] == seen["accessId"]]
        assert hers == [
            {
                "basis": "CONSENT",
                "because": consent,
                "words": "You had let this facility see: condition.",
                "japanese": "あなたがこの医療機関に閲覧を同意した情報です: 傷病名。",
            }
        ]
        assert "上腹部痛" not in str(nodes) and "dr-hamada" not in str(nodes)

    tell(story)
