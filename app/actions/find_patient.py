"""From the number a caller knows to the patient: the numbers in the log are keyed hashes."""

from uuid import UUID

from tsuzuri.app.services import Services
from tsuzuri.domain.identifiers import (
    INSURED_PERSON_SYSTEM,
    LOCAL_SYSTEMS,
    InsuredPersonNumber,
    LocalNumber,
    PatientKey,
)
from tsuzuri.eventlog import known_numbers


def identifier(number: InsuredPersonNumber | LocalNumber) -> tuple[str, str]:
    """The system and value under which a number is claimed and shown."""
    match number:
        case InsuredPersonNumber(text):
            return INSURED_PERSON_SYSTEM, text
        case LocalNumber(facility, text):
            return LOCAL_SYSTEMS[0] + facility, text


def number_digest(services: Services, number: InsuredPersonNumber | LocalNumber) -> bytes:
    return known_numbers.digest(services.number_key, *identifier(number))


async def find_patient(services: Services, key: PatientKey) -> tuple[UUID, bool]:
    """The patient, and whether there is one by that number.

    When there is none, a decoy that stays the same for the same number: what follows costs as much as for a
    patient who has given no consent, so the two cannot be told apart.
    """
    match key:
        case UUID():
            return key, True
        case InsuredPersonNumber() | LocalNumber():
            digest = number_digest(services, key)
            owners = await known_numbers.owners(services.pool, [digest])
            return (owners[digest], True) if digest in owners else (UUID(bytes=digest[:16]), False)
        case _:
            return UUID(int=0), False
