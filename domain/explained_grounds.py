"""The steps of what was said of one patient's record: what counted, and why the rest did not."""

from collections.abc import Iterator
from typing import Any

from tsuzuri.domain.access import EMERGENCY_PURPOSES, Permitted, Refused
from tsuzuri.domain.consents import Consents, Denial, Emergency, Grant, Proxy
from tsuzuri.domain.endings import Ending
from tsuzuri.domain.events import ConsentWithdrawn, DenialLifted, EmergencyEnded, ProxyEnded
from tsuzuri.domain.explanation_steps import Rule, Step, classes_of, grounds_from, met, unmet
from tsuzuri.domain.grounds import (
    counts,
    denies,
    grounds_of_consent,
    opened_here,
    stands_for_her,
)
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import AccessBasis, PurposeOfUse, RecordClass, Role

Decision = Permitted | Refused


def record_steps(
    request: AccessRequest, consents: Consents, decision: Decision, ended: tuple[Ending, ...]
) -> Iterator[Step]:
    """Each thing that was said, in the kinds that role and purpose ask for; of the others that they were not asked."""
    kinds = _kinds(request)
    yield from (
        _herself(request, decision) if request.role is Role.PATIENT else _own_facility(request, decision)
    )
    yield from _denials(request, consents, ended) if Denial in kinds else _not_asked(consents.denials)
    yield from (
        _consents(request, consents, decision, ended) if Grant in kinds else _not_asked(consents.grants)
    )
    yield from (
        _proxies(request, consents, decision, ended) if Proxy in kinds else _not_asked(consents.proxies)
    )
    if Emergency in kinds:
        yield from _emergencies(request, consents, decision, ended)
    else:
        yield from _not_asked(consents.emergencies)


def _kinds(request: AccessRequest) -> set[type]:
    """What the decision looks at: see `tsuzuri.domain.access`."""
    if request.role is Role.PATIENT:
        return {Proxy} if request.purpose is PurposeOfUse.FAMRQT else set()
    if request.purpose in EMERGENCY_PURPOSES:
        return {Denial, Emergency}
    return {Denial} if request.purpose is PurposeOfUse.DISASTER else {Denial, Grant}


def _not_asked(held: tuple[Grant | Denial | Proxy | Emergency, ...]) -> Iterator[Step]:
    rules = {
        Grant: Rule.CONSENT_NOT_ASKED,
        Denial: Rule.DENIAL_NOT_ASKED,
        Proxy: Rule.PROXY_NOT_ASKED,
        Emergency: Rule.EMERGENCY_NOT_ASKED,
    }
    return (unmet(rules[type(one)], because=one.because) for one in held)


def _of_basis(decision: Decision, basis: AccessBasis) -> dict[str, Any]:
    held = decision.grounds if isinstance(decision, Permitted) else ()
    grounds = tuple(ground for ground in held if ground.basis is basis)
    return {"grounds": grounds, "classes": classes_of(grounds)}


def _herself(request: AccessRequest, decision: Decision) -> Iterator[Step]:
    if request.purpose is not PurposeOfUse.PATRQT:
        return
    if request.own_patient != request.patient:
        yield unmet(Rule.NOT_HERSELF)
        return
    yield met(Rule.HERSELF, **_of_basis(decision, AccessBasis.SELF))


def _own_facility(request: AccessRequest, decision: Decision) -> Iterator[Step]:
    about = _of_basis(decision, AccessBasis.OWN_FACILITY) | {"facility": request.facility}
    if not request.registered_here:
        yield unmet(Rule.NOT_REGISTERED_HERE, facility=request.facility)
    elif about["grounds"]:
        yield met(Rule.REGISTERED_HERE, **about)
    else:
        yield unmet(Rule.REGISTERED_HERE_NOT_ALONE, facility=request.facility)


def _denials(request: AccessRequest, consents: Consents, ended: tuple[Ending, ...]) -> Iterator[Step]:
    for denial in consents.denials:
        if not denies(denial, request.facility):
            yield unmet(Rule.DENIAL_TO_ANOTHER_FACILITY, **_facts_of_denial(denial))
        elif request.purpose in EMERGENCY_PURPOSES:
            yield unmet(Rule.DENIAL_PASSED, **_facts_of_denial(denial))
        else:
            yield met(Rule.DENIAL_KEEPS, **_facts_of_denial(denial))
    for ending in ended:
        if isinstance(ending.held, Denial) and denies(ending.held, request.facility):
            assert isinstance(ending.by, DenialLifted), "nothing else ends a denial"
            yield unmet(Rule.DENIAL_LIFTED, ended_by=ending.by.event_id, **_facts_of_denial(ending.held))


def _facts_of_denial(denial: Denial) -> dict[str, Any]:
    return {
        "because": denial.because,
        "facility": denial.facility,
        "classes": denial.classes or tuple(RecordClass),
    }


def _consents(
    request: AccessRequest, consents: Consents, decision: Decision, ended: tuple[Ending, ...]
) -> Iterator[Step]:
    steps = [_consent(grant, request, consents, decision) for grant in consents.grants]
    steps += [
        _ended_consent(ending.held, ending, request)
        for ending in ended
        if isinstance(ending.held, Grant) and (ending.left is None or _is_for(ending.held, request))
    ]
    yield from steps or [unmet(Rule.CONSENT_MISSING)]


