"""The trail is the access events, one to one, and says of each answer what was in it; who may not read it gets nothing.

Documents are drawn at random over a world in which everything has happened. A run prints its seed.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from examples import AUDITOR, DOCTOR, OPERATOR, herself
from log_examples import copied_database
from projection_examples import live_rows
from torture.read_world import AOBADAI_DOCTOR, CLINIC_DOCTOR, PHARMACIST, STRANGER, Inhabited, inhabited
from torture.veiled_worlds import opened
from tsuzuri.domain.accesses import AccessAudit
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import AccessPermitted, AccessRefused, TrailRead, WatcherTold
from tsuzuri.domain.vocabulary import DOCUMENT_CLASSES, DocumentKind, RecordClass, Stream
from tsuzuri.projections.audit_trail import NAME, AccessRow
from world import SCHEMA, World

READS = 60
TOPICS = [event.TOPIC for event in (AccessPermitted, WatcherTold, AccessRefused, TrailRead)]
ENTRY = "__typename id recordClass"
PAGE = f"nodes {{ __typename ... on Entry {{ {ENTRY} }} ... on Document {{ id kind }} }}"
FIELDS: tuple[Callable[[Random], str], ...] = (
    lambda some: f"entries(first: {some.randint(1, 40)}) {{ nodes {{ {ENTRY} }} }}",
    lambda some: f"last: entries(last: {some.randint(1, 9)}) {{ edges {{ node {{ {ENTRY} }} }} }}",
    lambda some: f"timeline(first: {some.randint(1, 40)}) {{ {PAGE} }}",
    lambda some: f"documents(first: {some.randint(1, 9)}) {{ nodes {{ __typename id kind }} }}",
    lambda some: (
        f"summary {{ conditions {{ {ENTRY} }} drugAllergies {{ {ENTRY} }} labResults {{ {ENTRY} }} }}"
    ),
    lambda some: (
        f"""few: entries(filter: {{ classes: [{", ".join(some.sample(sorted(RecordClass), 3))}] }})
        {{ nodes {{ {ENTRY} }} totalCount }}"""
    ),
)
CALLERS = (DOCTOR, AOBADAI_DOCTOR, CLINIC_DOCTOR, PHARMACIST, STRANGER)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trail")


@pytest.fixture(scope="module")
def dsn(server_dsn: str, template: str) -> Iterator[str]:
    with copied_database(server_dsn, template, "trail_equals_events") as copy:
        yield copy


@pytest.fixture(scope="module")
def there(home: Path, dsn: str) -> Inhabited:
    async def made() -> Inhabited:
        async with opened(home, dsn) as world:
            return await inhabited(world)

    return asyncio.run(made())


@pytest.fixture
def tell(home: Path, dsn: str, there: Inhabited) -> Callable[[Callable[[World], Any]], None]:
    def run(story: Callable[[World], Any]) -> None:
        async def inside() -> None:
            async with opened(home, dsn) as world:
                world.application.services.__dict__["now"] = lambda: there.at
                await story(world)

        asyncio.run(inside())

    return run


def drawn(some: Random, there: Inhabited) -> tuple[Caller, str, dict[str, Any]]:
    """Somebody asks for a part of somebody's record."""
    name = some.choice(sorted(there.patients))
    fields = " ".join(make(some) for make in some.sample(FIELDS, some.randint(1, 3)))
    if some.random() < 0.3:
        return herself(there.patients[name]), f"query Own {{ me {{ record {{ {fields} }} }} }}", {}
    key: dict[str, Any] = {"id": str(there.patients[name])}
    if name in there.numbers and some.random() < 0.5:
        key = {"insuredPerson": there.numbers[name]}
    document = f"""query Some($key: PatientKey!) {{ patientRecord(patient: $key) {{ __typename
        ... on PatientRecord {{ accessId {fields} }} ... on AccessRefused {{ accessId }} }} }}"""
    return some.choice(CALLERS), document, {"key": key}


def shown_in(answer: Any) -> dict[str, str]:
    """Ids of what stands in an answer → their classes, found without any of our code."""
    found: dict[str, str] = {}
    match answer:
        case {"__typename": "Entry", "id": str(known), "recordClass": str(record_class)}:
            found[known] = record_class
        case {"__typename": "Document", "id": str(known), "kind": str(kind)}:
            found[known] = DOCUMENT_CLASSES[DocumentKind(kind)]
    inner = answer.values() if isinstance(answer, Mapping) else answer if isinstance(answer, list) else ()
    for one in inner:
        found |= shown_in(one)
    return found


