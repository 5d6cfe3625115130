"""All projections, by name. One more projection is one more file and one more line here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from uuid import UUID

from tsuzuri.domain.events import Event
from tsuzuri.projections import (
    access_reviews,
    audit_trail,
    consent_register,
    correction_requests,
    facilities,
    identities,
    patient_summary,
    record_index,
    referrals,
)
from tsuzuri.projections.rows import Look, Recorded, Row, Rows


class UnknownProjection(LookupError):
    """There is no projection of that name."""


@dataclass(frozen=True)
class Projection:
    """What a projection file declares."""

    name: str
    version: int
    tables: str  # without their keys and indexes, which a generation gets when it is filled
    indexes: str
    rows: tuple[type[Row], ...]
    events: tuple[type[Event], ...]
    payloads: Callable[[Event], Sequence[UUID]]
    looks: Callable[[Event], Sequence[Look]]
    apply: Callable[[Rows, Recorded[Event]], None]

    @property
    def streams(self) -> list[int]:
        """In which its events lie."""
        return sorted({event.STREAM.value for event in self.events})

    @property
    def added_once(self) -> bool:
        """Whether its events only add rows, each its own: they need not be folded owner by owner."""
        return all(kind.ADDED_ONCE for kind in self.rows)

    @property
    def topics(self) -> list[str]:
        return [event.TOPIC for event in self.events]

    @property
    def for_auditors(self) -> bool:
        """Whether the auditor's role may read it: who saw what, and what was permitted; no records."""
        return self.name in (audit_trail.NAME, access_reviews.NAME, consent_register.NAME, facilities.NAME)

    def schema(self, generation: int) -> str:
        """The PostgreSQL schema in which one generation lives."""
        return f"{self.name}_g{generation}"


def _declared(module: ModuleType) -> Projection:
    return Projection(
        name=module.NAME,
        version=module.VERSION,
        tables=module.TABLES,
        indexes=module.INDEXES,
        rows=module.ROWS,
        events=module.EVENTS,
        payloads=module.payloads,
        looks=module.looks,
        apply=module.apply,
    )


PROJECTIONS: dict[str, Projection] = {
    module.NAME: _declared(module)
    for module in (
        identities,
        facilities,
        record_index,
        patient_summary,
        consent_register,
        referrals,
        correction_requests,
        audit_trail,
        access_reviews,
    )
}

BY_CODES = record_index.NAME
"""The one whose rows depend on the code release that a generation is filled under: it alone holds results."""


def projection(name: str) -> Projection:
    """Raises UnknownProjection, naming those there are."""
    try:
        return PROJECTIONS[name]
    except KeyError:
        raise UnknownProjection(f"no projection {name!r}; there are: {', '.join(PROJECTIONS)}") from None
