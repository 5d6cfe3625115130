"""What could a facility see of a patient at a moment of the past? Decided on what was recorded by then."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tsuzuri.app.actions.load_policies import WITHOUT_CARD
from tsuzuri.app.actions.past_states import past_states
from tsuzuri.app.services import Services
from tsuzuri.domain.events import BundleAccepted, Erased, LinksChanged
from tsuzuri.domain.explanation_steps import Rule
from tsuzuri.domain.explanations import Explanation, explain, noted
from tsuzuri.domain.identifiers import facility_number
from tsuzuri.domain.links import members
from tsuzuri.domain.owners import disaster_owner, facility_owner
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Role, Stream
from tsuzuri.eventlog.past_events import past_events


class MomentAhead(ValueError):
    """A moment that has not been: nobody knows what will have been said by then."""


async def explain_moment(
    services: Services,
    patient: UUID,
    facility: str,
    at: datetime,
    *,
    role: Role,
    purpose: PurposeOfUse,
    person: str,
) -> Explanation:
    """As a read at *at* (aware) by *person* would have been decided, under scopes that leave nothing out.

    Who was linked with the patient then is read with her. An emergency is one person's: of nobody's there is none.

    Raises:
        MomentAhead; tsuzuri.domain.identifiers.MalformedNumber: that is no 医療機関番号.
    """
    if at > services.now():
        raise MomentAhead("this moment has not been yet: ask of one that has")
    number = facility_number(facility)
    records = await _records(services, patient, at)
    asks_policies = purpose in WITHOUT_CARD
    policies = {facility_owner(number): at} if asks_policies else {}
    if purpose is PurposeOfUse.DISASTER:
        policies[disaster_owner()] = at
    past = await past_states(services, dict.fromkeys(records, at), number, policies)
    events = [event for record in records.values() for event in record]
    request = AccessRequest(
        person=person,
        role=role,
        facility=number,
        own_patient=None,
        patient=past.consents.patient,
        purpose=purpose,
        readable=frozenset(RecordClass),
        at=at,
        registered_here=any(isinstance(one, BundleAccepted) and one.facility == number for one in events),
    )
    known = bool(events) or past.consents.version > 0
    explanation = explain(request, past.consents, past.policies, past.told)
    notes = {
        Rule.PATIENT_UNKNOWN: not known,
        Rule.CONSENTS_ERASED: past.erased,
        Rule.RECORD_ERASED: any(isinstance(event, Erased) for event in events),
        Rule.EVERY_SCOPE_ASSUMED: True,
    }
    return noted(replace(explanation, known=known), *(rule for rule, holds in notes.items() if holds))


async def _records(services: Services, patient: UUID, at: datetime) -> dict[UUID, Sequence[Any]]:
    """What was recorded by *at* of the patient and of who was the same person then, the survivor first."""
    own = await past_events(services.log, patient, Stream.RECORD, at)
    changes = [event for event in own if isinstance(event, LinksChanged)]
    one_person = members(patient, changes[-1].links if changes else ())
    return {
        one: own if one == patient else await past_events(services.log, one, Stream.RECORD, at)
        for one in one_person
    }
