"""取消 and 取消UNDO: a facility takes its Bundle back, or takes that back.

From the acknowledgement of a cancellation on no read shows the Bundle, at any `asOf`.
"""

from typing import Protocol
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from tsuzuri.app.actions.decide_bundle import may_change
from tsuzuri.app.actions.find_patient import find_patient, named_by
from tsuzuri.app.actions.load_streams import load_records
from tsuzuri.app.actions.refusals import ATTEMPTS, Busy, NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain import corrections
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import BundleCancelled, BundleRestored
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.owners import document_id
from tsuzuri.domain.registrations import PatientRecord
from tsuzuri.domain.scopes import SENT
from tsuzuri.domain.vocabulary import DocumentKind, Role
from tsuzuri.eventlog.appending import Beside


class _Correction(Protocol):
    def __call__(
        self,
        record: PatientRecord,
        document: UUID,
        *,
        facility: str,
        reason: str,
        sender: str,
        event_id: UUID,
    ) -> BundleCancelled | BundleRestored | None: ...


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
        NotPermitted: the caller is no facility's system, or its token's scopes do not cover this.
        tsuzuri.domain.corrections.NothingToCancel: the facility has no such Bundle.
        Busy: try again.
    """
    _may(caller, kind, "d")
    return await _corrected(services, caller, key, (system, value, kind), reason, corrections.cancel)


async def restore_bundle(
    services: Services,
    caller: Caller,
    key: PatientKey,
    system: str,
    value: str,
    kind: DocumentKind,
    reason: str,
) -> UUID:
    """Put a cancelled Bundle in force again. Raises as `cancel_bundle`, and NothingToRestore."""
    _may(caller, kind, "u")
    return await _corrected(services, caller, key, (system, value, kind), reason, corrections.restore)


def _may(caller: Caller, kind: DocumentKind, right: str) -> None:
    if caller.role is not Role.SYSTEM:
        raise NotPermitted("only the system of the facility that registered a Bundle takes it back")
    if not may_change(caller, kind, right):
        raise NotPermitted(f"for this the token's scope holds system/{SENT[kind]}.{right}")


async def _corrected(
    services: Services,
    caller: Caller,
    key: PatientKey,
    identifier: tuple[str, str, DocumentKind],
    reason: str,
    correct: _Correction,
) -> UUID:
    assert caller.facility is not None
    patient, _ = await find_patient(services, named_by(caller, key))
    for _ in range(ATTEMPTS):
        record, document = await _held(services, patient, caller.facility, *identifier)
        event = correct(
            record,
            document,
            facility=caller.facility,
            reason=reason,
            sender=caller.person,
            event_id=services.new_id(),
        )
        try:
            if event is not None:
                await services.log.save(event, beside=Beside(narrows=True))
            return document
        except IntegrityError:
            continue
    raise Busy("the patient's record was being changed; send it again")


async def _held(
    services: Services, patient: UUID, *key_of_bundle: *tuple[str, str, str, DocumentKind]
) -> tuple[PatientRecord, UUID]:
    """Under which of those who are the same person the Bundle lies, and its document's id; else under the patient."""
    records = await load_records(services, [patient])
    documents = {one: document_id(one, *key_of_bundle) for one in records}
    holders = (one for one in sorted(records) if documents[one] in records[one].documents)
    holder = next(holders, patient)
    return records[holder], documents[holder]
