"""What a patient keeps back wins over what she let in; who stands for her sees the same; a facility has its own."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from document_examples import SENDER, diagnosis, referral
from examples import CLINIC, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, OPERATOR, a_bundle, a_caller, herself
from projection_examples import rebuilt
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.projections.catalogue import PROJECTIONS
from world import CONSENT, KEY, ME, Tell, World, names, record_id, tell_in

OWN_DOCTOR = a_caller(person="dr-sakai", role=Role.CLINICIAN, facility=CLINIC)
MOTHER = a_caller(person="mother", role=Role.PATIENT, patient=UUID(int=77))
DENY = f"""mutation($to: String, $classes: [RecordClass!]) {{
  denyConsent(patient: {KEY}, facility: $to, classes: $classes) }}"""
LIFT = f"mutation($id: ID!) {{ liftDenial(patient: {KEY}, denial: $id) }}"
APPOINT = f"""mutation($until: DateTime!) {{
  appointProxy(patient: {KEY}, person: "mother", relation: PARENT, until: $until) }}"""
END = f"mutation($id: ID!) {{ endProxy(patient: {KEY}, proxy: $id) }}"
FOR_HER = """query($patient: ID!) { me(patient: $patient) { record { grounds { basis }
  entries { totalCount nodes { name } } } } }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def begun(world: World, **changes: Any) -> UUID:
    """One diagnosis from the clinic, which the hospital may see for 24 hours."""
    await world.register(**changes)
    await world.data(HOSPITAL_SYSTEM, CONSENT)
    world.project()
    return record_id(await world.record())


async def told(world: World, caller: Caller, document: str, **variables: Any) -> str:
    (error,) = (await world.ask(caller, document, **variables))["errors"]
    code: str = error["extensions"]["code"]
    return code


def at(world: World, moment: datetime) -> None:
    """What the service takes for now."""
    object.__setattr__(world.application.services, "now", lambda: moment)


@pytest.mark.parametrize(
    ("to", "classes", "kept"),
    [
        (HOSPITAL, None, True),
        (None, ["CONDITION"], True),
        (HOSPITAL, ["CONDITION", "LAB_RESULT"], True),
        (None, None, True),
        (CLINIC, None, False),
        (None, ["LAB_RESULT"], False),
        (CLINIC, ["CONDITION"], False),
    ],
)
def test_a_denial_wins_over_a_consent_given_before_and_after(
    tell: Tell, to: str | None, classes: list[str] | None, kept: bool
) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)

        denial = (await world.data(herself(patient), DENY, to=to, classes=classes))["denyConsent"]
        answers = [await world.record()]
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        answers.append(await world.record())

        expected = "AccessRefused" if kept else "PatientRecord"
        assert [answer["__typename"] for answer in answers] == [expected] * 2
        assert await told(world, herself(patient), DENY, to=to, classes=classes) == "DENIED_ALREADY"
        await world.data(herself(patient), LIFT, id=denial)
        assert names(await world.record()) == ["上腹部痛"], "what was consented to counts again"
        assert await told(world, herself(patient), LIFT, id=denial) == "NOTHING_TO_LIFT"

    tell(story)


def test_nobody_but_she_denies(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)

        assert await told(world, HOSPITAL_SYSTEM, DENY) == "FORBIDDEN"
        assert await told(world, MOTHER, DENY) == "FORBIDDEN"

    tell(story)


def test_a_denied_referral_leaves_the_inbox(tell: Tell) -> None:
    async def story(world: World) -> None:
        sent = await world.application.register_bundle(
            SENDER, referral(diagnosis("狭心症")), oral_consent=True
        )
        world.project()
        asked = "{ referralInbox { nodes { id } } }"
        assert len((await world.data(DOCTOR, asked))["referralInbox"]["nodes"]) == 1

        await world.data(herself(sent.patient), DENY, classes=["REFERRAL"])

        assert (await world.data(DOCTOR, asked))["referralInbox"]["nodes"] == [], (
            "before the register knows it"
        )
        world.project()
        assert (await world.data(DOCTOR, asked))["referralInbox"]["nodes"] == []
        outbox = await world.data(SENDER, "{ referralOutbox { nodes { state } } }")
        assert outbox["referralOutbox"]["nodes"] == [{"state": "HELD"}]

    tell(story)


