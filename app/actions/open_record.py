"""May this caller read this patient's record, and what of it? Decided on the log's own state, before any row.

Who is linked with the patient is the same person: a read covers all of them, decided on all of their consents.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from tsuzuri.app.actions.find_patient import find_patient, registered_here, sender_digest
from tsuzuri.app.actions.left_behind import Changed, concerns, left_out
from tsuzuri.app.actions.load_policies import WITHOUT_CARD, policies_for
from tsuzuri.app.actions.name_lookups import count_lookup
from tsuzuri.app.services import Services
from tsuzuri.domain import consent_state
from tsuzuri.domain.access import Permitted, Refused, decide
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consents import Consents, together
from tsuzuri.domain.identifiers import PatientKey, identified_by
from tsuzuri.domain.policies import Policies
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.scopes import readable
from tsuzuri.domain.vocabulary import IdentifiedBy, PurposeOfUse
from tsuzuri.eventlog.appending import Guard
from tsuzuri.eventlog.log import PatientHead
from tsuzuri.graphql.context import AsOf, AsOfPosition
from tsuzuri.graphql.positions import opened_position
from tsuzuri.graphql.readings import Path, Reading, RefusedReading
from tsuzuri.graphql.seals import SealBroken
from tsuzuri.projections import record_index
from tsuzuri.projections.first_look import FirstLook, first_look
from tsuzuri.projections.freshness import Freshness, freshness_of_each
from tsuzuri.projections.sight import Sight

INDEX_WAIT_SECONDS = 1.0
MIN_POSITION_WAIT_SECONDS = 5.0
_POLL_SECONDS = 0.02
_NOTHING = -1  # a position in front of the first

BAD_POSITION = ("BAD_POSITION", "this position was not given out for this patient")
NOT_YET = ("NOT_YET", "the index has not reached minPosition yet: ask again shortly")

Stands = Mapping[UUID, Freshness]
EventsBehind = Callable[[UUID, int], Awaitable[Sequence[tuple[int, Any]]]]
"""As EventLog.record_events_behind."""


@dataclass(frozen=True)
class Asking:
    """Who asks, for what, and what that rests on beside consents."""

    caller: Caller
    purpose: PurposeOfUse
    policies: Policies
    guards: tuple[Guard, ...]  # of the policies
    as_of: AsOf = None
    min_position: str | None = None


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

    Raises tsuzuri.graphql.context.RequestRefused: see count_lookup.
    """
    count_lookup(services, caller, key)
    rests_on = await policies_for(services, caller, purpose)
    asked, known = await find_patient(services, key, without_card=purpose in WITHOUT_CARD)
    look = await first_look(services.reads, services.log, asked, registering(services, caller, asked))
    asking = Asking(caller, purpose, *rests_on, as_of, min_position)
    return await opened(services, asking, look, path, known=known, named=identified_by(key))


async def opened(
    services: Services, asking: Asking, look: FirstLook, path: Path, *, known: bool, named: IdentifiedBy
) -> Reading | RefusedReading:
    """As `open_record`, of a patient who was found and looked at. *known*: there is one by the name she was given."""
    caller, purpose, as_of, min_position = asking.caller, asking.purpose, asking.as_of, asking.min_position
    heads = look.heads
    here = look.registered_here or (len(heads) > 1 and await registered_here(services, caller, heads))
    request = request_of(services, caller, heads, purpose, registered_here=here)
    patient = request.patient
    decision = decide(request, consents_of(heads), asking.policies)
    if isinstance(decision, Refused):
        return RefusedReading(
            access_id=services.new_id(),
            request=request,
            known_patient=patient if known else None,
            decision=decision,
            linked=versions_of(heads[1:]),
            identified_by=named,
        )
    problem: tuple[str, str] | None = None
    wanted: Mapping[UUID, int] = {}
    then: Mapping[UUID, int] | None = None
    try:
        if min_position is not None:
            wanted = opened_position(services.seals, patient, min_position).of_each
        if isinstance(as_of, AsOfPosition):
            then = opened_position(services.seals, patient, as_of.token).of_each
    except SealBroken:
        problem, wanted = BAD_POSITION, {}
    stands = look.stands
    wanted = {one: position for one, position in wanted.items() if one in stands}
    if wanted:
        stands = await _wait_for(services, stands, wanted, MIN_POSITION_WAIT_SECONDS)
        problem = problem or (NOT_YET if _short(stands, wanted) else None)
    older = {one: stand for one, stand in stands.items() if look.last.get(one, 0) > stand.position}
    behind = await behind_of(services.log.record_events_behind, decision, older)
    if behind:
        last = {one: events[-1][0] for one, events in behind.items()}
        stands = await _wait_for(services, stands, last, INDEX_WAIT_SECONDS)
        behind = await behind_of(services.log.record_events_behind, decision, stands)
    at = {one: _position(one, stands[one], then) for one in stands}
    return Reading(
        access_id=services.new_id(),
        path=path,
        request=request,
        decision=decision,
        sight=Sight(
            patient=patient,
            grounds=decision.grounds,
            generation=stands[patient].generation,
            position=at[patient],
            others=tuple((one, position) for one, position in at.items() if one != patient),
            recorded_by=None if isinstance(as_of, AsOfPosition) else as_of,
            decided_at=request.at,
            left_out=left_out([event for events in behind.values() for _, event in events]),
        ),
        guards=(*(Guard(head.patient, head.guard_pos) for head in heads), *asking.guards),
        identified_by=named,
        as_of=None if as_of is None else "position" if isinstance(as_of, AsOfPosition) else as_of.isoformat(),
        incomplete=bool(behind),
        problem=problem,
        stands=oldest_of(stands, patient),
        facilities=look.facilities,
        linked=versions_of(heads[1:]),
        stood_at={one: stand.position for one, stand in stands.items() if stand.position != at[one]},
        left_out_to={one: events[-1][0] for one, events in behind.items()},
    )


