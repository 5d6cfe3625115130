"""訂正等請求・利用停止等請求: what a patient asks of a facility, and which answer is one (個人情報保護法).

A request waits until the facility answers or the patient takes it back. Neither changes anything of the record: a
facility that has accepted cancels or replaces its Bundle as it always does, or stops giving out what it agreed to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tsuzuri.domain.events import (
    CorrectionAnswered,
    CorrectionRequested,
    CorrectionRequestTakenBack,
    Event,
    originator,
)
from tsuzuri.domain.vocabulary import CorrectionKind, CorrectionOutcome, Stream

WORDS_MAX = 2_000


class CorrectionState(StrEnum):
    """Where a request stands."""

    WAITING = "WAITING"  # 回答待ち
    ANSWERED = "ANSWERED"  # 回答済
    TAKEN_BACK = "TAKEN_BACK"  # 取下げ


class WordsUnfit(ValueError):
    """A request or an answer that says nothing, too much, or what no record can hold."""


class NoSuchSubject(ValueError):
    """The patient sees no such entry or document: there is none, or it is not shown to her. One answer for all."""

    def __init__(self) -> None:
        super().__init__("there is no entry or document of that id in what you see of your record")


class RequestedAlready(ValueError):
    """The same request waits for its answer."""


class NothingToAnswer(ValueError):
    """No such request of this patient waits for this facility's answer."""


class NothingToTakeBack(ValueError):
    """No such request of this patient waits for an answer."""


@dataclass(frozen=True)
class SubjectKey:
    """How a patient says what a request is about: exactly one of these."""

    entry: UUID | None = None
    document: UUID | None = None
    facility: str | None = None  # all that this facility has of her


@dataclass(frozen=True)
class Subject:
    """Whom a request is to and what it is about: one entry of a document, a document, or all that is there."""

    facility: str
    document: UUID | None = None
    entry: UUID | None = None


@dataclass(frozen=True)
class CorrectionRequest:
    """One request so far."""

    kind: CorrectionKind
    subject: Subject
    words: str
    state: CorrectionState = CorrectionState.WAITING


@dataclass(frozen=True)
class CorrectionRequests:
    """What one patient has asked for, by the event's id: of her record stream, of which the rest is passed over."""

    patient: UUID
    version: int = 0
    requests: Mapping[UUID, CorrectionRequest] = field(default_factory=dict)


def evolve(held: CorrectionRequests, event: Event) -> CorrectionRequests:
    requests = dict(held.requests)
    match event:
        case CorrectionRequested():
            subject = Subject(event.facility, event.document, event.entry)
            requests[event.event_id] = CorrectionRequest(event.kind, subject, event.words)
        case CorrectionAnswered():
            _moved(requests, event.request, CorrectionState.ANSWERED)
        case CorrectionRequestTakenBack():
            _moved(requests, event.request, CorrectionState.TAKEN_BACK)
    return replace(held, version=event.originator_version, requests=requests)


def _moved(requests: dict[UUID, CorrectionRequest], request: UUID, state: CorrectionState) -> None:
    if request in requests:  # else it was erased with the record
        requests[request] = replace(requests[request], state=state)


def request_correction(
    held: CorrectionRequests,
    *,
    event_id: UUID,
    kind: CorrectionKind,
    subject: Subject,
    words: str,
    recorded_by: str,
) -> CorrectionRequested:
    """Raises WordsUnfit and RequestedAlready."""
    said = _said(words)
    if said is None:
        raise WordsUnfit("say in your own words what you ask for")
    if CorrectionRequest(kind, subject, said) in held.requests.values():
        raise RequestedAlready("the same request waits for its answer already")
    return CorrectionRequested(
        originator_id=originator(held.patient, Stream.RECORD),
        originator_version=held.version + 1,
        event_id=event_id,
        patient=held.patient,
        facility=subject.facility,
        kind=kind,
        document=subject.document,
        entry=subject.entry,
        words=said,
        recorded_by=recorded_by,
    )


def answer_correction(
    held: CorrectionRequests,
    request: UUID,
    *,
    event_id: UUID,
    facility: str,
    outcome: CorrectionOutcome,
    words: str | None,
    answered_by: str,
) -> CorrectionAnswered:
    """Once and for all.

    Raises:
        NothingToAnswer: another facility's request gives the same answer as one that there is not.
        WordsUnfit: among others, when what is not accepted is given no reason (個人情報保護法: 理由の説明).
    """
    asked = held.requests.get(request)
    if asked is None or asked.subject.facility != facility:
        raise NothingToAnswer("this patient has no such request to your facility")
    if asked.state is CorrectionState.ANSWERED:
        raise NothingToAnswer("your facility has answered this request already")
    if asked.state is CorrectionState.TAKEN_BACK:
        raise NothingToAnswer("the patient has taken this request back")
    said = _said(words or "")
    if said is None and outcome is not CorrectionOutcome.ACCEPTED:
        raise WordsUnfit("what is not accepted, or only in part, is given a reason")
    return CorrectionAnswered(
        originator_id=originator(held.patient, Stream.RECORD),
        originator_version=held.version + 1,
        event_id=event_id,
        patient=held.patient,
        request=request,
        facility=facility,
        outcome=outcome,
        words=said,
        answered_by=answered_by,
    )


def take_back(
    held: CorrectionRequests, request: UUID, *, event_id: UUID, recorded_by: str
) -> CorrectionRequestTakenBack:
    """Raises NothingToTakeBack."""
    asked = held.requests.get(request)
    if asked is None or asked.state is not CorrectionState.WAITING:
        raise NothingToTakeBack("no such request of this patient waits for an answer")
    return CorrectionRequestTakenBack(
        originator_id=originator(held.patient, Stream.RECORD),
        originator_version=held.version + 1,
        event_id=event_id,
        patient=held.patient,
        request=request,
        recorded_by=recorded_by,
    )


def waited_days(requested_at: datetime, until: datetime) -> int:
    """Whole days of 24 hours; the log's clock and the service's may differ by a little."""
    return max(0, (until - requested_at).days)


def _said(words: str) -> str | None:
    """The text without the space around it; None when nothing is left. Raises WordsUnfit."""
    said = words.strip()
    if len(said) > WORDS_MAX:
        raise WordsUnfit(f"say it in at most {WORDS_MAX} characters")
    if "\x00" in said or any("\ud800" <= letter <= "\udfff" for letter in said):
        raise WordsUnfit("the text holds a character that no record can hold")
    return said or None
