"""What a patient is told of reads that waited for no consent: that there was one, never why, by name, or what of."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tsuzuri.domain.events import AccessPermitted, EmergencyDeclared, EmergencyWidened
from tsuzuri.domain.vocabulary import AccessBasis, Role


class NoticeKind(StrEnum):
    """What happened."""

    EMERGENCY_DECLARED = "EMERGENCY_DECLARED"
    EMERGENCY_WIDENED = "EMERGENCY_WIDENED"  # beyond the emergency table
    EMERGENCY_READ = "EMERGENCY_READ"  # the first answer that rests on the emergency
    DISASTER_READ = "DISASTER_READ"  # every answer that rests on a disaster window


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One notice. It may arrive more than once: the id says that it is the same."""

    id: UUID  # of the event it tells of
    kind: NoticeKind
    patient: UUID
    facility: str | None  # 10 digits; None: it cannot be read any more
    role: Role  # what the person is who did it
    at: datetime  # when it was recorded, aware, UTC
    until: (
        datetime | None
    )  # when the emergency ends at the latest; None of a disaster, or when it cannot be read
    emergency: UUID | None  # event id of the declaration; None of a disaster


def of_declaration(event: EmergencyDeclared, at: datetime) -> Notice:
    return Notice(
        id=event.event_id,
        kind=NoticeKind.EMERGENCY_DECLARED,
        patient=event.patient,
        facility=event.facility,
        role=Role.CLINICIAN,  # nobody else may declare one (access.refusal)
        at=at,
        until=event.until,
        emergency=event.event_id,
    )


def of_widening(event: EmergencyWidened, at: datetime, declared: EmergencyDeclared | None) -> Notice:
    """*declared*: None when it cannot be read any more."""
    return Notice(
        id=event.event_id,
        kind=NoticeKind.EMERGENCY_WIDENED,
        patient=event.patient,
        facility=declared.facility if declared else None,
        role=Role.CLINICIAN,
        at=at,
        until=declared.until if declared else None,
        emergency=event.emergency,
    )


def of_emergency_read(
    event: AccessPermitted, at: datetime, emergency: UUID, declared: EmergencyDeclared | None
) -> Notice:
    """*declared*: None when it cannot be read any more."""
    return Notice(
        id=event.event_id,
        kind=NoticeKind.EMERGENCY_READ,
        patient=event.patient,
        facility=event.told.facility,
        role=event.told.role,
        at=at,
        until=declared.until if declared else None,
        emergency=emergency,
    )


def of_disaster_read(event: AccessPermitted, at: datetime) -> Notice:
    return Notice(
        id=event.event_id,
        kind=NoticeKind.DISASTER_READ,
        patient=event.patient,
        facility=event.told.facility,
        role=event.told.role,
        at=at,
        until=None,
        emergency=None,
    )


def emergencies_of(event: AccessPermitted) -> tuple[UUID, ...]:
    """The emergencies that an answer rests on, by the event ids of their declarations."""
    return tuple(
        ground.because
        for ground in event.audit.grounds
        if ground.basis is AccessBasis.EMERGENCY and ground.because is not None
    )
