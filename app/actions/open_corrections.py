"""Whoever answers a patient's requests looks at them: of each patient one read, like any other."""

from uuid import UUID

from tsuzuri.app.actions.open_record import consents_of, request_of
from tsuzuri.app.services import Services
from tsuzuri.domain.access import Refused
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.correction_access import decide_corrections, purpose_of
from tsuzuri.domain.events import CorrectionRequestTakenBack, RecordErased, Unreadable
from tsuzuri.eventlog.appending import Guard
from tsuzuri.graphql.readings import Path, Reading, RefusedReading
from tsuzuri.projections import correction_requests
from tsuzuri.projections.freshness import freshness
from tsuzuri.projections.sight import Sight

_NARROWS = CorrectionRequestTakenBack | RecordErased | Unreadable


async def open_corrections(
    services: Services, caller: Caller, patient: UUID, path: Path
) -> Reading | RefusedReading:
    """Decide, and say where her requests stand. Fetch them afterwards.

    `incomplete`: something was taken back or erased that the projection still shows, so none of them may be shown yet.
    """
    head = await services.log.head(patient)
    request = request_of(services, caller, [head], purpose_of(caller))
    decision = decide_corrections(request, consents_of([head]))
    if isinstance(decision, Refused):
        return RefusedReading(
            access_id=services.new_id(), request=request, known_patient=patient, decision=decision
        )
    part = services.log.part_of(patient)
    stands = await freshness(services.reads, correction_requests.NAME, part, patient)
    behind = [] if stands.at_head else await services.log.record_events_behind(patient, stands.position)
    return Reading(
        access_id=services.new_id(),
        path=path,
        request=request,
        decision=decision,
        sight=Sight(
            patient=patient,
            grounds=decision.grounds,
            generation=stands.generation,
            position=stands.position,
            decided_at=request.at,
        ),
        guards=(Guard(patient, head.guard_pos),),
        stands=stands,
        incomplete=any(isinstance(event, _NARROWS) for _, event in behind),
    )
