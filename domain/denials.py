"""拒否: a patient keeps something from a facility, or from all, whatever was or will be consented to."""

from uuid import UUID

from tsuzuri.domain.consents import Consents
from tsuzuri.domain.events import ConsentDenied, DenialLifted, originator
from tsuzuri.domain.vocabulary import RecordClass, Stream


class DeniedAlready(ValueError):
    """The same denial stands."""


class NothingToLift(ValueError):
    """No such denial of this patient stands."""


def deny(
    consents: Consents,
    *,
    event_id: UUID,
    facility: str | None,
    classes: tuple[RecordClass, ...],
    recorded_by: str,
) -> ConsentDenied:
    """Keep *classes* (none listed: all) from *facility* (None: from every one).

    Raises DeniedAlready.
    """
    listed = tuple(sorted(set(classes), key=list(RecordClass).index))
    if any((held.facility, held.classes) == (facility, listed) for held in consents.denials):
        raise DeniedAlready("the same denial stands already")
    return ConsentDenied(
        originator_id=originator(consents.patient, Stream.CONSENT),
        originator_version=consents.version + 1,
        event_id=event_id,
        patient=consents.patient,
        facility=facility,
        classes=listed,
        recorded_by=recorded_by,
    )


def lift(consents: Consents, denial: UUID, *, event_id: UUID, recorded_by: str) -> DenialLifted:
    """Raises NothingToLift."""
    if all(held.because != denial for held in consents.denials):
        raise NothingToLift("no such denial of this patient stands")
    return DenialLifted(
        originator_id=originator(consents.patient, Stream.CONSENT),
        originator_version=consents.version + 1,
        event_id=event_id,
        patient=consents.patient,
        denial=denial,
        recorded_by=recorded_by,
    )
