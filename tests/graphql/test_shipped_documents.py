"""Every document that comes along runs for each role on its card, and reaches no more than the card says."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from document_examples import SENDER, diagnosis, referral
from examples import HOSPITAL, NUMBER, a_bundle, a_caller
from referral_examples import consent
from tsuzuri.app.trusted_documents import SHIPPED, load_documents
from tsuzuri.domain.callers import FACILITY_ROLES, Caller
from tsuzuri.domain.vocabulary import RecordClass, Role
from tsuzuri.graphql.gate import Gate
from world import SCHEMA, Tell, World, tell_in

DOCUMENTS = load_documents(SHIPPED, SCHEMA)
CARDS = {card.name: card for card in DOCUMENTS.cards.values()}
TEXTS = {card.name: DOCUMENTS.texts[digest] for digest, card in DOCUMENTS.cards.items()}
KEY = {"insuredPerson": NUMBER}
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
SAID_NO = {  # what the world of this test has nothing for
    "Withdraw": "NOTHING_TO_WITHDRAW",
    "DeclareEmergency": "FORBIDDEN",
    "EmergencyRight": "USELESS_RIGHT",
    "CloseReview": "NO_SUCH_REVIEW",
    "RequestCorrection": "REQUESTED_ALREADY",
    "OwnProof": "NOT_COVERED_YET",
}
ACCESSES = "{ accessTrail { nodes { id operationName classesAsked } } }"


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def caller(role: Role, patient: UUID) -> Caller:
    return a_caller(
        person="somebody",
        role=role,
        facility=HOSPITAL if role in FACILITY_ROLES else None,
        patient=patient if role is Role.PATIENT else None,
    )


def variables(patient: UUID, document: UUID, access: str, node: str, since: str) -> dict[str, dict[str, Any]]:
    """What each document is asked with; those that are not named take none but a page size."""
    key: dict[str, Any] = {"patient": KEY}
    facility = {"facility": HOSPITAL}
    own = {"patient": {"id": str(patient)}}
    return {
        "AccessCounts": {"by": ["BASIS", "DAY"]},
        "AllowReplayContent": {"access": access, "person": "auditor-baba"},
        "Changes": key | {"since": since},
        "CloseReview": {"review": str(patient), "words": "救急外来の診療録を確認"},
        "ConsentPreview": {"change": "WITHDRAW", **facility},
        "DecisionAt": {"patient": str(patient), "at": datetime.now(UTC).isoformat(), **facility},
        "DeclareEmergency": key | {"reason": "救急搬送、意識なし"},
        "DocumentEntries": key | {"document": str(document)},
        "DocumentPage": key | {"document": str(document)},
        "Documents": key,
        "EmergencyRight": {"person": "dr-hamada", "until": TOMORROW},
        "EmergencyTable": key,
        "Explain": {"access": access},
        "FoundAgain": {"id": node},
        "Grant": own | facility | {"classes": ["CONDITION"]},
        "Groups": key,
        "LabSeries": key | {"codes": ["HBA1C"]},
        "May": key | {"purpose": "TREAT"},
        "Medication": key,
        "Oldest": key | {"last": 2},
        "RegisterBundle": {"bundle": a_bundle(facility=HOSPITAL, local_id="new").decode()},
        "Replay": {"access": access},
        "RequestCorrection": own | {"about": {"document": str(document)}, "words": "住所が違います"},
        "Summary": key,
        "Timeline": key | {"classes": ["CONDITION"]},
        "Ward": {"patients": [KEY]},
        "WhoSaw": {"patient": str(patient)},
        "WhoToTell": {"patient": str(patient)},
        "Withdraw": own | facility,
    }


def test_each_runs_and_reaches_no_more_than_its_card_says(tell: Tell) -> None:
    async def story(world: World) -> None:
        registered = await world.application.register_bundle(SENDER, referral(diagnosis("狭心症")))
        world.project()
        await consent(world, caller(Role.SYSTEM, registered.patient), *RecordClass)
        oldest = await world.data(
            caller(Role.CLINICIAN, registered.patient), TEXTS["Oldest"], patient=KEY, last=1
        )
        world.project()
        world.application.gate = Gate(trusted=DOCUMENTS.cards, trusted_only=True)
        (access, *_) = await accesses(world)
        record = oldest["patientRecord"]
        (named,), since = record["timeline"]["nodes"], record["asOf"]["position"]
        asked = variables(registered.patient, registered.document, access["id"], named["nodeId"], since)

        wrong = []
        for name, card in sorted(CARDS.items()):
            if TEXTS[name].startswith("subscription"):  # what it tells: test_accessed.py
                continue
            for role in sorted(card.roles):
                given = asked.get(name, {}) | ({"first": 50} if "$first" in TEXTS[name] else {})
                answer = await world.ask(caller(role, registered.patient), TEXTS[name], **given)
                codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
                if not codes <= {SAID_NO.get(name)}:
                    wrong.append(f"{name} as {role}: {answer['errors']}")
        world.project()

        assert wrong == []

        for access in await accesses(world):
            if access["operationName"] in CARDS:
                card = CARDS[access["operationName"]]
                assert {*map(RecordClass, access["classesAsked"])} <= card.classes, card.name

    tell(story)


async def accesses(world: World) -> list[dict[str, Any]]:
    gate, world.application.gate = world.application.gate, Gate()
    trail = await world.data(a_caller("auditor-abe", Role.AUDITOR), ACCESSES)
    world.application.gate = gate
    nodes: list[dict[str, Any]] = trail["accessTrail"]["nodes"]
    return nodes
