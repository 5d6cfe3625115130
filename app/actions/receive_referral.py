"""取得: the facility that a referral is addressed to takes it over. Its week of keeping begins."""

from uuid import UUID

from eventsourcing.persistence import IntegrityError

from tsuzuri.app.actions.find_patient import find_patient, named_by
from tsuzuri.app.actions.load_streams import load_records
from tsuzuri.app.actions.open_record import consents_of, request_of
from tsuzuri.app.actions.refusals import ATTEMPTS, Busy, NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.access import Refused, covers, decide
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
        heads = await services.log.heads(patient)  # before the record: what narrows from here on is noticed
        request = request_of(services, caller, heads, PurposeOfUse.TREAT)
        decision = decide(request, consents_of(heads))
        if isinstance(decision, Refused) or not covers(
            decision.grounds, RecordClass.REFERRAL, (), document=document, recipient=caller.facility
        ):
            raise NoSuchReferral
        records = await load_records(services, [patient])
        holders = (record for record in records.values() if document in record.documents)
        event = receive(
            next(holders, records[patient]),
            document,
            facility=caller.facility,
            received_by=caller.person,
            event_id=services.new_id(),
        )
        try:
            if event is not None:
                guards = [Guard(head.patient, head.guard_pos) for head in heads]
                await services.log.save(event, beside=Beside(guards=guards))
            return document
        except (IntegrityError, NarrowedMeanwhile):
            continue
    raise Busy("the patient's record was being changed; receive it again")
