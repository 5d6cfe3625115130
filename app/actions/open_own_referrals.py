"""A facility looks at where the referrals stand that it sent itself: of each patient one read, like any other."""

from uuid import UUID

from tsuzuri.app.actions.open_record import consents_of, request_of, stands_of
from tsuzuri.app.services import Services
from tsuzuri.domain.access import Refused, decide_own_referrals
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import PurposeOfUse
from tsuzuri.eventlog.appending import Guard
from tsuzuri.graphql.readings import Path, Reading, RefusedReading
from tsuzuri.projections.sight import Sight


async def open_own_referrals(
    services: Services, caller: Caller, patient: UUID, path: Path
) -> Reading | RefusedReading:
    """Decide. What was sent is the facility's own: no consent is asked, and nothing of the record is shown."""
    head = await services.log.head(patient)
    request = request_of(services, caller, [head], PurposeOfUse.TREAT)
    decision = decide_own_referrals(request, consents_of([head]))
    if isinstance(decision, Refused):
        return RefusedReading(
            access_id=services.new_id(), request=request, known_patient=patient, decision=decision
        )
    stands = (await stands_of(services, [patient]))[patient]
    return Reading(
        access_id=services.new_id(),
        path=path,
        request=request,
        decision=decision,
        sight=Sight(
            patient=patient,
            grounds=(),
            generation=stands.generation,
            position=stands.position,
            decided_at=request.at,
        ),
        guards=(Guard(patient, head.guard_pos),),
        stands=stands,
    )
