"""The state of each referral at a moment: what became of it, and whether its recipient has a consent for it."""

from collections.abc import Iterable
from datetime import datetime

from tsuzuri.domain.referrals import ReferralState
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass
from tsuzuri.projections.sql import SQL, Composed, Identifier, Literal
from tsuzuri.projections.view import View

VIEW = View(
    "referral",
    fields={
        "patient": "patient_id",
        "id": "document",
        "sender": "sender",
        "recipient": "recipient",
        "system": "system",
        "value": "value",
        "registeredAt": "registered_at",
        "receivedAt": "taken_over_at",
        "visibleUntil": "visible_until",
        "erasedAt": "erased_at",
        "state": "state",
    },
    order=("registered_at", "document"),
)


def with_states(schema: str, consents: str, at: datetime) -> Composed:
    """The referrals of a generation, each with its state at a moment (aware); *consents*: schema of the register."""
    return SQL(
        """(SELECT r.*, CASE
            WHEN erased_at IS NOT NULL THEN 'ERASED' WHEN cancelled_at IS NOT NULL THEN 'CANCELLED'
            WHEN visible_until <= {at} THEN 'EXPIRED' WHEN taken_over_at IS NOT NULL THEN 'RECEIVED'
            WHEN {open} THEN 'VIEWABLE' ELSE 'HELD' END AS state FROM {referrals} AS r) AS referral"""
    ).format(at=Literal(at), open=_open(consents, at, of="r"), referrals=Identifier(schema, "referral"))


def readable(consents: str, at: datetime) -> Composed:
    """Of a row: its recipient has a consent that covers it, and it is neither gone nor taken back."""
    return SQL("state = ANY ({}) AND {}").format(
        Literal([str(ReferralState.VIEWABLE), str(ReferralState.RECEIVED)]),
        _open(consents, at, of="referral"),
    )


def _open(consents: str, at: datetime, *, of: str) -> Composed:
    return SQL(
        """EXISTS (SELECT FROM {consents} AS c WHERE c.patient_id = {of}.patient_id AND c.facility = {of}.recipient
            AND c.purpose = {purpose} AND c.record_class = {referral} AND c.to_pos IS NULL
            AND c.since <= {at} AND c.until > {at} AND (c.document IS NULL OR c.document = {of}.document)
            AND NOT EXISTS (SELECT FROM {denials} AS d WHERE d.patient_id = c.patient_id AND d.lifted_at IS NULL
                AND (d.facility IS NULL OR d.facility = c.facility)
                AND (d.record_classes = '{{}}' OR {referral} = ANY (d.record_classes))))"""
    ).format(
        consents=Identifier(consents, "consent"),
        denials=Identifier(consents, "denial"),
        purpose=Literal(str(PurposeOfUse.TREAT)),
        referral=Literal(str(RecordClass.REFERRAL)),
        at=Literal(at),
        of=Identifier(of),
    )


def in_states(states: Iterable[ReferralState]) -> Composed:
    return SQL("state = ANY ({})").format(Literal([str(state) for state in states]))
