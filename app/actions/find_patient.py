"""From the number a caller knows to the patient: the numbers in the log are keyed hashes."""

from collections.abc import Sequence
from uuid import UUID

from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain import demographics
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
from tsuzuri.eventlog.blind_index import candidates
from tsuzuri.eventlog.log import PatientHead

_SENDERS = "urn:tsuzuri:registered-by"
_DEMOGRAPHICS = "urn:tsuzuri:demographics"


def number_digest(services: Services, number: PatientNumber) -> bytes:
    return known_numbers.digest(services.number_key, *identifier(number))


async def find_patient(
    services: Services, key: PatientKey, *, without_card: bool = False
) -> tuple[UUID, bool]:
    """The patient, and whether there is one by that number.

    *without_card*: by name and birth date too, when they name one patient and no other.

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
            return (await find_patients(services, [key]))[0]
        case DemographicKey():
            digests = demographic_digests(services.number_key, demographics.said(key))
            found = await candidates(services.pool, digests) if without_card else []
            patient = await _only_one(services, found)
            return (UUID(bytes=digests[0][:16]), False) if patient is None else (patient, True)


async def find_patients(services: Services, keys: Sequence[UUID | PatientNumber]) -> list[tuple[UUID, bool]]:
    """As `find_patient`, by ids and numbers: all numbers are looked up at once."""
    digests = {key: number_digest(services, key) for key in keys if not isinstance(key, UUID)}
    owners = await known_numbers.owners(services.pool, list(digests.values())) if digests else {}

    def found(key: UUID | PatientNumber) -> tuple[UUID, bool]:
        if isinstance(key, UUID):
            return key, True
        digest = digests[key]
        return (owners[digest], True) if digest in owners else (UUID(bytes=digest[:16]), False)

    return [found(key) for key in keys]


async def _only_one(services: Services, found: Sequence[UUID]) -> UUID | None:
    """The one they all are: those that are linked are one person."""
    if not found:
        return None
    same = {head.patient for head in await services.log.heads(found[0])}
    return found[0] if same.issuperset(found) else None


def demographic_digests(number_key: bytes, said: Sequence[str]) -> list[bytes]:
    """The keyed hashes of what is said of a patient."""
    return [known_numbers.digest(number_key, _DEMOGRAPHICS, one) for one in said]


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
