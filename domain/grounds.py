"""The reasons why something may be seen, one function for each basis. What is missing is no reason."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.consents import Consents, Denial, Emergency, Grant, Proxy
from tsuzuri.domain.policies import Policies, Window
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import SIX_INFORMATIONS, AccessBasis, Flag, PurposeOfUse, RecordClass

PATIENT_CLASSES = tuple(RecordClass)
LETTER_CLASSES = (*SIX_INFORMATIONS, RecordClass.REFERRAL)
"""What a referral may hold: who is let see that one letter sees all of it."""
EMERGENCY_TABLE = (*SIX_INFORMATIONS, RecordClass.CHECKUP_REPORT)
"""What the first step of an emergency shows something of; of a check-up only its date."""
WITHOUT_CONSENT = (*SIX_INFORMATIONS, RecordClass.DISCHARGE_SUMMARY, RecordClass.CHECKUP_REPORT)
"""What an emergency or a disaster opens. A referral is a letter to one facility, a 患者サマリー the patient's alone."""
CLINICIAN_FLAGS = (Flag.LTS, Flag.UNINFORMED)  # 未告知 is shown to clinicians, marked; 未提供 is not
PATIENT_FLAGS = (Flag.LTS,)


def self_grounds(request: AccessRequest) -> tuple[Ground, ...]:
    if request.own_patient != request.patient or request.purpose is not PurposeOfUse.PATRQT:
        return ()
    return (Ground(basis=AccessBasis.SELF, classes=PATIENT_CLASSES, flags=PATIENT_FLAGS),)


def proxy_grounds(request: AccessRequest, consents: Consents) -> tuple[Ground, ...]:
    """Who stands for the patient sees exactly what she sees."""
    if request.purpose is not PurposeOfUse.FAMRQT:
        return ()
    return tuple(
        Ground(basis=AccessBasis.PROXY, classes=PATIENT_CLASSES, flags=PATIENT_FLAGS, because=proxy.because)
        for proxy in consents.proxies
        if stands_for_her(proxy, request)
    )


def stands_for_her(proxy: Proxy, request: AccessRequest) -> bool:
    """Whether an appointment is of this person, and for this moment."""
    return proxy.person == request.person and in_force(proxy, request.at)


def own_facility_grounds(request: AccessRequest) -> tuple[Ground, ...]:
    """What the facility registered itself: no consent is asked, no denial keeps it, and its own marks hide nothing."""
    if not request.registered_here or request.facility is None:
        return ()
    ground = Ground(
        basis=AccessBasis.OWN_FACILITY,
        classes=tuple(RecordClass),
        flags=tuple(Flag),
        sender=request.facility,
    )
    return (ground,)


def emergency_grounds(request: AccessRequest, consents: Consents, policies: Policies) -> tuple[Ground, ...]:
    """Of each emergency that this person declared at this facility for this patient, in force. No denial keeps it."""
    if policies.emergency_right(request.person, request.at) is None:
        return ()
    return tuple(
        Ground(
            basis=AccessBasis.EMERGENCY,
            classes=WITHOUT_CONSENT if emergency.widened else EMERGENCY_TABLE,
            flags=(*CLINICIAN_FLAGS, Flag.UNDELIVERED) if emergency.shows_undelivered else CLINICIAN_FLAGS,
            because=emergency.because,
            emergency_table=not emergency.widened,
        )
        for emergency in consents.emergencies
        if opened_here(emergency, request)
    )


def opened_here(emergency: Emergency, request: AccessRequest) -> bool:
    """Whether this person declared it at this facility, and it is in force."""
    asking = (request.person, request.facility)
    return (emergency.person, emergency.facility) == asking and in_force(emergency, request.at)


def disaster_grounds(request: AccessRequest, consents: Consents, policies: Policies) -> tuple[Ground, ...]:
    """Of each window that is open where the facility lies. What the patient has refused stays refused."""
    return tuple(
        ground
        for window in policies.disaster_windows(request.at)
        for ground in grounds_of_window(window, request.facility, consents)
    )


def grounds_of_window(window: Window, facility: str | None, consents: Consents) -> tuple[Ground, ...]:
    """What an open window lets see, without what the patient denies the facility."""
    given = Ground(
        basis=AccessBasis.DISASTER, classes=WITHOUT_CONSENT, flags=CLINICIAN_FLAGS, because=window.because
    )
    return _lasting([_allowed(given, facility, consents)])


def consent_grounds(request: AccessRequest, consents: Consents) -> tuple[Ground, ...]:
    """The grounds of each consent event in force: an answer may rest on several."""
    return tuple(
        ground
        for grant in consents.grants
        if counts(grant, request)
        for ground in grounds_of_consent(grant, consents)
    )


def grounds_of_consent(grant: Grant, consents: Consents) -> tuple[Ground, ...]:
    """What a consent that counts lets see, without what the patient denies the facility it is to."""
    return _lasting(_allowed(ground, grant.facility, consents) for ground in _grounds_of(grant))


def counts(grant: Grant, request: AccessRequest) -> bool:
    """Whether a consent is for this facility, this purpose and this moment."""
    return (
        grant.facility == request.facility
        and grant.purpose is request.purpose
        and in_force(grant, request.at)
    )


def in_force(held: Grant | Proxy | Emergency, at: datetime) -> bool:
    return held.since <= at < held.until


def denies(denial: Denial, facility: str | None) -> bool:
    """Whether a denial keeps something from this facility."""
    return denial.facility in (None, facility)


def scoped(grounds: Iterable[Ground], readable: frozenset[RecordClass]) -> tuple[Ground, ...]:
    """The grounds without the classes that the caller's token does not let be read."""
    return _lasting([_only(ground, readable) for ground in grounds])


def _only(ground: Ground, classes: Container[RecordClass]) -> Ground:
    """A ground for these classes, as far as it is one for them."""
    left = tuple([record_class for record_class in ground.classes if record_class in classes])
    return ground if len(left) == len(ground.classes) else replace(ground, classes=left)


def _lasting(grounds: Iterable[Ground]) -> tuple[Ground, ...]:
    """Those that still let see something. A letter that is closed is not opened by the classes of what it holds."""
    return tuple(
        [
            ground
            for ground in grounds
            if ground.classes and (ground.recipient is None or RecordClass.REFERRAL in ground.classes)
        ]
    )


def _allowed(ground: Ground, facility: str | None, consents: Consents) -> Ground:
    """A ground without the classes that the patient denies the facility."""
    denied = {
        record_class
        for denial in consents.denials
        if denies(denial, facility)
        for record_class in (denial.classes or PATIENT_CLASSES)
    }
    return _only(ground, set(ground.classes) - denied)


def _grounds_of(grant: Grant) -> Iterator[Ground]:
    """What a consent lets see of its classes: of referrals, those to the facility; or all of the one it is for.

    A referral is a letter to one facility: no consent opens it to another (DOMAIN: consent, "per named institution").
    """
    classes = tuple(c for c in grant.classes if c is not RecordClass.REFERRAL)
    if classes and grant.document is None:
        yield Ground(basis=AccessBasis.CONSENT, classes=classes, flags=CLINICIAN_FLAGS, because=grant.because)
    if RecordClass.REFERRAL in grant.classes:
        yield Ground(
            basis=AccessBasis.REFERRAL,
            classes=(RecordClass.REFERRAL,) if grant.document is None else LETTER_CLASSES,
            flags=CLINICIAN_FLAGS,
            because=grant.because,
            recipient=grant.facility,
            document=grant.document,
        )
