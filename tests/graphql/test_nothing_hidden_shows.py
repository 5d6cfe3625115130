"""未告知 and 未提供 leave no trace: of two patients one has hidden diagnoses besides, and every field answers alike.

What is asked is made from the schema, so a field that is added is asked too. There is no subscription about a record.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)
from psycopg import Connection

from document_examples import SENDER, body, diagnosis, referral
from examples import DOCTOR, HOSPITAL, NUMBER, herself
from fhir_examples import CORE_LABO, FACILITY, Json, a_collection, a_resource, coded, quantity
from rendering_examples import INDICATION
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import RecordClass, Role
from world import SCHEMA, Tell, World, tell_in

TWIN = NUMBER.replace("187", "188")
CANCER, DEPENDENCE = "膵癌", "アルコール依存症"
CODE = "20071111"
TYPES = build_schema(SCHEMA.as_str()).type_map
ARGUMENTS = {
    "labSeries": f'(codes: ["{CODE}", "HBA1C"])',
    "document": "(id: $letter)",
    "preview": "(change: DENY)",
}
FILTERS = {
    "entries": [
        "(first: 1)",
        f'(filter: {{ codes: ["{CODE}"] }})',
        f'(filter: {{ classes: [CONDITION], facilities: ["{FACILITY}"] }})',
        '(filter: { from: "2020-01-01T00:00:00Z", to: "2030-01-01T00:00:00Z" })',
    ],
    "timeline": ["(first: 1)", "(filter: { classes: [CONDITION] })"],
    "documents": ["(first: 1)", "(filter: { kinds: [REFERRAL] })"],
}
OF_THE_MOMENT = frozenset(
    "id accessId documentId position recordedAt registeredAt lagSeconds url at because since until "
    "visibleUntil requestedAt consentResources".split()
)
"""Of one patient and one moment: that it is there counts, and no more."""
CURSORS = frozenset(("cursor", "startCursor", "endCursor"))
GRANT = f"""mutation($patient: ID!) {{ grantConsent(patient: {{ id: $patient }}, facility: "{HOSPITAL}",
    classes: [{", ".join(RecordClass)}]) }}"""
REQUEST = """mutation($patient: ID!, $letter: ID!) { requestCorrection(patient: { id: $patient }, kind: CORRECTION,
    about: { document: $letter }, words: "日付が違います") }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


def selection(of: str, *within: str) -> str:
    """Every field of a type and of what it leads to; no type within itself."""
    kind = TYPES[of]
    if isinstance(kind, GraphQLUnionType):
        parts = [f"... on {one.name} {selection(one.name, *within)}" for one in kind.types]
        return f"{{ __typename {' '.join(parts)} }}"
    return f"{{ {' '.join(asked(of, *within))} }}"


def asked(of: str, *within: str) -> Iterator[str]:
    """Each field of a type with all that it leads to, by itself."""
    kind = TYPES[of]
    assert isinstance(kind, GraphQLObjectType)
    for name, field in kind.fields.items():
        leads_to = get_named_type(field.type)
        called = name + (ARGUMENTS[name] if _must_be_told(field) else "")
        if is_leaf_type(leads_to):
            yield called
        elif leads_to.name not in (of, *within):
            yield f"{called} {selection(leads_to.name, of, *within)}"


def _must_be_told(field: GraphQLField) -> bool:
    return any(map(is_required_argument, field.args.values()))


def filtered() -> Iterator[str]:
    kind = TYPES["PatientRecord"]
    assert isinstance(kind, GraphQLObjectType)
    for name, filters in FILTERS.items():
        whole = selection(get_named_type(kind.fields[name].type).name, "PatientRecord")
        yield from (f"{name}{one} {whole}" for one in filters)


