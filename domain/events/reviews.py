"""Access stream of the patient whose reads are reviewed; of the facility, when they are the reads of several."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.events.event import Event
from tsuzuri.domain.vocabulary import ReviewFinding, Role, Stream


@dataclass(frozen=True, kw_only=True)
class ReviewOpened(Event):
    """A rule noticed reads: a person must look. The event's id is the review's, made of what the rule found."""

    TOPIC = "review-opened"
    STREAM = Stream.ACCESS

    rule: str
    rules: str  # the version of the rules
    person: str
    role: Role
    facility: str
    patients: tuple[UUID, ...]
    accesses: tuple[UUID, ...]  # event ids of the reads, the oldest first
    emergency: UUID | None = None  # event id of the declaration
    since: datetime  # the first of the reads
    until: datetime  # the last
    says: str  # one sentence, which names no patient
    says_ja: str


@dataclass(frozen=True, kw_only=True)
class ReviewClosed(Event):
    """Somebody looked, and says what she found. A read after this opens the next review."""

    TOPIC = "review-closed"
    STREAM = Stream.ACCESS

    review: UUID
    finding: ReviewFinding
    words: str
    closed_by: str
    role: Role
