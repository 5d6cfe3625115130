"""A patient lets a facility read classes of her record, for a purpose and a time."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tsuzuri.app.actions.change_consent import change_consent, may_change
from tsuzuri.app.actions.find_patient import find_patient, named_by, number_digest
from tsuzuri.app.services import Services
from tsuzuri.domain import consents
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consents import CARD_READER, CARD_READER_PERIOD
from tsuzuri.domain.events import ConsentGranted
from tsuzuri.domain.identifiers import PatientKey, PatientNumber, facility_number
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
) -> UUID:
    """Grant from now on until *until* (aware; exclusive), or for the card reader's 24 hours.

    A patient of whom nothing has been registered yet may consent too: the answer tells nobody whether there is
    a record. Her number is claimed with the consent.

    Raises:
        NotPermitted, Busy; tsuzuri.domain.consents.UselessConsent; tsuzuri.domain.identifiers.MalformedNumber.
    """
    patient, known = await find_patient(services, named_by(caller, key))
    may_change(caller, patient, facility_number(facility))
    claims: tuple[Claim, ...] = ()
    if not known and isinstance(key, PatientNumber):
        patient = services.new_id()
        claims = (Claim(number_digest(services, key), patient),)
    since = services.now()

    def decide(held: consents.Consents) -> ConsentGranted:
        return consents.grant(
            held,
            event_id=services.new_id(),
            facility=facility,
            classes=tuple(classes),
            purpose=purpose,
            since=since,
            until=until or since + CARD_READER_PERIOD,
            given="patient" if caller.role is Role.PATIENT else CARD_READER,
            recorded_by=caller.person,
        )

    return await change_consent(services, patient, decide, claims)
