"""Who calls, as a checked token says: nothing in a body can change it."""

from dataclasses import dataclass
from uuid import UUID

from tsuzuri.domain.scopes import Scope
from tsuzuri.domain.vocabulary import Role

FACILITY_ROLES = frozenset({Role.CLINICIAN, Role.PHARMACIST, Role.FACILITY_ADMIN, Role.SYSTEM})


class IncompleteCaller(ValueError):
    """A token that gives a role without what the role needs."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A person or a facility's system, in one role.

    Raises:
        IncompleteCaller: a facility role without a facility, or the role PATIENT without a patient.
    """

    person: str
    role: Role
    facility: str | None = None  # 10 digits
    patient: UUID | None = None  # whom the caller is, for the role PATIENT
    session: str | None = None  # the token's id (jti)
    client: str | None = None  # the program that the token was given to (client_id)
    scopes: frozenset[Scope] = frozenset()  # none: nothing of a record may be read

    def __post_init__(self) -> None:
        if self.role in FACILITY_ROLES and self.facility is None:
            raise IncompleteCaller(f"the role {self.role} needs a facility")
        if self.role is Role.PATIENT and self.patient is None:
            raise IncompleteCaller("the role PATIENT needs a patient")
