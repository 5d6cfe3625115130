"""What may be made unreadable for ever, and what stands against it. What is decided here cannot be taken back."""

from datetime import UTC
from uuid import UUID

from tsuzuri.domain.events import (
    AccessesErased,
    ConsentsErased,
    HoldLifted,
    HoldPlaced,
    PayloadErased,
    RecordErased,
    StreamErased,
    originator,
)
from tsuzuri.domain.expiry import Expired
from tsuzuri.domain.registrations import PatientRecord, classes_of
from tsuzuri.domain.vocabulary import Stream


class NothingToErase(ValueError):
    """There is no such document, or nothing of it is left."""


class ErasureHeld(ValueError):
    """A hold stands on this patient: nothing is erased until it is lifted."""


class NothingToLift(ValueError):
    """No such hold stands on this patient."""


def erase_document(
    record: PatientRecord, document: UUID, *, units: bool, reason: str, erased_by: str, event_id: UUID
) -> PayloadErased:
    """The received bytes of a document and what was read from it, of all its versions.

    Without *units* the 6情報 taken out of it live on: they have keys of their own.

    Raises NothingToErase and ErasureHeld.
    """
    _not_held(record)
    known = record.documents.get(document)
    left = () if known is None else (*known.bodies, *known.units) if units else known.bodies
    if known is None or not left:
        raise NothingToErase("this patient has no such document, or it was erased already")
    return PayloadErased(
        originator_id=originator(record.patient, Stream.RECORD),
        originator_version=record.version + 1,
        event_id=event_id,
        patient=record.patient,
        document=document,
        payloads=left,
        reason=reason,
        erased_by=erased_by,
        touches=classes_of(known.accepted),
    )


def erase_expired(
    record: PatientRecord, expired: Expired, *, erased_by: str, event_id: UUID
) -> PayloadErased:
    """What is past its time of one Bundle, as `expiry.expired` found it in this record.

    Raises ErasureHeld.
    """
    _not_held(record)
    what = ", ".join(expired.classes) or expired.kind
    return PayloadErased(
        originator_id=originator(record.patient, Stream.RECORD),
        originator_version=record.version + 1,
        event_id=event_id,
        patient=record.patient,
        document=expired.document,
        payloads=expired.payloads,
        reason=f"retention: {what} past {expired.since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        erased_by=erased_by,
        touches=expired.classes,
    )


ERASED: dict[Stream, type[StreamErased]] = {
    event.ERASES: event for event in (RecordErased, ConsentsErased, AccessesErased)
}


def erase_stream(
    record: PatientRecord, stream: Stream, *, reason: str, erased_by: str, event_id: UUID
) -> StreamErased:
    """Everything in one stream of an owner until now; with the record, all of its documents and their units.

    Raises ErasureHeld.
    """
    _not_held(record)
    return ERASED[stream](
        originator_id=originator(record.patient, Stream.RECORD),
        originator_version=record.version + 1,
        event_id=event_id,
        reason=reason,
        erased_by=erased_by,
    )


def place_hold(record: PatientRecord, *, reason: str, placed_by: str, event_id: UUID) -> HoldPlaced:
    return HoldPlaced(
        originator_id=originator(record.patient, Stream.RECORD),
        originator_version=record.version + 1,
        event_id=event_id,
        patient=record.patient,
        reason=reason,
        placed_by=placed_by,
    )


def lift_hold(
    record: PatientRecord, hold: UUID, *, reason: str, lifted_by: str, event_id: UUID
) -> HoldLifted:
    """Raises NothingToLift."""
    if hold not in record.holds:
        raise NothingToLift("no such hold stands on this patient")
    return HoldLifted(
        originator_id=originator(record.patient, Stream.RECORD),
        originator_version=record.version + 1,
        event_id=event_id,
        patient=record.patient,
        hold=hold,
        reason=reason,
        lifted_by=lifted_by,
    )


def _not_held(record: PatientRecord) -> None:
    if record.holds:
        raise ErasureHeld(f"{len(record.holds)} holds stand on this patient: lift them first")
