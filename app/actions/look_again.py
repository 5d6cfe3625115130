"""Who watches a record is woken: what may she see of it now? Decided anew, as a read is, but waiting for nothing.

Everything is asked through looks that all who were woken together share.
"""

import asyncio

from tsuzuri.app.actions.left_behind import left_out
from tsuzuri.app.actions.load_policies import policies_for
from tsuzuri.app.actions.open_record import (
    behind_of,
    consents_of,
    oldest_of,
    request_of,
    versions_of,
)
from tsuzuri.app.services import Services
from tsuzuri.app.shared_looks import SharedLooks
from tsuzuri.domain.access import Refused, decide
from tsuzuri.domain.callers import Caller
from tsuzuri.eventlog.appending import Guard
from tsuzuri.graphql.readings import Reading, RefusedReading
from tsuzuri.projections.sight import Sight


async def look_again(
    services: Services, looks: SharedLooks, caller: Caller, began: Reading
) -> Reading | RefusedReading:
    """Neither outcome is recorded yet. *began*: the access with which the watch began; it names whom, and for what.

    What was changed behind where the index stands is left out, as in a read. When the index comes to it, she is woken
    again.
    """
    patient, purpose = began.request.patient, began.request.purpose
    policies, policy_guards = await policies_for(services, caller, purpose)
    heads = await looks.heads(patient)
    patients = [head.patient for head in heads]
    registered_here, stands = await asyncio.gather(
        looks.registered_here(caller.facility, patients), looks.stands(patients)
    )
    request = request_of(services, caller, heads, purpose, registered_here=registered_here)
    decision = decide(request, consents_of(heads), policies)
    if isinstance(decision, Refused):
        return RefusedReading(
            access_id=services.new_id(),
            request=request,
            known_patient=request.patient,
            decision=decision,
            linked=versions_of(heads[1:]),
            identified_by=began.identified_by,
        )
    behind = await behind_of(looks.record_events_behind, decision, stands)
    survivor = request.patient
    return Reading(
        access_id=services.new_id(),
        path=began.path,
        request=request,
        decision=decision,
        sight=Sight(
            patient=survivor,
            grounds=decision.grounds,
            generation=stands[survivor].generation,
            position=stands[survivor].position,
            others=tuple((one, stands[one].position) for one in patients if one != survivor),
            decided_at=request.at,
            left_out=left_out([event for events in behind.values() for _, event in events]),
        ),
        guards=(*(Guard(head.patient, head.guard_pos) for head in heads), *policy_guards),
        identified_by=began.identified_by,
        incomplete=bool(behind),
        stands=oldest_of(stands, survivor),
        linked=versions_of(heads[1:]),
        watch=began.access_id,
    )
