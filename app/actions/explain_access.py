"""Why an access was permitted or refused: what it cites is read again from the log, and decided again."""

from dataclasses import replace
from uuid import UUID

from tsuzuri.app.actions.past_states import Past, past_states
from tsuzuri.app.actions.recorded_access import decided_permitted, decided_refused, find_access
from tsuzuri.app.services import Services
from tsuzuri.domain import correction_access
from tsuzuri.domain.access import EMERGENCY_PURPOSES, Permitted, Refused
from tsuzuri.domain.events import AccessPermitted, AccessRefused, WatcherTold
from tsuzuri.domain.explanation_steps import Rule
from tsuzuri.domain.explanations import (
    Explanation,
    explain,
    explain_corrections,
    explain_declaration,
    explain_own_referrals,
    noted,
)
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import AccessBasis, RefusalReason, Role


async def explain_access(services: Services, access: UUID) -> Explanation | None:
    """None: the trail has no such access; or it is a look at the trail, for which nothing was decided.

    What an event does not keep is taken from its outcome: that a caller who read at her own request (PATRQT) was the
    patient herself.
    """
    found = await find_access(services, access)
    if found is None:
        return None
    if isinstance(found.event, AccessPermitted | WatcherTold):
        recorded = decided_permitted(found.event, found.recorded_at)
    elif isinstance(found.event, AccessRefused):
        recorded = decided_refused(found.event, found.recorded_at)
    else:
        return None
    request, answer = recorded.request, recorded.answer
    patients = {request.patient: answer.consent_version, **recorded.linked}
    past = await past_states(services, patients, request.facility, answer.policies)
    explanation = _decided_again(request, answer, past)
    notes = {
        Rule.PATIENT_UNKNOWN: not recorded.known,
        Rule.CONSENTS_ERASED: past.erased,
        Rule.MOMENT_OF_RECORDING: not recorded.moment_kept,
        Rule.EVERY_SCOPE_ASSUMED: not recorded.moment_kept,
    }
    agrees = None if past.erased else _same(explanation.decision, answer)
    explanation = replace(explanation, agrees=agrees, known=recorded.known)
    return noted(explanation, *(rule for rule, holds in notes.items() if holds))


def _decided_again(request: AccessRequest, answer: Permitted | Refused, past: Past) -> Explanation:
    """By the decision that was asked then, which the outcome tells apart."""
    if correction_access.PURPOSES.get(request.role) is request.purpose:
        return explain_corrections(request, past.consents)
    if _of_own_referrals(request, answer):
        return explain_own_referrals(request, past.consents)
    if isinstance(answer, Refused) and request.purpose in EMERGENCY_PURPOSES:
        if (
            answer.reason is RefusalReason.NOT_AVAILABLE
        ):  # no read says this of an emergency: it was being declared
            return explain_declaration(request, past.consents, past.policies)
    return explain(request, past.consents, past.policies, past.told)


def _of_own_referrals(request: AccessRequest, answer: Permitted | Refused) -> bool:
    """A facility's system reads no records, and no read of one is refused for scopes that let something be read."""
    if isinstance(answer, Permitted):
        return any(one.basis is AccessBasis.OWN_FACILITY and one.sender is None for one in answer.grounds)
    scopes = answer.reason is RefusalReason.SCOPE_NOT_PERMITTED and bool(request.readable)
    return request.role is Role.SYSTEM or scopes


def _same(decision: Permitted | Refused, recorded: Permitted | Refused) -> bool:
    """The same outcome, on the same versions; grounds in any order."""
    if (decision.consent_version, decision.policies) != (recorded.consent_version, recorded.policies):
        return False
    match decision, recorded:
        case Permitted(), Permitted():
            return set(decision.grounds) == set(recorded.grounds)
        case Refused(), Refused():
            return decision.reason is recorded.reason
    return False