def _consent(grant: Grant, request: AccessRequest, consents: Consents, decision: Decision) -> Step:
    facts = _facts_of_consent(grant)
    if not counts(grant, request):
        return unmet(_why_no_consent(grant, request), **facts)
    if came := grounds_from(decision, grant.because):
        return met(Rule.CONSENT_COUNTS, **facts | {"grounds": came, "classes": classes_of(came)})
    kept = not grounds_of_consent(grant, consents)
    return unmet(Rule.CONSENT_DENIED if kept else Rule.SCOPE_LEAVES_OUT, **facts)


def _ended_consent(grant: Grant, ending: Ending, request: AccessRequest) -> Step:
    """A withdrawal may leave some classes: then it is told of those that it took."""
    facts = _facts_of_consent(grant)
    if not _is_for(grant, request) or request.at < grant.since:
        return unmet(_why_no_consent(grant, request), **facts)
    if isinstance(ending.by, ConsentWithdrawn):
        left = ending.left.classes if isinstance(ending.left, Grant) else ()
        taken = tuple(one for one in grant.classes if one not in left)
        return unmet(Rule.CONSENT_WITHDRAWN, ended_by=ending.by.event_id, **facts | {"classes": taken})
    if request.at >= grant.until:
        return unmet(Rule.CONSENT_OVER, **facts)
    return unmet(Rule.CONSENT_REPLACED, ended_by=ending.by.event_id, **facts)


def _is_for(grant: Grant, request: AccessRequest) -> bool:
    return grant.facility == request.facility and grant.purpose is request.purpose


def _why_no_consent(grant: Grant, request: AccessRequest) -> Rule:
    if grant.facility != request.facility:
        return Rule.CONSENT_TO_ANOTHER_FACILITY
    if grant.purpose is not request.purpose:
        return Rule.CONSENT_FOR_ANOTHER_PURPOSE
    return Rule.CONSENT_NOT_YET if request.at < grant.since else Rule.CONSENT_OVER


def _facts_of_consent(grant: Grant) -> dict[str, Any]:
    return {
        "because": grant.because,
        "facility": grant.facility,
        "purpose": grant.purpose,
        "classes": grant.classes,
        "since": grant.since,
        "until": grant.until,
    }


def _proxies(
    request: AccessRequest, consents: Consents, decision: Decision, ended: tuple[Ending, ...]
) -> Iterator[Step]:
    steps = []
    for proxy in consents.proxies:
        came, facts = grounds_from(decision, proxy.because), _facts_of(proxy)
        if came:
            steps.append(met(Rule.PROXY_COUNTS, grounds=came, classes=classes_of(came), **facts))
        else:
            assert not stands_for_her(proxy, request), "whoever stands for her sees every class she sees"
            steps.append(unmet(_why_no_proxy(proxy, request), **facts))
    for ending in ended:
        if isinstance(ending.held, Proxy):
            gone = isinstance(ending.by, ProxyEnded) and ending.held.person == request.person
            rule = Rule.PROXY_ENDED if gone else _why_no_proxy(ending.held, request)
            by = ending.by.event_id if gone else None
            steps.append(unmet(rule, ended_by=by, **_facts_of(ending.held)))
    yield from steps or [unmet(Rule.PROXY_MISSING)]


def _why_no_proxy(proxy: Proxy, request: AccessRequest) -> Rule:
    if proxy.person != request.person:
        return Rule.PROXY_OF_ANOTHER_PERSON
    return Rule.PROXY_NOT_YET if request.at < proxy.since else Rule.PROXY_OVER


def _emergencies(
    request: AccessRequest, consents: Consents, decision: Decision, ended: tuple[Ending, ...]
) -> Iterator[Step]:
    steps = []
    for emergency in consents.emergencies:
        came, facts = grounds_from(decision, emergency.because), _facts_of(emergency)
        if came:
            facts |= {"grounds": came, "classes": classes_of(came)}
            steps.append(met(Rule.EMERGENCY_COUNTS, **facts))
        elif opened_here(emergency, request):
            steps.append(unmet(Rule.SCOPE_LEAVES_OUT, **facts))
        else:
            steps.append(unmet(_why_no_emergency(emergency, request), **facts))
    for ending in ended:
        if isinstance(ending.held, Emergency):
            here = (ending.held.person, ending.held.facility) == (request.person, request.facility)
            gone = isinstance(ending.by, EmergencyEnded) and here
            rule = Rule.EMERGENCY_ENDED if gone else _why_no_emergency(ending.held, request)
            by = ending.by.event_id if gone else None
            steps.append(unmet(rule, ended_by=by, **_facts_of(ending.held)))
    yield from steps or [unmet(Rule.EMERGENCY_MISSING)]


def _why_no_emergency(emergency: Emergency, request: AccessRequest) -> Rule:
    if emergency.person != request.person:
        return Rule.EMERGENCY_OF_ANOTHER_PERSON
    if emergency.facility != request.facility:
        return Rule.EMERGENCY_AT_ANOTHER_FACILITY
    return Rule.EMERGENCY_NOT_YET if request.at < emergency.since else Rule.EMERGENCY_OVER


def _facts_of(held: Proxy | Emergency) -> dict[str, Any]:
    facility = held.facility if isinstance(held, Emergency) else None
    return {
        "because": held.because,
        "person": held.person,
        "facility": facility,
        "since": held.since,
        "until": held.until,
    }
