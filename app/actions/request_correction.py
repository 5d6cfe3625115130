"""訂正等請求・利用停止等請求: the patient asks a facility for something about her record, and may take it back."""

from collections.abc import Sequence
from uuid import UUID

from tsuzuri.app.actions.change_consent import same_person_asking
from tsuzuri.app.actions.change_correction import change_correction
from tsuzuri.app.actions.open_record import open_record
from tsuzuri.app.actions.refusals import ATTEMPTS, Busy
from tsuzuri.app.services import Services
from tsuzuri.domain import correction_requests
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.correction_requests import CorrectionRequests, NoSuchSubject, Subject, SubjectKey
from tsuzuri.domain.events import CorrectionRequested, CorrectionRequestTakenBack
from tsuzuri.domain.identifiers import PatientKey, facility_number
from tsuzuri.domain.vocabulary import CorrectionKind, PurposeOfUse
from tsuzuri.eventlog.appending import Beside, Guard, NarrowedMeanwhile
from tsuzuri.graphql.readings import RefusedReading
from tsuzuri.projections.origins import origin_of_document, origin_of_entry


async def request_correction(
    services: Services,
    caller: Caller,
    key: PatientKey,
    kind: CorrectionKind,
    about: SubjectKey,
    words: str,
) -> UUID:
    """Ask the facility that registered the entry or document, or the one that is named; returns the request's id.

    What is asked for does not happen by itself: see tsuzuri.domain.correction_requests.

    Raises:
        NotPermitted: the caller is not the patient.
        NoSuchSubject: she sees nothing of that id, for whatever reason.
        tsuzuri.domain.correction_requests.WordsUnfit, RequestedAlready; MalformedNumber; Busy.
    """
    patients = await same_person_asking(services, caller, key)
    for _ in range(ATTEMPTS):
        subject, guards = await _subject(services, caller, patients[0], about)

        def decide(held: CorrectionRequests, subject: Subject = subject) -> CorrectionRequested:
            return correction_requests.request_correction(
                held,
                event_id=services.new_id(),
                kind=kind,
                subject=subject,
                words=words,
                recorded_by=caller.person,
            )

        try:
            return await change_correction(services, patients, decide, beside=Beside(guards=guards))
        except NarrowedMeanwhile:
            continue  # perhaps she does not see it any more
    raise Busy("the patient's record was being changed; try again")


async def take_back_correction_request(
    services: Services, caller: Caller, key: PatientKey, request: UUID
) -> UUID:
    """From here on the facility does not read her words; returns the event's id.

    Raises:
        NotPermitted; Busy.
        NothingToTakeBack: none of hers waits, answered ones neither.
    """
    patients = await same_person_asking(services, caller, key)

    def decide(held: CorrectionRequests) -> CorrectionRequestTakenBack:
        return correction_requests.take_back(
            held, request, event_id=services.new_id(), recorded_by=caller.person
        )

    return await change_correction(services, patients, decide, request=request, beside=Beside(narrows=True))


async def _subject(
    services: Services, caller: Caller, patient: UUID, about: SubjectKey
) -> tuple[Subject, Sequence[Guard]]:
    """Of what she sees now; the guards say that she still does when it is stored."""
    if about.facility is not None:
        return Subject(facility_number(about.facility)), ()
    reading = await open_record(
        services, caller, patient, PurposeOfUse.PATRQT, as_of=None, min_position=None, path=()
    )
    if isinstance(reading, RefusedReading):
        raise NoSuchSubject
    async with services.pool.connection() as connection:
        if about.entry is not None:
            origin = await origin_of_entry(connection, reading.sight, about.entry)
        else:
            assert about.document is not None, "exactly one is given"
            origin = await origin_of_document(connection, reading.sight, about.document)
    if origin is None:
        raise NoSuchSubject
    return Subject(origin.sender, origin.document, about.entry), reading.guards
