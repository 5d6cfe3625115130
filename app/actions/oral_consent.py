"""口頭同意: what the patient told the sender of a referral goes into the log with it, in one transaction."""

from dataclasses import replace

from tsuzuri.app.actions.decide_bundle import Decided
from tsuzuri.app.actions.load_streams import load_consents
from tsuzuri.app.services import Services
from tsuzuri.domain import consent_state, consents
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.consents import ORAL
from tsuzuri.domain.events import BundleAccepted
from tsuzuri.domain.referrals import letter_until
from tsuzuri.domain.vocabulary import DocumentKind, PurposeOfUse, RecordClass
from tsuzuri.eventlog.appending import Guard

UNUSED = "oral-consent-unused"
"""The warning for a consent that came with what is no referral to anybody."""


async def with_oral_consent(services: Services, caller: Caller, decided: Decided) -> Decided:
    """The same write, and the recipient's consent for this referral, from now on for as long as it is kept.

    Bytes that change nothing bring no consent: a delayed copy must not open what the patient closed since.
    """
    accepted = next((event for event in decided.events if isinstance(event, BundleAccepted)), None)
    if accepted is None:
        return decided
    if accepted.kind is not DocumentKind.REFERRAL or accepted.recipient is None:
        return replace(decided, told=replace(decided.told, warnings=(*decided.told.warnings, UNUSED)))
    head = await services.log.head(
        accepted.patient
    )  # before the consents: what narrows from here on is noticed
    held = await load_consents(services, accepted.patient)
    since = services.now()
    granted = consents.grant(
        held,
        event_id=services.new_id(),
        facility=accepted.recipient,
        classes=(RecordClass.REFERRAL,),
        purpose=PurposeOfUse.TREAT,
        since=since,
        until=letter_until(since),
        given=ORAL,
        recorded_by=caller.person,
        document=accepted.document,
    )
    beside = replace(
        decided.beside,
        narrows=True,
        consents=consent_state.dump(consents.evolve(held, granted)),
        guards=[*decided.beside.guards, Guard(accepted.patient, head.guard_pos)],
    )
    return replace(decided, events=(*decided.events, granted), beside=beside)
