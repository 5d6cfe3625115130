"""Why an access was permitted or refused: what it cites is read again from the log, and decided again."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from tsuzuri.app.actions.past_states import Past, past_states
from tsuzuri.app.actions.recorded_access import (
    RecordedDecision,
    decided_permitted,
    decided_refused,
    find_access,
)
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
from tsuzuri.domain.vocabulary import AccessBasis, Flag, RecordClass, RefusalReason, Role


async def explain_access(services: Services, access: UUID) -> Explanation | None:
    """None: the trail has no such access; or it is a look at the trail, for which nothing was decided.

    What an event does not keep is taken from its outcome: that a caller who read at her own request (PATRQT) was the
    patient herself.
    """
    recorded = await _recorded(services, access)
    if recorded is None:
        return None
    answer = recorded.answer
    patients = {recorded.request.patient: answer.consent_version, **recorded.linked}
    past = await past_states(services, patients, recorded.request.facility, answer.policies)
    return _explained(recorded, past, _same)


async def explain_as_recorded(services: Services, access: UUID) -> Explanation | None:
    """As `explain_access`, on all that stood in the log when the access was recorded, whatever versions it cites.

    It agrees when what was permitted is permitted there too, perhaps on other grounds: something may have been said
    between the decision and its recording, but nothing that narrows it.
    """
    recorded = await _recorded(services, access)
    if recorded is None:
        return None
    patients = dict.fromkeys([recorded.request.patient, *recorded.linked], recorded.at)
    policies = dict.fromkeys(recorded.answer.policies, recorded.at)
    past = await past_states(services, patients, recorded.request.facility, policies)
    return _explained(recorded, past, _covered)


def _explained(
    recorded: RecordedDecision, past: Past, same: Callable[[Permitted | Refused, Permitted | Refused], bool]
) -> Explanation:
    explanation = _decided_again(recorded.request, recorded.answer, past)
    notes = {
        Rule.PATIENT_UNKNOWN: not recorded.known,
        Rule.CONSENTS_ERASED: past.erased,
        Rule.MOMENT_OF_RECORDING: not recorded.moment_kept,
        Rule.EVERY_SCOPE_ASSUMED: not recorded.moment_kept,
    }
    agrees = None if past.erased else same(explanation.decision, recorded.answer)
    explanation = replace(explanation, agrees=agrees, known=recorded.known)
    return noted(explanation, *(rule for rule, holds in notes.items() if holds))


async def _recorded(services: Services, access: UUID) -> RecordedDecision | None:
    found = await find_access(services, access)
    if found is None:
        return None
    if isinstance(found.event, AccessPermitted | WatcherTold):
        return decided_permitted(found.event, found.recorded_at)
    return decided_refused(found.event, found.recorded_at) if isinstance(found.event, AccessRefused) else None


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


def _covered(decision: Permitted | Refused, recorded: Permitted | Refused) -> bool:
    """What was permitted is permitted, class by class and mark by mark."""
    if isinstance(recorded, Refused):
        return True
    return isinstance(decision, Permitted) and _seen(recorded) <= _seen(decision)


def _seen(decision: Permitted) -> set[tuple[RecordClass, Flag | None]]:
    return {
        (one, flag) for ground in decision.grounds for one in ground.classes for flag in (None, *ground.flags)
    }
