"""An access as it was recorded: where it lies in the log, and what its event says of the decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Identifier

from tsuzuri.app.services import Services
from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.events import AccessPermitted, AccessRefused, WatcherTold
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import AccessBasis, PurposeOfUse, RecordClass
from tsuzuri.eventlog.past_events import event_at
from tsuzuri.projections import audit_trail
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.freshness import served_generation


@dataclass(frozen=True)
class FoundAccess:
    """The event of the log, and where it lies."""

    event: Any  # of an access that was erased: Erased
    part: int
    pos: int
    recorded_at: datetime  # aware, UTC


@dataclass(frozen=True, kw_only=True)
class RecordedDecision:
    """What an access event says of its decision, permitted or refused."""

    request: AccessRequest
    answer: Permitted | Refused
    linked: Mapping[UUID, int]
    known: bool
    at: datetime  # when it was recorded
    moment_kept: bool  # when it was decided and under which scopes: kept by the events of today


async def find_access(services: Services, access: UUID) -> FoundAccess | None:
    """As far as the trail has come; None: it has no such access."""
    async with services.pool.connection() as connection:
        generation = await served_generation(services.reads, audit_trail.NAME)
        table = Identifier(PROJECTIONS[audit_trail.NAME].schema(generation), audit_trail.VIEW.table)
        cursor = await connection.execute(
            SQL("SELECT part, pos, at FROM {} WHERE access = %b").format(table), (access,), binary=True
        )
        place: tuple[int, int, datetime] | None = await cursor.fetchone()
    if place is None:
        return None
    part, pos, recorded_at = place
    return FoundAccess(await event_at(services.log, part, pos), part, pos, recorded_at)


def decided_permitted(event: AccessPermitted | WatcherTold, recorded_at: datetime) -> RecordedDecision:
    told, audit = event.told, event.audit
    own = any(ground.basis is AccessBasis.OWN_FACILITY for ground in audit.grounds)
    request = AccessRequest(
        person=told.person,
        role=told.role,
        facility=told.facility,
        own_patient=event.patient if told.purpose is PurposeOfUse.PATRQT else None,
        patient=event.patient,
        purpose=told.purpose,
        readable=_readable(audit.decided_at, audit.readable),
        at=audit.decided_at or recorded_at,
        registered_here=audit.registered_here or own,
    )
    return RecordedDecision(
        request=request,
        answer=Permitted(audit.grounds, audit.consent_version, audit.policies),
        linked=audit.linked,
        known=True,
        at=recorded_at,
        moment_kept=audit.decided_at is not None,
    )


def decided_refused(event: AccessRefused, recorded_at: datetime) -> RecordedDecision:
    """Of whom nobody knew, nothing was said: any id stands for her."""
    request = AccessRequest(
        person=event.person,
        role=event.role,
        facility=event.facility,
        own_patient=None,
        patient=event.patient or event.event_id,
        purpose=event.purpose,
        readable=_readable(event.decided_at, event.readable),
        at=event.decided_at or recorded_at,
        registered_here=event.registered_here,
    )
    return RecordedDecision(
        request=request,
        answer=Refused(event.reason, event.consent_version, event.policies),
        linked=event.linked,
        known=event.patient is not None,
        at=recorded_at,
        moment_kept=event.decided_at is not None,
    )


def _readable(decided_at: datetime | None, kept: tuple[RecordClass, ...]) -> frozenset[RecordClass]:
    return frozenset(RecordClass) if decided_at is None else frozenset(kept)
