"""取消: a facility takes its Bundle back. From the acknowledgement on no read shows it, at any `asOf`."""

from uuid import UUID

from eventsourcing.persistence import IntegrityError

from tsuzuri.app.actions.find_patient import find_patient, named_by
from tsuzuri.app.actions.load_streams import load_record
from tsuzuri.app.actions.refusals import ATTEMPTS, Busy, NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.owners import document_id
from tsuzuri.domain.registrations import cancel
from tsuzuri.domain.vocabulary import DocumentKind, Role
from tsuzuri.eventlog.appending import Beside


async def cancel_bundle(
    services: Services,
    caller: Caller,
    key: PatientKey,
    system: str,
    value: str,
    kind: DocumentKind,
    reason: str,
) -> UUID:
    """Cancel the Bundle the facility registered under this identifier; returns the document's id.

    Raises:
        NotPermitted: the caller is no facility's system.
        tsuzuri.domain.registrations.NothingToCancel: the facility has no such Bundle.
        Busy: try again.
    """
    if caller.role is not Role.SYSTEM or caller.facility is None:
        raise NotPermitted("only the system of the facility that registered a Bundle cancels it")
    patient, _ = await find_patient(services, named_by(caller, key))
    document = document_id(patient, caller.facility, system, value, kind)
    for _ in range(ATTEMPTS):
        cancelled = cancel(
            await load_record(services, patient),
            document,
            facility=caller.facility,
            reason=reason,
            sender=caller.person,
            event_id=services.new_id(),
        )
        try:
            if cancelled is not None:
                await services.log.save(cancelled, beside=Beside(narrows=True))
            return document
        except IntegrityError:
            continue
    raise Busy("the patient's record was being changed; cancel again")
