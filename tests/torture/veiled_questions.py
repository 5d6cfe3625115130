"""What is asked of each world in a torture of what nothing shows, and its answers as bytes that can be compared."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from random import Random
from typing import Any
from uuid import uuid4

from alike_examples import Own, alike
from everything_examples import (
    FILTERS,
    ME,
    RECORD,
    asked,
    before_all,
    fields_of,
    filtered,
    in_me,
    in_record,
    lean_fields,
    lean_filtered,
    named,
    operation,
    other_roots,
)
from torture.veiled_facts import BEGAN
from torture.veiled_readers import READER, Reader
from torture.veiled_steps import Lived
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.nodes import NodeKind, NodeName, sealed_node
from world import World

_THEN = ", asOf: { at: $then }"
_BLIND = ("GRAPHQL_INVALID", "INTERNAL")
"""A question that is broken, or that breaks something, compares nothing."""
_FIRST = {name: f"{name}1" for name in FILTERS}
"""Where a page of one node is found, by list."""
_ATTEMPTS = (
    "mutation($patient: PatientKey!, $letter: ID!) { receiveReferral(patient: $patient, document: $letter) }",
    """mutation($patient: PatientKey!, $letter: ID!, $reader: String!) { grantConsent(patient: $patient,
      facility: $reader, classes: [REFERRAL], document: $letter) }""",
    """mutation($patient: PatientKey!) { cancelBundle(patient: $patient, kind: CONDITIONS, reason: "誤り",
      identifier: { system: "urn:sample", value: "1313333333^2026^veiled" }) }""",
    """mutation($patient: PatientKey!, $letter: ID!) { liftDenial(patient: $patient, denial: $letter) }""",
    """query($patient: PatientKey!, $purpose: PurposeOfUse!) { patientRecord(patient: $patient, purpose: $purpose,
      asOf: { position: "none" }) { ... on PatientRecord { incomplete } } }""",
    """query($patient: PatientKey!, $purpose: PurposeOfUse!) { patientRecord(patient: $patient, purpose: $purpose) {
      ... on PatientRecord { entries(after: "none") { totalCount } } } }""",
)
"""What comes to nothing, whatever is veiled: the errors must be the same."""
_SHOWN = operation(
    in_record("""patient { nodeId } entries(first: 1000) { nodes { id nodeId } }
      documents(first: 200) { nodes { id nodeId } }""")
)
_NODES = {
    NodeKind.ENTRY: "... on Entry { id name facility { name } document { id title } }",
    NodeKind.DOCUMENT: "... on Document { id title facility { name } entries { totalCount nodes { id name } } }",
    NodeKind.PATIENT: "... on Patient { id name kana birthDate sex }",
}
_LIES_IN = {NodeKind.ENTRY: ("entry", "entries"), NodeKind.DOCUMENT: ("document", "documents")}
"""The table of the index and its column of ids, both of that name; the list of a record."""


@cache
def lean(own: bool) -> tuple[str, ...]:
    """Every field once, and every filter once."""
    record, pages = " ".join(lean_fields(RECORD)), " ".join(lean_filtered())
    if not own:
        return operation(in_record(record)), operation(in_record(pages))
    hers = " ".join(lean_fields(ME, RECORD, "Summary"))
    return operation(in_me(f"record {{ {record} }}")), operation(in_me(f"record {{ {pages} }} {hers}"))


@cache
def whole(own: bool) -> tuple[str, ...]:
    """Each field by itself with all that it leads to; the past; every other root field; what comes to nothing."""
    record = [*asked(RECORD), *filtered()]
    found = [operation(in_record(one)) for one in record]
    found += [
        operation(in_record(one, _THEN)) for one in record if one.startswith(("entries {", "timeline {"))
    ]
    if own:
        found += [operation(in_me(one)) for one in asked(ME) if not one.startswith("record ")]
        found += [operation(in_me(f"record {{ {one} }}")) for one in record]
    return (*found, *other_roots(), *_ATTEMPTS)


def inboxes(role: Role) -> tuple[str, ...]:
    """Letters to and from the facility that asks, which are about this patient alone."""
    if role not in (Role.CLINICIAN, Role.PHARMACIST):
        return ()
    both = "referralInbox { nodes { id state value patient { id } } } referralOutbox { nodes { id state value } }"
    return (operation(both),)


class Asking:
    """One reader's questions about one world, and what it is told: the same questions for each world of a family."""

    def __init__(self, world: World, reader: Reader, lived: Lived, seed: str, then: datetime):
        self.world, self.reader, self.lived, self.then = world, reader, lived, then
        self.random = Random(seed)
        self.caller: Caller = reader.caller(lived)
        self.own = Own(
            world.application.seals, BEGAN, (str(lived.patient), lived.reader), {lived.reader: READER}
        )

    def questions(self, more: int) -> list[str]:
        """The lean ones, and *more* of the others, drawn by the family's seed."""
        own = self.caller.role is Role.PATIENT
        others = self.random.sample(whole(own), more) if more else []
        return [*lean(own), *inboxes(self.caller.role), *others]

    async def answers(self, more: int) -> dict[str, str]:
        """By question. A page is followed by the one behind it."""
        values = self._values()
        values["position"] = await before_all(self.world, self.caller, self.lived.patient, values)
        found: dict[str, str] = {}
        for document in self.questions(more):
            answer = await self._ask(document, values)
            found[document] = alike(answer, self.own)
            behind = _cursors(answer)
            if behind:
                document, cursors = _behind(document, behind)
                found[document] = alike(await self._ask(document, values | cursors), self.own)
        for why, kind, node in self._nodes(await self._ask(_SHOWN, values)):
            document = f"query Node($node: ID!, $purpose: PurposeOfUse!) {{ {_node(kind)} }}"
            answer = await self._ask(document, values | {"node": node})
            found[f"{why}: {document}"] = alike(answer, self.own)
        return found

    def _nodes(self, answer: Mapping[str, Any]) -> Iterator[tuple[str, NodeKind, str]]:
        """Of each kind the first that is shown, found again, and one that is not: veiled, or in no world at all."""
        record = (answer.get("data") or {}).get("patientRecord") or {}
        seals, random = self.world.application.seals, Random(self.lived.number)
        for kind, (table, name) in _LIES_IN.items():
            shown = record[name]["nodes"] if name in record else []
            yield from (("shown", kind, one["nodeId"]) for one in shown[:1])
            rows = self.world.connection.execute(
                f"SELECT DISTINCT {table} FROM record_index_g1.{table} WHERE patient_id = ANY(%s) ORDER BY 1".encode(),
                ([self.lived.patient, self.lived.other],),
            )
            veiled = sorted({str(one) for (one,) in rows} - {one["id"] for one in shown})
            one = random.choice(veiled) if veiled else str(uuid4())
            yield "veiled", kind, sealed_node(seals, NodeName(kind, one, self.lived.patient))
        her = NodeName(NodeKind.PATIENT, str(self.lived.patient), self.lived.patient)
        yield "herself", NodeKind.PATIENT, sealed_node(seals, her)

    async def _ask(self, document: str, values: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self.world.ask(self.caller, document, **named(document, values))
        codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
        assert codes.isdisjoint(_BLIND), answer["errors"]
        return answer

    def _values(self) -> dict[str, Any]:
        lived, proxy = self.lived, self.caller.patient != self.lived.patient
        by_number = self.random.random() < 0.5
        veiled = self.random.random() < 0.5
        shown = lived.documents.get("letter")
        letter = lived.documents.get("veiled") if veiled or shown is None else shown
        return {
            "patient": {"insuredPerson": lived.number} if by_number else lived.key,
            "her": str(lived.patient) if proxy else None,
            "purpose": str(self.reader.purpose),
            "letter": str(letter or uuid4()),
            "then": self.then.isoformat(),
            "reader": lived.reader,
        }


def _node(kind: NodeKind) -> str:
    return f"node(id: $node, purpose: $purpose) {{ __typename nodeId {_NODES[kind]} }}"


def _cursors(answer: Mapping[str, Any]) -> dict[str, str]:
    """Where the pages of one node end, by list."""
    data = answer.get("data") or {}
    record = data.get("patientRecord") or (data.get("me") or {}).get("record") or {}
    ends = {name: record[alias]["pageInfo"]["endCursor"] for name, alias in _FIRST.items() if alias in record}
    return {name: cursor for name, cursor in ends.items() if cursor is not None}


def _behind(document: str, ends: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    pages = " ".join(
        f"{name}(first: 1, after: ${name}) {{ nodes {{ __typename }} pageInfo {{ hasNextPage endCursor }} }}"
        for name in ends
    )
    asked_for = operation(in_me(f"record {{ {pages} }}") if "me(" in document else in_record(pages))
    declared = ", ".join(f"${name}: String" for name in ends)
    return asked_for.replace("Everything(", f"Everything({declared}, "), dict(ends)


assert set(_FIRST) <= set(fields_of(RECORD))
