"""A page over several patients: each is decided by herself, and all are found and looked at together."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from tsuzuri.app.actions.find_patient import find_patients
from tsuzuri.app.actions.load_policies import policies_for
from tsuzuri.app.actions.open_record import Asking, opened, registering
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.identifiers import PatientNumber, identified_by
from tsuzuri.domain.vocabulary import PurposeOfUse
from tsuzuri.graphql.readings import Path, Reading, RefusedReading
from tsuzuri.projections.first_look import first_looks

_AT_ONCE = 8
"""Where the index lacks something of many, one caller who waits for it leaves room for others."""


async def open_records(
    services: Services,
    caller: Caller,
    keys: Sequence[UUID | PatientNumber],
    purpose: PurposeOfUse,
    paths: Sequence[Path],
) -> list[Reading | RefusedReading]:
    """As `open_record`, in the order of the keys. Who is named twice, or is the same person, is read once."""
    asking = Asking(caller, purpose, *await policies_for(services, caller, purpose))
    found = await find_patients(services, keys)
    looks = await first_looks(
        services.reads,
        services.log,
        [(patient, registering(services, caller, patient)) for patient, _ in found],
    )
    persons = [look.heads[0].patient for look in looks]
    of_person = {person: place for place, person in reversed(list(enumerate(persons)))}
    room = asyncio.Semaphore(_AT_ONCE)

    async def open_one(place: int) -> Reading | RefusedReading:
        async with room:
            _, known = found[place]
            named = identified_by(keys[place])
            return await opened(services, asking, looks[place], paths[place], known=known, named=named)

    readings = await asyncio.gather(*map(open_one, of_person.values()))
    by_person = dict(zip(of_person, readings, strict=True))
    return [by_person[person] for person in persons]