def operations(caller: Caller) -> list[str]:
    """One operation for each field there is to ask: a document has a limit."""
    record = [*asked("PatientRecord"), *filtered()]
    if caller.role is Role.PATIENT:
        inside = [f"record {{ {one} }}" for one in record] + [
            one for one in asked("Me") if not one.startswith("record ")
        ]
        return [_operation(f"me {{ {one} }}") for one in inside]
    key = "patientRecord(patient: { id: $patient })"
    return [_operation(f"{key} {{ ... on PatientRecord {{ {one} }} }}") for one in record]


def _operation(inside: str) -> str:
    names = [name for name in ("patient", "letter") if f"${name}" in inside]
    declared = ", ".join(f"${name}: ID!" for name in names)
    return f"query Everything{f'({declared})' if names else ''} {{ {inside} }}"


def alike(told: Any, field: str = "") -> Any:
    """The answer without what two patients never have in common: of a cursor its length is left, of a page its body."""
    if isinstance(told, dict):
        return {name: alike(value, name) for name, value in told.items()}
    if isinstance(told, list):
        return [alike(one, field) for one in told]
    if told is None or isinstance(told, bool):
        return told
    if field in CURSORS:
        return len(told)
    if field == "html":
        return told.partition("<footer>")[0]
    return "…" if field in OF_THE_MOMENT else told


def hidden(name: str, *flags: str) -> Json:
    tags = [{"system": INDICATION, "code": flag} for flag in flags]
    code = {"coding": [{"system": "urn:codes", "code": CODE}], "text": name}
    meta = {"lastUpdated": "2026-01-02T08:00:00+09:00"} | ({"tag": tags} if tags else {})
    return diagnosis(name, code=code, meta=meta, onsetDateTime="2025-12-24")


def bundles(number: str, *flags: str) -> Iterator[bytes]:
    """What is sent of her: two letters, a report, a set. Without flags there is nothing to hide.

    Else there are two diagnoses more: one is marked from the beginning, the other by the second letter.
    """
    told, untold = diagnosis("狭心症", onsetDateTime="2025-12-23"), []
    marked_later, marked_now = [], []
    if flags:
        untold = [hidden(CANCER, *flags)]
        marked_later, marked_now = [hidden(DEPENDENCE)], [hidden(DEPENDENCE, *flags)]
    back = diagnosis("腰痛", onsetDateTime="2025-12-25")
    pressure = diagnosis("高血圧症", onsetDateTime="2025-12-26")
    hba1c = a_resource(
        "Observation",
        code=coded(CORE_LABO, "3D046000001906202", "HbA1c"),
        valueQuantity=quantity(6.9, "%"),
        effectiveDateTime="2026-01-02",
    )
    for bundle in (
        referral(told, *untold, *marked_later),
        body(a_collection(hba1c, identifier=_identifier("lab"))),
        referral(back, *marked_now, local_id="ref-2").replace(b"2026-01-02", b"2026-01-03"),
        body(a_collection(pressure, *untold, identifier=_identifier("set"))),
    ):
        yield bundle.replace(NUMBER.encode(), number.encode())


def _identifier(local_id: str) -> Json:
    return {"system": "urn:sample", "value": f"{FACILITY}^2026^{local_id}"}


async def lived(world: World, number: str, *flags: str) -> RegisteredBundle:
    """All of it registered; what became of the first letter, about which she asks. The hospital may see everything."""
    told = [await world.application.register_bundle(SENDER, one) for one in bundles(number, *flags)]
    patient = told[0].patient
    await world.data(herself(patient), GRANT, patient=str(patient))
    world.project()
    await world.data(herself(patient), REQUEST, patient=str(patient), letter=str(told[0].document))
    world.project()
    return told[0]


async def answers(
    world: World, caller: Caller, told: RegisteredBundle, *, pages: bool = True
) -> dict[str, Any]:
    """By operation. Every one is answered."""
    found = {}
    for operation in operations(caller):
        variables = {"patient": str(told.patient), "letter": str(told.document)}
        named = {name: value for name, value in variables.items() if f"${name}:" in operation}
        asked = operation if pages else operation.replace(" html ", " ")
        found[operation] = await world.data(caller, asked, **named)
    return found


