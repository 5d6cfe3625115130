"""Whom is a Bundle about? By a number that means the same person everywhere; else by the facility's own number.

Never merges two patients. What contradicts is kept apart and disputed, what is not certain waits for an operator; both
are said with the reason. A number that nobody has yet goes to the patient the other number names, with two exceptions:

* It differs from one of hers only in the branch (枝番), as a number does that lost it between two systems, and as that
  of a member of her family does. Where one of the two has none, the facility's own number decides whom the Bundle is
  about, and the new number stays nobody's. Where both have one, she is somebody else.
* Her other number of the same kind may still hold. Only when that one's period has ended, or the new one begins later,
  is the number a changed one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from uuid import UUID

from tsuzuri.domain.events import Identifier, UnmatchedIdentity
from tsuzuri.domain.identifiers import (
    InsuredPersonNumber,
    NationalNumber,
    PatientNumber,
    identifier,
)
from tsuzuri.domain.links import members
from tsuzuri.domain.record import Demographics, Period, Subject
from tsuzuri.domain.registrations import PatientRecord
from tsuzuri.domain.vocabulary import UnmatchedReason


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the log has of the numbers a Bundle carries."""

    owners: Mapping[PatientNumber, UUID]  # of its own numbers
    kin: frozenset[UUID] = (
        frozenset()
    )  # who has its insured-person number but for a branch that one of both lacks
    records: Mapping[UUID, PatientRecord] = field(default_factory=dict)  # of all of these


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Whom it is about, and what its numbers mean for her."""

    patient: UUID | None  # None: somebody new
    hers: tuple[PatientNumber, ...]
    disputed: tuple[PatientNumber, ...] = ()  # they belong to somebody else
    unmatched: tuple[UnmatchedIdentity, ...] = ()


class _Fit(Enum):
    """What a number nobody has yet is to the patient another number names."""

    HERS = auto()
    CHANGED = auto()  # hers, in the place of another
    BRANCH_LOST = auto()  # hers or one of her family's: one of the two has no branch
    FAMILY = auto()  # of her family's
    SECOND = auto()  # a second one of its kind: somebody else's, as far as anybody knows


def match(subject: Subject, known: Known, at: datetime) -> Matching:
    """*at*: when the Bundle was made (aware, UTC)."""
    return _Match(subject, known, at).matching()


class _Match:
    def __init__(self, subject: Subject, known: Known, at: datetime) -> None:
        self.subject, self.known, self.at = subject, known, at
        self.unmatched: list[UnmatchedIdentity] = []

    def matching(self) -> Matching:
        patient = self._by_national()
        if patient is None:
            patient = self._by_local()
        if patient is None:
            self._look_for_kin()
        record = self._record(patient)
        if self._differs(record):
            self._doubt(UnmatchedReason.DEMOGRAPHICS_DIFFER)
        linked = members(record.patient, record.links) if record else ()
        hers: list[PatientNumber] = []
        disputed: list[PatientNumber] = []
        for number in self.subject.numbers:
            owner = self.known.owners.get(number)
            if owner is not None and owner != patient:
                if owner in linked:
                    continue
                disputed.append(number)
                self._doubt_disputed(number, owner)
            elif owner is not None or self._becomes_hers(number, record):
                hers.append(number)
        return Matching(
            patient=patient, hers=tuple(hers), disputed=tuple(disputed), unmatched=tuple(self.unmatched)
        )

    def _by_national(self) -> UUID | None:
        """The patient that the first national number names which anybody has.

        Where it may have become somebody else's, as birth date or sex say, the facility's own number speaks against it.
        """
        local = self.subject.local
        for number in self.subject.national:
            owner = self.known.owners.get(number)
            if owner is None:
                continue
            also = members(owner, self.known.records[owner].links)
            elsewhere = local is not None and self.known.owners.get(local) not in also
            doubtful = self._may_be_anothers(number, owner) and self._differs(self.known.records[owner])
            if not (elsewhere and doubtful):
                return owner
            self._doubt(UnmatchedReason.DEMOGRAPHICS_DIFFER, owner, number)
        return None

    def _by_local(self) -> UUID | None:
        """The patient of the facility's own number, unless a national number speaks against it."""
        local = self.subject.local
        owner = self.known.owners.get(local) if local else None
        if owner is None:
            return None
        for number in self.subject.national:
            if number in self.known.owners:
                continue
            fit = self._fit(number, self.known.records[owner])
            if fit in (_Fit.FAMILY, _Fit.SECOND):
                family = fit is _Fit.FAMILY
                reason = UnmatchedReason.BRANCH_DIFFERS if family else UnmatchedReason.NUMBER_OF_ANOTHER
                self._doubt(reason, owner, local)
                return None
        return owner

    def _look_for_kin(self) -> None:
        """Somebody new may be a known patient whose branch one system lost: the same in all that is said of her."""
        said = self.subject.demographics
        whole = said.kana is not None and said.birth_date is not None and said.sex is not None
        for owner in sorted(self.known.kin) if whole else ():
            held = self.known.records[owner].demographics
            if held is not None and _person(held) == _person(said):
                self._doubt(UnmatchedReason.BRANCH_DIFFERS, owner, self.subject.insured_person)

    def _becomes_hers(self, number: PatientNumber, record: PatientRecord | None) -> bool:
        """Whether a number nobody has yet is claimed for her."""
        if record is None or not isinstance(number, NationalNumber):
            return True
        match self._fit(number, record):
            case _Fit.HERS:
                return True
            case _Fit.CHANGED:
                self._doubt(UnmatchedReason.NUMBER_CHANGED, None, number)
                return True
            case _Fit.BRANCH_LOST | _Fit.FAMILY:
                self._doubt(UnmatchedReason.BRANCH_DIFFERS, None, number)
            case _Fit.SECOND:  # beside another national number that names her
                self._doubt(UnmatchedReason.NUMBER_OF_ANOTHER, None, number)
        return False

    def _fit(self, number: NationalNumber, record: PatientRecord) -> _Fit:
        system, _ = identifier(number)
        others = [value for one, value in record.identifiers if one == system]
        if not others:
            return _Fit.HERS
        if isinstance(number, InsuredPersonNumber):
            family = [other for other in map(InsuredPersonNumber, others) if other.family == number.family]
            if family:
                lost = not number.branch or any(not other.branch for other in family)
                return _Fit.BRANCH_LOST if lost else _Fit.FAMILY
        periods = [record.periods.get((system, other), Period()) for other in others]
        new = self.subject.periods.get(number, Period())
        return _Fit.CHANGED if all(self._over(old, new) for old in periods) else _Fit.SECOND

    def _over(self, old: Period, new: Period) -> bool:
        """The old number's period has ended when the new one begins, or the new one begins later."""
        ended = old.until is not None and old.until <= (new.since or self.at)
        later = old.since is not None and new.since is not None and new.since > old.since
        return ended or later

    def _may_be_anothers(self, number: NationalNumber, owner: UUID) -> bool:
        """Without a branch a number may be the whole family's; one whose period is over may be given out anew."""
        period = self.known.records[owner].periods.get(identifier(number), Period())
        over = period.until is not None and period.until <= self.at
        return over or isinstance(number, InsuredPersonNumber) and not number.branch

    def _differs(self, record: PatientRecord | None) -> bool:
        """Both say a birth date, or both a sex, and not the same."""
        if record is None or record.demographics is None:
            return False
        held, said = record.demographics, self.subject.demographics
        pairs = [(held.birth_date, said.birth_date), (_sex(held), _sex(said))]
        return any(one is not None and other is not None and one != other for one, other in pairs)

    def _record(self, patient: UUID | None) -> PatientRecord | None:
        return None if patient is None else self.known.records[patient]

    def _doubt(
        self, reason: UnmatchedReason, other: UUID | None = None, number: PatientNumber | None = None
    ) -> None:
        named = None
        if number is not None:
            system, value = identifier(number)
            named = Identifier(system=system, value=value)
        self.unmatched.append(UnmatchedIdentity(reason=reason, other=other, number=named))

    def _doubt_disputed(self, number: PatientNumber, owner: UUID) -> None:
        """Unless it was said already why it is disputed."""
        if not any(
            one.number and (one.number.system, one.number.value) == identifier(number)
            for one in self.unmatched
        ):
            self._doubt(UnmatchedReason.NUMBER_OF_ANOTHER, owner, number)


def _sex(demographics: Demographics) -> str | None:
    return None if demographics.sex == "unknown" else demographics.sex


def _person(demographics: Demographics) -> tuple[str | None, ...]:
    return demographics.kana, demographics.birth_date, demographics.sex
