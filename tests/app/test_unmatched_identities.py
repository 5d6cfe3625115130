"""Bundles whose numbers leave a doubt, through the log, the queue and GraphQL; and numbers that change."""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from psycopg import Connection

from command_examples import Tsuzuri
from examples import CLINIC_SYSTEM, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, NUMBER, OPERATOR, a_bundle
from log_examples import KEY_SETTINGS
from projection_examples import live_rows, rebuilt
from tsuzuri.domain.identifiers import PUBLIC_PAYER_SYSTEM
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.projections import identities
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.identities import NumberRow
from world import Tell, World, tell_in

NO_BRANCH = NUMBER[:-2]
NEW_NUMBER = "00054321:い:9:01"
ASSISTANCE = "12345678::1234567:"
QUEUE = """{ unmatchedIdentities(first: 10) {
    nodes { id reason patient other since facility { number } } pageInfo { hasNextPage } } }"""
SETTLE = """mutation Settle($patient: ID!, $identity: ID!, $reason: String!) {
    settleIdentity(patient: $patient, identity: $identity, reason: $reason) }"""
NAMES = """query Names($patient: PatientKey!) { patientRecord(patient: $patient) { __typename
    ... on PatientRecord { patient { id } entries { nodes { name } } } ... on AccessRefused { reason } } }"""
