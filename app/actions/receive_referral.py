"""取得: the facility that a referral is addressed to takes it over. Its week of keeping begins."""

from uuid import UUID

from eventsourcing.persistence import IntegrityError

from tsuzuri.app.actions.find_patient import find_patient, named_by
from tsuzuri.app.actions.load_streams import load_record
from tsuzuri.app.actions.refusals import ATTEMPTS, Busy, NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain import consent_state
from tsuzuri.domain.access import AccessRequest, Refused, covers, decide
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.referrals import NoSuchReferral, receive
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass
from tsuzuri.eventlog.appending import Beside, Guard, NarrowedMeanwhile


async def receive_referral(services: Services, caller: Caller, key: PatientKey, document: UUID) -> UUID:
    """Say that the caller's facility has received the version in force; returns the document's id.

    Received again, nothing changes.

    Raises:
        NotPermitted: the caller stands for no facility.
        tsuzuri.domain.referrals.NoSuchReferral: it may not be read by the caller now, for whatever reason.
        Busy: try again.
    """
    if caller.facility is None:
        raise NotPermitted("a referral is received by the facility it is addressed to")
    patient, _ = await find_patient(services, named_by(caller, key))
    for _ in range(ATTEMPTS):
        head = await services.log.head(patient)  # before the record: what narrows from here on is noticed
        request = AccessRequest(
            person=caller.person,
            role=caller.role,
            facility=caller.facility,
            own_patient=caller.patient,
            patient=patient,
            purpose=PurposeOfUse.TREAT,
            at=services.now(),
        )
        decision = decide(request, consent_state.load(patient, head.consents))
        if isinstance(decision, Refused) or not covers(
            decision.grounds, RecordClass.REFERRAL, (), document=document, recipient=caller.facility
        ):
            raise NoSuchReferral
        event = receive(
            await load_record(services, patient),
            document,
            facility=caller.facility,
            received_by=caller.person,
            event_id=services.new_id(),
        )
        try:
            if event is not None:
                await services.log.save(event, beside=Beside(guards=[Guard(patient, head.guard_pos)]))
            return document
        except (IntegrityError, NarrowedMeanwhile):
            continue
    raise Busy("the patient's record was being changed; receive it again")
