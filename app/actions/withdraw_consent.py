"""A patient takes a facility's sight back. No read that starts after the acknowledgement shows what it covered."""

from collections.abc import Callable, Sequence
from uuid import UUID

from tsuzuri.app.actions.change_consent import change_wherever_said, may_change, same_person, sent_by
from tsuzuri.app.actions.find_patient import find_patient, named_by
from tsuzuri.app.services import Services
from tsuzuri.domain import consents
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consents import CARD_READER, ORAL, Consents, NothingToWithdraw
from tsuzuri.domain.events import ConsentWithdrawn
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.vocabulary import RecordClass, Role


async def withdraw_consent(
    services: Services,
    caller: Caller,
    key: PatientKey,
    facility: str,
    classes: Sequence[RecordClass],
    document: UUID | None = None,
) -> UUID:
    """Withdraw the listed classes, or all of them when none is listed; returns the event's id.

    *document*: only what was given for this referral. A facility's system withdraws what was given at its card reader,
    the sender of a referral what was told to it; not what the patient granted herself.

    Raises:
        NotPermitted, Busy; tsuzuri.domain.consents.NothingToWithdraw.
    """
    patient, _ = await find_patient(services, named_by(caller, key))
    patients = await same_person(services, patient)
    oral = document is not None and await sent_by(services, caller, patient, document, facility)
    if not oral:
        may_change(caller, patients, facility)

    given = None if caller.role is Role.PATIENT else ORAL if oral else CARD_READER
    decide = withdrawing(services, caller, facility, classes, given, document)
    # What was given under another number of hers is hers to take back too.
    return await change_wherever_said(services, patients, decide, NothingToWithdraw)


def withdrawing(
    services: Services,
    caller: Caller,
    facility: str,
    classes: Sequence[RecordClass],
    given: str | None,
    document: UUID | None,
) -> Callable[[Consents], ConsentWithdrawn]:
    """The decision alone."""

    def decide(held: Consents) -> ConsentWithdrawn:
        return consents.withdraw(
            held,
            event_id=services.new_id(),
            facility=facility,
            classes=tuple(classes),
            recorded_by=caller.person,
            given=given,
            document=document,
        )

    return decide
