"""`node` of what is hidden: answered as that of what never was, by the same statements, and as many of them.

A clinician reaches nodes of four types. For each it is asked about one that is kept from her, in a way of its own, and
about one that was never there.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import Connection

from document_examples import SENDER, diagnosis, referral
from examples import CLINIC, CLINIC_SYSTEM, DOCTOR, HOSPITAL, a_bundle, herself
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.eventlog.quick_reads import QuickReads
from tsuzuri.graphql.nodes import NodeKind, NodeName, sealed_node
from tsuzuri.graphql.schema import schema_sha256
from tsuzuri.projections.sql import Composed
from world import CANCEL, SCHEMA, Tell, World, tell_in

NODE = """query Node($id: ID!) { node(id: $id) { __typename nodeId
  ... on Entry { id title: name facility { name } document { id } }
  ... on Document { id title facility { name } entries { totalCount nodes { id name } } }
  ... on Patient { id name kana } ... on Facility { number } } }"""
GRANT = f"""mutation($patient: ID!, $classes: [RecordClass!]!) {{
  grantConsent(patient: {{ id: $patient }}, facility: "{HOSPITAL}", classes: $classes) }}"""
THIRD, OTHER = "00099999:え:7:01", "00099999:え:8:01"
SHOWN, HIDDEN = "狭心症", "膵癌"


class Noting(TsuzuriApplication):
    """Notes the text of each statement that it is asked for; values are not in it."""

    def __init__(self, *under: Any) -> None:
        super().__init__(*under)
        self.statements: list[str] = []

    async def fetch(self, statement: Composed) -> list[dict[str, Any]]:
        self.statements.append(statement.numbered())
        return await super().fetch(statement)


class Curious(Noting):
    """What must not be: where nothing was found, it looks once more whether there is such a thing at all."""

    there: frozenset[str] = frozenset()  # ids

    async def fetch(self, statement: Composed) -> list[dict[str, Any]]:
        found = await super().fetch(statement)
        asked = {str(one) for value in statement.values if isinstance(value, list) for one in value}
        if not found and asked & self.there:
            await super().fetch(statement)
        return found


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of what is read besides: decisions, first looks."""
    texts: list[str] = []
    fetch = QuickReads.fetch

    async def noted(self: QuickReads, text: str, *rest: Any, **more: Any) -> Any:
        texts.append(text)
        return await fetch(self, text, *rest, **more)

    monkeypatch.setattr(QuickReads, "fetch", noted)
    return texts


async def kept_from_her(world: World) -> dict[str, tuple[NodeName, NodeName]]:
    """By why: what is there and kept from the doctor, and the same kind of thing that never was."""
    letter = await world.application.register_bundle(
        SENDER, referral(diagnosis(SHOWN), diagnosis(HIDDEN, "UNDELIVERED"))
    )
    patient = letter.patient
    await world.application.register_bundle(CLINIC_SYSTEM, a_bundle())
    others = await world.application.register_bundle(CLINIC_SYSTEM, a_bundle(number=OTHER))
    strangers = await world.application.register_bundle(CLINIC_SYSTEM, a_bundle(number=THIRD))
    for one in (patient, others.patient):
        await world.data(herself(one), GRANT, patient=str(one), classes=["CONDITION"])
    world.project()
    cancelled = entries_of(world, patient, "facility = %s AND to_pos IS NULL", CLINIC)
    await world.data(CLINIC_SYSTEM, CANCEL)
    world.project()
    marked = entries_of(world, patient, "name = %s", HIDDEN)
    elsewhere = entries_of(world, others.patient, "true")
    unread = entries_of(world, strangers.patient, "true")

    def never(kind: NodeKind, whose: UUID) -> NodeName:
        return NodeName(kind, str(uuid4()), whose)

    def entry(found: list[UUID], whose: UUID) -> NodeName:
        return NodeName(NodeKind.ENTRY, str(found[0]), whose)

    nobody = uuid4()
    return {
        "an entry that is marked": (entry(marked, patient), never(NodeKind.ENTRY, patient)),
        "an entry that is cancelled": (entry(cancelled, patient), never(NodeKind.ENTRY, patient)),
        "an entry of another": (entry(elsewhere, patient), never(NodeKind.ENTRY, patient)),
        "a document of a class not granted": (
            NodeName(NodeKind.DOCUMENT, str(letter.document), patient),
            never(NodeKind.DOCUMENT, patient),
        ),
        "an entry of whom she may not read": (
            entry(unread, strangers.patient),
            never(NodeKind.ENTRY, nobody),
        ),
        "a document of whom she may not read": (
            NodeName(NodeKind.DOCUMENT, str(strangers.document), strangers.patient),
            never(NodeKind.DOCUMENT, nobody),
        ),
        "a patient whom she may not read": (
            NodeName(NodeKind.PATIENT, str(strangers.patient), strangers.patient),
            NodeName(NodeKind.PATIENT, str(nobody), nobody),
        ),
    }


