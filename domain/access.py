"""May this caller see this patient's record, and what of it? Pure, and worth asking twice.

The answer cites the events it rests on and the consent version it read, so an auditor can replay the
patient's consents to that version and ask the same question again.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.consents import Consents, Grant
from tsuzuri.domain.vocabulary import (
    SIX_INFORMATIONS,
    AccessBasis,
    Flag,
    PurposeOfUse,
    RecordClass,
    RefusalReason,
    Role,
)

CLINICAL_ROLES = frozenset({Role.CLINICIAN, Role.PHARMACIST})
"""Who may read under a patient's consent (医師, 歯科医師, 薬剤師)."""

OWN_REFERRAL_ROLES = CLINICAL_ROLES | {Role.SYSTEM}
"""Who looks at where the referrals stand that the facility sent."""

PATIENT_CLASSES = tuple(RecordClass)
LETTER_CLASSES = (*SIX_INFORMATIONS, RecordClass.REFERRAL)
"""What a referral may hold: who is let see that one letter sees all of it."""
CLINICIAN_FLAGS = (Flag.LTS, Flag.UNINFORMED)  # 未告知 is shown to clinicians, marked; 未提供 is not
PATIENT_FLAGS = (Flag.LTS,)

_PURPOSES: dict[Role, frozenset[PurposeOfUse]] = {
    Role.CLINICIAN: frozenset({PurposeOfUse.TREAT}),
    Role.PHARMACIST: frozenset({PurposeOfUse.TREAT}),
    Role.PATIENT: frozenset({PurposeOfUse.PATRQT, PurposeOfUse.FAMRQT}),
}
_EMERGENCY_PURPOSES = frozenset({PurposeOfUse.ETREAT, PurposeOfUse.BTG})


@dataclass(frozen=True, kw_only=True)
class AccessRequest:
    """Who asks, as the token says; for what; and at which moment (aware, UTC)."""

    person: str
    role: Role
    facility: str | None
    own_patient: UUID | None  # the patient the caller is, for the role PATIENT
    patient: UUID  # the patient asked for; a decoy when there is none by that number
    purpose: PurposeOfUse
    at: datetime
    registered_here: bool = False  # whether the facility has registered something of this patient


@dataclass(frozen=True)
class Permitted:
    """May be read, on these grounds: at least one, and each with at least one class."""

    grounds: tuple[Ground, ...]
    consent_version: int

    @property
    def classes(self) -> tuple[RecordClass, ...]:
        """Of which something may be seen, if only in one referral."""
        held = {record_class for ground in self.grounds for record_class in ground.classes}
        return tuple(record_class for record_class in RecordClass if record_class in held)

    @property
    def classes_told(self) -> tuple[RecordClass, ...]:
        """The same as a patient understands it: who may see a referral may see that, whatever it speaks of."""
        held = {record_class for ground in self.grounds for record_class in _told(ground)}
        return tuple(record_class for record_class in RecordClass if record_class in held)

    @property
    def bases(self) -> tuple[AccessBasis, ...]:
        held = {ground.basis for ground in self.grounds}
        return tuple(basis for basis in AccessBasis if basis in held)


@dataclass(frozen=True)
class Refused:
    """May not be read. The reason tells only what the caller already knows."""

    reason: RefusalReason
    consent_version: int


def decide(request: AccessRequest, consents: Consents) -> Permitted | Refused:
    """Permit or refuse one read. What is missing (a role, a purpose, a consent) means no."""
    refused = _refusal(request)
    if refused is not None:
        return Refused(refused, consents.version)
    if request.role is Role.PATIENT:
        grounds = (*_self_ground(request), *_proxy_grounds(request, consents))
    else:
        grounds = (*_own_facility_ground(request), *_consent_grounds(request, consents))
    if not grounds:
        return Refused(RefusalReason.NOT_AVAILABLE, consents.version)
    return Permitted(grounds, consents.version)


