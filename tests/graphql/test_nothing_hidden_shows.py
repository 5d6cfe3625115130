"""未告知 and 未提供 leave no trace: of two patients one has hidden diagnoses besides, and every field answers alike.

What is asked is made from the schema, so a field that is added is asked too. tests/torture/non_interference.py asks the
same of generated worlds, for every kind of reader.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg import Connection

from alike_examples import VOLATILE, Own, alike
from document_examples import SENDER, body, diagnosis, referral
from everything_examples import CODE, before_all, fields_of, named, operations
from examples import DOCTOR, HOSPITAL, NUMBER, herself
from fhir_examples import CORE_LABO, FACILITY, Json, a_collection, a_resource, coded, quantity
from rendering_examples import INDICATION
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import RecordClass, Role
from tsuzuri.graphql import gate
from tsuzuri.graphql.readings import Operation, Readings
from tsuzuri.graphql.schema import schema_sha256
from world import SCHEMA, Tell, World, tell_in

TWIN = NUMBER.replace("187", "188")
BEGAN = datetime(2026, 6, 1, tzinfo=UTC)  # what the Bundles here tell of lies before
CANCER, DEPENDENCE = "膵癌", "アルコール依存症"
GRANT = f"""mutation($patient: ID!) {{ grantConsent(patient: {{ id: $patient }}, facility: "{HOSPITAL}",
    classes: [{", ".join(RecordClass)}]) }}"""
REQUEST = """mutation($patient: ID!, $letter: ID!) { requestCorrection(patient: { id: $patient }, kind: CORRECTION,
    about: { document: $letter }, words: "日付が違います") }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


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


@pytest.fixture(autouse=True)
def anything_may_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """All there is at once costs more than anybody may ask for."""
    monkeypatch.setattr(gate, "COST_MAX", 100_000)


async def answers(
    world: World, caller: Caller, told: RegisteredBundle, *, pages: bool = True
) -> dict[str, str]:
    """By operation, made comparable. Every one is answered."""
    herself_asks = caller.role is Role.PATIENT
    values: dict[str, Any] = {
        "patient": {"id": str(told.patient)},
        "her": None,
        "letter": str(told.document),
        "purpose": "PATRQT" if herself_asks else "TREAT",
    }
    values["position"] = await before_all(world, caller, told.patient, values)
    own = Own(world.application.seals, BEGAN, [str(told.patient)], {})
    found = {}
    for one in operations(caller):
        asked = one if pages else one.replace(" html ", " ")
        found[one] = alike(await world.data(caller, asked, **named(asked, values)), own)
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
            assert not [word for word in (CANCER, DEPENDENCE, "UNDELIVERED", "未提供") if word in told]
            assert told == without[operation], operation

    tell(story)


def test_the_comparison_sees_what_a_clinician_may_know(tell: Tell) -> None:
    async def story(world: World) -> None:
        plain, twin = await lived(world, NUMBER), await lived(world, TWIN, "UNINFORMED")

        without, marked = await answers(world, DOCTOR, plain), await answers(world, DOCTOR, twin)

        differing = [one for one, told in marked.items() if told != without[one]]
        assert {"entries", "timeline", "summary", "document"} <= {
            one.partition("on PatientRecord { ")[2].partition("(")[0].partition(" ")[0] for one in differing
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


class Noticing(TsuzuriApplication):
    """Notes which fields an answer declared volatile."""

    volatile: frozenset[str] = frozenset()

    async def settle(
        self, caller: Caller, readings: Readings, operation: Operation, data: dict[str, Any] | None
    ) -> None:
        self.volatile |= {str(path[-1]) for reading in readings.permitted for path in reading.volatile}
        await super().settle(caller, readings, operation, data)


def test_what_is_blanked_is_what_the_schema_declares_volatile_and_never_more_than_four_fields(
    tell: Tell,
) -> None:
    async def story(world: World) -> None:
        told = await lived(world, NUMBER)
        noticing = Noticing(world.application.services, schema_sha256(SCHEMA))

        await answers(World(noticing, world.connection), DOCTOR, told)

        assert noticing.volatile == set(VOLATILE)
        assert len(VOLATILE) <= 4

    tell(story)


def test_what_tells_of_a_record_as_it_changes_is_known_here() -> None:
    """One that is new has to be compared too. That these tell nothing of what is hidden: test_record_changed.py."""
    assert set(fields_of("Subscription")) == {"projectionProgress", "recordChanged", "accessed"}