def registering(services: Services, caller: Caller, patient: UUID) -> bytes:
    """By which digest the caller's facility would have registered her; empty for no facility."""
    return sender_digest(services.number_key, caller.facility, patient) if caller.facility else b""


def request_of(
    services: Services,
    caller: Caller,
    heads: Sequence[PatientHead],
    purpose: PurposeOfUse,
    *,
    registered_here: bool = False,
) -> AccessRequest:
    """What is asked of a patient, named by the survivor of those who are the same person."""
    survivor = heads[0].patient
    own = any(head.patient == caller.patient for head in heads)
    return AccessRequest(
        person=caller.person,
        role=caller.role,
        facility=caller.facility,
        own_patient=survivor if own else caller.patient,
        patient=survivor,
        purpose=purpose,
        readable=readable(caller.role, caller.scopes),
        at=services.now(),
        registered_here=registered_here,
    )


def versions_of(heads: Sequence[PatientHead]) -> dict[UUID, int]:
    """Where the consent stream of each stood."""
    return {head.patient: consent_state.load(head.patient, head.consents).version for head in heads}


def consents_of(heads: Sequence[PatientHead]) -> Consents:
    return together([consent_state.load(head.patient, head.consents) for head in heads])


async def stands_of(services: Services, patients: Sequence[UUID]) -> Stands:
    """Where the record index stands in the part of each, all in one generation."""
    asked = [(services.log.part_of(one), one) for one in patients]
    return await freshness_of_each(services.reads, record_index.NAME, asked)


async def _wait_for(services: Services, stands: Stands, wanted: Mapping[UUID, int], seconds: float) -> Stands:
    deadline = time.monotonic() + seconds
    while _short(stands, wanted):
        if any(stand.quarantined for stand in stands.values()) or time.monotonic() > deadline:
            break
        await asyncio.sleep(_POLL_SECONDS)
        stands = await stands_of(services, list(stands))
    return stands


def _short(stands: Stands, wanted: Mapping[UUID, int]) -> bool:
    return any(stands[one].position < position for one, position in wanted.items())


async def behind_of(
    events_behind: EventsBehind, decision: Permitted, stands: Stands
) -> dict[UUID, list[tuple[int, Changed]]]:
    """What happened to each one's record behind where the index stands, of classes the caller may see.

    Every such event counts, whether it hides something or not: else the wait would tell that something is hidden.
    """
    found: dict[UUID, list[tuple[int, Changed]]] = {}
    for patient, stand in stands.items():
        events = [] if stand.at_head else await events_behind(patient, stand.position)
        if of_these := [
            (pos, event) for pos, event in events if isinstance(event, Changed) and concerns(event, decision)
        ]:
            found[patient] = of_these
    return found


def _position(patient: UUID, stand: Freshness, then: Mapping[UUID, int] | None) -> int:
    """Of who was linked since then, nothing was in the answer then."""
    return stand.position if then is None else min(then.get(patient, _NOTHING), stand.position)


def oldest_of(stands: Stands, patient: UUID) -> Freshness:
    """Where the patient stands, and how far behind the one is of whom most is missing."""
    if len(stands) == 1:
        return stands[patient]
    worst = max(stands.values(), key=lambda stand: stand.lag_seconds)
    return replace(stands[patient], recorded_at=worst.recorded_at, lag_seconds=worst.lag_seconds)
