"""Record streams of patients who turned out to be one person, or not to be. Each of the set has the same event."""

from dataclasses import dataclass
from uuid import UUID

from tsuzuri.domain.events.event import Event
from tsuzuri.domain.vocabulary import Stream


@dataclass(frozen=True, kw_only=True)
class Link:
    """Two patients are one person, for whom the survivor stands."""

    link: UUID
    survivor: UUID
    other: UUID


@dataclass(frozen=True, kw_only=True)
class LinksChanged(Event):
    """What linking and unlinking have in common."""

    patient: UUID
    changed: Link  # what was made, or undone
    links: tuple[Link, ...]  # all that hold from here on of the set this patient is in
    reason: str
    changed_by: str


@dataclass(frozen=True, kw_only=True)
class PatientsLinked(LinksChanged):
    """名寄せ: an operator found two patients to be one person. Nothing moves; reads cover both."""

    TOPIC = "patients-linked"
    STREAM = Stream.RECORD


@dataclass(frozen=True, kw_only=True)
class PatientsUnlinked(LinksChanged):
    """A link was wrong, or is undone: from here on no read of one shows anything of the other, at any `asOf`."""

    TOPIC = "patients-unlinked"
    STREAM = Stream.RECORD
