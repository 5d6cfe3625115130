"""What the ministry asks of a log of viewing, field by field, and what we keep beside it (DOMAIN, 6)."""

from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection

from emergency_examples import entitled
from examples import (
    AUDITOR,
    CLINIC,
    CLINIC_SYSTEM,
    DOCTOR,
    HOSPITAL,
    HOSPITAL_SYSTEM,
    NUMBER,
    a_bundle,
    a_caller,
    herself,
)
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from world import CONSENT, ENTRIES, SCHEMA, Tell, World, record_id, tell_in

FIELDS = """id at outcome patient person role purpose bases classesAsked classesPermitted because consentVersion
  consentState emergency identifiedBy entriesShown shownByClass { recordClass entries } incomplete asOf
  operationName operationSha256 client session position facility { number } reason
  grounds { basis classes flags because }"""
TRAIL = f"query($filter: TrailFilter) {{ accessTrail(filter: $filter) {{ accessId nodes {{ {FIELDS} }} }} }}"
READ = """query Chart($patient: PatientKey!, $purpose: PurposeOfUse! = TREAT) {
  patientRecord(patient: $patient, purpose: $purpose) { __typename
    ... on PatientRecord { accessId grounds { because } patient { id } entries { nodes { id } } }
    ... on AccessRefused { accessId } } }"""
INSURED = {"insuredPerson": NUMBER}
VIEWER = a_caller("dr-hamada", Role.CLINICIAN, HOSPITAL, session="s-1", client="chart-viewer")
DECLARE = """mutation($patient: PatientKey!) { declareEmergency(patient: $patient, reason: "意識なし") {
  ... on Emergency { id patient } } }"""
SAID = {"kana": "シケンハナコ", "birthDate": "1970-01-02", "sex": "female", "insurerNumber": "00012345"}


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def trail(world: World, caller: Caller = AUDITOR, **wanted: Any) -> list[dict[str, Any]]:
    world.project()
    nodes: list[dict[str, Any]] = (await world.data(caller, TRAIL, filter=wanted))["accessTrail"]["nodes"]
    return nodes


async def read(world: World, key: dict[str, Any], purpose: str = "TREAT", caller: Caller = VIEWER) -> Any:
    return (await world.data(caller, READ, patient=key, purpose=purpose))["patientRecord"]


async def begun(world: World) -> None:
    await world.register(conditions={"20065011": "上腹部痛", "20061423": "高血圧症"})
    await world.data(HOSPITAL_SYSTEM, CONSENT)
    world.project()


