"""Whom is a Bundle about? Its numbers as keyed hashes, and what the log has under them, for `domain.matching`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tsuzuri.app.actions.find_patient import number_digest
from tsuzuri.app.services import Services
from tsuzuri.domain.events import Identifier, NumberPeriod, UnmatchedIdentity
from tsuzuri.domain.identifiers import PatientNumber, identifier
from tsuzuri.domain.matching import Known, match
from tsuzuri.domain.record import Subject
from tsuzuri.domain.registrations import PatientRecord
from tsuzuri.eventlog.appending import Claim


@dataclass(frozen=True)
class Digests:
    """The keyed hashes of a subject's numbers, and of what a lost branch (枝番) may have made of one."""

    own: Mapping[PatientNumber, bytes]
    kin: tuple[bytes, ...]

    def all(self) -> list[bytes]:
        return [*self.own.values(), *self.kin]


@dataclass(frozen=True)
class Match:
    """The patient as the log has her, and what the Bundle's numbers mean for it."""

    record: PatientRecord
    identifiers: tuple[Identifier, ...]  # numbers that are hers
    periods: tuple[NumberPeriod, ...]  # when they hold, where stated
    disputed: tuple[Identifier, ...]  # numbers that belong to somebody else: a person must look
    unmatched: tuple[UnmatchedIdentity, ...]  # what a person must look at, and why
    claims: tuple[Claim, ...]  # numbers nobody had yet


def digests_of(services: Services, subject: Subject) -> Digests:
    insured = subject.insured_person
    kin = () if insured is None else insured.with_or_without_branch()
    return Digests(
        own={number: number_digest(services, number) for number in subject.numbers},
        kin=tuple(number_digest(services, number) for number in kin),
    )


def match_patient(
    subject: Subject,
    digests: Digests,
    owners: Mapping[bytes, UUID],
    records: Mapping[UUID, PatientRecord],
    at: datetime,
    new_id: Callable[[], UUID],
) -> Match:
    """*owners*: whose these digests are; *records*: of all of them; *at*: when the Bundle was made."""
    known = Known(
        owners={number: owners[digest] for number, digest in digests.own.items() if digest in owners},
        kin=frozenset(owners[digest] for digest in digests.kin if digest in owners),
        records=records,
    )
    found = match(subject, known, at)
    record = PatientRecord(new_id()) if found.patient is None else records[found.patient]
    return Match(
        record,
        identifiers=tuple(_named(found.hers)),
        periods=tuple(_periods(subject, found.hers)),
        disputed=tuple(_named(found.disputed)),
        unmatched=found.unmatched,
        claims=tuple(
            Claim(digests.own[number], record.patient) for number in found.hers if number not in known.owners
        ),
    )


def _named(numbers: Iterable[PatientNumber]) -> Iterable[Identifier]:
    for system, value in map(identifier, numbers):
        yield Identifier(system=system, value=value)


def _periods(subject: Subject, numbers: Iterable[PatientNumber]) -> Iterable[NumberPeriod]:
    for number in numbers:
        if period := subject.periods.get(number):
            system, value = identifier(number)
            yield NumberPeriod(system=system, value=value, since=period.since, until=period.until)
