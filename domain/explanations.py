"""Why a read was permitted or refused: the decision of `decide` itself, and each thing it looked at, in its order.

No rule is decided here a second time: what is asked is asked of the decision, of `refusal`, and of the predicates in
`grounds`. What is behind the point at which a read was refused was not looked at, and is not explained.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tsuzuri.domain.access import (
    EMERGENCY_PURPOSES,
    Permitted,
    Refused,
    decide,
    decide_own_referrals,
    refusal,
)
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.correction_access import decide_corrections
from tsuzuri.domain.endings import Ending, endings
from tsuzuri.domain.events import Event
from tsuzuri.domain.explained_grounds import record_steps
from tsuzuri.domain.explained_rights import right_steps, window_steps
from tsuzuri.domain.explanation_steps import Rule, Step, met, unmet
from tsuzuri.domain.policies import NO_POLICIES, Policies
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, RefusalReason, in_order


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What was asked, what the answer is, and by which steps."""

    request: AccessRequest
    decision: Permitted | Refused
    steps: tuple[Step, ...]
    agrees: bool | None = None
    """Whether the answer is the one that was recorded; None: none was recorded, or what it rested on was erased."""
    known: bool = True  # whether there is such a patient


def explain(
    request: AccessRequest,
    consents: Consents,
    policies: Policies = NO_POLICIES,
    told: Iterable[Event] = (),
) -> Explanation:
    """Decide, and say why.

    *told*: the events behind *consents* and *policies*, those of each stream in their order. Without them the answer is
    the same, and what was over before its time goes unmentioned.
    """
    decision, ended = decide(request, consents, policies), endings(told)
    steps = list(_of_the_caller(request, consents, policies, decision, ended))
    if refusal(request, policies) is None:
        steps += record_steps(request, consents, decision, ended)
    return _explained(request, decision, steps)


def explain_own_referrals(request: AccessRequest, consents: Consents) -> Explanation:
    """As `explain`, of a facility's look at where the referrals stand that it sent itself."""
    decision = decide_own_referrals(request, consents)
    if isinstance(decision, Permitted):
        return _explained(request, decision, [met(Rule.OWN_REFERRALS, grounds=decision.grounds)])
    scope = decision.reason is RefusalReason.SCOPE_NOT_PERMITTED
    return _explained(
        request,
        decision,
        [
            unmet(Rule.SCOPE_LEAVES_OUT, classes=(RecordClass.REFERRAL,))
            if scope
            else unmet(Rule.ROLE_DOES_NOT_READ)
        ],
    )


def explain_corrections(request: AccessRequest, consents: Consents) -> Explanation:
    """As `explain`, of a look at what the patient asks of a facility."""
    decision = decide_corrections(request, consents)
    if isinstance(decision, Permitted):
        return _explained(request, decision, [met(Rule.CORRECTION_REQUESTS, grounds=decision.grounds)])
    return _explained(request, decision, [unmet(Rule.ROLE_DOES_NOT_READ)])


def explain_declaration(request: AccessRequest, consents: Consents, policies: Policies) -> Explanation:
    """As `explain`, of an emergency that could not be declared, for want of a right or of a patient."""
    reason = refusal(request, policies) or RefusalReason.NOT_AVAILABLE
    decision = Refused(reason, consents.version, policies.versions)
    return _explained(request, decision, list(_of_the_caller(request, consents, policies, decision, ())))


def noted(explanation: Explanation, *notes: Rule) -> Explanation:
    """With what is known of the question itself in front."""
    return replace(explanation, steps=(*(unmet(note) for note in notes), *explanation.steps))


def _explained(request: AccessRequest, decision: Permitted | Refused, steps: list[Step]) -> Explanation:
    permitted = isinstance(decision, Permitted)
    classes = decision.classes if isinstance(decision, Permitted) else ()
    last = Step(rule=Rule.PERMITTED if permitted else Rule.REFUSED, matched=permitted, classes=classes)
    return Explanation(request=request, decision=decision, steps=(*steps, last))


def _of_the_caller(
    request: AccessRequest,
    consents: Consents,
    policies: Policies,
    decision: Permitted | Refused,
    ended: tuple[Ending, ...],
) -> Iterator[Step]:
    """Role, purpose, scopes, and the right or the window that the purpose asks for: up to what refuses."""
    refused = refusal(request, policies)
    if refused is RefusalReason.ROLE_NOT_PERMITTED:
        yield unmet(Rule.ROLE_DOES_NOT_READ)
        return
    yield met(Rule.ROLE_READS)
    if refused is RefusalReason.PURPOSE_NOT_PERMITTED:
        yield unmet(Rule.PURPOSE_NOT_OF_ROLE, purpose=request.purpose)
        return
    yield met(Rule.PURPOSE_OF_ROLE, purpose=request.purpose)
    if refused is RefusalReason.SCOPE_NOT_PERMITTED:
        yield unmet(Rule.SCOPE_READS_NOTHING)
        return
    readable = in_order(request.readable)
    yield met(Rule.SCOPE_READS, classes=readable)
    if request.purpose in EMERGENCY_PURPOSES:
        yield from right_steps(request, policies, ended)
    if request.purpose is PurposeOfUse.DISASTER:
        yield from window_steps(request, consents, policies, decision, ended)
