"""An operator has looked at an unmatched identity and settled it. Linking two patients is another decision."""

from uuid import UUID

from tsuzuri.domain.events import IdentitySettled, originator
from tsuzuri.domain.registrations import PatientRecord
from tsuzuri.domain.vocabulary import Stream


class NothingToSettle(ValueError):
    """The queue holds no such item of this patient, or it was settled already."""


def settle(
    record: PatientRecord, identity: UUID, *, reason: str, settled_by: str, event_id: UUID
) -> IdentitySettled:
    """Raises NothingToSettle."""
    if identity not in record.unsettled:
        raise NothingToSettle("no such identity of this patient waits to be settled")
    return IdentitySettled(
        originator_id=originator(record.patient, Stream.RECORD),
        originator_version=record.version + 1,
        event_id=event_id,
        patient=record.patient,
        identity=identity,
        reason=reason,
        settled_by=settled_by,
    )