def reader(role: Role, told: RegisteredBundle) -> Caller:
    return herself(told.patient) if role is Role.PATIENT else DOCTOR


@pytest.mark.parametrize(
    ("role", "flags"),
    [
        (Role.PATIENT, ("UNINFORMED",)),
        (Role.PATIENT, ("UNDELIVERED",)),
        (Role.PATIENT, ("LTS", "UNINFORMED", "UNDELIVERED")),
        (Role.CLINICIAN, ("UNDELIVERED",)),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else str(value).lower(),
)
def test_every_field_answers_as_if_what_is_hidden_had_never_been_sent(
    tell: Tell, role: Role, flags: tuple[str, ...]
) -> None:
    async def story(world: World) -> None:
        plain, twin = await lived(world, NUMBER), await lived(world, TWIN, *flags)

        # What a clinician reads of a page lacks the sender's words where something is hidden (decision 10).
        pages = role is Role.PATIENT
        without = await answers(world, reader(role, plain), plain, pages=pages)
        hiding = await answers(world, reader(role, twin), twin, pages=pages)

        assert len(hiding) > 15
        for operation, told in hiding.items():
            text = json.dumps(told, ensure_ascii=False)
            assert not [word for word in (CANCER, DEPENDENCE, "UNDELIVERED", "未提供") if word in text]
            assert alike(told) == alike(without[operation]), operation

    tell(story)


def test_the_comparison_sees_what_a_clinician_may_know(tell: Tell) -> None:
    async def story(world: World) -> None:
        plain, twin = await lived(world, NUMBER), await lived(world, TWIN, "UNINFORMED")

        without, marked = await answers(world, DOCTOR, plain), await answers(world, DOCTOR, twin)

        differing = [one for one, told in marked.items() if alike(told) != alike(without[one])]
        assert {"entries", "timeline", "summary", "document"} <= {
            one.partition("PatientRecord { ")[2].partition("(")[0].partition(" ")[0] for one in differing
        }

    tell(story)


@pytest.mark.parametrize("flag", ["UNINFORMED", "UNDELIVERED"])
def test_of_no_moment_and_no_page_the_patient_is_shown_it(tell: Tell, flag: str) -> None:
    """At each position that the index had, before and after the mark."""

    async def story(world: World) -> None:
        counted: list[list[int]] = []
        cursors: list[list[int]] = []
        for number, flags in ((NUMBER, ()), (TWIN, (flag,))):
            positions = []
            for one in bundles(number, *flags):
                told = await world.application.register_bundle(SENDER, one)
                world.project()
                found = await world.data(herself(told.patient), "{ me { record { asOf { position } } } }")
                positions.append(found["me"]["record"]["asOf"]["position"])
            asking = herself(told.patient)
            counted.append([await _counted(world, asking, position) for position in positions])
            cursors.append([len(cursor) async for cursor in _cursors(world, asking)])

        assert counted[0] == counted[1]
        assert cursors[0] == cursors[1] and len(cursors[0]) == counted[0][-1] > 3

    tell(story)


async def _counted(world: World, asking: Caller, position: str) -> int:
    asked = """query($patient: ID!, $position: String!) { patientRecord(patient: { id: $patient }, purpose: PATRQT,
        asOf: { position: $position }) { ... on PatientRecord { entries { totalCount } } } }"""
    found = await world.data(asking, asked, patient=str(asking.patient), position=position)
    count: int = found["patientRecord"]["entries"]["totalCount"]
    return count


async def _cursors(world: World, asking: Caller) -> AsyncIterator[str]:
    """The cursor behind each entry, one a page."""
    asked = """query($after: String) { me { record { entries(first: 1, after: $after) {
        pageInfo { hasNextPage endCursor } } } } }"""
    after, more = None, True
    while more:
        page = (await world.data(asking, asked, after=after))["me"]["record"]["entries"]["pageInfo"]
        after, more = page["endCursor"], page["hasNextPage"]
        yield after
