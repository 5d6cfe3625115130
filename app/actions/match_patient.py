"""Whom is a Bundle about? By insured-person number; else by the facility's own number."""

from dataclasses import dataclass
from uuid import UUID

from tsuzuri.app.actions.find_patient import identifier, number_digest
from tsuzuri.app.actions.load_streams import load_record
from tsuzuri.app.services import Services
from tsuzuri.domain.events import Identifier
from tsuzuri.domain.identifiers import INSURED_PERSON_SYSTEM, InsuredPersonNumber, LocalNumber
from tsuzuri.domain.record import Subject
from tsuzuri.eventlog import known_numbers
from tsuzuri.eventlog.appending import Claim

Number = InsuredPersonNumber | LocalNumber


@dataclass(frozen=True)
class Match:
    """The patient, and what her numbers mean for the log."""

    patient: UUID
    identifiers: tuple[Identifier, ...]  # numbers that are hers
    disputed: tuple[Identifier, ...]  # numbers that belong to somebody else: a person must look
    claims: tuple[Claim, ...]  # numbers nobody had yet


async def match_patient(services: Services, subject: Subject) -> Match:
    """Never merges two patients: what contradicts is kept apart and marked as disputed.

    A number nobody has yet goes to the patient the other number names, with one exception: a known local number
    does not carry a second insured-person number, since a wrong branch number (枝番) looks just like that.
    """
    numbers = [number for number in (subject.insured_person, subject.local) if number is not None]
    digests = {number: number_digest(services, number) for number in numbers}
    owners = await known_numbers.owners(services.pool, list(digests.values()))
    owner = {number: owners.get(digest) for number, digest in digests.items()}

    patient = next((found for number in numbers if (found := owner[number]) is not None), None)
    if patient is None or await _is_second_insured_number(services, patient, subject, owner):
        patient = services.new_id()

    ours = [number for number in numbers if owner[number] in (None, patient)]
    return Match(
        patient,
        identifiers=tuple(_named(number) for number in ours),
        disputed=tuple(_named(number) for number in numbers if number not in ours),
        claims=tuple(Claim(digests[number], patient) for number in ours if owner[number] is None),
    )


async def _is_second_insured_number(
    services: Services, patient: UUID, subject: Subject, owner: dict[Number, UUID | None]
) -> bool:
    if subject.insured_person is None or owner[subject.insured_person] is not None:
        return False
    record = await load_record(services, patient)
    return any(system == INSURED_PERSON_SYSTEM for system, _ in record.identifiers)


def _named(number: Number) -> Identifier:
    system, value = identifier(number)
    return Identifier(system=system, value=value)
