"""What an answer gave out, given back by somebody else or somewhere else, finds nothing: tests/torture/swapped_ids.py.

Here in a small world, with the same readers each time.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from psycopg import Connection

from examples import (
    AUDITOR,
    CLINIC_SYSTEM,
    DOCTOR,
    HOSPITAL,
    HOSPITAL_SYSTEM,
    OPERATOR,
    a_bundle,
    a_caller,
    herself,
)
from referral_examples import sent
from torture.given_texts import Asking
from torture.swapped_ids import ForAnyPatient, ForAnyReader, ForAnyUse, swapped
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.domain.vocabulary import RecordClass, Role
from tsuzuri.graphql.schema import schema_sha256
from tsuzuri.graphql.seals import Seals
from world import SCHEMA, Tell, World, tell_in

OTHER = "00099999:え:7:01"
STRANGER = a_caller("dr-hoka", Role.CLINICIAN, "1315555555")
PHARMACIST = a_caller("ph-sato", Role.PHARMACIST, HOSPITAL)
GRANT = f"""mutation($patient: ID!) {{ grantConsent(patient: {{ id: $patient }}, facility: "{HOSPITAL}",
    classes: [{", ".join(RecordClass)}]) }}"""
SEED, SWAPS = "7", 600


@pytest.fixture
def tell(open_application: Callable[[], Any], connection: Connection[Any]) -> Tell:
    return tell_in(open_application, connection)


async def lived(world: World) -> list[Asking]:
    """Two patients with a letter or a set, whom the hospital may read, and who asks about them."""
    hers = (await sent(world)).patient
    others = await world.application.register_bundle(CLINIC_SYSTEM, a_bundle(number=OTHER))
    world.project()
    for patient in (hers, others.patient):
        await world.data(herself(patient), GRANT, patient=str(patient))
        await world.data(herself(patient), "{ me { record { entries { totalCount } } } }")
    world.project()
    both = (("she", hers), ("other", others.patient))
    about_both = [(caller, *one) for caller in (DOCTOR, PHARMACIST, STRANGER) for one in both]
    of_herself = [(herself(patient), name, patient) for name, patient in both]
    besides = [(caller, "she", hers) for caller in (HOSPITAL_SYSTEM, AUDITOR, OPERATOR)]
    return [*about_both, *of_herself, *besides]


def test_nothing_is_found_by_what_was_given_to_somebody_or_for_something_else(tell: Tell) -> None:
    async def story(world: World) -> None:
        done = await swapped(world, await lived(world), SEED, SWAPS)

        assert done.faults == []
        assert done.found > 10 and len(done.times) > 35

    tell(story)


@pytest.mark.parametrize("seals", [ForAnyUse, ForAnyPatient])
def test_seals_that_bind_to_less_are_noticed(tell: Tell, seals: type[Seals]) -> None:
    async def story(world: World) -> None:
        under = replace(world.application.services, seals=seals(b"\0" * 32))
        loose = World(TsuzuriApplication(under, schema_sha256(SCHEMA)), world.connection)

        assert (await swapped(loose, await lived(loose), SEED, SWAPS)).faults

    tell(story)


def test_a_reader_who_reads_as_another_is_noticed(tell: Tell) -> None:
    async def story(world: World) -> None:
        loose = World(ForAnyReader(world.application.services, schema_sha256(SCHEMA)), world.connection)

        assert (await swapped(loose, await lived(loose), SEED, SWAPS)).faults

    tell(story)
