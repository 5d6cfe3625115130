"""Given that a hold stands on a patient, when something of hers is to be erased, then nothing is, whoever asks how."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import Connection, Error

from examples import AUDITOR, CLINIC_SYSTEM, OPERATOR, a_bundle
from log_examples import Run, destroy_key, everything, interrupted, logins, parts
from tsuzuri.app.actions.erase import erase_document, erase_stream, lift_hold, place_hold
from tsuzuri.app.actions.load_streams import load_record
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain.erasures import ErasureHeld, NothingToErase, NothingToLift
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.appending import HoldStands
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.places import part_of


async def registered(services: Services) -> RegisteredBundle:
    return await register_bundle(services, CLINIC_SYSTEM, a_bundle())


async def erased(services: Services, patient: UUID, stream: Stream = Stream.RECORD) -> UUID:
    return await erase_stream(services, OPERATOR, patient, stream, reason="asked for")


def holds(connection: Connection[Any], patient: UUID) -> list[UUID]:
    """As the database itself knows them."""
    row = connection.execute("SELECT holds FROM patient_head WHERE patient_id = %s", (patient,)).fetchone()
    return [] if row is None else list(row[0])


def test_while_a_hold_stands_nothing_is_erased_and_when_it_is_lifted_it_is(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        told = await registered(services)
        hold = await place_hold(services, AUDITOR, told.patient, reason="a dispute")
        assert holds(connection, told.patient) == [hold]
        before = everything(connection)

        for stream in Stream:
            with pytest.raises(ErasureHeld):
                await erased(services, told.patient, stream)
        with pytest.raises(ErasureHeld):
            await erase_document(services, OPERATOR, told.patient, told.document, units=False, reason="")
        assert everything(connection) == before

        await lift_hold(services, OPERATOR, told.patient, hold, reason="settled")
        assert holds(connection, told.patient) == []
        await erased(services, told.patient)
        assert (await load_record(services, told.patient)).documents == {}

    run(story)


def test_each_of_two_holds_must_be_lifted(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        patient = (await registered(services)).patient
        first, second = [await place_hold(services, AUDITOR, patient, reason="") for _ in range(2)]

        await lift_hold(services, AUDITOR, patient, first, reason="")

        assert holds(connection, patient) == [second]
        with pytest.raises(ErasureHeld):
            await erased(services, patient)
        with pytest.raises(NothingToLift):
            await lift_hold(services, AUDITOR, patient, first, reason="")
        await lift_hold(services, AUDITOR, patient, second, reason="")
        await erased(services, patient)

    run(story)


def test_a_hold_on_one_patient_is_none_on_another(run: Run) -> None:
    async def story(services: Services) -> None:
        held = (await registered(services)).patient
        other = await register_bundle(
            services, CLINIC_SYSTEM, a_bundle(number="00054321:い:9:").replace(b"P-1", b"P-2")
        )
        hold = await place_hold(services, AUDITOR, held, reason="")
        assert other.patient != held

        await erased(services, other.patient)

        with pytest.raises(NothingToLift):
            await lift_hold(services, AUDITOR, other.patient, hold, reason="")

    run(story)


def test_a_hold_may_stand_before_there_is_anything_to_hold(run: Run, connection: Connection[Any]) -> None:
    async def story(services: Services) -> None:
        patient = uuid4()
        hold = await place_hold(services, AUDITOR, patient, reason="")
        with pytest.raises(ErasureHeld):
            await erased(services, patient)
        await lift_hold(services, AUDITOR, patient, hold, reason="")
        assert holds(connection, patient) == []
        with pytest.raises(NothingToErase):
            await erase_document(services, OPERATOR, patient, uuid4(), units=True, reason="")

    run(story)


# --- the database holds it too


def test_the_database_refuses_to_destroy_what_is_held(
    run: Run, dsn: str, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        patient = (await registered(services)).patient
        version = (await load_record(services, patient)).version
        hold = await place_hold(services, AUDITOR, patient, reason="")
        before = everything(connection)
        keys = [key for (key,) in connection.execute("SELECT key_id FROM data_key").fetchall()]

        with logins(dsn).connect(LogRole.KEEPER) as keeper, pytest.raises(Error) as refused:
            part = part_of(patient, parts(connection))
            keeper.execute("SELECT destroy_keys(%s::smallint, %s, %s, %s)", (part, patient, keys, uuid4()))
        assert refused.value.sqlstate == "TZ006"
        with pytest.raises(HoldStands):
            destroy_key(dsn, patient, Stream.RECORD, version=version + 2)
        assert everything(connection) == before

        await lift_hold(services, AUDITOR, patient, hold, reason="")
        destroy_key(dsn, patient, Stream.RECORD, version=version + 3)

    run(story)


def test_a_hold_that_is_placed_between_decision_and_erasure_counts(
    run: Run, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        told = await registered(services)
        payloads = connection.execute("SELECT count(*) FROM data_key WHERE wrapped IS NOT NULL").fetchone()

        def place() -> Any:
            return run(lambda other: place_hold(other, AUDITOR, told.patient, reason=""))

        with pytest.raises(ErasureHeld):
            await erased(interrupted(services, place), told.patient)
        with pytest.raises(ErasureHeld):
            await erase_document(services, OPERATOR, told.patient, told.document, units=True, reason="")

        left = connection.execute("SELECT count(*) FROM data_key WHERE wrapped IS NOT NULL").fetchone()
        assert left == payloads

    run(story)


def test_keys_of_another_owner_are_not_destroyed_whoever_names_them(
    run: Run, dsn: str, connection: Connection[Any]
) -> None:
    async def story(services: Services) -> None:
        patient = (await registered(services)).patient
        stranger = UUID(int=patient.int + parts(connection))  # of the same part
        keys = [key for (key,) in connection.execute("SELECT key_id FROM data_key").fetchall()]
        before = everything(connection)

        with logins(dsn).connect(LogRole.KEEPER) as keeper:
            part = part_of(stranger, parts(connection))
            destroyed = keeper.execute(
                "SELECT destroy_keys(%s::smallint, %s, %s, %s)", (part, stranger, keys, uuid4())
            ).fetchone()

        assert destroyed == (0,)
        assert everything(connection) == before

    run(story)


def test_placing_and_lifting_at_the_database_may_be_repeated(dsn: str, connection: Connection[Any]) -> None:
    patient, hold, other = UUID(int=4), uuid4(), uuid4()
    with logins(dsn).connect(LogRole.KEEPER) as keeper:
        for which, standing, expected in (
            (hold, True, [hold]),
            (hold, True, [hold]),
            (other, True, [hold, other]),
            (hold, False, [other]),
            (hold, False, [other]),
            (other, False, []),
            (other, False, []),
        ):
            keeper.execute("SELECT set_hold(0::smallint, %s, %s, %s)", (patient, which, standing))

            assert holds(connection, patient) == expected
