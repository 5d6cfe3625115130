"""Given that something of a patient was erased, when anybody reads her, then it is not shown: not from then on."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from examples import AUDITOR, CLINIC_SYSTEM, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, OPERATOR, a_bundle, herself
from log_examples import Run, interrupted
from projection_examples import an_engine
from tsuzuri.app.actions.erase import erase_document, erase_stream
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.projections.catalogue import PROJECTIONS
from world import CONSENT, KEY, ME, Tell, World, names, own_consent, tell_in

TRAIL = "query($patient: ID!) { accessTrail(filter: { patient: $patient }) { nodes { outcome } } }"
HERS = "{ me { accesses { nodes { id } } } }"
THEN = f"""query($then: String!) {{ patientRecord(patient: {KEY}, asOf: {{ position: $then }}) {{
    ... on PatientRecord {{ entries {{ totalCount }} timeline {{ nodes {{ __typename }} }} }} }} }}"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def registered(world: World, **changes: Any) -> RegisteredBundle:
    """A Bundle of a patient whom the hospital may see, in the projections."""
    told: RegisteredBundle = await world.application.register_bundle(CLINIC_SYSTEM, a_bundle(**changes))
    await world.data(HOSPITAL_SYSTEM, CONSENT)
    world.project()
    return told


async def erased(world: World, told: RegisteredBundle, stream: Stream | None = None) -> None:
    """The document with its units, or a stream. No projection has applied it."""
    services = world.application.services
    if stream is None:
        await erase_document(services, OPERATOR, told.patient, told.document, units=True, reason="asked for")
    else:
        await erase_stream(services, OPERATOR, told.patient, stream, reason="asked for")


async def outcomes(world: World, patient: UUID) -> list[str]:
    """Of the accesses to her record, as the auditor finds them."""
    trail = (await world.data(AUDITOR, TRAIL, patient=str(patient)))["accessTrail"]
    return [node["outcome"] for node in trail["nodes"]]


async def hers(world: World, patient: UUID) -> list[str]:
    """The accesses that the patient herself finds."""
    return [node["id"] for node in (await world.data(herself(patient), HERS))["me"]["accesses"]["nodes"]]


def shows_nothing(record: dict[str, Any]) -> bool:
    return not (names(record) or record["summary"]["conditions"] or record["timeline"]["nodes"])


# --- when the projections have caught up


def test_of_an_erased_document_nothing_is_shown_and_the_others_stay(tell: Tell) -> None:
    async def story(world: World) -> None:
        other = a_bundle(facility=HOSPITAL, conditions={"20054092": "発熱"})
        await world.application.register_bundle(HOSPITAL_SYSTEM, other)
        told = await registered(world)
        assert sorted(names(await world.record())) == ["上腹部痛", "発熱"]

        await erased(world, told)
        world.project()

        record = await world.record()
        assert names(record) == [c["name"] for c in record["summary"]["conditions"]] == ["発熱"]
        assert len(record["timeline"]["nodes"]) == 1

    tell(story)


@pytest.mark.parametrize("stream", [None, Stream.RECORD], ids=["a document", "the record"])
def test_what_was_erased_is_shown_at_no_earlier_moment(tell: Tell, stream: Stream | None) -> None:
    async def story(world: World) -> None:
        told = await registered(world)
        then = (await world.record())["asOf"]["position"]

        await erased(world, told, stream)
        world.project()

        assert shows_nothing(await world.record())
        assert (await world.data(DOCTOR, THEN, then=then))["patientRecord"] == {
            "entries": {"totalCount": 0},
            "timeline": {"nodes": []},
        }

    tell(story)


