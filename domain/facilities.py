"""A facility as the operating body lists it."""

from dataclasses import dataclass

from tsuzuri.domain.events import FacilityListed


@dataclass(frozen=True)
class Facility:
    """One entry of the list. `kind`: HOSPITAL, CLINIC, DENTAL, PHARMACY, CHECKUP_CENTRE."""

    number: str  # 保険医療機関番号, 10 digits
    name: str
    kind: str
    municipality: str | None = None
    municipality_name: str | None = None
    departments: tuple[str, ...] = ()
    emergency: bool = False

    @classmethod
    def of(cls, event: FacilityListed) -> "Facility":
        """What the list says after this event."""
        return cls(
            number=event.facility,
            name=event.name,
            kind=event.kind,
            municipality=event.municipality,
            municipality_name=event.municipality_name,
            departments=event.departments,
            emergency=event.emergency,
        )
