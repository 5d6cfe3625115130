"""The rules of a FHIR Consent: its provision, or those within it, each under the policy that it names.

FHIR R4 leaves open whether policyRule speaks of all that the provision does not name, or says only which way it goes.
Where the two readings differ, only the one that opens less is taken; where that cannot be told, neither.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from enum import Enum

from tsuzuri.domain.consent_intentions import IntendedDenial, IntendedGrant, IntendedProxy, Intention
from tsuzuri.domain.fhir.consent_codes import ASSENT, CONSENTED_PURPOSES, DISSENT, POLICY, RULE_SYSTEM, pairs
from tsuzuri.domain.fhir.consent_gaps import Gaps
from tsuzuri.domain.fhir.consent_provision import DENY, PERMIT, Limits, Person, read_limits
from tsuzuri.domain.fhir.elements import Element
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass

CHANGES_MAX = 100
"""How many changes one Consent may make: they go into the log together."""


class Framework(Enum):
    """What stands behind the rules."""

    OURS = "ours"  # each rule adds itself, and says nothing of the rest
    ASSENT = "assent"  # OPTIN, OPTINR
    DISSENT = "dissent"  # OPTOUT
    FOREIGN = "foreign"  # a policy that nobody here has read


_POLICY_RULES = {(RULE_SYSTEM, code): Framework.ASSENT for code in ASSENT} | {
    (RULE_SYSTEM, DISSENT): Framework.DISSENT
}


def read_rules(consent: Element, given: str, at: datetime, gaps: Gaps) -> Iterator[Intention]:
    """What the rules of a Consent in force mean at *at*, each once."""
    framework = _framework(consent, gaps)
    provision = consent.element("provision")
    if provision is None:
        gaps.add("Consent.provision", "is missing: what only a policy or a paper says cannot be read here")
        return
    found: list[Intention] = []
    for rule, limits in _rules(provision, consent, gaps):
        match rule.text("type") or _direction(framework):
            case "permit":
                _check_permit(framework, gaps)
                found += _permitted(rule, limits, given, at, gaps)
            case "deny":
                found += _denied(rule, limits, framework, gaps)
            case _:
                gaps.add(f"{rule.place}.type", "say permit or deny")
    distinct = tuple(dict.fromkeys(found))
    _check_grants([one for one in distinct if isinstance(one, IntendedGrant)], gaps)
    if len(distinct) > CHANGES_MAX:
        gaps.add("Consent.provision", f"makes more than {CHANGES_MAX} changes; send several Consents")
    yield from distinct


def _framework(consent: Element, gaps: Gaps) -> Framework | None:
    policies, rule = consent.elements("policy"), consent.element("policyRule")
    if not policies and rule is None:
        gaps.add("Consent.policy", f"is missing, and policyRule too (ppc-1): give policy.uri {POLICY}")
        return None
    if rule is None:
        ours = all(set(one.data) == {"uri"} and one.text("uri") == POLICY for one in policies)
        return Framework.OURS if ours else Framework.FOREIGN
    codes = pairs(rule)
    if policies or len(codes) != 1 or codes[0] not in _POLICY_RULES:
        gaps.add(
            "Consent.policyRule",
            f"must be OPTIN, OPTINR or OPTOUT, and no policy beside it; or give none, and policy.uri {POLICY}",
        )
        return None
    return _POLICY_RULES[codes[0]]


def _direction(framework: Framework | None) -> str | None:
    """Which way a provision goes that does not say it, as FHIR R4 wants it."""
    return {Framework.ASSENT: PERMIT, Framework.DISSENT: DENY}.get(framework) if framework else None


def _rules(provision: Element, consent: Element, gaps: Gaps) -> Iterator[tuple[Element, Limits]]:
    """The provision itself; or those within it, which share its limits."""
    outer, inner = read_limits(provision, consent, gaps), provision.elements("provision")
    if not inner:
        yield provision, outer
        return
    if provision.has("type"):
        gaps.add(
            f"{provision.place}.type",
            "has exceptions, which would hold against every other consent too, or only within this one: say what may "
            "be seen without exceptions, and what is denied as a rule beside it, in a provision without type",
        )
    for rule in inner:
        limits = read_limits(rule, consent, gaps).within(outer, rule.place, gaps)
        if provision.has("type"):
            continue  # what is within it has to be said anew
        if not rule.has("type"):
            gaps.add(f"{rule.place}.type", "say permit or deny")
        for deeper in rule.elements("provision"):
            gaps.add(deeper.place, "is an exception to an exception; send rules side by side")
        yield rule, limits


def _check_permit(framework: Framework | None, gaps: Gaps) -> None:
    if framework is Framework.FOREIGN:
        gaps.add(
            "Consent.policy",
            "the policy may set conditions that nobody here has read: when the provision says everything, give the "
            f"one policy.uri {POLICY} and no policyRule",
        )
    elif framework is Framework.DISSENT:
        gaps.add(
            "Consent.policyRule",
            "denies all that the provision does not permit: use OPTIN, or send that alone",
        )


def _permitted(rule: Element, limits: Limits, given: str, at: datetime, gaps: Gaps) -> Iterator[Intention]:
    people = [actor for actor in limits.actors or () if isinstance(actor, Person)]
    facilities = [actor for actor in limits.actors or () if isinstance(actor, str)]
    if limits.actors is None:
        gaps.add(f"{rule.place}.actor", "name the facilities that may see, each by its 保険医療機関番号")
    if people and facilities:
        gaps.add(f"{rule.place}.actor", "names facilities and people; give each a rule of its own")
        return
    _check_period(rule, limits, at, gaps)
    if people:
        yield from _proxies(rule, limits, people, gaps)
    else:
        yield from _grants(rule, limits, facilities, given, gaps)


def _check_period(rule: Element, limits: Limits, at: datetime, gaps: Gaps) -> None:
    since, until = (limits.period.since, limits.period.until) if limits.period else (None, None)
    if until is None:
        gaps.add(f"{rule.place}.period.end", "is missing: a consent here always ends; say when")
    elif until <= at:
        gaps.add(f"{rule.place}.period.end", "is over")
    elif since is not None and since > at:
        gaps.add(f"{rule.place}.period.start", "has not come yet: send the Consent when it is to begin")


def _grants(
    rule: Element, limits: Limits, facilities: list[str], given: str, gaps: Gaps
) -> Iterator[Intention]:
    if limits.classes is None:
        gaps.add(
            f"{rule.place}.class", "list the classes of the record: what is added later is never covered"
        )
    if limits.purposes is None:
        gaps.add(f"{rule.place}.purpose", "say for which purpose, such as TREAT: none is not all of them")
    if limits.document is not None and limits.classes != (RecordClass.REFERRAL,):
        gaps.add(f"{rule.place}.class", "must be REFERRAL alone, for one referral")
    if limits.period is None or limits.period.until is None:
        return
    for facility in facilities:
        for purpose in limits.purposes or ():
            yield IntendedGrant(
                facility,
                limits.classes or (),
                purpose,
                limits.period.until,
                since=limits.period.since,
                given=given,
                document=limits.document,
            )


def _proxies(rule: Element, limits: Limits, people: list[Person], gaps: Gaps) -> Iterator[Intention]:
    """Who stands for the patient sees all that she sees, for FAMRQT: less cannot be told."""
    if limits.purposes != (PurposeOfUse.FAMRQT,):
        gaps.add(f"{rule.place}.purpose", "who stands for the patient sees for FAMRQT, and for nothing else")
    if limits.classes is not None or limits.document is not None:
        gaps.add(
            f"{rule.place}.class", "who stands for the patient sees all that she sees; leave classes out"
        )
    if limits.period is not None and limits.period.until is not None:
        until = limits.period.until
        yield from (IntendedProxy(one.id, one.relation, until, since=limits.period.since) for one in people)


def _denied(rule: Element, limits: Limits, framework: Framework | None, gaps: Gaps) -> Iterator[Intention]:
    purposes = set(limits.purposes or ())
    if PurposeOfUse.TREAT not in purposes or not purposes <= set(CONSENTED_PURPOSES):
        gaps.add(
            f"{rule.place}.purpose",
            "a denial here is of what consents open: say TREAT, with HPAYMT and HOPERAT or without. An emergency "
            "(ETREAT, BTG) needs no consent, and cannot be denied by one",
        )
    if limits.period is not None:
        gaps.add(f"{rule.place}.period", "a denial stands until it is lifted; leave the period out")
    if limits.document is not None:
        gaps.add(f"{rule.place}.data", "a denial is of classes of the record, not of one referral")
    if limits.of_observations:
        gaps.add(
            f"{rule.place}.class",
            "Observations lie in check-up reports and letters too: list the classes meant, of urn:tsuzuri:record-class",
        )
    if any(isinstance(actor, Person) for actor in limits.actors or ()):
        gaps.add(f"{rule.place}.actor", "who stands for the patient is not denied: end the appointment")
    unlimited = limits == Limits(purposes=limits.purposes)
    if framework is Framework.ASSENT:
        gaps.add(
            "Consent.policyRule",
            "opens to everyone what the provision does not deny, and here each facility is named: give no policyRule "
            f"and policy.uri {POLICY}",
        )
    elif framework in (Framework.DISSENT, Framework.FOREIGN) and not unlimited:
        gaps.add(
            "Consent.policyRule" if framework is Framework.DISSENT else "Consent.policy",
            f"may deny more than the provision says: give no policyRule and policy.uri {POLICY}",
        )
    for facility in (None,) if limits.actors is None else limits.actors:
        if not isinstance(facility, Person):
            yield IntendedDenial(facility, limits.classes or ())


def _check_grants(grants: list[IntendedGrant], gaps: Gaps) -> None:
    """A grant takes the place of an earlier one to the same facility for the same purpose: here, of its neighbour."""
    taken = {replace(one, classes=(), until=grants[0].until, since=None) for one in grants}
    if len(taken) < len(grants):
        gaps.add(
            "Consent.provision",
            "permits a facility something twice for one purpose, and the second would take the place of the first: "
            "put the classes into one rule, with one period",
        )
