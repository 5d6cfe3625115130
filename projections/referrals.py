"""Where each referral stands: whom it is from and to, whether it was received, taken back or erased.

It holds nothing of what a referral says, so that it can tell of one that is gone. Whether one may be viewed is a
matter of consent: see referral_states.py.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from tsuzuri.domain.events import (
    BundleAccepted,
    BundleCancelled,
    BundleRegistered,
    BundleReplaced,
    BundleRestored,
    Event,
    PayloadErased,
    RecordErased,
    ReferralReceived,
)
from tsuzuri.domain.retention import ends_after_receipt, visible_until
from tsuzuri.domain.vocabulary import DocumentKind, RecordClass
from tsuzuri.projections import fences
from tsuzuri.projections.rows import Look, Recorded, Row, Rows, look

NAME, VERSION = "referrals", 2

TABLES = f"""
CREATE TABLE referral (
    patient_id uuid NOT NULL, document uuid NOT NULL, sender text NOT NULL, recipient text,
    system text NOT NULL, value text NOT NULL, registered_at timestamptz NOT NULL, received uuid NOT NULL,
    visible_until timestamptz, taken_over_at timestamptz, cancelled_at timestamptz, erased_at timestamptz
);
{fences.of_referrals("referral")}"""

INDEXES = """
ALTER TABLE referral ADD PRIMARY KEY (patient_id, document);
CREATE INDEX referral_inbox ON referral (recipient, registered_at DESC, document DESC);
CREATE INDEX referral_outbox ON referral (sender, registered_at DESC, document DESC);
"""


class ReferralRow(Row, frozen=True, kw_only=True):
    TABLE, KEY = "referral", ("patient_id", "document")

    patient_id: UUID
    document: UUID
    sender: str
    recipient: str | None
    system: str  # Bundle.identifier
    value: str
    registered_at: datetime
    received: UUID  # payload: the bytes of the version in force
    visible_until: datetime | None
    taken_over_at: datetime | None = None  # 取得: when its recipient received it
    cancelled_at: datetime | None = None
    erased_at: datetime | None = None


ROWS: tuple[type[Row], ...] = (ReferralRow,)
EVENTS: tuple[type[Event], ...] = (
    BundleRegistered,
    BundleReplaced,
    BundleRestored,
    BundleCancelled,
    ReferralReceived,
    PayloadErased,
    RecordErased,
)


def payloads(event: Event) -> Sequence[UUID]:
    return []


def looks(event: Event) -> Sequence[Look]:
    match event:
        case BundleAccepted(kind=kind) if kind is not DocumentKind.REFERRAL:
            return []
        case BundleAccepted() | BundleCancelled() | ReferralReceived() | PayloadErased():
            return [look(ReferralRow, document=event.document)]
        case _:
            return []


def apply(rows: Rows, recorded: Recorded[Event]) -> None:
    """Fold one event into the rows of its patient. Sees nothing else."""
    at = recorded.recorded_at
    match recorded.event:
        case BundleRestored() as event if event.kind is DocumentKind.REFERRAL:
            for row in rows.of(ReferralRow, document=event.document):
                rows.put(replace(row, cancelled_at=None))
        case BundleAccepted() as event if event.kind is DocumentKind.REFERRAL:
            rows.put(_registered(event, at))
        case BundleCancelled() as event:
            for row in rows.of(ReferralRow, document=event.document):
                rows.put(replace(row, cancelled_at=at))
        case ReferralReceived() as event:
            for row in rows.of(ReferralRow, document=event.document):
                ends = ends_after_receipt(row.visible_until, at)
                rows.put(replace(row, taken_over_at=at, visible_until=ends))
        case PayloadErased() as event:
            for row in rows.of(ReferralRow, document=event.document):
                if row.received in event.payloads:
                    rows.put(replace(row, erased_at=at))
        case RecordErased():
            rows.remove_all(ReferralRow)


def _registered(event: BundleAccepted, at: datetime) -> ReferralRow:
    return ReferralRow(
        patient_id=event.patient,
        document=event.document,
        sender=event.facility,
        recipient=event.recipient,
        system=event.system,
        value=event.value,
        registered_at=at,
        received=event.received,
        visible_until=visible_until(RecordClass.REFERRAL, registered_at=at),
    )
