"""Whom is a Bundle about? By insured-person number; else by the facility's own number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from tsuzuri.app.actions.find_patient import identifier, number_digest
from tsuzuri.app.services import Services
from tsuzuri.domain.events import Identifier
from tsuzuri.domain.identifiers import INSURED_PERSON_SYSTEM, InsuredPersonNumber, LocalNumber
from tsuzuri.domain.record import Subject
from tsuzuri.domain.registrations import PatientRecord
from tsuzuri.eventlog.appending import Claim

Number = InsuredPersonNumber | LocalNumber
Digests = Mapping[Number, bytes]


@dataclass(frozen=True)
class Match:
    """The patient as the log has her, and what her numbers mean for it."""

    record: PatientRecord
    identifiers: tuple[Identifier, ...]  # numbers that are hers
    disputed: tuple[Identifier, ...]  # numbers that belong to somebody else: a person must look
    claims: tuple[Claim, ...]  # numbers nobody had yet


def digests_of(services: Services, subject: Subject) -> dict[Number, bytes]:
    """The keyed hashes of a subject's numbers, the one that counts most first."""
    numbers = [number for number in (subject.insured_person, subject.local) if number is not None]
    return {number: number_digest(services, number) for number in numbers}


def named_patient(digests: Digests, owners: Mapping[bytes, UUID]) -> UUID | None:
    """The patient that the first number names which anybody has."""
    return next((owners[digest] for digest in digests.values() if digest in owners), None)


def match_patient(
    digests: Digests,
    owners: Mapping[bytes, UUID],
    record: PatientRecord | None,
    new_id: Callable[[], UUID],
) -> Match:
    """*record* is that of the `named_patient`, None when there is none.

    Never merges two patients: what contradicts is kept apart and marked as disputed. A number nobody has yet goes to
    the patient the other number names, with one exception: a known local number does not carry a second
    insured-person number, since a wrong branch number (枝番) looks just like that.
    """
    if record is None or _is_second_insured_number(digests, owners, record):
        record = PatientRecord(new_id())
    owner = {number: owners.get(digest) for number, digest in digests.items()}
    ours = [number for number in digests if owner[number] in (None, record.patient)]
    return Match(
        record,
        identifiers=tuple(_named(number) for number in ours),
        disputed=tuple(_named(number) for number in digests if number not in ours),
        claims=tuple(Claim(digests[number], record.patient) for number in ours if owner[number] is None),
    )


def _is_second_insured_number(digests: Digests, owners: Mapping[bytes, UUID], record: PatientRecord) -> bool:
    new = [
        number
        for number, digest in digests.items()
        if isinstance(number, InsuredPersonNumber) and digest not in owners
    ]
    return bool(new) and any(system == INSURED_PERSON_SYSTEM for system, _ in record.identifiers)


def _named(number: Number) -> Identifier:
    system, value = identifier(number)
    return Identifier(system=system, value=value)
