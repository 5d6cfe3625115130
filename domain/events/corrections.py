"""Record stream of a patient: what she asks a facility to correct, and what it answered.

It stands there, and not with her consents, because her words speak of her record: they go when the record is erased.
"""

from dataclasses import dataclass
from uuid import UUID

from tsuzuri.domain.events.event import Event
from tsuzuri.domain.vocabulary import CorrectionKind, CorrectionOutcome, Stream


@dataclass(frozen=True, kw_only=True)
class CorrectionRequested(Event):
    """訂正等請求・利用停止等請求: the patient asks a facility for something that it must answer. Its id names it."""

    TOPIC = "correction-requested"
    STREAM = Stream.RECORD

    patient: UUID
    facility: str  # who must answer, 10 digits
    kind: CorrectionKind
    document: UUID | None = None  # what it is about; None: all that the facility has of her
    entry: UUID | None = None  # the one entry of the document
    words: str
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class CorrectionAnswered(Event):
    """The facility has answered. That changes nothing of the record: it carries out itself what it agreed to."""

    TOPIC = "correction-answered"
    STREAM = Stream.RECORD

    patient: UUID
    request: UUID  # event id of the request
    facility: str
    outcome: CorrectionOutcome
    words: str | None = None  # why, where the outcome is not ACCEPTED
    answered_by: str  # person


@dataclass(frozen=True, kw_only=True)
class CorrectionRequestTakenBack(Event):
    """取下げ: the patient does not ask any more. The facility does not read her words from here on."""

    TOPIC = "correction-request-taken-back"
    STREAM = Stream.RECORD

    patient: UUID
    request: UUID
    recorded_by: str
