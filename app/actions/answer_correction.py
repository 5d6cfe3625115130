"""The facility answers what a patient asks of it: accepted, in part, declined."""

from uuid import UUID

from tsuzuri.app.actions.change_consent import same_person
from tsuzuri.app.actions.change_correction import change_correction
from tsuzuri.app.actions.find_patient import find_patient, named_by
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain import correction_requests
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.correction_requests import CorrectionRequests
from tsuzuri.domain.events import CorrectionAnswered
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.vocabulary import CorrectionOutcome, Role


async def answer_correction(
    services: Services,
    caller: Caller,
    key: PatientKey,
    request: UUID,
    outcome: CorrectionOutcome,
    words: str | None,
) -> UUID:
    """Once and for all; returns the event's id. The facility then does itself what it agreed to.

    Raises:
        NotPermitted: the caller is not an administrator of a facility.
        NothingToAnswer: an unknown patient and another facility's request give the same answer as none.
        tsuzuri.domain.correction_requests.WordsUnfit; Busy.
    """
    if caller.role is not Role.FACILITY_ADMIN or caller.facility is None:
        raise NotPermitted("a request is answered by an administrator of the facility it is to")
    facility = caller.facility
    patient, _ = await find_patient(services, named_by(caller, key))
    patients = await same_person(services, patient)

    def decide(held: CorrectionRequests) -> CorrectionAnswered:
        return correction_requests.answer_correction(
            held,
            request,
            event_id=services.new_id(),
            facility=facility,
            outcome=outcome,
            words=words,
            answered_by=caller.person,
        )

    return await change_correction(services, patients, decide, request=request)