def entries_of(world: World, patient: UUID, where: str, *values: str) -> list[UUID]:
    rows = world.connection.execute(
        f"SELECT entry FROM record_index_g1.entry WHERE patient_id = %s AND {where} ORDER BY entry".encode(),
        (patient, *values),
    )
    found = [entry for (entry,) in rows]
    assert found, where
    return found


async def told(
    world: World, application: Noting, quick: list[str], name: NodeName
) -> tuple[dict[str, Any], list[str], list[str], int]:
    """The answer, and all that was asked for it; how many events it left."""
    application.statements.clear()
    quick.clear()
    before = events(world)
    node = sealed_node(application.seals, name)
    answer = await World(application, world.connection).ask(DOCTOR, NODE, id=node)
    return answer, list(application.statements), list(quick), events(world) - before


def events(world: World) -> int:
    return world.events("access-permitted") + world.events("access-refused")


async def apart(world: World, application: Noting, quick: list[str]) -> list[str]:
    """Why which hidden thing can be told from one that never was."""
    found = []
    pairs = await kept_from_her(world)
    if isinstance(application, Curious):
        application.there = frozenset(hidden.id for hidden, _ in pairs.values())
    for why, (hidden, never) in pairs.items():
        await told(world, application, quick, never)  # what is read once for all is read by now
        one, other = [await told(world, application, quick, name) for name in (hidden, never)]
        assert one[0] == {"data": {"node": None}} and one[3] == 1, why
        assert one[2], "nothing was noted"
        found += [why] if one != other else []
    return found


def test_what_is_hidden_is_looked_for_as_what_never_was(tell: Tell, quick: list[str]) -> None:
    async def story(world: World) -> None:
        noting = Noting(world.application.services, schema_sha256(SCHEMA))

        assert await apart(world, noting, quick) == []

    tell(story)


def test_one_statement_more_for_what_is_there_is_noticed(tell: Tell, quick: list[str]) -> None:
    async def story(world: World) -> None:
        curious = Curious(world.application.services, schema_sha256(SCHEMA))

        assert {"an entry that is marked", "a document of a class not granted"} <= {
            *await apart(world, curious, quick)
        }

    tell(story)


def test_what_may_be_seen_is_found(tell: Tell, quick: list[str]) -> None:
    """Of each type that a clinician reaches: else the same answers would say nothing."""

    async def story(world: World) -> None:
        noting = Noting(world.application.services, schema_sha256(SCHEMA))
        (hidden, _) = (await kept_from_her(world))["an entry that is marked"]
        assert hidden.patient is not None
        patient = hidden.patient
        (shown,) = entries_of(world, patient, "name = %s", SHOWN)
        everything = {"patient": str(patient), "classes": ["CONDITION", "REFERRAL"]}
        await world.data(herself(patient), GRANT, **everything)
        rows = world.connection.execute(
            "SELECT document FROM record_index_g1.document WHERE patient_id = %s AND kind = 'REFERRAL'",
            (patient,),
        )
        documents = [document for (document,) in rows]

        names = [
            NodeName(NodeKind.ENTRY, str(shown), patient),
            NodeName(NodeKind.DOCUMENT, str(documents[0]), patient),
            NodeName(NodeKind.PATIENT, str(patient), patient),
            NodeName(NodeKind.FACILITY, HOSPITAL, None),
        ]
        kinds = [(await told(world, noting, quick, name))[0]["data"]["node"] for name in names]

        assert [node and node["__typename"] for node in kinds] == ["Entry", "Document", "Patient", "Facility"]

    tell(story)
