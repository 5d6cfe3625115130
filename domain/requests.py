"""What is asked of a patient's record, and by whom, as far as a decision is concerned."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Role


@dataclass(frozen=True, kw_only=True)
class AccessRequest:
    """Who asks, as the token says; for what; and at which moment (aware, UTC)."""

    person: str
    role: Role
    facility: str | None
    own_patient: UUID | None  # the patient the caller is, for the role PATIENT
    patient: UUID  # the patient asked for; a decoy when there is none by that number
    purpose: PurposeOfUse
    readable: frozenset[RecordClass]  # what the token's scopes let be read
    at: datetime
    registered_here: bool = False  # whether the facility has registered something of this patient
