"""A patient lets a facility read classes of her record, or one referral, for a purpose and a time."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from tsuzuri.app.actions.change_consent import change_consent, may_change, same_person, sent_by, sent_to
from tsuzuri.app.actions.find_patient import find_patient, named_by, number_digest
from tsuzuri.app.services import Services
from tsuzuri.domain import consents
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consents import CARD_READER, CARD_READER_PERIOD, ORAL, PATIENT, UselessConsent
from tsuzuri.domain.events import ConsentGranted
from tsuzuri.domain.identifiers import PatientKey, PatientNumber, facility_number
from tsuzuri.domain.referrals import letter_until
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Role
from tsuzuri.eventlog.appending import Claim


async def grant_consent(
    services: Services,
    caller: Caller,
    key: PatientKey,
    facility: str,
    classes: Sequence[RecordClass],
    purpose: PurposeOfUse,
    until: datetime | None,
    document: UUID | None = None,
) -> UUID:
    """Grant from now on until *until* (aware; exclusive), or for the card reader's 24 hours.

    *document*: only this referral, which must be addressed to the facility. Registered by its sender's system it is
    what the patient said there (閲覧可); that, and what she says herself, holds as long as a referral is kept.

    A patient of whom nothing has been registered yet may consent too: the answer tells nobody whether there is
    a record. Her number is claimed with the consent.

    Raises:
        NotPermitted, Busy; tsuzuri.domain.consents.UselessConsent; tsuzuri.domain.identifiers.MalformedNumber.
    """
    patient, known = await find_patient(services, named_by(caller, key))
    decide = await granting(services, caller, patient, facility, classes, purpose, until, document)
    claims: tuple[Claim, ...] = ()
    if not known and isinstance(key, PatientNumber):
        patient = services.new_id()
        claims = (Claim(number_digest(services, key), patient),)
    return await change_consent(services, patient, decide, claims)


async def granting(
    services: Services,
    caller: Caller,
    patient: UUID,
    facility: str,
    classes: Sequence[RecordClass],
    purpose: PurposeOfUse,
    until: datetime | None,
    document: UUID | None = None,
) -> Callable[[consents.Consents], ConsentGranted]:
    """The decision alone, for a caller who may have it made. Raises as `grant_consent`, but Busy."""
    oral = document is not None and await sent_by(services, caller, patient, document, facility)
    if not oral:
        may_change(caller, await same_person(services, patient), facility_number(facility))
        if document is not None and not await sent_to(services, patient, document, facility):
            raise UselessConsent("the patient has no referral of that id addressed to this facility")
    since = services.now()
    given = PATIENT if caller.role is Role.PATIENT else ORAL if oral else CARD_READER
    lasting = document is not None and given != CARD_READER
    ends = letter_until(since) if lasting else since + CARD_READER_PERIOD

    def decide(held: consents.Consents) -> ConsentGranted:
        return consents.grant(
            held,
            event_id=services.new_id(),
            facility=facility,
            classes=tuple(classes),
            purpose=purpose,
            since=since,
            until=until or ends,
            given=given,
            recorded_by=caller.person,
            document=document,
        )

    return decide
