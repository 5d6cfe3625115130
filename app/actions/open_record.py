"""May this caller read this patient's record, and what of it? Decided on the log's own state, before any row."""

import asyncio
import time

from tsuzuri.app.actions.find_patient import find_patient
from tsuzuri.app.services import Services
from tsuzuri.domain import consent_state
from tsuzuri.domain.access import AccessRequest, Permitted, Refused, decide
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import BundleAccepted, BundleCancelled, BundleRegistered, BundleReplaced, Event
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.vocabulary import PurposeOfUse
from tsuzuri.graphql.context import AsOf, AsOfPosition, RequestRefused
from tsuzuri.graphql.readings import Path, Reading, RefusedReading
from tsuzuri.graphql.seals import SealBroken
from tsuzuri.projections import record_index
from tsuzuri.projections.freshness import Freshness, freshness
from tsuzuri.projections.sight import Sight

NARROWED_WAIT_SECONDS = 1.0
MIN_POSITION_WAIT_SECONDS = 5.0
_POLL_SECONDS = 0.02


async def open_record(
    services: Services,
    caller: Caller,
    key: PatientKey,
    purpose: PurposeOfUse,
    *,
    as_of: AsOf,
    min_position: str | None,
    path: Path,
) -> Reading | RefusedReading:
    """Decide, and say what a permitted read may show. Neither outcome is recorded yet: see settle_readings.

    Raises:
        RequestRefused: `as_of` or `min_position` cannot be served.
    """
    patient, known = await find_patient(services, key)
    head = await services.log.head(patient)
    request = AccessRequest(
        person=caller.person,
        role=caller.role,
        facility=caller.facility,
        own_patient=caller.patient,
        patient=patient,
        purpose=purpose,
        at=services.now(),
    )
    decision = decide(request, consent_state.load(patient, head.consents))
    if isinstance(decision, Refused):
        return RefusedReading(
            access_id=services.new_id(),
            request=request,
            known_patient=patient if known else None,
            decision=decision,
        )
    return await _reading(services, request, decision, head.guard_pos, as_of, min_position, path)


async def _reading(
    services: Services,
    request: AccessRequest,
    decision: Permitted,
    guard_pos: int,
    as_of: AsOf,
    min_position: str | None,
    path: Path,
) -> Reading:
    patient = request.patient
    if min_position is not None:
        wanted = opened_position(services, request, min_position)
        stands = await _wait_for(services, request, wanted, MIN_POSITION_WAIT_SECONDS)
        if stands.position < wanted:
            raise RequestRefused("NOT_YET", "the index has not reached minPosition yet: ask again shortly")
    stands = await _stands(services, request)
    behind = await _narrowed(services, request, guard_pos, stands)
    if behind:
        stands = await _wait_for(services, request, guard_pos, NARROWED_WAIT_SECONDS)
        behind = await _narrowed(services, request, guard_pos, stands)
    position = stands.position
    if isinstance(as_of, AsOfPosition):
        position = min(position, opened_position(services, request, as_of.token))
    return Reading(
        access_id=services.new_id(),
        path=path,
        request=request,
        decision=decision,
        sight=Sight(
            patient=patient,
            grounds=decision.grounds,
            position=position,
            recorded_by=None if isinstance(as_of, AsOfPosition) else as_of,
            decided_at=request.at,
            left_out_documents=tuple({event.document for event in behind}),
            left_out_facilities=tuple({event.facility for event in behind if _hides(event)}),
        ),
        guard_pos=guard_pos,
        as_of=None if as_of is None else "position" if isinstance(as_of, AsOfPosition) else as_of.isoformat(),
        incomplete=bool(behind),
        stands=stands,
    )


def opened_position(services: Services, request: AccessRequest, token: str) -> int:
    """The position a token of this patient's means. Raises RequestRefused."""
    try:
        (position,) = services.seals.open(position_use(request), token)
    except (SealBroken, ValueError):
        raise RequestRefused("BAD_POSITION", "this position was not given out for this patient") from None
    return int(position)


def position_use(request: AccessRequest) -> str:
    return f"position/{request.patient}"


async def _stands(services: Services, request: AccessRequest) -> Freshness:
    async with services.pool.connection() as connection:
        return await freshness(connection, record_index.NAME, services.log.part_of(request.patient))


async def _wait_for(services: Services, request: AccessRequest, position: int, seconds: float) -> Freshness:
    deadline = time.monotonic() + seconds
    while True:
        stands = await _stands(services, request)
        if stands.position >= position or time.monotonic() > deadline:
            return stands
        await asyncio.sleep(_POLL_SECONDS)


Narrowing = BundleRegistered | BundleReplaced | BundleCancelled


async def _narrowed(
    services: Services, request: AccessRequest, guard_pos: int, stands: Freshness
) -> list[Narrowing]:
    """What was replaced, cancelled or hidden behind where the index stands: its old rows must not show."""
    if stands.position >= guard_pos:
        return []
    events = await services.log.record_events_behind(request.patient, stands.position)
    return [event for event in events if isinstance(event, BundleCancelled | BundleReplaced) or _hides(event)]


def _hides(event: Event) -> bool:
    return isinstance(event, BundleAccepted) and event.hides
