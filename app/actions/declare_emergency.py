"""救急: a clinician with the right opens a record without consent, widens what she sees, and closes it again."""

from datetime import datetime, timedelta
from uuid import UUID

from tsuzuri.app.actions.change_consent import change_consent, change_wherever_said, same_person
from tsuzuri.app.actions.find_patient import find_patient, named_by
from tsuzuri.app.actions.load_policies import policies_for
from tsuzuri.app.actions.name_lookups import count_lookup
from tsuzuri.app.actions.open_record import consents_of, request_of
from tsuzuri.app.services import Services
from tsuzuri.domain import emergencies
from tsuzuri.domain.access import Refused, refusal
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.emergencies import NoSuchEmergency
from tsuzuri.domain.events import EmergencyDeclared, EmergencyEnded, EmergencyWidened
from tsuzuri.domain.identifiers import PatientKey, identified_by
from tsuzuri.domain.vocabulary import PurposeOfUse, RefusalReason
from tsuzuri.eventlog import known_numbers
from tsuzuri.graphql.context import Declared
from tsuzuri.graphql.readings import RefusedReading


async def declare_emergency(
    services: Services, caller: Caller, key: PatientKey, reason: str, minutes: int
) -> Declared | RefusedReading:
    """Open the emergency table of one patient to the caller, at the caller's facility, for 1 to 60 minutes.

    It waits for no consent and passes every denial. A refusal is an answer, which goes into the facility's own stream:
    so does a try for somebody whom nobody knows.

    Raises:
        Busy; tsuzuri.domain.emergencies.UselessReason, UselessEmergency; tsuzuri.graphql.context.RequestRefused: see
        count_lookup.
    """
    count_lookup(services, caller, key)
    policies, _ = await policies_for(services, caller, PurposeOfUse.BTG)
    patient, known = await find_patient(services, key, without_card=True)
    heads = await services.log.heads(patient)
    request = request_of(services, caller, heads, PurposeOfUse.BTG)
    known = known and await known_numbers.claimed_for(services.pool, [head.patient for head in heads])
    refused = refusal(request, policies) or (None if known else RefusalReason.NOT_AVAILABLE)
    emergencies.readable_reason(reason)
    if refused is not None:
        return RefusedReading(
            access_id=services.new_id(),
            request=request,
            known_patient=request.patient if known else None,
            decision=Refused(refused, consents_of(heads).version, policies.versions),
            identified_by=identified_by(key),
        )
    assert caller.facility is not None, "the right is one of a facility"
    facility, until = caller.facility, request.at + timedelta(minutes=minutes)

    def decide(held: Consents) -> EmergencyDeclared:
        return emergencies.declare(
            held,
            event_id=services.new_id(),
            person=caller.person,
            facility=facility,
            reason=reason,
            key=key,
            since=request.at,
            until=until,
            shows_undelivered=services.emergency_undelivered,
        )

    emergency = await change_consent(services, request.patient, decide)
    return Declared(emergency=emergency, patient=request.patient, until=until)


async def widen_emergency(
    services: Services, caller: Caller, key: PatientKey, emergency: UUID, reason: str
) -> UUID:
    """The second step: the rest of the record. Whether it may still be read, each read decides.

    Raises:
        NotPermitted, Busy; tsuzuri.domain.emergencies.NoSuchEmergency, UselessReason.
    """
    patients, facility, at = await _asked(services, caller, key)

    def decide(held: Consents) -> EmergencyWidened:
        return emergencies.widen(
            held,
            emergency,
            event_id=services.new_id(),
            person=caller.person,
            facility=facility,
            reason=reason,
            at=at,
        )

    return await change_wherever_said(services, patients, decide, NoSuchEmergency)


async def end_emergency(services: Services, caller: Caller, key: PatientKey, emergency: UUID) -> UUID:
    """Close it before its time. Raises NotPermitted, Busy; tsuzuri.domain.emergencies.NoSuchEmergency."""
    patients, facility, at = await _asked(services, caller, key)

    def decide(held: Consents) -> EmergencyEnded:
        return emergencies.end(
            held, emergency, event_id=services.new_id(), person=caller.person, facility=facility, at=at
        )

    return await change_wherever_said(services, patients, decide, NoSuchEmergency)


async def _asked(services: Services, caller: Caller, key: PatientKey) -> tuple[list[UUID], str, datetime]:
    patient, _ = await find_patient(services, named_by(caller, key))
    return await same_person(services, patient), caller.facility or "", services.now()
