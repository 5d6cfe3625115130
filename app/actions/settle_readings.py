"""Every read is an event, durable before a byte of the answer leaves: all of one operation in one transaction."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from tsuzuri.app.actions.keep_document import keep_document
from tsuzuri.app.program import VERSION
from tsuzuri.app.services import Services
from tsuzuri.domain.accesses import AccessAudit, AccessTold
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import AccessPermitted, AccessRefused, Event, TrailRead, WatcherTold, originator
from tsuzuri.domain.owners import facility_owner, person_owner
from tsuzuri.domain.vocabulary import Stream, in_order
from tsuzuri.eventlog.appending import Beside
from tsuzuri.graphql.readings import Operation, Reading, Readings, RefusedReading, TrailReading
from tsuzuri.projections.catalogue import PROJECTIONS

DOCUMENT_CHARACTERS_MAX = 16_384
_VERSIONS = {name: projection.version for name, projection in PROJECTIONS.items()}


async def settle_readings(
    services: Services,
    caller: Caller,
    readings: Readings,
    operation: Operation,
    data: Mapping[str, Any] | None,
    schema_sha256: str,
) -> None:
    """Store what was read, refused and looked up, under the guard that nothing narrowed it meanwhile.

    Raises:
        tsuzuri.eventlog.appending.NarrowedMeanwhile: the answer must not leave; decide and read again.
        tsuzuri.eventlog.appending.LogUnavailable: the answer must not leave.
    """
    if readings.several_named:
        operation = operation.of_each()
    if readings.permitted:
        await keep_document(services, operation)
    made = {"schema_sha256": schema_sha256, "seals": services.seals.name, "failed": readings.failed}
    events: list[Event] = [
        _permitted(reading, operation, data, made, caller) for reading in readings.permitted
    ]
    events += [_refused(refused, operation, caller) for refused in readings.refused]
    events += [_trail_read(trail, operation, caller) for trail in readings.trail]
    guards = [guard for reading in readings.permitted for guard in reading.guards]
    if events:
        await services.log.append_access(events, Beside(guards=guards))


def _permitted(
    reading: Reading,
    operation: Operation,
    data: Mapping[str, Any] | None,
    made: Mapping[str, Any],
    caller: Caller,
) -> AccessPermitted | WatcherTold:
    """*made*: by what the answer was made, and how that went."""
    request, decision = reading.request, reading.decision
    both: dict[str, Any] = {
        "originator_id": originator(request.patient, Stream.ACCESS),
        "originator_version": 0,
        "event_id": reading.access_id,
        "patient": request.patient,
        "told": AccessTold(
            person=request.person,
            role=request.role,
            facility=request.facility,
            purpose=request.purpose,
            bases=decision.bases,
            classes_asked=in_order(reading.asked),
            classes_permitted=decision.classes_told,
        ),
        "audit": AccessAudit(
            operation_sha256=operation.sha256,
            operation_name=operation.name,
            variables=operation.variables,
            grounds=decision.grounds,
            consent_version=decision.consent_version,
            read_at=reading.sight.position,
            as_of=reading.as_of,
            entries_shown=len(reading.shown),
            shown_by_class=reading.by_class(),
            shown_sha256=reading.shown_sha256(),
            answer_sha256=reading.answer_sha256(data),
            incomplete=reading.incomplete,
            projections=_VERSIONS,
            session=caller.session,
            linked=reading.linked,
            policies=decision.policies,
            decided_at=request.at,
            readable=in_order(request.readable),
            registered_here=request.registered_here,
            identified_by=reading.identified_by,
            client=caller.client,
            path=".".join(map(str, reading.path)),
            document=_text(operation),
            read_at_linked=dict(reading.sight.others),
            stood_at=reading.stood_at,
            left_out_to=reading.left_out_to,
            beside=reading.beside,
            codes=reading.stands.codes,
            program=VERSION,
            **made,
        ),
    }
    return AccessPermitted(**both) if reading.watch is None else WatcherTold(**both, watch=reading.watch)


def _text(operation: Operation) -> str | None:
    """What `keep_document` does not keep, as long as it is not very long: it is stored once for each patient."""
    if operation.document is None or operation.names_nobody:
        return None
    return operation.document if len(operation.document) <= DOCUMENT_CHARACTERS_MAX else None


def _refused(refused: RefusedReading, operation: Operation, caller: Caller) -> AccessRefused:
    request = refused.request
    return AccessRefused(
        originator_id=originator(_own(caller), Stream.ACCESS),
        originator_version=0,
        event_id=refused.access_id,
        patient=refused.known_patient,
        person=request.person,
        role=request.role,
        facility=request.facility,
        purpose=request.purpose,
        reason=refused.decision.reason,
        operation_sha256=operation.sha256,
        operation_name=operation.name,
        variables_sha256=sha256(operation.variables.encode()).hexdigest(),
        consent_version=refused.decision.consent_version,
        session=caller.session,
        linked=refused.linked,
        policies=refused.decision.policies,
        decided_at=request.at,
        readable=in_order(request.readable),
        registered_here=request.registered_here,
        identified_by=refused.identified_by,
        client=caller.client,
    )


def _trail_read(trail: TrailReading, operation: Operation, caller: Caller) -> TrailRead:
    return TrailRead(
        originator_id=originator(_own(caller), Stream.ACCESS),
        originator_version=0,
        event_id=trail.access_id,
        person=caller.person,
        role=caller.role,
        patient=trail.patient,
        operation_sha256=operation.sha256,
        operation_name=operation.name,
        variables=operation.variables,
        shown=trail.shown,
        session=caller.session,
        client=caller.client,
    )


def _own(caller: Caller) -> UUID:
    """The stream of the caller's own side: refusals and looks at the trail leave the patient's as it was."""
    return facility_owner(caller.facility) if caller.facility else person_owner(caller.person)
