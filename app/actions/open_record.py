"""May this caller read this patient's record, and what of it? Decided on the log's own state, before any row."""

import asyncio
import time
from uuid import UUID

from tsuzuri.app.actions.find_patient import find_patient
from tsuzuri.app.services import Services
from tsuzuri.domain import consent_state
from tsuzuri.domain.access import AccessRequest, Permitted, Refused, decide
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import (
    BundleAccepted,
    BundleCancelled,
    BundleReplaced,
    PayloadErased,
    RecordErased,
    StreamErased,
    Unreadable,
)
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.vocabulary import REPLACEMENT_SETS, PurposeOfUse
from tsuzuri.graphql.context import AsOf, AsOfPosition
from tsuzuri.graphql.readings import Path, Reading, RefusedReading
from tsuzuri.graphql.seals import SealBroken
from tsuzuri.projections import record_index
from tsuzuri.projections.freshness import Freshness, freshness
from tsuzuri.projections.sight import LeftOut, Sight

INDEX_WAIT_SECONDS = 1.0
MIN_POSITION_WAIT_SECONDS = 5.0
_POLL_SECONDS = 0.02
_BROKEN = -1  # no position: they begin at 0

BAD_POSITION = ("BAD_POSITION", "this position was not given out for this patient")
NOT_YET = ("NOT_YET", "the index has not reached minPosition yet: ask again shortly")


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

    A position that is not this patient's, or not reached yet, is told only to who may read her, as the reading's
    `problem`: so that every attempt is recorded, whatever came of it.
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
    problem: tuple[str, str] | None = None
    stands = await stands_of(services, patient)
    wanted = _opened(services, patient, min_position)
    then = _opened(services, patient, as_of.token if isinstance(as_of, AsOfPosition) else None)
    if _BROKEN in (wanted, then):
        problem, wanted, then = BAD_POSITION, None, None
    if wanted is not None:
        stands = await _wait_for(services, patient, wanted, MIN_POSITION_WAIT_SECONDS)
        problem = NOT_YET if stands.position < wanted else None
    behind = await _behind(services, patient, decision, stands)
    if behind:
        stands = await _wait_for(services, patient, behind[-1][0], INDEX_WAIT_SECONDS)
        behind = await _behind(services, patient, decision, stands)
    return Reading(
        access_id=services.new_id(),
        path=path,
        request=request,
        decision=decision,
        sight=Sight(
            patient=patient,
            grounds=decision.grounds,
            generation=stands.generation,
            position=stands.position if then is None else min(then, stands.position),
            recorded_by=None if isinstance(as_of, AsOfPosition) else as_of,
            decided_at=request.at,
            left_out=_left_out([event for _, event in behind]),
        ),
        guard_pos=head.guard_pos,
        as_of=None if as_of is None else "position" if isinstance(as_of, AsOfPosition) else as_of.isoformat(),
        incomplete=bool(behind),
        problem=problem,
        stands=stands,
    )


def _opened(services: Services, patient: UUID, token: str | None) -> int | None:
    """The position a token of this patient's means; _BROKEN for any other token, None for none."""
    if token is None:
        return None
    try:
        (position,) = services.seals.open(f"position/{patient}", token)
        return int(position)
    except (SealBroken, ValueError):
        return _BROKEN


async def stands_of(services: Services, patient: UUID) -> Freshness:
    """Where the record index stands in the patient's part."""
    async with services.pool.connection() as connection:
        return await freshness(connection, record_index.NAME, services.log.part_of(patient), patient)


async def _wait_for(services: Services, patient: UUID, position: int, seconds: float) -> Freshness:
    deadline = time.monotonic() + seconds
    while True:
        stands = await stands_of(services, patient)
        if stands.position >= position or stands.quarantined or time.monotonic() > deadline:
            return stands
        await asyncio.sleep(_POLL_SECONDS)


Changed = BundleAccepted | BundleCancelled | PayloadErased | StreamErased | Unreadable
"""What may change what is seen. Of an event that cannot be decoded nobody knows what it hides."""


_ENDING = BundleReplaced | BundleCancelled | PayloadErased


async def _behind(
    services: Services, patient: UUID, decision: Permitted, stands: Freshness
) -> list[tuple[int, Changed]]:
    """What happened to the patient's record behind where the index stands, of classes the caller may see.

    Every such event counts, whether it hides something or not: else the wait would tell that something is hidden.
    """
    if stands.at_head:
        return []
    events = await services.log.record_events_behind(patient, stands.position)
    return [
        (pos, event) for pos, event in events if isinstance(event, Changed) and _concerns(event, decision)
    ]


def _concerns(event: Changed, decision: Permitted) -> bool:
    if isinstance(event, Unreadable):
        return True
    if isinstance(event, StreamErased):
        return isinstance(event, RecordErased)
    return not event.touches or bool(set(event.touches) & set(decision.classes))


def _left_out(behind: list[Changed]) -> LeftOut:
    return LeftOut(
        documents=tuple({e.document for e in behind if isinstance(e, _ENDING)}),
        hidden=tuple(
            (event.facility, fact)
            for event in behind
            if isinstance(event, BundleAccepted)
            for fact in event.hides
        ),
        sets=tuple(
            (event.facility, REPLACEMENT_SETS[event.kind])
            for event in behind
            if isinstance(event, BundleAccepted) and event.kind in REPLACEMENT_SETS
        ),
        everything=any(isinstance(event, StreamErased | Unreadable) for event in behind),
    )
