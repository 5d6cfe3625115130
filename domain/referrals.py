"""診療情報提供書: a letter from one facility to another. What its recipient may do, and where each one stands."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from tsuzuri.domain.events import BundleAccepted, ReferralReceived, originator
from tsuzuri.domain.registrations import PatientRecord
from tsuzuri.domain.retention import visible_until
from tsuzuri.domain.vocabulary import DocumentKind, RecordClass, Stream


class ReferralState(StrEnum):
    """Where a referral stands (閲覧保留 → 閲覧可 → 取得済 → 消去; or it was taken back, or its time ran out)."""

    HELD = "HELD"  # 閲覧保留: its recipient may not read it yet
    VIEWABLE = "VIEWABLE"  # 閲覧可
    RECEIVED = "RECEIVED"  # 取得済
    CANCELLED = "CANCELLED"  # 取消
    EXPIRED = "EXPIRED"  # 期間満了: seen no more, and not erased yet
    ERASED = "ERASED"  # 消去


STATE_TERMS: dict[ReferralState, str] = {
    ReferralState.HELD: "閲覧保留",
    ReferralState.VIEWABLE: "閲覧可",
    ReferralState.RECEIVED: "取得済",
    ReferralState.CANCELLED: "取消",
    ReferralState.EXPIRED: "期間満了",
    ReferralState.ERASED: "消去",
}


def letter_until(since: datetime) -> datetime:
    """How long a consent for one referral holds: for as long as one is kept that nobody receives, and a day.

    The referral's own end is measured by the log's clock, which is not the one a consent is given by.
    """
    ends = visible_until(RecordClass.REFERRAL, registered_at=since)
    assert ends is not None, "a referral's keeping has an end"
    return ends + timedelta(days=1)


class NoSuchReferral(ValueError):
    """There is none of that id, or it is not to be had by this facility: one answer for all."""

    def __init__(self) -> None:
        super().__init__("there is no referral of that id that you may receive")


def addressed(record: PatientRecord, document: UUID, recipient: str) -> BundleAccepted | None:
    """The version in force of a referral to this facility; None for what is not there, not one, or another's."""
    known = record.documents.get(document)
    if known is None or known.cancelled or known.accepted.received not in known.bodies:
        return None
    accepted = known.accepted
    return accepted if accepted.kind is DocumentKind.REFERRAL and accepted.recipient == recipient else None


def receive(
    record: PatientRecord, document: UUID, *, facility: str, received_by: str, event_id: UUID
) -> ReferralReceived | None:
    """None: this version was received already.

    Raises NoSuchReferral.
    """
    accepted = addressed(record, document, facility)
    if accepted is None:
        raise NoSuchReferral
    if record.documents[document].received_by is not None:
        return None
    return ReferralReceived(
        originator_id=originator(record.patient, Stream.RECORD),
        originator_version=record.version + 1,
        event_id=event_id,
        patient=record.patient,
        document=document,
        facility=facility,
        receives=accepted.event_id,
        received_by=received_by,
    )