def test_each_field_that_the_ministry_asks_for_is_in_the_trail(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        before = world.application.services.now()
        seen = await read(world, INSURED)
        after = world.application.services.now()

        (kept,) = await trail(world, outcome="PERMITTED")

        assert kept["person"] == "dr-hamada", "閲覧者の識別"
        assert before.isoformat() < kept["at"].replace("Z", "+00:00") < after.isoformat(), "閲覧日時"
        assert kept["patient"] == seen["patient"]["id"], "患者"
        assert kept["shownByClass"] == [{"recordClass": "CONDITION", "entries": 2}], "表示した項目"
        assert (kept["consentState"], kept["consentVersion"]) == ("GIVEN", 1), "同意の状態"
        assert kept["because"] == [seen["grounds"][0]["because"]], "同意そのもの"
        assert kept["emergency"] is False, "救急時かどうか"
        assert kept["identifiedBy"] == "INSURED_PERSON", "患者をどう特定したか"

    tell(story)


def test_what_is_kept_beside_it_is_told_too(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        seen = await read(world, INSURED)

        (kept,) = await trail(world, outcome="PERMITTED")

        assert (kept["id"], kept["entriesShown"], kept["incomplete"]) == (seen["accessId"], 2, False)
        assert (kept["role"], kept["facility"]) == ("CLINICIAN", {"number": HOSPITAL})
        assert (kept["purpose"], kept["bases"], kept["asOf"]) == ("TREAT", ["CONSENT"], None)
        assert (kept["operationName"], len(kept["operationSha256"])) == ("Chart", 64)
        assert (kept["client"], kept["session"]) == ("chart-viewer", "s-1")
        assert kept["grounds"][0] == {
            "basis": "CONSENT",
            "classes": ["CONDITION"],
            "flags": ["LTS", "UNINFORMED"],
            "because": kept["because"][0],
        }
        place = world.application.seals.open("log", kept["position"])
        stored = "SELECT part, pos FROM event WHERE event_id = %s"
        assert tuple(place) == world.connection.execute(stored, (kept["id"],)).fetchone()

    tell(story)


@pytest.mark.parametrize(
    ("key", "arm"),
    [
        (INSURED, "INSURED_PERSON"),
        ({"local": {"facility": CLINIC, "number": "P-1"}}, "LOCAL"),
        ("id", "ID"),
        ({"publicAssistance": "12345678::1234567:"}, "PUBLIC_ASSISTANCE"),
    ],
)
def test_how_the_patient_was_named_is_kept_of_answers_and_of_refusals(tell: Tell, key: Any, arm: str) -> None:
    async def story(world: World) -> None:
        await begun(world)
        patient = str(record_id(await world.record(DOCTOR)))
        await read(world, {"id": patient} if key == "id" else key)
        stranger = a_caller("dr-x", Role.CLINICIAN, "1310000009", client="other-viewer")
        await read(world, {"id": patient} if key == "id" else key, caller=stranger)

        (refused,) = await trail(world, person="dr-x")

        if arm != "PUBLIC_ASSISTANCE":
            (seen,) = [one for one in await trail(world, person="dr-hamada") if one["client"] is not None]
            assert seen["identifiedBy"] == arm
        assert (refused["identifiedBy"], refused["client"]) == (arm, "other-viewer")
        assert refused["consentState"] == "NONE"

    tell(story)


def test_an_emergency_says_that_it_was_one_and_that_nobody_had_her_card(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        named = a_bundle(local_id="set-2", name="シケン ハナコ", timestamp="2026-11-20T11:00:00+09:00")
        kana = named.replace(
            b'{"text":"\xe3\x82\xb7',
            b'{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation",'
            b'"valueCode":"SYL"}],"text":"\xe3\x82\xb7',
        )
        await world.application.register_bundle(CLINIC_SYSTEM, kana)
        await entitled(world)
        world.project()
        await world.data(VIEWER, DECLARE, patient={"demographics": SAID})
        assert (await read(world, {"demographics": SAID}, "BTG"))["__typename"] == "PatientRecord"

        (kept,) = await trail(world, bases=["EMERGENCY"])

        assert (kept["emergency"], kept["identifiedBy"]) == (True, "DEMOGRAPHICS")
        assert kept["consentState"] == "WITHOUT" and kept["because"]

    tell(story)


# --- filters


def test_each_filter_names_what_it_says_and_nothing_else(tell: Tell) -> None:
    async def story(world: World) -> None:
        await begun(world)
        seen = await read(world, INSURED)
        patient = seen["patient"]["id"]
        await world.data(herself(record_id(seen)), "{ me { record { entries { totalCount } } } }")
        await read(world, INSURED, caller=a_caller("dr-x", Role.CLINICIAN, "1310000009"))
        everything = await trail(world)
        hers, refused, his = (
            next(one for one in everything if one["person"] == person)
            for person in ("patient", "dr-x", "dr-hamada")
        )

        async def ids(**wanted: Any) -> set[str]:
            return {one["id"] for one in await trail(world, **wanted) if one["outcome"] != "TRAIL_READ"}

        assert await ids(patient=patient) == {hers["id"], refused["id"], his["id"]}
        assert await ids(person="dr-x") == {refused["id"]}
        assert await ids(facility=HOSPITAL) == {his["id"]}
        assert await ids(classes=["CONDITION"], bases=["CONSENT"]) == {his["id"]}
        assert await ids(outcome="REFUSED") == {refused["id"]}
        assert await ids(flags=["UNINFORMED"]) == {his["id"]}, "she sees no such entry herself"
        assert await ids(flags=["LTS"]) == {hers["id"], his["id"]}
        assert await ids(operation="Chart") == {refused["id"], his["id"]}
        assert await ids(operation=hers["operationSha256"]) == {hers["id"]}
        assert await ids(operation="hart") == set()
        assert await ids(**{"from": his["at"], "to": hers["at"]}) == {his["id"]}

    tell(story)


# --- what the patient reads of it


def test_her_own_list_gains_nothing_that_tells_what_others_were_shown() -> None:
    own = set(SCHEMA._schema.get_type("OwnAccess").fields)  # type: ignore[union-attr]

    assert own == {
        *("id", "at", "role", "purpose", "bases", "classesAsked", "classesPermitted"),
        *("facility", "emergency", "disaster", "words", "explanation"),
    }


def test_her_own_list_is_the_same_whether_something_of_hers_is_hidden_or_not(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = []
        for number, flags in (
            ("00012345:あいう:1:01", {}),
            ("00012345:あいう:2:01", {"20061423": "UNINFORMED"}),
        ):
            conditions = {"20065011": "上腹部痛"} | dict.fromkeys(flags, "胃癌")
            bundle = a_bundle(number=number, local_id=number[-4:-3], conditions=conditions, flags=flags)
            patient = (
                await world.application.register_bundle(
                    CLINIC_SYSTEM, bundle.replace(b'"P-1"', f'"P-{number[-4]}"'.encode())
                )
            ).patient
            await world.data(HOSPITAL_SYSTEM, CONSENT.replace(NUMBER, number))
            world.project()
            seen = (await world.data(DOCTOR, ENTRIES.replace(NUMBER, number)))["patientRecord"]
            assert seen["entries"]["totalCount"] == len(conditions)
            world.project()
            asked = """{ me { accesses { totalCount nodes { role purpose bases classesAsked classesPermitted
                emergency disaster explanation { basis words } facility { number } } } } }"""
            told.append(await world.data(herself(patient), asked))

        assert told[0] == told[1]

    tell(story)


def test_a_look_at_the_trail_says_by_which_program(tell: Tell) -> None:
    async def story(world: World) -> None:
        desk = a_caller("auditor-abe", Role.AUDITOR, session="s-9", client="audit-desk")
        await trail(world, desk)

        (look,) = await trail(world, desk)

        assert (look["client"], look["session"], look["identifiedBy"]) == ("audit-desk", "s-9", None)
        assert (look["consentState"], look["shownByClass"], look["grounds"]) == ("NOT_NEEDED", [], [])

    tell(story)