GRANT = """mutation Grant($patient: PatientKey!, $facility: String!) {
    grantConsent(patient: $patient, facility: $facility, classes: [CONDITION]) }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def sent(
    local_id: str, *, system: str | None = None, period: dict[str, str] | None = None, **changes: Any
) -> bytes:
    """A Bundle whose national number has this system or period."""
    tree = json.loads(a_bundle(local_id=local_id, **changes))
    number = tree["entry"][0]["resource"]["identifier"][1]
    number |= {"system": system or number["system"]} | ({"period": period} if period else {})
    return orjson.dumps(tree)


async def register(world: World, body: bytes) -> RegisteredBundle:
    return await world.application.register_bundle(CLINIC_SYSTEM, body)


async def queue(world: World) -> list[dict[str, Any]]:
    world.project()
    nodes: list[dict[str, Any]] = (await world.data(OPERATOR, QUEUE))["unmatchedIdentities"]["nodes"]
    return nodes


def test_a_lost_branch_waits_once_in_the_queue_until_it_is_settled(tell: Tell) -> None:
    async def story(world: World) -> None:
        first = await register(world, sent("set-1"))
        lost = [await register(world, sent(f"set-{n}", number=NO_BRANCH)) for n in (2, 3)]

        (waits,) = await queue(world)

        assert {one.patient for one in lost} == {first.patient}
        assert (waits["reason"], waits["patient"], waits["other"]) == (
            "BRANCH_DIFFERS",
            str(first.patient),
            None,
        )
        assert waits["facility"]["number"] == CLINIC_SYSTEM.facility
        settled = {"patient": waits["patient"], "identity": waits["id"], "reason": "施設に確認"}
        await world.data(OPERATOR, SETTLE, **settled)
        assert await queue(world) == []
        again = await world.ask(OPERATOR, SETTLE, **settled)
        assert again["errors"][0]["extensions"]["code"] == "NOTHING_TO_SETTLE"
        await register(world, sent("set-4", number=NO_BRANCH))
        assert await queue(world) == [], "what was settled is not asked again"
        assert world.events("identity-settled") == 1
        assert rebuilt(world.connection, PROJECTIONS[identities.NAME]).equal

    tell(story)


def test_the_queue_is_for_operators_and_is_not_settled_without_a_reason(tell: Tell) -> None:
    async def story(world: World) -> None:
        wrong = {"patient": "x", "identity": "y", "reason": "r"}
        for caller in (DOCTOR, CLINIC_SYSTEM):
            assert "errors" in await world.ask(caller, QUEUE)
            assert "errors" in await world.ask(caller, SETTLE, **wrong)
        for given in (wrong, wrong | {"reason": " "}):
            answer = await world.ask(OPERATOR, SETTLE, **given)
            assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"

    tell(story)


def test_without_branch_nobody_of_a_family_is_found(tell: Tell) -> None:
    async def story(world: World) -> None:
        for n in (5, 6):
            number = f"{NO_BRANCH}0{n}"
            tree = json.loads(sent(f"set-{n}", number=number))
            tree["entry"][0]["resource"]["identifier"][0]["value"] = f"P-{n}"
            await register(world, orjson.dumps(tree))
            await world.data(HOSPITAL_SYSTEM, GRANT, patient={"insuredPerson": number}, facility=HOSPITAL)
        world.project()

        family = await world.data(DOCTOR, NAMES, patient={"insuredPerson": NO_BRANCH})
        one = await world.data(DOCTOR, NAMES, patient={"insuredPerson": f"{NO_BRANCH}5"})

        assert family["patientRecord"] == {"__typename": "AccessRefused", "reason": "NOT_AVAILABLE"}
        assert one["patientRecord"]["__typename"] == "PatientRecord", "枝番 of one digit may be asked for"

    tell(story)


def test_a_patient_on_public_assistance_is_registered_and_found_by_that_number_alone(tell: Tell) -> None:
    async def story(world: World) -> None:
        tree = json.loads(sent("set-1", system=PUBLIC_PAYER_SYSTEM, number=ASSISTANCE))
        del tree["entry"][0]["resource"]["identifier"][0]
        registered = await register(world, orjson.dumps(tree))
        key = {"publicAssistance": "１２３４５６７８::1234567:"}
        await world.data(HOSPITAL_SYSTEM, GRANT, patient=key, facility=HOSPITAL)
        world.project()

        record = (await world.data(DOCTOR, NAMES, patient=key))["patientRecord"]

        assert record["patient"]["id"] == str(registered.patient)
        assert registered.warnings == ()

    tell(story)


def test_a_changed_number_keeps_one_patient_whose_history_is_found_under_both(tell: Tell) -> None:
    async def story(world: World) -> None:
        before = await register(
            world,
            sent("set-1", period={"start": "2020-04-01", "end": "2026-03-31"}, conditions={"1": "以前"}),
        )
        after = await register(
            world,
            sent(
                "set-2",
                number=NEW_NUMBER,
                period={"start": "2026-04-01"},
                conditions={"1": "以前", "2": "以後"},
            ),
        )
        await world.data(HOSPITAL_SYSTEM, GRANT, patient={"insuredPerson": NEW_NUMBER}, facility=HOSPITAL)

        (waits,) = await queue(world)

        assert before.patient == after.patient
        assert waits["reason"] == "NUMBER_CHANGED"
        for number in (NUMBER, NEW_NUMBER):
            record = (await world.data(DOCTOR, NAMES, patient={"insuredPerson": number}))["patientRecord"]
            assert {node["name"] for node in record["entries"]["nodes"]} == {"以前", "以後"}
        held = {
            row.value: (
                row.valid_from and f"{row.valid_from:%Y-%m-%dT%H}",
                row.valid_to and f"{row.valid_to:%Y-%m-%dT%H}",
            )
            for row in live_rows(world.connection, identities.NAME, NumberRow)
        }
        assert held[NUMBER] == ("2020-03-31T15", "2026-03-31T15"), "days are Japan's, the last one included"
        assert held[NEW_NUMBER] == ("2026-03-31T15", None)

    tell(story)


def test_the_command_lists_and_settles_without_a_name_or_a_number(
    tell: Tell, tsuzuri: Tsuzuri, dsn: str
) -> None:
    async def story(world: World) -> None:
        await register(world, sent("set-1"))
        await register(world, sent("set-2", number=NO_BRANCH))
        world.project()

    tell(story)
    listed = tsuzuri("identities", "list", TSUZURI_DATABASE=dsn, **KEY_SETTINGS).out
    (told,) = map(json.loads, tsuzuri("identities", "list", "--json").out.splitlines())
    settled = tsuzuri("identities", "settle", told["patient_id"], told["identity"], "--why", "施設に確認")
    again = tsuzuri("identities", "settle", told["patient_id"], told["identity"], "--why", "施設に確認")

    assert told.keys() == {"patient_id", "identity", "reason", "other", "facility", "since"}
    assert listed.startswith(f"{told['identity']}  BRANCH_DIFFERS  patient {told['patient_id']}")
    assert "花子" not in listed and "あいう" not in listed
    assert (settled.code, settled.out[:16]) == (0, "settled by event")
    assert again.code == 1
