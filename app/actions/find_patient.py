"""From the number a caller knows to the patient: the numbers in the log are keyed hashes."""

import hmac
from collections.abc import Sequence
from uuid import UUID

from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.identifiers import (
    DemographicKey,
    InsuredPersonNumber,
    LocalNumber,
    PatientKey,
    PatientNumber,
    PublicAssistanceNumber,
    identifier,
)
from tsuzuri.eventlog import known_numbers
from tsuzuri.eventlog.log import PatientHead

_SENDERS = "urn:tsuzuri:registered-by"


def number_digest(services: Services, number: PatientNumber) -> bytes:
    return known_numbers.digest(services.number_key, *identifier(number))


async def find_patient(services: Services, key: PatientKey) -> tuple[UUID, bool]:
    """The patient, and whether there is one by that number.

    A number whose period has ended finds her too: what was recorded before came under it, and whoever asks may know no
    other. A number is never claimed for a second patient (the append refuses that), so it cannot find somebody else.
    An insured-person number without 枝番 finds whoever has just that, and never one of a family.

    When there is none, a decoy that stays the same for the same number: what follows costs as much as for a
    patient who has given no consent, so the two cannot be told apart.
    """
    match key:
        case UUID():
            return key, True
        case InsuredPersonNumber() | PublicAssistanceNumber() | LocalNumber():
            digest = number_digest(services, key)
            owners = await known_numbers.owners(services.pool, [digest])
            return (owners[digest], True) if digest in owners else (UUID(bytes=digest[:16]), False)
        case DemographicKey():
            said = f"demographics/{key}".encode()
            return UUID(bytes=hmac.digest(services.number_key, said, "sha256")[:16]), False


async def registered_here(services: Services, caller: Caller, heads: Sequence[PatientHead]) -> bool:
    """Whether the caller's facility has registered something of one of these. It costs the same when nobody has."""
    if caller.facility is None:
        return False
    digests = {
        sender_digest(services.number_key, caller.facility, head.patient): head.patient for head in heads
    }
    owners = await known_numbers.owners(services.pool, list(digests))
    return any(owners.get(digest) == patient for digest, patient in digests.items())


def sender_digest(number_key: bytes, facility: str, patient: UUID) -> bytes:
    """What a facility's first Bundle of a patient claims, so that it can be known without opening her record."""
    return known_numbers.digest(number_key, _SENDERS, f"{facility}/{patient}")


def named_by(caller: Caller, key: PatientKey) -> PatientKey:
    """The key, when the caller may change something of the patient it names.

    Raises NotPermitted: by name and birth date nobody changes anything, and a facility has its own numbers only.
    """
    if isinstance(key, DemographicKey):
        raise NotPermitted("name the patient by id or by number")
    if isinstance(key, LocalNumber) and key.facility != caller.facility:
        raise NotPermitted("a facility names a patient by its own local number, not by another's")
    return key
