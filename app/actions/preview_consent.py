"""The patient asks what a change of her consents would mean. Nothing is written."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tsuzuri.app.actions.open_record import consents_of
from tsuzuri.app.services import Services
from tsuzuri.domain import consents, denials
from tsuzuri.domain.consents import CARD_READER_PERIOD, PATIENT, ConsentEvent, Consents
from tsuzuri.domain.previews import Preview, preview
from tsuzuri.domain.vocabulary import ConsentChange, PurposeOfUse, RecordClass


async def preview_consent(
    services: Services,
    patient: UUID,
    change: ConsentChange,
    facility: str | None,
    classes: Sequence[RecordClass],
    until: datetime | None,
) -> Sequence[Preview]:
    """What the facilities would gain and lose now, on all of her consents.

    Raises what the change itself would: UselessConsent, NothingToWithdraw, DeniedAlready.
    """
    held = consents_of(await services.log.heads(patient))
    return preview_on(held, services.now(), services.new_id(), change, facility, classes, until)


def preview_on(
    held: Consents,
    at: datetime,
    event_id: UUID,
    change: ConsentChange,
    facility: str | None,
    classes: Sequence[RecordClass],
    until: datetime | None,
) -> Sequence[Preview]:
    """The same on given consents at a given moment (aware). *event_id*: of an event that is never stored."""
    said: dict[str, Any] = {"event_id": event_id, "classes": tuple(classes), "recorded_by": ""}
    event: ConsentEvent
    match change:
        case ConsentChange.DENY:
            event = denials.deny(held, facility=facility, **said)
        case ConsentChange.WITHDRAW:
            event = consents.withdraw(held, facility=facility or "", **said)
        case ConsentChange.GRANT:
            event = consents.grant(
                held,
                facility=facility or "",
                purpose=PurposeOfUse.TREAT,
                since=at,
                until=until or at + CARD_READER_PERIOD,
                given=PATIENT,
                **said,
            )
    return preview(held, event, at)
