"""Sealed positions: what an answer stood on, for the patient it is about and whoever is the same person."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import msgspec

from tsuzuri.graphql.seals import SealBroken, Seals
from tsuzuri.projections.sight import Sight

_LENGTH = (
    256  # bytes: a position of a patient who is linked with up to four others is as long as of one who is not
)
_TOLD = "told "


@dataclass(frozen=True)
class Position:
    """Where an answer stood."""

    of_each: Mapping[UUID, int]  # by patient
    grounds: str  # digest of those it was shown under; empty when it showed an earlier moment
    told: str | None = None  # what who watched could see there; None of a position that a read gave out


def sealed_position(seals: Seals, sight: Sight, *, told: str | None = None) -> str:
    """*told*: to who watches, what she could see there; so she is told of a change once, whenever she comes back."""
    others = [f"{one} {position}" for one, position in sight.others]
    marks = [] if told is None else [_TOLD + told]
    stood = [str(sight.position), grounds_digest(sight), *others, *marks]
    return seals.seal(_use(sight.patient), stood, length=_LENGTH)


def opened_position(seals: Seals, patient: UUID, token: str) -> Position:
    """Raises SealBroken for a token that was not given out for this patient."""
    try:
        position, grounds, *others = seals.open(_use(patient), token, list[str])
        told = [other.removeprefix(_TOLD) for other in others if other.startswith(_TOLD)]
        of_others = {
            UUID(one): int(at)
            for one, at in (other.split() for other in others if not other.startswith(_TOLD))
        }
        return Position({patient: int(position)} | of_others, grounds, told[0] if told else None)
    except ValueError:
        raise SealBroken("this is no position") from None


def grounds_digest(sight: Sight) -> str:
    """What tells that two answers were shown under the same grounds; empty of an earlier moment's."""
    if sight.recorded_by is not None:
        return ""
    return sha256(msgspec.json.encode(sight.grounds)).hexdigest()[:16]


def _use(patient: UUID) -> str:
    return f"position/{patient}"