async def events_of(world: World) -> dict[UUID, Any]:
    owners = world.connection.execute(
        "SELECT DISTINCT patient_id FROM event WHERE topic = ANY (%s)", (TOPICS,)
    ).fetchall()
    streams = [await world.application.services.log.stream(owner, Stream.ACCESS) for (owner,) in owners]
    return {event.event_id: event for each in streams for event in each if event.TOPIC in TOPICS}


def differences(events: Mapping[UUID, Any], rows: Mapping[UUID, AccessRow]) -> list[str]:
    """Where the trail is not the log."""
    found = [f"{one} is in one of them only" for one in events.keys() ^ rows.keys()]
    for access in events.keys() & rows.keys():
        event, row = events[access], rows[access]
        said = event.told if isinstance(event, AccessPermitted | WatcherTold) else event
        audit = event.audit if isinstance(event, AccessPermitted | WatcherTold) else event
        same: dict[str, tuple[Any, Any]] = {
            "person": (row.person, said.person),
            "role": (row.role, said.role),
            "patient": (row.patient_id, event.patient),
            "operation": (row.operation_sha256, audit.operation_sha256),
            "session": (row.session, audit.session),
            "client": (row.client, audit.client),
        }
        if isinstance(audit, AccessAudit):
            same |= {
                "facility": (row.facility, said.facility),
                "purpose": (row.purpose, said.purpose),
                "bases": (row.bases, list(said.bases)),
                "identified": (row.identified_by, audit.identified_by),
                "shown": (row.shown_by_class, _json(audit.shown_by_class)),
                "number": (row.entries_shown, audit.entries_shown),
                "marks": (set(row.flags), {flag for one in audit.grounds for flag in one.flags}),
                "stood": (row.read_at, audit.read_at),
            }
        found += [f"{access} {name}" for name, (left, right) in same.items() if left != right]
    return found


def _json(counts: Mapping[RecordClass, int]) -> str:
    return "{" + ",".join(f'"{one}":{count}' for one, count in counts.items()) + "}"


def test_the_trail_is_the_access_events_and_counts_what_was_in_each_answer(
    tell: Any, there: Inhabited
) -> None:
    seed = Random().randrange(10**9)
    print(f"seed {seed}")

    async def story(world: World) -> None:
        some, counted, refused = Random(seed), 0, 0
        for _ in range(READS):
            caller, document, variables = drawn(some, there)
            before = await ids(world)
            answer = await world.data(caller, document, **variables)
            (access,) = await ids(world) - before
            world.project()
            row = {one.access: one for one in live_rows(world.connection, NAME, AccessRow)}[access]
            shown = Counter(shown_in(answer).values())
            assert row.shown_by_class == _json({one: shown[one] for one in RecordClass if shown[one]}), (
                document
            )
            assert row.entries_shown == sum(shown.values()) and row.person == caller.person
            counted += bool(shown)
            refused += row.outcome == "REFUSED"
        assert counted > READS // 10 and refused, "some of them show something, and some are refused"
        rows = {one.access: one for one in live_rows(world.connection, NAME, AccessRow)}
        events = await events_of(world)
        assert differences(events, rows) == []

        spoilt = next(one for one in rows.values() if one.entries_shown)
        for wrong in (
            {spoilt.access: replace_row(spoilt, entries_shown=spoilt.entries_shown + 1)},
            {spoilt.access: replace_row(spoilt, person="somebody else")},
            {spoilt.access: replace_row(spoilt, flags=["UNDELIVERED"])},
        ):
            assert differences(events, rows | wrong), "a trail that is a little wrong is noticed"
        assert differences(events, {one: row for one, row in rows.items() if one != spoilt.access})
        forged = replace(events[spoilt.access], event_id=UUID(int=1))
        assert differences(events | {forged.event_id: forged}, rows)

    tell(story)


def replace_row(row: AccessRow, **changes: Any) -> AccessRow:
    return AccessRow(**{name: getattr(row, name) for name in row.__struct_fields__} | changes)


