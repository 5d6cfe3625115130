"""Sealed positions: what an answer stood on, for the patient it is about and whoever is the same person."""

from collections.abc import Mapping
from uuid import UUID

from tsuzuri.graphql.seals import SealBroken, Seals
from tsuzuri.projections.sight import Sight

_LENGTH = (
    256  # bytes: a position of a patient who is linked with up to four others is as long as of one who is not
)


def sealed_position(seals: Seals, sight: Sight) -> str:
    others = [f"{one} {position}" for one, position in sight.others]
    return seals.seal(_use(sight.patient), [str(sight.position), *others], length=_LENGTH)


def opened_positions(seals: Seals, patient: UUID, token: str) -> Mapping[UUID, int]:
    """By patient. Raises SealBroken for a token that was not given out for this one."""
    position, *others = seals.open(_use(patient), token, list[str])
    try:
        return {patient: int(position)} | {
            UUID(one): int(at) for one, at in (other.split() for other in others)
        }
    except ValueError:
        raise SealBroken("this is no position") from None


def _use(patient: UUID) -> str:
    return f"position/{patient}"
