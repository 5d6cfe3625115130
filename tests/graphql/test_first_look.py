"""What a read begins with brings the key that its own event will be sealed with."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection

from examples import CLINIC_SYSTEM, NUMBER, a_bundle, herself
from tsuzuri.eventlog.data_keys import KeyRing, KeyUse
from tsuzuri.projections.first_look import first_look
from world import Tell, World, tell_in

READ = """query Read($id: ID!) { patientRecord(patient: { id: $id }, purpose: PATRQT) { ... on PatientRecord {
    entries { nodes { name } } } } }"""


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def registered(world: World) -> UUID:
    patient = (await world.application.register_bundle(CLINIC_SYSTEM, a_bundle(number=NUMBER))).patient
    world.project()
    return patient


async def look(world: World, patient: UUID) -> KeyRing:
    services = world.application.services
    await first_look(services.reads, services.log, patient, b"")
    return services.ring


def test_the_append_behind_it_looks_no_key_up(tell: Tell) -> None:
    async def story(world: World) -> None:
        stream = await registered(world), KeyUse.ACCESS
        await world.data(herself(stream[0]), READ, id=str(stream[0]))
        stored = world.application.services.ring.of_stream(*stream)
        world.application.services.ring.forget([stream])

        ring = await look(world, stream[0])

        assert not ring.lacking([stream])
        assert ring.of_stream(*stream) == stored

    tell(story)


def test_of_a_stream_that_has_none_nothing_is_made_up(tell: Tell) -> None:
    async def story(world: World) -> None:
        stream = await registered(world), KeyUse.ACCESS

        assert (await look(world, stream[0])).lacking([stream]) == {stream}

    tell(story)