def test_a_proxy_sees_exactly_what_the_patient_sees_until_the_second_it_ends(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(
            world,
            conditions={"20065011": "上腹部痛", "20058911": "うつ病"},
            flags={"20058911": "UNINFORMED"},
        )
        until = world.application.services.now().replace(microsecond=0) + timedelta(days=365)
        assert (await world.data(MOTHER, FOR_HER, patient=str(patient)))["me"] is None

        await world.data(OPERATOR, APPOINT, until=until.isoformat())

        hers = (await world.data(herself(patient), ME))["me"]["record"]["entries"]
        seen = (await world.data(MOTHER, FOR_HER, patient=str(patient)))["me"]["record"]
        assert seen["grounds"] == [{"basis": "PROXY"}]
        assert seen["entries"] == hers and [node["name"] for node in hers["nodes"]] == ["上腹部痛"]
        at(world, until - timedelta(microseconds=1))
        assert (await world.data(MOTHER, FOR_HER, patient=str(patient)))["me"] is not None
        at(world, until)
        assert (await world.data(MOTHER, FOR_HER, patient=str(patient)))["me"] is None

    tell(story)


def test_she_ends_what_she_appointed_and_sees_who_stood_for_her(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        me = herself(patient)
        proxy = (await world.data(me, APPOINT, until="2090-01-01T00:00:00Z"))["appointProxy"]
        await world.data(MOTHER, FOR_HER, patient=str(patient))

        await world.data(me, END, id=proxy)
        world.project()

        assert (await world.data(MOTHER, FOR_HER, patient=str(patient)))["me"] is None
        assert await told(world, me, END, id=proxy) == "NOTHING_TO_END"
        asked = "{ me { proxies { person relation endedAt } accesses { nodes { bases role } } } }"
        mine = (await world.data(me, asked))["me"]
        assert [(one["person"], one["relation"], one["endedAt"] is None) for one in mine["proxies"]] == [
            ("mother", "PARENT", False)
        ]
        assert {"bases": ["PROXY"], "role": "PATIENT"} in mine["accesses"]["nodes"]

    tell(story)


def test_a_facility_reads_what_it_registered_itself_and_nothing_else(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world, flags={"20065011": "UNDELIVERED"})
        other = a_bundle(facility=HOSPITAL, local_id="set-2", conditions={"20058911": "狭心症"})
        await world.application.register_bundle(HOSPITAL_SYSTEM, other)
        await world.data(herself(patient), DENY)
        world.project()
        asked = f"""{{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{ grounds {{ basis sender }}
            entries {{ totalCount nodes {{ name flags }} }} summary {{ conditions {{ name }} }}
            documents {{ totalCount }} }} }} }}"""

        own = (await world.data(OWN_DOCTOR, asked))["patientRecord"]

        assert own["grounds"] == [{"basis": "OWN_FACILITY", "sender": CLINIC}]
        assert own["entries"] == {"totalCount": 1, "nodes": [{"name": "上腹部痛", "flags": ["UNDELIVERED"]}]}
        assert own["summary"]["conditions"] == [{"name": "上腹部痛"}]
        assert own["documents"]["totalCount"] == 0
        nowhere = a_caller(person="dr-x", role=Role.CLINICIAN, facility="1310000009")
        assert (await world.record(nowhere))["__typename"] == "AccessRefused"

    tell(story)


def test_a_preview_says_what_a_change_would_mean_and_changes_nothing(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        asked = """query($change: ConsentChange!, $to: String, $classes: [RecordClass!]) { me {
            preview(change: $change, facility: $to, classes: $classes) {
                facility { number } gains loses sees } } }"""

        async def told(change: str, to: str | None = None, *classes: str) -> list[Any]:
            data = await world.data(herself(patient), asked, change=change, to=to, classes=list(classes))
            return [
                (one["facility"]["number"], one["gains"], one["loses"], one["sees"])
                for one in data["me"]["preview"]
            ]

        assert await told("GRANT", CLINIC, "INFECTION") == [(CLINIC, ["INFECTION"], [], ["INFECTION"])]
        assert await told("WITHDRAW", HOSPITAL) == [(HOSPITAL, [], ["CONDITION"], [])]
        assert await told("DENY", None, "CONDITION") == [(HOSPITAL, [], ["CONDITION"], [])]
        assert await told("DENY", None, "INFECTION") == []
        assert names(await world.record()) == ["上腹部痛"], "nothing was changed"

    tell(story)


def test_a_rebuild_gives_the_rows_that_stand(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await begun(world)
        denial = (await world.data(herself(patient), DENY, to=HOSPITAL))["denyConsent"]
        await world.data(herself(patient), LIFT, id=denial)
        await world.data(herself(patient), DENY, classes=["INFECTION"])
        await world.data(OPERATOR, APPOINT, until="2090-01-01T00:00:00Z")
        world.project()

        for name, projection in PROJECTIONS.items():
            assert rebuilt(world.connection, projection).equal, name

    tell(story)
