"""The patient hands in a FHIR Consent: all of it is carried out, by the same decisions as elsewhere, or nothing."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from tsuzuri.app.actions.appoint_proxy import appointing, ending
from tsuzuri.app.actions.change_consent import Said, change_consents, same_person_asking
from tsuzuri.app.actions.deny_consent import denying, lifting
from tsuzuri.app.actions.grant_consent import granting
from tsuzuri.app.actions.withdraw_consent import withdrawing
from tsuzuri.app.services import Services
from tsuzuri.domain import consent_state
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consent_intentions import (
    ImportedConsent,
    IntendedDenial,
    IntendedGrant,
    IntendedProxy,
    IntendedWithdrawal,
)
from tsuzuri.domain.consents import PATIENT, Consents, Grant, NothingToWithdraw, evolve
from tsuzuri.domain.fhir.consent import read_consent
from tsuzuri.domain.fhir.consent_gaps import ConsentInexpressible, Gap

Decide = Callable[[Consents], Said]


async def import_consent(services: Services, caller: Caller, received: bytes) -> ImportedConsent:
    """Carry out what a FHIR R4 Consent means, in one transaction.

    Raises:
        ConsentInexpressible: it cannot be taken exactly, or does not name her in a way that is known here.
        NotPermitted: the caller is not the patient it is about.
        NothingToWithdraw: what it says has ended does not stand.
        And as the actions that make each change by itself.
    """
    read = await asyncio.to_thread(read_consent, received, services.now())
    if read.patient is None:
        reason = "name yourself by an identifier with your insured-person number, or by your id of here"
        raise ConsentInexpressible([Gap("Consent.patient", reason)])
    patients = await same_person_asking(services, caller, read.patient)
    changed, decisions = patients[0], list[Decide]()
    for intention in read.intentions:
        if isinstance(intention, IntendedWithdrawal):  # the one intention of a Consent that has ended
            changed, decide = await _withdrawal(services, caller, patients, intention.said)
        else:
            decide = await _decision(services, caller, changed, intention)
        decisions.append(decide)
    return ImportedConsent(await change_consents(services, changed, decisions), read.not_kept)


async def _decision(
    services: Services,
    caller: Caller,
    patient: UUID,
    intention: IntendedGrant | IntendedDenial | IntendedProxy,
) -> Decide:
    match intention:
        case IntendedGrant(facility, classes, purpose, until, given=given, document=document):
            if given != PATIENT:
                reason = "what is given at a card reader, or orally, is recorded there: leave this out to give it now"
                raise ConsentInexpressible([Gap("Consent.extension", reason)])
            return await granting(services, caller, patient, facility, classes, purpose, until, document)
        case IntendedDenial(facility, classes):
            return denying(services, caller, facility, classes)
        case IntendedProxy(person, relation, until):
            return appointing(services, caller, person, relation, until)


async def _withdrawal(
    services: Services, caller: Caller, patients: list[UUID], said: UUID
) -> tuple[UUID, Decide]:
    """Of whom it was said, and what ends it."""
    for head in await services.log.heads(patients[0]):
        held = consent_state.load(head.patient, head.consents)
        if any(denial.because == said for denial in held.denials):
            return head.patient, lifting(services, caller, said)
        if any(proxy.because == said for proxy in held.proxies):
            return head.patient, ending(services, caller, said)
        for grant in held.grants:
            if grant.because == said:
                return head.patient, _withdrawing_one(services, caller, grant)
    raise NothingToWithdraw("nothing that you have said and that stands has this identifier")


def _withdrawing_one(services: Services, caller: Caller, grant: Grant) -> Decide:
    """A withdrawal is from a facility. It is made only where that ends the one consent, and no other of hers."""
    decide = withdrawing(services, caller, grant.facility, grant.classes, grant.given, grant.document)

    def decide_alone(held: Consents) -> Said:
        event = decide(held)
        others = [one for one in held.grants if one.because != grant.because]
        if list(evolve(held, event).grants) != others:
            reason = "another consent of yours to this facility would end with it: withdraw by class what is to end"
            raise ConsentInexpressible([Gap("Consent.identifier", reason)])
        return event

    return decide_alone
