"""拒否: a patient keeps classes, a facility, or a class from a facility, whatever was or will be consented to."""

from collections.abc import Callable, Sequence
from uuid import UUID

from tsuzuri.app.actions.change_consent import change_consent, change_wherever_said, same_person_asking
from tsuzuri.app.services import Services
from tsuzuri.domain import denials
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.events import ConsentDenied, DenialLifted
from tsuzuri.domain.identifiers import PatientKey, facility_number
from tsuzuri.domain.vocabulary import RecordClass


async def deny_consent(
    services: Services,
    caller: Caller,
    key: PatientKey,
    facility: str | None,
    classes: Sequence[RecordClass],
) -> UUID:
    """Keep *classes* (none listed: all) from *facility* (None: from every one), until lifted; returns the denial's id.

    Raises:
        NotPermitted: the caller is not the patient.
        tsuzuri.domain.denials.DeniedAlready; tsuzuri.domain.identifiers.MalformedNumber; Busy.
    """
    patient, *_ = await same_person_asking(services, caller, key)
    return await change_consent(services, patient, denying(services, caller, facility, classes))


def denying(
    services: Services, caller: Caller, facility: str | None, classes: Sequence[RecordClass]
) -> Callable[[Consents], ConsentDenied]:
    """The decision alone. Raises MalformedNumber."""
    if facility is not None:
        facility_number(facility)

    def decide(held: Consents) -> ConsentDenied:
        return denials.deny(
            held,
            event_id=services.new_id(),
            facility=facility,
            classes=tuple(classes),
            recorded_by=caller.person,
        )

    return decide


async def lift_denial(services: Services, caller: Caller, key: PatientKey, denial: UUID) -> UUID:
    """Take a denial back; returns the event's id. Raises as `deny_consent`, and NothingToLift."""
    patients = await same_person_asking(services, caller, key)
    decide = lifting(services, caller, denial)
    return await change_wherever_said(services, patients, decide, denials.NothingToLift)


def lifting(services: Services, caller: Caller, denial: UUID) -> Callable[[Consents], DenialLifted]:
    """The decision alone."""

    def decide(held: Consents) -> DenialLifted:
        return denials.lift(held, denial, event_id=services.new_id(), recorded_by=caller.person)

    return decide
