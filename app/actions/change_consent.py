"""What all that decides who sees a record has in common: fold it, decide, and store event and head in one."""

from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from tsuzuri.app.actions.find_patient import find_patient, named_by
from tsuzuri.app.actions.load_streams import load_consents, load_records
from tsuzuri.app.actions.refusals import ATTEMPTS, Busy, NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain import consent_state
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consents import Consents, evolve
from tsuzuri.domain.events import (
    BundleAccepted,
    ConsentDenied,
    ConsentGranted,
    ConsentWithdrawn,
    DenialLifted,
    EmergencyDeclared,
    EmergencyEnded,
    EmergencyWidened,
    ProxyAppointed,
    ProxyEnded,
)
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.referrals import addressed
from tsuzuri.domain.vocabulary import Role
from tsuzuri.eventlog.appending import Beside, Claim, ClaimedElsewhere, Guard, NarrowedMeanwhile

Said = (
    ConsentGranted
    | ConsentWithdrawn
    | ConsentDenied
    | DenialLifted
    | ProxyAppointed
    | ProxyEnded
    | EmergencyDeclared
    | EmergencyWidened
    | EmergencyEnded
)


async def same_person(services: Services, patient: UUID) -> list[UUID]:
    """The patient, and whoever is linked with her."""
    return [head.patient for head in await services.log.heads(patient)]


async def same_person_asking(services: Services, caller: Caller, key: PatientKey) -> list[UUID]:
    """The patient, first, and whoever is linked with her, when it is she who asks.

    Raises NotPermitted.
    """
    patient, _ = await find_patient(services, named_by(caller, key))
    patients = await same_person(services, patient)
    if caller.role is not Role.PATIENT or caller.patient not in patients:
        raise NotPermitted("only the patient herself decides this")
    return [patient, *(one for one in patients if one != patient)]


def may_change(caller: Caller, patients: Collection[UUID], facility: str) -> None:
    """The patient herself; or the facility's own system, for what she agreed to at its card reader.

    Raises NotPermitted.
    """
    own = caller.role is Role.PATIENT and caller.patient in patients
    reader = caller.role is Role.SYSTEM and caller.facility == facility
    if not (own or reader):
        raise NotPermitted("consent is changed by the patient, or by the system of the facility it is for")


async def sent_to(services: Services, patient: UUID, document: UUID, recipient: str) -> BundleAccepted | None:
    """The referral of this id, when there is one of the patient's that is addressed there."""
    records = await load_records(services, [patient])
    found = (addressed(record, document, recipient) for record in records.values())
    return next(filter(None, found), None)


async def sent_by(services: Services, caller: Caller, patient: UUID, document: UUID, recipient: str) -> bool:
    """Whether the caller is the system of the facility that sent this referral to *recipient*.

    What the patient told the sender (口頭同意) is registered by the sender.
    """
    if caller.role is not Role.SYSTEM or caller.facility == recipient:
        return False
    sent = await sent_to(services, patient, document, recipient)
    return sent is not None and sent.facility == caller.facility


async def change_consent(
    services: Services,
    patient: UUID,
    decide: Callable[[Consents], Said],
    claims: tuple[Claim, ...] = (),
) -> UUID:
    """Store what *decide* makes of the patient's consents; returns the event's id.

    Raises:
        Busy: try again; and whatever *decide* raises.
    """
    (changed,) = await change_consents(services, patient, [decide], claims)
    return changed


async def change_consents(
    services: Services,
    patient: UUID,
    decisions: Sequence[Callable[[Consents], Said]],
    claims: tuple[Claim, ...] = (),
) -> tuple[UUID, ...]:
    """Several changes in one transaction, each decided on what the one before it left. Raises as `change_consent`."""
    for _ in range(ATTEMPTS):
        head = await services.log.head(patient)  # before the consents: what narrows from here on is noticed
        consents = await load_consents(services, patient)
        events = []
        for decide in decisions:
            events.append(decide(consents))
            consents = evolve(consents, events[-1])
        guard = Guard(patient, head.guard_pos)
        beside = Beside(narrows=True, consents=consent_state.dump(consents), claims=claims, guards=[guard])
        try:
            await services.log.save(*events, beside=beside)
            return tuple(event.event_id for event in events)
        except (IntegrityError, NarrowedMeanwhile):
            continue
        except ClaimedElsewhere:
            raise Busy("the patient was being registered; grant the consent again") from None
    raise Busy("the patient's consents were being changed; try again")


async def change_wherever_said(
    services: Services,
    patients: Sequence[UUID],
    decide: Callable[[Consents], Said],
    nothing: type[Exception],
) -> UUID:
    """The same change for all who are one person, of whom it was said; returns the last event's id.

    Raises *nothing*, as *decide* does, when it was said of none; and as `change_consent`.
    """
    changed: UUID | None = None
    for one in patients:
        try:
            changed = await change_consent(services, one, decide)
        except nothing:
            if one == patients[-1] and changed is None:
                raise
    assert changed is not None, "the last one's refusal was raised"
    return changed
