"""The steps of what is read beside the patient's consents: the right to declare emergencies, and disaster windows."""

from collections.abc import Iterator
from typing import Any

from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.endings import Ending
from tsuzuri.domain.events import DisasterWindowClosed, EmergencyRightTaken
from tsuzuri.domain.explanation_steps import Rule, Step, classes_of, grounds_from, met, unmet
from tsuzuri.domain.facilities import EmergencyRight
from tsuzuri.domain.grounds import grounds_of_window
from tsuzuri.domain.policies import Policies, Window
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import Role


def right_steps(request: AccessRequest, policies: Policies, ended: tuple[Ending, ...]) -> Iterator[Step]:
    """The right that lets the caller declare emergencies; or what there is instead of one."""
    if request.role is not Role.CLINICIAN:
        yield unmet(Rule.RIGHT_NOT_OF_ROLE)
        return
    right = policies.emergency_right(request.person, request.at)
    if right is not None:
        yield met(Rule.RIGHT_HELD, **_facts_of_right(right))
        return
    if not policies.takes_emergencies:
        yield unmet(Rule.RIGHT_NOT_OF_FACILITY, facility=request.facility)
        return
    held = () if policies.facility is None else policies.facility.rights
    steps = [_right(right, request) for right in held if right.person == request.person]
    steps += [
        _ended_right(ending.held, ending, request)
        for ending in ended
        if isinstance(ending.held, EmergencyRight) and ending.held.person == request.person
    ]
    yield from steps or [unmet(Rule.RIGHT_MISSING, person=request.person)]


def _right(right: EmergencyRight, request: AccessRequest) -> Step:
    rule = Rule.RIGHT_NOT_YET if request.at < right.since else Rule.RIGHT_OVER
    return unmet(rule, **_facts_of_right(right))


def _ended_right(right: EmergencyRight, ending: Ending, request: AccessRequest) -> Step:
    if isinstance(ending.by, EmergencyRightTaken):
        return unmet(Rule.RIGHT_TAKEN, ended_by=ending.by.event_id, **_facts_of_right(right))
    return _right(right, request)


def _facts_of_right(right: EmergencyRight) -> dict[str, Any]:
    return {"because": right.because, "person": right.person, "since": right.since, "until": right.until}


def window_steps(
    request: AccessRequest,
    consents: Consents,
    policies: Policies,
    decision: Permitted | Refused,
    ended: tuple[Ending, ...],
) -> Iterator[Step]:
    """Each window, wherever it is open."""
    if policies.listed is None:
        yield unmet(Rule.FACILITY_NOT_LISTED, facility=request.facility)
        return
    held = () if policies.windows is None else policies.windows.opened
    steps = [_window(window, request, consents, policies, decision) for window in held]
    steps += [
        _ended_window(ending.held, ending, request, policies)
        for ending in ended
        if isinstance(ending.held, Window) and policies.listed.municipality in _gone(ending.held, ending)
    ]
    yield from steps or [unmet(Rule.WINDOW_MISSING)]


def _window(
    window: Window,
    request: AccessRequest,
    consents: Consents,
    policies: Policies,
    decision: Permitted | Refused,
) -> Step:
    facts = _facts_of_window(window)
    if window not in policies.disaster_windows(request.at):
        return unmet(_why_not(window, request, policies), **facts)
    came = grounds_from(decision, window.because)
    if came:
        return met(Rule.WINDOW_COUNTS, grounds=came, classes=classes_of(came), **facts)
    kept = not grounds_of_window(window, request.facility, consents)
    return unmet(Rule.WINDOW_DENIED if kept else Rule.SCOPE_LEAVES_OUT, **facts)


def _why_not(window: Window, request: AccessRequest, policies: Policies) -> Rule:
    if policies.listed is None or policies.listed.municipality not in window.municipalities:
        return Rule.WINDOW_ELSEWHERE
    return Rule.WINDOW_NOT_YET if request.at < window.since else Rule.WINDOW_OVER


def _ended_window(window: Window, ending: Ending, request: AccessRequest, policies: Policies) -> Step:
    if isinstance(ending.by, DisasterWindowClosed):
        return unmet(Rule.WINDOW_CLOSED, ended_by=ending.by.event_id, **_facts_of_window(window))
    return unmet(_why_not(window, request, policies), **_facts_of_window(window))


def _gone(window: Window, ending: Ending) -> tuple[str, ...]:
    left = ending.left.municipalities if isinstance(ending.left, Window) else ()
    return tuple(one for one in window.municipalities if one not in left)


def _facts_of_window(window: Window) -> dict[str, Any]:
    return {"because": window.because, "since": window.since, "until": window.until}
