"""What is answered to a saved question: what was found, whom to tell of it, and how far the answer reaches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.vocabulary import AccessBasis, Language, RecordClass, Role

FINDINGS_MAX = 1_000
"""An answer holds so many findings."""


class TooMuchAsked(ValueError):
    """The question is about more reads than one answer goes through."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was found, with the accesses it rests on."""

    since: datetime  # aware; of one moment both are the same
    until: datetime
    person: str | None = None  # as the token said
    role: Role | None = None
    facility: str | None = None  # 10 digits
    patients: tuple[UUID, ...] = ()
    accesses: tuple[UUID, ...] = ()
    bases: tuple[AccessBasis, ...] = ()
    classes: tuple[RecordClass, ...] = ()
    document: UUID | None = None
    number: int = 0  # of accesses, or of Bundles where it is about those
    says: Mapping[Language, str]


@dataclass(frozen=True, kw_only=True)
class ToTell:
    """A facility whose people saw what was corrected since; without a facility, somebody by herself."""

    facility: str | None
    persons: tuple[str, ...]
    accesses: tuple[UUID, ...]
    first: datetime
    last: datetime


@dataclass(frozen=True, kw_only=True)
class Answered:
    """All of one answer."""

    findings: tuple[Finding, ...]  # the oldest first
    more: bool = False  # there are more than FINDINGS_MAX: these are the first
    to_tell: tuple[ToTell, ...] = ()
    undecided: int = 0  # reads of which nobody can say any more: what they rested on was erased
    complete_until: datetime  # nothing recorded before this moment is missing


def answered(
    findings: Iterable[Finding],
    complete_until: datetime,
    *,
    undecided: int = 0,
    notices: bool = False,
) -> Answered:
    """*notices*: who saw it is to be told."""
    found = sorted(findings, key=lambda one: (one.since, one.accesses))
    return Answered(
        findings=tuple(found[:FINDINGS_MAX]),
        more=len(found) > FINDINGS_MAX,
        to_tell=_to_tell(found) if notices else (),
        undecided=undecided,
        complete_until=complete_until,
    )


def _to_tell(findings: Iterable[Finding]) -> tuple[ToTell, ...]:
    """One for each facility, by number; those without one last, each person by herself."""
    grouped: dict[tuple[str, str], list[Finding]] = {}
    for one in findings:
        alone = "" if one.facility is not None else one.person or ""
        grouped.setdefault((one.facility or "~", alone), []).append(one)
    return tuple(
        ToTell(
            facility=group[0].facility,
            persons=tuple(sorted({one.person for one in group if one.person is not None})),
            accesses=tuple(dict.fromkeys(access for one in group for access in one.accesses)),
            first=min(one.since for one in group),
            last=max(one.until for one in group),
        )
        for _, group in sorted(grouped.items())
    )
