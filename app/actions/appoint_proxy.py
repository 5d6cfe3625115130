"""代理人: somebody stands for the patient, and sees what she sees; until the patient, or the operator, ends it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from tsuzuri.app.actions.change_consent import (
    change_consent,
    change_wherever_said,
    same_person,
    same_person_asking,
)
from tsuzuri.app.actions.find_patient import find_patient, named_by
from tsuzuri.app.services import Services
from tsuzuri.domain import proxies
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.events import ProxyAppointed, ProxyEnded
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.vocabulary import ProxyRelation, Role


async def appoint_proxy(
    services: Services,
    caller: Caller,
    key: PatientKey,
    person: str,
    relation: ProxyRelation,
    until: datetime,
) -> UUID:
    """From now on until *until* (aware; exclusive); returns the appointment's id.

    The patient chooses her delegate; parents and guardians (親権者, 後見人) are entered by the operator, who has seen
    the papers.

    Raises:
        NotPermitted, Busy; tsuzuri.domain.proxies.UselessProxy.
    """
    patients = await _who_may(services, caller, key)
    return await change_consent(services, patients[0], appointing(services, caller, person, relation, until))


def appointing(
    services: Services, caller: Caller, person: str, relation: ProxyRelation, until: datetime
) -> Callable[[Consents], ProxyAppointed]:
    """The decision alone."""
    since = services.now()

    def decide(held: Consents) -> ProxyAppointed:
        return proxies.appoint(
            held,
            event_id=services.new_id(),
            person=person,
            relation=relation,
            since=since,
            until=until,
            recorded_by=caller.person,
        )

    return decide


async def end_proxy(services: Services, caller: Caller, key: PatientKey, proxy: UUID) -> UUID:
    """End an appointment before its time; returns the event's id. Raises as `appoint_proxy`, and NothingToEnd."""
    patients = await _who_may(services, caller, key)
    decide = ending(services, caller, proxy)
    return await change_wherever_said(services, patients, decide, proxies.NothingToEnd)


def ending(services: Services, caller: Caller, proxy: UUID) -> Callable[[Consents], ProxyEnded]:
    """The decision alone."""

    def decide(held: Consents) -> ProxyEnded:
        return proxies.end(held, proxy, event_id=services.new_id(), recorded_by=caller.person)

    return decide


async def _who_may(services: Services, caller: Caller, key: PatientKey) -> list[UUID]:
    if caller.role is not Role.OPERATOR:
        return await same_person_asking(services, caller, key)
    patient, _ = await find_patient(services, named_by(caller, key))
    patients = await same_person(services, patient)
    return [patient, *(one for one in patients if one != patient)]
