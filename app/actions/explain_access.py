"""Why an access was permitted or refused: what it cites is read again from the log, and decided again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from psycopg.sql import SQL, Identifier

from tsuzuri.app.actions.past_states import Past, past_states
from tsuzuri.app.services import Services
from tsuzuri.domain import correction_access
from tsuzuri.domain.access import EMERGENCY_PURPOSES, Permitted, Refused
from tsuzuri.domain.events import AccessPermitted, AccessRefused, WatcherTold
from tsuzuri.domain.explanation_steps import Rule
from tsuzuri.domain.explanations import (
    Explanation,
    explain,
    explain_corrections,
    explain_declaration,
    explain_own_referrals,
    noted,
)
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import AccessBasis, PurposeOfUse, RecordClass, RefusalReason, Role
from tsuzuri.eventlog.past_events import event_at
from tsuzuri.projections import audit_trail
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.freshness import served_generation


@dataclass(frozen=True, kw_only=True)
class _Recorded:
    """What an access event says of its decision, permitted or refused."""

    request: AccessRequest
    answer: Permitted | Refused
    linked: Mapping[UUID, int]
    known: bool
    moment_kept: bool  # when it was decided and under which scopes: kept by the events of today


async def explain_access(services: Services, access: UUID) -> Explanation | None:
    """None: the trail has no such access; or it is a look at the trail, for which nothing was decided.

    What an event does not keep is taken from its outcome: that a caller who read at her own request (PATRQT) was the
    patient herself.
    """
    found = await place_in_trail(services, access)
    if found is None:
        return None
    part, pos, recorded_at = found
    event = await event_at(services.log, part, pos)
    if isinstance(event, AccessPermitted | WatcherTold):
        recorded = _permitted(event, recorded_at)
    elif isinstance(event, AccessRefused):
        recorded = _refused(event, recorded_at)
    else:
        return None
    request, answer = recorded.request, recorded.answer
    patients = {request.patient: answer.consent_version, **recorded.linked}
    past = await past_states(services, patients, request.facility, answer.policies)
    explanation = _decided_again(request, answer, past)
    notes = {
        Rule.PATIENT_UNKNOWN: not recorded.known,
        Rule.CONSENTS_ERASED: past.erased,
        Rule.MOMENT_OF_RECORDING: not recorded.moment_kept,
        Rule.EVERY_SCOPE_ASSUMED: not recorded.moment_kept,
    }
    agrees = None if past.erased else _same(explanation.decision, answer)
    explanation = replace(explanation, agrees=agrees, known=recorded.known)
    return noted(explanation, *(rule for rule, holds in notes.items() if holds))


async def place_in_trail(services: Services, access: UUID) -> tuple[int, int, datetime] | None:
    """Part, position and moment of recording, as far as the trail has come."""
    async with services.pool.connection() as connection:
        generation = await served_generation(services.reads, audit_trail.NAME)
        table = Identifier(PROJECTIONS[audit_trail.NAME].schema(generation), audit_trail.VIEW.table)
        cursor = await connection.execute(
            SQL("SELECT part, pos, at FROM {} WHERE access = %b").format(table), (access,), binary=True
        )
        return await cursor.fetchone()


def _permitted(event: AccessPermitted | WatcherTold, recorded_at: datetime) -> _Recorded:
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
    return _Recorded(
        request=request,
        answer=Permitted(audit.grounds, audit.consent_version, audit.policies),
        linked=audit.linked,
        known=True,
        moment_kept=audit.decided_at is not None,
    )


def _refused(event: AccessRefused, recorded_at: datetime) -> _Recorded:
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
    return _Recorded(
        request=request,
        answer=Refused(event.reason, event.consent_version, event.policies),
        linked=event.linked,
        known=event.patient is not None,
        moment_kept=event.decided_at is not None,
    )


def _readable(decided_at: datetime | None, kept: tuple[RecordClass, ...]) -> frozenset[RecordClass]:
    return frozenset(RecordClass) if decided_at is None else frozenset(kept)


def _decided_again(request: AccessRequest, answer: Permitted | Refused, past: Past) -> Explanation:
    """By the decision that was asked then, which the outcome tells apart."""
    if correction_access.PURPOSES.get(request.role) is request.purpose:
        return explain_corrections(request, past.consents)
    if _of_own_referrals(request, answer):
        return explain_own_referrals(request, past.consents)
    if isinstance(answer, Refused) and request.purpose in EMERGENCY_PURPOSES:
        if (
            answer.reason is RefusalReason.NOT_AVAILABLE
        ):  # no read says this of an emergency: it was being declared
            return explain_declaration(request, past.consents, past.policies)
    return explain(request, past.consents, past.policies, past.told)


def _of_own_referrals(request: AccessRequest, answer: Permitted | Refused) -> bool:
    """A facility's system reads no records, and no read of one is refused for scopes that let something be read."""
    if isinstance(answer, Permitted):
        return any(one.basis is AccessBasis.OWN_FACILITY and one.sender is None for one in answer.grounds)
    scopes = answer.reason is RefusalReason.SCOPE_NOT_PERMITTED and bool(request.readable)
    return request.role is Role.SYSTEM or scopes


def _same(decision: Permitted | Refused, recorded: Permitted | Refused) -> bool:
    """The same outcome, on the same versions; grounds in any order."""
    if (decision.consent_version, decision.policies) != (recorded.consent_version, recorded.policies):
        return False
    match decision, recorded:
        case Permitted(), Permitted():
            return set(decision.grounds) == set(recorded.grounds)
        case Refused(), Refused():
            return decision.reason is recorded.reason
    return False