def test_of_an_erased_record_nothing_is_left_not_even_a_name(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await registered(world)
        assert (await world.record())["patient"]["name"] == "試験 花子"

        await erased(world, told, Stream.RECORD)
        world.project()

        record = await world.record()
        assert shows_nothing(record) and record["patient"]["name"] is None
        assert (await world.data(herself(told.patient), ME))["me"]["record"]["entries"]["nodes"] == []

    tell(story)


def test_what_is_registered_after_her_record_was_erased_is_read_again(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await registered(world)
        await erased(world, told, Stream.RECORD)
        world.project()

        again = await registered(world, conditions={"20054092": "発熱"})

        record = await world.record()
        assert (again.patient, again.outcome) == (told.patient, "REGISTERED")
        assert names(record) == ["発熱"] and record["patient"]["name"] == "試験 花子"

    tell(story)


def test_of_erased_accesses_neither_she_nor_the_auditor_finds_any_and_later_ones_are_found(
    tell: Tell,
) -> None:
    async def story(world: World) -> None:
        told = await registered(world)
        await world.record()
        world.project()
        assert "PERMITTED" in await outcomes(world, told.patient) and await hers(world, told.patient)

        await erased(world, told, Stream.ACCESS)
        world.project()
        trail = await outcomes(world, told.patient)
        (later,) = [(await world.record())["accessId"]]
        world.project()

        assert "PERMITTED" not in trail
        assert later in await hers(world, told.patient)

    tell(story)


# --- from the acknowledgement on: no projection has caught up


def test_the_doctor_is_refused_from_the_moment_the_consents_are_erased(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await registered(world)
        await world.data(herself(told.patient), own_consent(told.patient))
        assert names(await world.record()) == ["上腹部痛"]

        await erased(world, told, Stream.CONSENT)

        refused = await world.record()
        assert (refused["__typename"], refused["reason"]) == ("AccessRefused", "NOT_AVAILABLE")
        await world.data(HOSPITAL_SYSTEM, CONSENT)
        assert names(await world.record()) == ["上腹部痛"], "she may consent anew"

    tell(story)


@pytest.mark.parametrize("stream", [None, Stream.RECORD], ids=["a document", "the record"])
def test_what_was_erased_is_not_shown_while_the_projections_lag(tell: Tell, stream: Stream | None) -> None:
    async def story(world: World) -> None:
        told = await registered(world)
        then = (await world.record())["asOf"]["position"]

        await erased(world, told, stream)

        assert shows_nothing(await world.record())
        assert (await world.data(DOCTOR, THEN, then=then))["patientRecord"]["entries"]["totalCount"] == 0
        assert (await world.data(herself(told.patient), ME))["me"]["summary"]["conditions"] == []

    tell(story)


def test_an_erased_name_is_not_shown_while_the_projections_lag(tell: Tell) -> None:
    async def story(world: World) -> None:
        told = await registered(world)

        await erased(world, told, Stream.RECORD)

        assert (await world.record())["patient"]["name"] is None

    tell(story)


@pytest.mark.parametrize("lags", ["identities", "patient_summary", "record_index"])
def test_what_was_erased_is_not_shown_while_one_projection_lags_alone(tell: Tell, lags: str) -> None:
    """It may have stopped at an event of somebody else."""

    async def story(world: World) -> None:
        told = await registered(world)

        await erased(world, told, Stream.RECORD)
        for name, projection in PROJECTIONS.items():
            if name != lags:
                an_engine().catch_up(world.connection, projection, 1)

        record = await world.record()
        assert shows_nothing(record) and record["patient"]["name"] is None

    tell(story)


# --- between the decision and the answer


@pytest.mark.parametrize("stream", [Stream.CONSENT, Stream.RECORD])
def test_a_read_that_was_decided_before_the_erasure_is_decided_anew(
    tell: Tell, run: Run, stream: Stream
) -> None:
    async def story(world: World) -> None:
        told = await registered(world)
        application = world.application

        def erase() -> None:
            run(lambda other: erase_stream(other, OPERATOR, told.patient, stream, reason="asked for"))
            world.project()

        world.application = TsuzuriApplication(
            interrupted(application.services, erase), application.schema_sha256
        )
        record = await world.record()

        if stream is Stream.CONSENT:
            assert record["__typename"] == "AccessRefused"
        else:
            assert shows_nothing(record)
        assert world.events("access-permitted") == (stream is Stream.RECORD)

    tell(story)
