"""救急: opened by who may, for one patient, for an hour; the table first; and closed to everybody else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from psycopg import Connection

from document_examples import SENDER, her
from emergency_examples import (
    ADMIN,
    DECLARE,
    END,
    TAKE,
    WIDEN,
    by_id,
    declared,
    entitled,
    now_is,
    read,
)
from examples import CLINIC, DOCTOR, HOSPITAL, NUMBER, OPERATOR, a_caller, herself
from fhir_examples import Json, a_document, a_resource, coded
from retention_examples import result
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.facilities import Facility
from tsuzuri.domain.vocabulary import FacilityKind, Role
from world import Tell, World, tell_in

PHARMACIST = a_caller("dr-hamada", Role.PHARMACIST, HOSPITAL)
ELSEWHERE = a_caller("dr-hamada", Role.CLINICIAN, CLINIC)
COLLEAGUE = a_caller("dr-kudo", Role.CLINICIAN, HOSPITAL)
BY_NUMBER = {"insuredPerson": NUMBER}
TODAY = datetime.now(UTC)


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def days_ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat(timespec="seconds")


def drug(name: str, days: int) -> Json:
    return a_resource(
        "MedicationRequest", medicationCodeableConcept={"text": name}, authoredOn=days_ago(days)
    )


async def admitted(world: World, *more: Json, code: str = "18842-5", local_id: str = "d-1") -> UUID:
    """A discharge summary (or a document of another code) with something of every class."""
    bundle = a_document(
        a_resource("Condition", code={"text": "狭心症"}),
        a_resource("Condition", code={"text": "肺炎"}, abatementDateTime=days_ago(300)),
        a_resource("AllergyIntolerance", code={"text": "ペニシリン"}, category=["medication"]),
        drug("新しい薬", 80),
        drug("古い薬", 95),
        *(result(days_ago(day), value) for day, value in ((10, 1.0), (20, 2.0), (30, 3.0), (40, 4.0))),
        *more,
        code=code,
        identifier={"system": "urn:sample", "value": f"{SENDER.facility}^2026^{local_id}"},
    )
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"] = her(birthDate="1961-02-03")
    told = await world.application.register_bundle(SENDER, orjson.dumps(bundle))
    world.project()
    return told.patient


def shown(record: Json) -> set[str]:
    return {node["name"] for node in record["entries"]["nodes"]}


def test_the_table_comes_first_and_the_rest_on_a_second_step(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await admitted(world)
        await admitted(world, code="53576-5", local_id="c-1")
        await entitled(world)

        emergency = await declared(world, DOCTOR, BY_NUMBER)
        table = await read(world, DOCTOR, BY_NUMBER)
        await world.data(DOCTOR, WIDEN, patient=by_id(patient), emergency=emergency["id"])
        rest = await read(world, DOCTOR, BY_NUMBER)

        (ground,) = table["grounds"]
        assert (ground["basis"], ground["emergencyTable"]) == ("EMERGENCY", True)
        assert ground["because"] == emergency["id"]
        summary = table["summary"]
        assert {one["name"] for one in summary["conditions"]} == {"狭心症"}, "what is over is not open"
        assert {one["name"] for one in summary["drugAllergies"]} == {"ペニシリン"}
        assert {one["name"] for one in summary["prescriptions"]} == {"新しい薬"}, "of three months"
        assert len(summary["labResults"]) == 3
        assert shown(table) == {"狭心症", "ペニシリン", "新しい薬", summary["labResults"][0]["name"]}
        assert table["entries"]["totalCount"] == len(table["entries"]["nodes"])
        assert table["documents"]["nodes"] == []
        assert table["lastCheckup"] is not None
        assert rest["grounds"][0]["emergencyTable"] is False
        assert shown(table) < shown(rest)
        assert {"肺炎", "古い薬"} <= shown(rest)
        assert rest["documents"]["totalCount"] == 2

    tell(story)


def test_no_denial_keeps_it_and_the_patient_is_told(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await admitted(world)
        await entitled(world)
        deny = f'mutation {{ denyConsent(patient: {{ id: "{patient}" }}) }}'
        await world.data(herself(patient), deny)

        assert (await read(world, DOCTOR, BY_NUMBER, "TREAT"))["reason"] == "NOT_AVAILABLE"
        await declared(world, DOCTOR, BY_NUMBER)
        assert (await read(world, DOCTOR, BY_NUMBER))["__typename"] == "PatientRecord"
        assert (await read(world, DOCTOR, BY_NUMBER, "TREAT"))["reason"] == "NOT_AVAILABLE"

        world.project()
        asked = "{ me { accesses { nodes { bases facility { number } } } } }"
        (access, *_) = (await world.data(herself(patient), asked))["me"]["accesses"]["nodes"]
        assert access["bases"] == ["EMERGENCY"]

    tell(story)


@pytest.mark.parametrize(("flag", "seen"), [("UNINFORMED", True), ("UNDELIVERED", False), ("LTS", True)])
def test_what_is_not_given_out_stays_hidden(tell: Tell, flag: str, seen: bool) -> None:
    async def story(world: World) -> None:
        system = "http://jpfhir.jp/fhir/clins/CodeSystem/JP_ehrshrs_indication"
        marked = a_resource(
            "Condition", code={"text": "印"}, meta={"tag": [{"system": system, "code": flag}]}
        )
        await admitted(world, marked)
        await entitled(world)
        await declared(world, DOCTOR, BY_NUMBER)

        assert ("印" in shown(await read(world, DOCTOR, BY_NUMBER))) is seen
        object.__setattr__(world.application.services, "emergency_undelivered", True)
        await declared(world, DOCTOR, BY_NUMBER)
        assert "印" in shown(await read(world, DOCTOR, BY_NUMBER)), "where the installation is set so"

    tell(story)


@pytest.mark.parametrize(
    ("caller", "reason"),
    [
        (PHARMACIST, "EMERGENCY_NOT_PERMITTED"),
        (ELSEWHERE, "EMERGENCY_NOT_PERMITTED"),
        (COLLEAGUE, "EMERGENCY_NOT_PERMITTED"),
    ],
    ids=["a pharmacist", "at a clinic", "not named by the administrator"],
)
def test_who_has_no_right_declares_nothing_and_the_try_is_kept(
    tell: Tell, caller: Caller, reason: str
) -> None:
    async def story(world: World) -> None:
        await admitted(world)
        await entitled(world)

        answer = await declared(world, caller, BY_NUMBER)
        unknown = await declared(world, caller, by_id(uuid4()))

        assert (answer["__typename"], answer["reason"]) == ("AccessRefused", reason)
        assert unknown["reason"] == reason
        assert (await read(world, caller, BY_NUMBER))["reason"] == reason
        assert world.events("emergency-declared") == 0
        assert world.events("access-refused") == 3

    tell(story)


def test_one_emergency_is_one_persons_at_one_facility_for_one_patient(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await admitted(world)
        await entitled(world)
        await world.data(
            ADMIN,
            'mutation($until: DateTime!) { giveEmergencyRight(person: "dr-kudo", until: $until) }',
            until=(TODAY + timedelta(days=1)).isoformat(),
        )
        emergency = await declared(world, DOCTOR, BY_NUMBER)

        assert (await read(world, DOCTOR, BY_NUMBER))["__typename"] == "PatientRecord"
        assert (await read(world, COLLEAGUE, BY_NUMBER))["reason"] == "EMERGENCY_NOT_DECLARED"
        assert (await read(world, DOCTOR, by_id(uuid4())))["reason"] == "EMERGENCY_NOT_DECLARED"
        refused = await world.ask(COLLEAGUE, WIDEN, patient=by_id(patient), emergency=emergency["id"])
        assert refused["errors"][0]["extensions"]["code"] == "NO_SUCH_EMERGENCY"

    tell(story)


def test_it_ends_at_the_second_or_when_it_is_ended_or_the_right_is_taken(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await admitted(world)
        right = await entitled(world)
        start = datetime.now(UTC)
        now_is(world, start)
        await declared(world, DOCTOR, BY_NUMBER, minutes=60)

        now_is(world, start + timedelta(minutes=60) - timedelta(microseconds=1))
        assert (await read(world, DOCTOR, BY_NUMBER))["__typename"] == "PatientRecord"
        now_is(world, start + timedelta(minutes=60))
        assert (await read(world, DOCTOR, BY_NUMBER))["reason"] == "EMERGENCY_NOT_DECLARED"

        again = await declared(world, DOCTOR, BY_NUMBER)
        assert (await read(world, DOCTOR, BY_NUMBER))["__typename"] == "PatientRecord"
        await world.data(DOCTOR, END, patient=by_id(patient), emergency=again["id"])
        assert (await read(world, DOCTOR, BY_NUMBER))["reason"] == "EMERGENCY_NOT_DECLARED"

        await declared(world, DOCTOR, BY_NUMBER)
        await world.data(ADMIN, TAKE, right=right)
        assert (await read(world, DOCTOR, BY_NUMBER))["reason"] == "EMERGENCY_NOT_PERMITTED"

    tell(story)


def test_a_hospital_that_loses_its_right_opens_nothing(tell: Tell) -> None:
    async def story(world: World) -> None:
        await admitted(world)
        await entitled(world)
        await declared(world, DOCTOR, BY_NUMBER)

        await world.application.list_facility(OPERATOR, Facility(HOSPITAL, "見本病院", FacilityKind.HOSPITAL))

        assert (await read(world, DOCTOR, BY_NUMBER))["reason"] == "EMERGENCY_NOT_PERMITTED"

    tell(story)


@pytest.mark.parametrize("minutes", [0, -1, 61])
def test_it_lasts_from_one_to_sixty_minutes_and_has_a_reason(tell: Tell, minutes: int) -> None:
    async def story(world: World) -> None:
        await admitted(world)
        await entitled(world)
        for said in ({"minutes": minutes, "reason": "意識なし"}, {"minutes": 5, "reason": "  "}):
            (error,) = (await world.ask(DOCTOR, DECLARE, patient=BY_NUMBER, **said))["errors"]
            assert error["extensions"]["code"] == "BAD_INPUT"

    tell(story)


# --- without a card

WHO = {"kana": "さんぷる はなこ", "birthDate": "1961-02-03", "sex": "female"}
INSURER, POSTCODE = {"insurerNumber": "00012345"}, {"postalCode": "１００-００００"}


@pytest.mark.parametrize("where", [INSURER, POSTCODE, INSURER | POSTCODE])
def test_a_patient_is_found_by_what_a_companion_can_say(tell: Tell, where: dict[str, str]) -> None:
    async def story(world: World) -> None:
        patient = await admitted(world)
        await entitled(world)

        emergency = await declared(world, DOCTOR, {"demographics": WHO | where})

        assert emergency["patient"] == str(patient)
        assert (await read(world, DOCTOR, {"demographics": WHO | where}))["patient"]["id"] == str(patient)
        assert (await read(world, DOCTOR, {"demographics": WHO | where}, "TREAT"))[
            "reason"
        ] == "NOT_AVAILABLE", "without an emergency by number only"

    tell(story)


@pytest.mark.parametrize(
    "other",
    [{"birthDate": "1961-02-04"}, {"sex": "male"}, {"kana": "サンプル ハナ"}, {"insurerNumber": "00012346"}],
)
def test_what_does_not_fit_finds_nobody(tell: Tell, other: dict[str, str]) -> None:
    async def story(world: World) -> None:
        await admitted(world)
        await entitled(world)

        answer = await declared(world, DOCTOR, {"demographics": WHO | INSURER | other})

        assert answer["reason"] == "NOT_AVAILABLE"

    tell(story)


def test_of_two_who_fit_neither_is_found_until_they_are_known_to_be_one(tell: Tell) -> None:
    async def story(world: World) -> None:
        patient = await admitted(world)
        await entitled(world)
        twin = await second(world)
        key = {"demographics": WHO | INSURER}

        assert (await declared(world, DOCTOR, key))["reason"] == "NOT_AVAILABLE"
        await world.application.link_patients(OPERATOR, patient, twin, "同じ人")
        assert (await declared(world, DOCTOR, key))["patient"] == str(patient)

    tell(story)


async def second(world: World) -> UUID:
    """Somebody of the same name and birth date, under another number of the same insurer."""
    bundle = a_document(
        a_resource("Condition", code=coded("urn:x", "1", "別人の病")),
        identifier={"system": "urn:sample", "value": f"{SENDER.facility}^2026^twin"},
        code="18842-5",
    )
    system = "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID"
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            number = NUMBER.replace("187", "188")
            entry["resource"] = her(birthDate="1961-02-03") | {
                "identifier": [{"system": system, "value": number}]
            }
    told = await world.application.register_bundle(SENDER, orjson.dumps(bundle))
    world.project()
    return told.patient
