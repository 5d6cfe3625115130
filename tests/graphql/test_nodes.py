"""`node`: what an answer named is found again by its id, by whoever may see it then, and by nobody else."""

from collections.abc import Callable
from itertools import product
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import Connection

from examples import CLINIC, CLINIC_SYSTEM, DOCTOR, HOSPITAL_SYSTEM, a_bundle, a_caller, herself
from referral_examples import sent
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.nodes import NodeKind, NodeName, opened_node, sealed_node
from world import CANCEL, CONSENT, KEY, WITHDRAW, Tell, World, record_id, tell_in

NODE = """query Node($id: ID!, $purpose: PurposeOfUse! = TREAT) { node(id: $id, purpose: $purpose) { __typename nodeId
    ... on Entry { id title: name } ... on Document { id title } ... on Patient { id name }
    ... on Facility { number } } }"""
NAMED = f"""{{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{ patient {{ id nodeId }}
    entries {{ nodes {{ id nodeId facility {{ nodeId }} }} }} }} }} }}"""
HERS = "{ me { record { documents { nodes { id nodeId } } patient { nodeId } } } }"
ELSEWHERE = a_caller(person="doctor-mori", role=Role.CLINICIAN, facility="1310000017")
OTHER = "00099999:え:7:01"


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def named(world: World) -> dict[str, str]:
    """Ids of the patient, of her one entry and of its facility, as an answer gives them out; hers as text too."""
    await world.register()
    await world.data(HOSPITAL_SYSTEM, CONSENT)
    world.project()
    record = (await world.data(DOCTOR, NAMED))["patientRecord"]
    (entry,) = record["entries"]["nodes"]
    return {
        "patient": record["patient"]["nodeId"],
        "entry": entry["nodeId"],
        "facility": entry["facility"]["nodeId"],
        "uuid": record["patient"]["id"],
        "entry uuid": entry["id"],
    }


async def found(world: World, caller: Caller, node: str, purpose: str = "TREAT") -> dict[str, Any] | None:
    one: dict[str, Any] | None = (await world.data(caller, NODE, id=node, purpose=purpose))["node"]
    return one


def test_what_an_answer_named_is_found_again_and_each_look_is_an_access(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await named(world)
        before = world.events("access-permitted")

        entry = await found(world, DOCTOR, told["entry"])
        patient = await found(world, DOCTOR, told["patient"])
        assert world.events("access-permitted") == before + 2
        facility = await found(world, DOCTOR, told["facility"])
        assert world.events("access-permitted") == before + 2, "a facility is nobody's record"

        assert entry == {
            "__typename": "Entry",
            "nodeId": told["entry"],
            "id": told["entry uuid"],
            "title": "上腹部痛",
        }
        assert patient == {
            "__typename": "Patient",
            "nodeId": told["patient"],
            "id": told["uuid"],
            "name": "試験 花子",
        }
        assert facility == {"__typename": "Facility", "nodeId": told["facility"], "number": CLINIC}

    tell(story)


def test_a_document_is_found_by_the_patient_and_by_no_stranger(tell: Tell) -> None:
    async def story(world: World) -> None:
        letter = await sent(world)
        (one,) = (await world.data(herself(letter.patient), HERS))["me"]["record"]["documents"]["nodes"]

        hers = await found(world, herself(letter.patient), one["nodeId"], "PATRQT")

        assert hers is not None and (hers["__typename"], hers["id"]) == ("Document", str(letter.document))
        assert await found(world, herself(uuid4()), one["nodeId"], "PATRQT") is None
        assert await found(world, ELSEWHERE, one["nodeId"]) is None

    tell(story)


def test_whatever_the_reason_nothing_is_told_but_that_it_is_not_to_be_had(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await named(world)
        other = (await world.application.register_bundle(CLINIC_SYSTEM, a_bundle(number=OTHER))).patient
        world.project()
        seals, entry = world.application.seals, told["entry uuid"]

        def seal(kind: NodeKind, one: str, patient: UUID) -> str:
            return sealed_node(seals, NodeName(kind, one, patient))

        never = {
            "unknown patient": seal(NodeKind.ENTRY, entry, uuid4()),
            "another patient": seal(NodeKind.ENTRY, entry, other),
            "unknown entry": seal(NodeKind.ENTRY, str(uuid4()), UUID(told["uuid"])),
            "another kind": seal(NodeKind.DOCUMENT, entry, UUID(told["uuid"])),
            "a plain id": entry,
            "cut": told["entry"][:-1],
            "empty": "",
            "a cursor": seals.seal(f"entries/{told['uuid']}", ["2026-01-01T00:00:00+00:00", entry]),
            "no text of ours": "\x00",
        }
        answers = {why: await world.ask(DOCTOR, NODE, id=node) for why, node in never.items()}
        await world.data(HOSPITAL_SYSTEM, WITHDRAW)
        answers["withdrawn"] = await world.ask(DOCTOR, NODE, id=told["entry"])
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        assert (await found(world, DOCTOR, told["entry"])) is not None
        await world.data(CLINIC_SYSTEM, CANCEL)
        answers["cancelled"] = await world.ask(DOCTOR, NODE, id=told["entry"])

        assert answers == {why: {"data": {"node": None}} for why in answers}

    tell(story)


def test_an_id_that_was_swapped_or_changed_is_never_another_one(tell: Tell) -> None:
    """Ids of one answer under every other use, patient and kind, and with letters changed."""

    async def story(world: World) -> None:
        told = await named(world)
        random = Random(7)
        nodes = [told["patient"], told["entry"], told["facility"]]
        seals = world.application.seals

        hits = []
        for _ in range(1_000):
            node, at = random.choice(nodes), random.randrange(len(nodes[0]) - 1)
            letter = random.choice("abcdefghijklmnopqrstuvwxyz0123456789-_".replace(node[at], ""))
            changed = node[:at] + letter + node[at + 1 :]
            hits += [changed] if opened_node(seals, changed) is not None else []
        for one, other in product(nodes, nodes):
            half = len(one) // 2
            mixed = one[:half] + other[half:]
            hits += [mixed] if mixed not in nodes and opened_node(seals, mixed) is not None else []
        for caller, node in product((ELSEWHERE, herself(uuid4())), nodes[:2]):
            hits += [node] if await found(world, caller, node) is not None else []

        assert hits == []
        assert len({len(node) for node in nodes}) == 1, "no length tells what it names"

    tell(story)


def test_one_entry_is_asked_for_by_its_own_id(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await named(world)
        asked = f"""query($id: ID!) {{ patientRecord(patient: {KEY}) {{ ... on PatientRecord {{
            entry(id: $id) {{ id name document {{ id }} }} }} }} }}"""

        async def entry(one: str) -> Any:
            return (await world.data(DOCTOR, asked, id=one))["patientRecord"]["entry"]

        assert (await entry(told["entry uuid"]))["name"] == "上腹部痛"
        assert await entry(str(uuid4())) is None
        (error,) = (await world.ask(DOCTOR, asked, id="x"))["errors"]
        assert error["extensions"]["code"] == "BAD_INPUT"
        assert str(record_id(await world.record())) == told["uuid"]

    tell(story)