async def ids(world: World) -> set[UUID]:
    found = world.connection.execute("SELECT event_id FROM event WHERE topic = ANY (%s)", (TOPICS,))
    return {one for (one,) in found.fetchall()}


def test_what_an_auditor_asks_is_in_the_trail_the_next_time(tell: Any, there: Inhabited) -> None:
    async def story(world: World) -> None:
        patient = str(there.patients["mixed"])
        period = {"from": "2020-01-01T00:00:00Z", "to": "2090-01-01T00:00:00Z"}
        asked = [
            ("query L($p: ID!) { accessTrail(filter: { patient: $p }) { nodes { id } } }", {"p": patient}),
            ("query C { accessCounts(by: [BASIS]) { groups { accesses } } }", {}),
            ("query Q($p: ID!) { ask(question: WHO_SAW, patient: $p) { accessId } }", {"p": patient}),
            (
                """query B($from: DateTime!, $to: DateTime!) {
                ask(question: BUNDLES_NOT_KEPT, from: $from, to: $to) { accessId } }""",
                period,
            ),
        ]
        for document, variables in asked:
            before = await ids(world)
            await world.data(AUDITOR, document, **variables)
            (look,) = await ids(world) - before
            world.project()
            row = {one.access: one for one in live_rows(world.connection, NAME, AccessRow)}[look]
            assert (row.outcome, row.person, row.bases) == ("TRAIL_READ", AUDITOR.person, ["AUDIT"])
            assert row.operation_name == document.split()[1].split("(")[0]
            assert row.patient_id == (UUID(patient) if "p" in variables else None)

    tell(story)


OTHERS = (
    "{ accessTrail { nodes { id } totalCount } }",
    "{ accessCounts(by: [PERSON]) { groups { accesses } } }",
    "{ savedQuestions { name } }",
    "query($p: ID!) { ask(question: WHO_SAW, patient: $p) { findings { person } } }",
)


@pytest.mark.parametrize(
    "caller", [DOCTOR, PHARMACIST, STRANGER, OPERATOR, "herself"], ids=lambda one: getattr(one, "person", one)
)
def test_the_trail_is_reached_by_nobody_but_auditors(tell: Any, there: Inhabited, caller: Any) -> None:
    async def story(world: World) -> None:
        who = herself(there.patients["mixed"]) if caller == "herself" else caller
        before = await ids(world)
        for document in OTHERS:
            variables = {"p": str(there.patients["other"])} if "$p" in document else {}
            answer = await world.ask(who, document, **variables)
            assert answer["data"] is None and answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert await ids(world) == before

    tell(story)


def test_of_her_own_list_only_what_is_of_herself_is_reached(tell: Any, there: Inhabited) -> None:
    async def story(world: World) -> None:
        one, other = (herself(there.patients[name]) for name in ("mixed", "sample 0"))
        listed = "{ me { accesses(first: 200) { nodes { id } pageInfo { endCursor } totalCount } } }"
        hers = (await world.data(one, listed))["me"]["accesses"]
        theirs = (await world.data(other, listed))["me"]["accesses"]
        assert hers["nodes"] and not {row["id"] for row in hers["nodes"]} & {
            row["id"] for row in theirs["nodes"]
        }
        turned = "query($c: String!) { me { accesses(after: $c) { nodes { id } } } }"
        answer = await world.ask(one, turned, c=theirs["pageInfo"]["endCursor"])
        assert answer["errors"][0]["extensions"]["code"] == "BAD_CURSOR"
        rows = {str(row.access): row for row in live_rows(world.connection, NAME, AccessRow)}
        mine = {there.patients["mixed"]}
        for node in hers["nodes"]:
            row = rows[node["id"]]
            assert mine & {row.patient_id, *row.linked}, "of her, or of who was the same person"

    tell(story)


def test_a_schema_field_that_shows_accesses_is_for_auditors_or_of_oneself() -> None:
    """A new field that gives out the auditor's Access, counts or answers would have to be listed here."""
    giving = {
        name
        for name, field in SCHEMA._schema.query_type.fields.items()  # type: ignore[union-attr]
        if any(word in str(field.type) for word in ("Access", "Answer", "SavedQuestion"))
    }

    questions = {"access", "accessTrail", "accessCounts", "accessReviews", "ask", "savedQuestions"}
    assert giving == questions | {"accessesProof"}