def decide_own_referrals(request: AccessRequest, consents: Consents) -> Permitted | Refused:
    """Whether a facility may see where its own referrals of this patient stand. Nothing of her record comes with it."""
    if request.role not in OWN_REFERRAL_ROLES or request.facility is None:
        return Refused(RefusalReason.ROLE_NOT_PERMITTED, consents.version)
    ground = Ground(basis=AccessBasis.OWN_FACILITY, classes=(RecordClass.REFERRAL,), flags=())
    return Permitted((ground,), consents.version)


def covers(
    grounds: Iterable[Ground],
    record_class: RecordClass,
    flags: Collection[Flag],
    *,
    document: UUID | None = None,
    recipient: str | None = None,
    sender: str | None = None,
) -> bool:
    """Whether one ground lets see a thing of this class with all of these marks.

    *document*, *recipient*: the referral it lies in, and whom that is addressed to; None for all else. *sender*: who
    registered it; None: whoever did.
    """
    return any(
        record_class in ground.classes
        and set(flags) <= set(ground.flags)
        and ground.recipient in (None, recipient)
        and ground.document in (None, document)
        and ground.sender in (None, sender)
        for ground in grounds
    )


def beyond_referrals(grounds: Iterable[Ground]) -> tuple[Ground, ...]:
    """Those that let see more than single referrals."""
    return tuple(ground for ground in grounds if ground.recipient is None)


def _told(ground: Ground) -> tuple[RecordClass, ...]:
    return ground.classes if ground.recipient is None else (RecordClass.REFERRAL,)


def _refusal(request: AccessRequest) -> RefusalReason | None:
    """What the caller's own role and purpose rule out, whoever the patient is."""
    if request.role in CLINICAL_ROLES and request.purpose in _EMERGENCY_PURPOSES:
        return RefusalReason.EMERGENCY_NOT_OFFERED
    if request.role not in _PURPOSES:
        return RefusalReason.ROLE_NOT_PERMITTED
    if request.purpose not in _PURPOSES[request.role]:
        return RefusalReason.PURPOSE_NOT_PERMITTED
    return None


def _self_ground(request: AccessRequest) -> tuple[Ground, ...]:
    if request.own_patient != request.patient or request.purpose is not PurposeOfUse.PATRQT:
        return ()
    return (Ground(basis=AccessBasis.SELF, classes=PATIENT_CLASSES, flags=PATIENT_FLAGS),)


def _proxy_grounds(request: AccessRequest, consents: Consents) -> tuple[Ground, ...]:
    """Who stands for the patient sees exactly what she sees."""
    if request.purpose is not PurposeOfUse.FAMRQT:
        return ()
    return tuple(
        Ground(basis=AccessBasis.PROXY, classes=PATIENT_CLASSES, flags=PATIENT_FLAGS, because=proxy.because)
        for proxy in consents.proxies
        if proxy.person == request.person and proxy.since <= request.at < proxy.until
    )


def _own_facility_ground(request: AccessRequest) -> tuple[Ground, ...]:
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


def _allowed(ground: Ground, facility: str | None, consents: Consents) -> Ground:
    """A ground of consent without the classes that the patient denies the facility."""
    denied = {
        record_class
        for denial in consents.denials
        if denial.facility in (None, facility)
        for record_class in (denial.classes or tuple(RecordClass))
    }
    return replace(ground, classes=tuple(c for c in ground.classes if c not in denied))


def _consent_grounds(request: AccessRequest, consents: Consents) -> tuple[Ground, ...]:
    """The grounds of each consent event in force: an answer may rest on several."""
    given = (
        _allowed(ground, request.facility, consents)
        for grant in consents.grants
        if grant.facility == request.facility
        and grant.purpose is request.purpose
        and grant.since <= request.at < grant.until
        for ground in _grounds_of(grant)
    )
    # A letter that is denied is not opened by the classes of what it holds.
    return tuple(
        ground
        for ground in given
        if ground.classes and (ground.recipient is None or RecordClass.REFERRAL in ground.classes)
    )


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
