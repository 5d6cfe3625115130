"""May this caller see this patient's record, and what of it? Pure, and worth asking twice.

Role, scope, purpose and what lies in the log are intersected; what is missing means no. The answer cites the events it
rests on and the versions it read, so an auditor can replay the streams to those and ask the same question again.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.grounds import (
    consent_grounds,
    disaster_grounds,
    emergency_grounds,
    own_facility_grounds,
    proxy_grounds,
    scoped,
    self_grounds,
)
from tsuzuri.domain.policies import NO_POLICIES, Policies
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import (
    AccessBasis,
    Flag,
    PurposeOfUse,
    RecordClass,
    RefusalReason,
    Role,
    in_order,
)

CLINICAL_ROLES = frozenset({Role.CLINICIAN, Role.PHARMACIST})
"""Who may read under a patient's consent (医師, 歯科医師, 薬剤師)."""

OWN_REFERRAL_ROLES = CLINICAL_ROLES | {Role.SYSTEM}
"""Who looks at where the referrals stand that the facility sent."""

EMERGENCY_PURPOSES = frozenset({PurposeOfUse.ETREAT, PurposeOfUse.BTG})
"""Either asks for what a declared emergency opens."""

_PURPOSES: dict[Role, frozenset[PurposeOfUse]] = {
    Role.CLINICIAN: frozenset({PurposeOfUse.TREAT, PurposeOfUse.DISASTER}) | EMERGENCY_PURPOSES,
    Role.PHARMACIST: frozenset({PurposeOfUse.TREAT, PurposeOfUse.DISASTER}) | EMERGENCY_PURPOSES,
    Role.PATIENT: frozenset({PurposeOfUse.PATRQT, PurposeOfUse.FAMRQT}),
}


@dataclass(frozen=True)
class Permitted:
    """May be read, on these grounds: at least one; with classes, unless it is for what is no part of the record."""

    grounds: tuple[Ground, ...]
    consent_version: int
    policies: Mapping[UUID, int] = field(default_factory=dict)  # owner of what else was read → its version

    @property
    def classes(self) -> tuple[RecordClass, ...]:
        """Of which something may be seen, if only in one referral."""
        held = {record_class for ground in self.grounds for record_class in ground.classes}
        return in_order(held)

    @property
    def classes_told(self) -> tuple[RecordClass, ...]:
        """The same as a patient understands it: who may see a referral may see that, whatever it speaks of."""
        held = {record_class for ground in self.grounds for record_class in _told(ground)}
        return in_order(held)

    @property
    def bases(self) -> tuple[AccessBasis, ...]:
        held = {ground.basis for ground in self.grounds}
        return tuple(basis for basis in AccessBasis if basis in held)


@dataclass(frozen=True)
class Refused:
    """May not be read. The reason tells only what the caller already knows."""

    reason: RefusalReason
    consent_version: int
    policies: Mapping[UUID, int] = field(default_factory=dict)


def decide(
    request: AccessRequest, consents: Consents, policies: Policies = NO_POLICIES
) -> Permitted | Refused:
    """Permit or refuse one read. What is missing (a role, a scope, a purpose, a right, a consent) means no."""
    reason = refusal(request, policies)
    grounds = () if reason else scoped(_grounds(request, consents, policies), request.readable)
    if reason is None and not grounds:
        reason = _nothing(request)
    if reason is not None:
        return Refused(reason, consents.version, policies.versions)
    return Permitted(grounds, consents.version, policies.versions)


def decide_own_referrals(request: AccessRequest, consents: Consents) -> Permitted | Refused:
    """Whether a facility may see where its own referrals of this patient stand. Nothing of her record comes with it."""
    if request.role not in OWN_REFERRAL_ROLES or request.facility is None:
        return Refused(RefusalReason.ROLE_NOT_PERMITTED, consents.version)
    if RecordClass.REFERRAL not in request.readable:
        return Refused(RefusalReason.SCOPE_NOT_PERMITTED, consents.version)
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
    """Whether one ground lets see every thing of this class with all of these marks.

    *document*, *recipient*: the referral it lies in, and whom that is addressed to; None for all else. *sender*: who
    registered it; None: whoever did.
    """
    return any(
        record_class in ground.classes
        and not ground.emergency_table
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


def refusal(request: AccessRequest, policies: Policies) -> RefusalReason | None:
    """What the caller's own role, token, purpose and rights rule out, whoever the patient is."""
    if request.role not in _PURPOSES:
        return RefusalReason.ROLE_NOT_PERMITTED
    if request.purpose not in _PURPOSES[request.role]:
        return RefusalReason.PURPOSE_NOT_PERMITTED
    if not request.readable:
        return RefusalReason.SCOPE_NOT_PERMITTED
    if request.purpose in EMERGENCY_PURPOSES and not _may_declare(request, policies):
        return RefusalReason.EMERGENCY_NOT_PERMITTED
    if request.purpose is PurposeOfUse.DISASTER and not policies.disaster_windows(request.at):
        return RefusalReason.DISASTER_NOT_OPEN
    return None


def _may_declare(request: AccessRequest, policies: Policies) -> bool:
    right = policies.emergency_right(request.person, request.at)
    return request.role is Role.CLINICIAN and right is not None


def _grounds(request: AccessRequest, consents: Consents, policies: Policies) -> tuple[Ground, ...]:
    if request.role is Role.PATIENT:
        return (*self_grounds(request), *proxy_grounds(request, consents))
    own = own_facility_grounds(request)
    if request.purpose in EMERGENCY_PURPOSES:
        opened = emergency_grounds(request, consents, policies)
        return (*own, *opened) if opened else ()
    if request.purpose is PurposeOfUse.DISASTER:
        return (*own, *disaster_grounds(request, consents, policies))
    return (*own, *consent_grounds(request, consents))


def _nothing(request: AccessRequest) -> RefusalReason:
    """Of an emergency, whether the caller has declared one is what she knows; who the patient is, she may not."""
    if request.purpose in EMERGENCY_PURPOSES:
        return RefusalReason.EMERGENCY_NOT_DECLARED
    return RefusalReason.NOT_AVAILABLE
