"""What a facility takes back, what it says anew, and which of its Bundles is the newest word."""

from dataclasses import fields
from datetime import datetime
from typing import Protocol
from uuid import UUID

from tsuzuri.domain.events import BundleAccepted, BundleCancelled, BundleRestored, originator
from tsuzuri.domain.record import Document
from tsuzuri.domain.registrations import PatientRecord, Registered, classes_of, document_key
from tsuzuri.domain.vocabulary import REPLACEMENT_SETS, DocumentKind, Stream


class NothingToCancel(ValueError):
    """The facility has no Bundle in force under that id."""


class NothingToRestore(ValueError):
    """The facility has cancelled no Bundle under that id, or what it held was erased since."""


def cancel(
    record: PatientRecord, document: UUID, *, facility: str, reason: str, sender: str, event_id: UUID
) -> BundleCancelled | None:
    """Take a Bundle back; None when it was taken back already.

    Raises:
        NothingToCancel: this facility registered no such Bundle. Another facility's gives the same answer.
    """
    known = record.documents.get(document)
    if known is None or known.accepted.facility != facility:
        raise NothingToCancel("this facility has registered no Bundle with that id for this patient")
    if known.cancelled:
        return None
    return BundleCancelled(
        originator_id=originator(record.patient, Stream.RECORD),
        originator_version=record.version + 1,
        event_id=event_id,
        patient=record.patient,
        document=document,
        facility=facility,
        cancels=known.accepted.event_id,
        reason=reason,
        sender=sender,
        touches=classes_of(known.accepted),
    )


def restore(
    record: PatientRecord, document: UUID, *, facility: str, reason: str, sender: str, event_id: UUID
) -> BundleRestored | None:
    """Take a cancellation back; None when the Bundle is in force.

    Raises:
        NothingToRestore: this facility registered no such Bundle, or it was erased since it was cancelled.
    """
    known = record.documents.get(document)
    if known is None or known.accepted.facility != facility:
        raise NothingToRestore("this facility has registered no Bundle with that id for this patient")
    if known.cancelled_by is None:
        return None
    accepted = known.accepted
    held = {accepted.received, *(unit.payload for unit in accepted.units)}
    if held.isdisjoint({*known.bodies, *known.units}):
        raise NothingToRestore("what this Bundle held was erased: send it again")
    content = {field.name: getattr(accepted, field.name) for field in fields(BundleAccepted)}
    return BundleRestored(
        **content
        | {
            "originator_version": record.version + 1,
            "event_id": event_id,
            "sender": sender,
            "touches": classes_of(accepted),
        },
        restores=known.cancelled_by,
        reason=reason,
    )


class Sent(Protocol):
    """What a facility sent, wherever it is told of."""

    @property
    def timestamp(self) -> datetime: ...
    @property
    def system(self) -> str: ...
    @property
    def value(self) -> str: ...


def newness(sent: Sent) -> tuple[datetime, str, str]:
    """The order of a facility's Bundles: by `Bundle.timestamp`, however late they come; of equals, by identifier."""
    return sent.timestamp, sent.system, sent.value


def newest_set(record: PatientRecord, facility: str, scope: str, kind: DocumentKind) -> Registered | None:
    """The Bundle in force that tells all there is of its classes at a facility, or at one department of it."""
    sets = [
        known
        for known in record.documents.values()
        if not known.cancelled
        and (known.accepted.facility, known.accepted.scope, known.accepted.kind) == (facility, scope, kind)
    ]
    return max(sets, key=lambda known: newness(known.accepted), default=None)


def remarks(record: PatientRecord, document: Document, scope: str) -> tuple[str, ...]:
    """What the sender of a Bundle should know of those it sent before."""
    key = (document.facility, document.system, document.value)
    others = sorted(
        known.accepted.kind
        for known in record.documents.values()
        if not known.cancelled
        and known.accepted.kind is not document.kind
        and (known.accepted.facility, known.accepted.system, known.accepted.value) == key
    )
    told = [f"bundle-identifier-under-another-kind: {kind}" for kind in others]
    if document.kind in REPLACEMENT_SETS:
        newest = newest_set(record, document.facility, scope, document.kind)
        own = document_key(record.patient, document)
        if newest and newest.accepted.document != own and newness(newest.accepted) > newness(document):
            told.append("older-than-the-set-in-force")
    return tuple(told)


def ends_others(record: PatientRecord, document: Document, scope: str) -> bool:
    """Whether a Bundle may end what other Bundles of its facility say."""
    classes = set(REPLACEMENT_SETS.get(document.kind, ()))
    return bool(classes) and any(
        not known.cancelled
        and (known.accepted.facility, known.accepted.scope) == (document.facility, scope)
        and not classes.isdisjoint(classes_of(known.accepted))
        for known in record.documents.values()
    )
