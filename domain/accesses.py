"""What an access says: on which grounds, what the patient is told of it, what the auditor finds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.vocabulary import (
    AccessBasis,
    ConsentState,
    Flag,
    IdentifiedBy,
    PurposeOfUse,
    RecordClass,
    Role,
)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """One reason why something may be seen, and what follows from it."""

    basis: AccessBasis
    classes: tuple[RecordClass, ...]
    flags: tuple[Flag, ...]  # marked entries are shown only when every mark is listed here
    because: UUID | None = None  # the event that justifies it; None where the caller is the patient herself
    recipient: str | None = None  # only referrals addressed to this facility (10 digits), and what they hold
    document: UUID | None = None  # only this one of them
    sender: str | None = None  # only what this facility (10 digits) registered itself
    emergency_table: bool = False  # only what the first step of an emergency shows of these classes


@dataclass(frozen=True, kw_only=True)
class AccessTold:
    """The part of an access that the patient reads."""

    person: str
    role: Role
    facility: str | None  # 10 digits; None for the patient herself and for auditors
    purpose: PurposeOfUse
    bases: tuple[AccessBasis, ...]
    classes_asked: tuple[RecordClass, ...]
    classes_permitted: tuple[RecordClass, ...]


@dataclass(frozen=True, kw_only=True)
class AccessAudit:
    """The part of an access that the auditor reads. Never the answer itself."""

    operation_sha256: str  # hex, of the GraphQL document
    operation_name: str | None
    variables: str  # JSON
    grounds: tuple[Ground, ...]
    consent_version: int  # the consent stream stood here when it was decided
    read_at: int  # position in the patient's part that the answer stands on
    as_of: str | None  # what the caller asked for, when not now
    entries_shown: int
    shown_by_class: Mapping[RecordClass, int] = field(default_factory=dict)
    shown_sha256: str  # hex, of the sorted ids of the shown entries
    answer_sha256: str  # hex, of the answer without its volatile fields
    incomplete: bool
    schema_sha256: str
    projections: Mapping[str, int] = field(default_factory=dict)  # name → version
    session: str | None = None  # the token's id (jti)
    linked: Mapping[UUID, int] = field(default_factory=dict)
    """Who else was the same person then → where her consent stream stood."""
    policies: Mapping[UUID, int] = field(default_factory=dict)
    """Owner of what else was decided on (the facility, the disaster windows) → where its stream stood."""
    decided_at: datetime | None = None
    readable: tuple[RecordClass, ...] = ()  # what the token's scopes let be read
    registered_here: bool = False  # whether the facility had registered something of her
    identified_by: IdentifiedBy | None = None  # how the caller named her; None: not kept in those days
    client: str | None = None  # the program that asked, as its token names it
    path: str = (
        ""  # in the answer: the root field's key, or a place in its list ("records.3"); empty: not kept
    )
    document: str | None = (
        None  # its text, where that may name somebody; what names nobody is kept by its digest
    )
    read_at_linked: Mapping[UUID, int] = field(
        default_factory=dict
    )  # as read_at, of who else was the same person
    stood_at: Mapping[UUID, int] = field(default_factory=dict)
    """Where the index stood, of those of whom an earlier position was asked for."""
    left_out_to: Mapping[UUID, int] = field(default_factory=dict)
    """Behind where the index stood: up to which position what was changed was left out. Empty: nothing was."""
    beside: Mapping[str, Mapping[UUID, int]] = field(default_factory=dict)
    """Projections that were read beside the index → where each stood, of all who were this person."""
    codes: str = ""  # the code release that the index was filled under
    program: str = ""  # its version
    seals: str = ""  # which key made the cursors and ids in the answer
    failed: bool = False  # there was no answer, or some of it was an error that might not come again


_CONSENTED = frozenset({AccessBasis.CONSENT, AccessBasis.REFERRAL})
_WITHOUT = frozenset({AccessBasis.EMERGENCY, AccessBasis.DISASTER})


def consent_state(bases: Collection[str]) -> ConsentState:
    """Of several bases the one that asks for the most is told: what rested on an emergency too is not consented."""
    if not bases:
        return ConsentState.NONE
    if not _WITHOUT.isdisjoint(bases):
        return ConsentState.WITHOUT
    return ConsentState.NOT_NEEDED if _CONSENTED.isdisjoint(bases) else ConsentState.GIVEN
