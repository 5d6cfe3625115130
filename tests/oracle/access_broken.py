"""Our decision with one of its rules changed: each is a difference that a comparison must notice."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from pytest import MonkeyPatch

from oracle.access_cases import A_MICROSECOND
from tsuzuri.domain import access, consents, facilities, grounds, scopes
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.policies import Policies, Windows
from tsuzuri.domain.vocabulary import AccessBasis, Flag, RecordClass, RefusalReason

Break = Callable[[MonkeyPatch], None]


def _instead(owner: object, name: str, value: Any) -> Break:
    return lambda patch: patch.setattr(owner, name, value)


def _answered(owner: object, name: str, change: Callable[..., Any]) -> Break:
    """*change* makes another answer, of the answer and what was asked."""
    before = getattr(owner, name)
    return _instead(owner, name, lambda *asked: change(before(*asked), *asked))


def _asked(owner: object, name: str, change: Callable[..., Any]) -> Break:
    """*change* makes other arguments of the arguments."""
    before = getattr(owner, name)
    return _instead(owner, name, lambda *asked: before(*change(*asked)))


def _each(name: str, **changes: Any) -> Break:
    """Every ground of one basis, changed."""
    return _answered(access, name, lambda found, *_: tuple(replace(one, **changes) for one in found))


def _ignored(fold: Any, kind: str) -> Break:
    """Events of one kind change nothing."""
    before = fold.evolve
    return _instead(
        fold, "evolve", lambda it, event: it if type(event).__name__ == kind else before(it, event)
    )


def _allowed(found: Iterable[Ground], request: Any, said: Any, *_: Any) -> tuple[Ground, ...]:
    left = (grounds._allowed(one, request.facility, said) for one in found)
    return tuple(one for one in left if one.classes)


def _own_unless_denied(found: Iterable[Ground], request: Any, said: Any, *_: Any) -> tuple[Ground, ...]:
    return tuple(
        one for one in found if one.basis is not AccessBasis.OWN_FACILITY or _allowed([one], request, said)
    )


def _longer(lasting: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(replace(one, until=one.until + A_MICROSECOND) for one in lasting)


def _longer_rights(it: Policies, *asked: Any) -> Any:
    entry = it.facility
    return replace(it, facility=entry and replace(entry, rights=_longer(entry.rights))), *asked


def _any_hospital(it: Policies, *asked: Any) -> Any:
    if it.facility is None or it.facility.listed is None:
        return it, *asked
    listed = replace(it.facility.listed, kind="HOSPITAL", emergency=True)
    return replace(it, facility=replace(it.facility, listed=listed)), *asked


_CONSENTS: Mapping[str, Break] = {
    "a consent counts at its end": _asked(
        grounds, "counts", lambda grant, request: (*_longer([grant]), request)
    ),
    "a consent counts before it begins": _asked(
        grounds, "counts", lambda grant, request: (replace(grant, since=grant.since - A_MICROSECOND), request)
    ),
    "a consent counts for every purpose": _asked(
        grounds, "counts", lambda grant, request: (replace(grant, purpose=request.purpose), request)
    ),
    "a consent counts for every facility": _asked(
        grounds, "counts", lambda grant, request: (replace(grant, facility=request.facility), request)
    ),
    "a later consent stands beside the earlier": _instead(consents, "_replaces", lambda *_: False),
    "a withdrawal changes nothing": _ignored(consents, "ConsentWithdrawn"),
    "a withdrawal takes what was given in other ways": _asked(
        consents, "_without", lambda held, event: (held, replace(event, given=None))
    ),
    "a letter's withdrawal takes the other letters": _asked(
        consents, "_without", lambda held, event: (held, replace(event, document=None))
    ),
    "letters to others are seen": _each("consent_grounds", recipient=None),
    "a consent for one letter opens every letter": _each("consent_grounds", document=None),
    "a consent for one letter opens the letter alone": _instead(
        grounds, "LETTER_CLASSES", (RecordClass.REFERRAL,)
    ),
    "a closed letter shows what it holds": _instead(
        grounds, "_lasting", lambda found: tuple(one for one in found if one.classes)
    ),
    "denials do not count": _instead(grounds, "_allowed", lambda ground, *_: ground),
    "a denial cannot be lifted": _ignored(consents, "DenialLifted"),
    "a denial keeps from a facility its own": _answered(access, "_grounds", _own_unless_denied),
    "all is a facility's own": _each("own_facility_grounds", sender=None),
    "a proxy sees at the end": _asked(
        access,
        "proxy_grounds",
        lambda request, said: (request, replace(said, proxies=_longer(said.proxies))),
    ),
    "a proxy cannot be ended": _ignored(consents, "ProxyEnded"),
    "未告知 is shown to the patient": _instead(grounds, "PATIENT_FLAGS", (Flag.LTS, Flag.UNINFORMED)),
    "未告知 is hidden from clinicians": _instead(grounds, "CLINICIAN_FLAGS", (Flag.LTS,)),
}

_WITHOUT_CONSENT: Mapping[str, Break] = {
    "a pharmacist may use an emergency": _instead(
        access,
        "_may_declare",
        lambda request, rights: bool(rights.emergency_right(request.person, request.at)),
    ),
    "a right counts at its end": _asked(Policies, "emergency_right", _longer_rights),
    "a clinic may use an emergency": _asked(Policies, "emergency_right", _any_hospital),
    "a closed facility is as it was": _ignored(facilities, "FacilityClosed"),
    "a right cannot be taken": _ignored(facilities, "EmergencyRightTaken"),
    "anybody's emergency counts": _asked(
        access,
        "emergency_grounds",
        lambda request, said, rights: (
            request,
            replace(said, emergencies=tuple(replace(e, person=request.person) for e in said.emergencies)),
            rights,
        ),
    ),
    "an emergency counts at its end": _asked(
        access,
        "emergency_grounds",
        lambda request, said, rights: (request, replace(said, emergencies=_longer(said.emergencies)), rights),
    ),
    "an emergency cannot be ended": _ignored(consents, "EmergencyEnded"),
    "its first step shows all": _each("emergency_grounds", emergency_table=False),
    "its second step changes nothing": _ignored(consents, "EmergencyWidened"),
    "denials count in an emergency": _answered(access, "emergency_grounds", _allowed),
    "未提供 is shown in every emergency": _each("emergency_grounds", flags=tuple(Flag)),
    "an emergency opens letters": _instead(
        grounds, "WITHOUT_CONSENT", (*grounds.WITHOUT_CONSENT, RecordClass.REFERRAL)
    ),
    "what is its own needs no emergency": _answered(
        access, "_grounds", lambda found, request, *_: found or grounds.own_facility_grounds(request)
    ),
    "a window counts at its end": _asked(
        Windows,
        "open_in",
        lambda it, municipality, at: (replace(it, opened=_longer(it.opened)), municipality, at),
    ),
    "a window is open everywhere": _instead(
        Windows, "open_in", lambda it, _, at: tuple(w for w in it.opened if w.since <= at < w.until)
    ),
    "denials do not count in a disaster": _asked(
        access,
        "disaster_grounds",
        lambda request, said, rights: (request, replace(said, denials=()), rights),
    ),
}

_SCOPES: Mapping[str, Break] = {
    "scopes narrow nothing": _instead(access, "scoped", lambda found, _: found),
    "scopes of version 1 count": _asked(scopes, "scopes_of", lambda text: (text.replace(".read", ".rs"),)),
    "a scope's query is not looked at": _asked(scopes, "scopes_of", lambda text: (text.replace("?", " "),)),
    "scopes of another context count": _asked(
        scopes, "scopes_of", lambda text: (text.replace("patient/", "user/"),)
    ),
    "to look up is enough": _instead(scopes, "_READING", frozenset("r")),
    "the scopes are looked at first": _answered(
        access,
        "refusal",
        lambda reason, request, _: reason if request.readable else RefusalReason.SCOPE_NOT_PERMITTED,
    ),
}

BROKEN: Mapping[str, Break] = {**_CONSENTS, **_WITHOUT_CONSENT, **_SCOPES}
"""By what is wrong in it."""
