"""救急時の閲覧: who may open a record without consent, for how long, and how far.

Source: 救急時医療情報閲覧 (since 2024-12): hospitals that take emergencies, people whom the administrator has named, a
reason, and a review afterwards. Sixty minutes are our own bound.
"""

from datetime import datetime, timedelta
from uuid import UUID

from tsuzuri.domain.consents import Consents, Emergency
from tsuzuri.domain.events import EmergencyDeclared, EmergencyEnded, EmergencyWidened, originator
from tsuzuri.domain.identifiers import PatientKey, identified_by
from tsuzuri.domain.vocabulary import Stream

PERIOD = timedelta(minutes=60)
"""How long an emergency lasts at most."""
_REASON_LONGEST = 500  # characters


class UselessReason(ValueError):
    """No reason is given that a reviewer could read."""


class UselessEmergency(ValueError):
    """An emergency that would last no time, or too long."""


class NoSuchEmergency(ValueError):
    """This person has declared no such emergency here for this patient, or it is over."""


def declare(
    consents: Consents,
    *,
    event_id: UUID,
    person: str,
    facility: str,
    reason: str,
    key: PatientKey,
    since: datetime,
    until: datetime,
    shows_undelivered: bool,
) -> EmergencyDeclared:
    """Open the emergency table of the patient to *person* at *facility*, who has the right (see `Policies`).

    Raises UselessReason, UselessEmergency.
    """
    if not timedelta() < until - since <= PERIOD:
        raise UselessEmergency("an emergency lasts from 1 to 60 minutes")
    return EmergencyDeclared(
        originator_id=originator(consents.patient, Stream.CONSENT),
        originator_version=consents.version + 1,
        event_id=event_id,
        patient=consents.patient,
        person=person,
        facility=facility,
        reason=readable_reason(reason),
        identified_by=identified_by(key).value,
        since=since,
        until=until,
        shows_undelivered=shows_undelivered,
    )


def widen(
    consents: Consents,
    emergency: UUID,
    *,
    event_id: UUID,
    person: str,
    facility: str,
    reason: str,
    at: datetime,
) -> EmergencyWidened:
    """The second step: the rest of the record, for what is left of the hour.

    Raises UselessReason, NoSuchEmergency.
    """
    held = _in_force(consents, emergency, person, facility, at)
    return EmergencyWidened(
        originator_id=originator(consents.patient, Stream.CONSENT),
        originator_version=consents.version + 1,
        event_id=event_id,
        patient=consents.patient,
        emergency=held.because,
        person=person,
        reason=readable_reason(reason),
    )


def end(
    consents: Consents, emergency: UUID, *, event_id: UUID, person: str, facility: str, at: datetime
) -> EmergencyEnded:
    """Whoever declared it needs it no more. Raises NoSuchEmergency."""
    held = _in_force(consents, emergency, person, facility, at)
    return EmergencyEnded(
        originator_id=originator(consents.patient, Stream.CONSENT),
        originator_version=consents.version + 1,
        event_id=event_id,
        patient=consents.patient,
        emergency=held.because,
        recorded_by=person,
    )


def readable_reason(reason: str) -> str:
    """Raises UselessReason: it is empty, too long, or no text."""
    text = reason.strip()
    if not text or len(text) > _REASON_LONGEST or not text.isprintable():
        raise UselessReason(
            f"say why, in 1 to {_REASON_LONGEST} characters and one line: it will be reviewed"
        )
    return text


def _in_force(consents: Consents, emergency: UUID, person: str, facility: str, at: datetime) -> Emergency:
    for held in consents.emergencies:
        if (held.because, held.person, held.facility) == (emergency, person, facility):
            if held.since <= at < held.until:
                return held
    raise NoSuchEmergency("no emergency of yours of that id is in force for this patient: declare one")
