"""What a decision reads beside the patient's consents: the facility's and the person's rights, and open windows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.events import FacilityListed
from tsuzuri.domain.facilities import EmergencyRight, FacilityEntry
from tsuzuri.domain.vocabulary import FacilityKind


@dataclass(frozen=True)
class Window:
    """災害時の閲覧, from *since* (inclusive) until *until* (exclusive), aware."""

    because: UUID  # the event
    municipalities: tuple[str, ...]
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Windows:
    """All that were opened and have not been closed, over or not."""

    owner: UUID
    version: int = 0
    opened: tuple[Window, ...] = ()

    def open_in(self, municipality: str | None, at: datetime) -> tuple[Window, ...]:
        return tuple(
            window
            for window in self.opened
            if municipality in window.municipalities and window.since <= at < window.until
        )


@dataclass(frozen=True)
class Policies:
    """As they stood when it was decided. What was not loaded permits nothing."""

    facility: FacilityEntry | None = None  # the asking one's
    windows: Windows | None = None

    def emergency_right(self, person: str, at: datetime) -> EmergencyRight | None:
        """The right of a person to declare an emergency, where the facility itself has that right.

        Only hospitals that take emergencies (救急時医療情報閲覧 excludes 診療所 and 薬局), and of their people only
        those whom the administrator has named.
        """
        if self.facility is None or not self.takes_emergencies:
            return None
        held = self.facility.rights
        return next(
            (right for right in held if right.person == person and right.since <= at < right.until), None
        )

    def disaster_windows(self, at: datetime) -> tuple[Window, ...]:
        """The windows that are open where the facility lies."""
        if self.windows is None or self.listed is None:
            return ()
        return self.windows.open_in(self.listed.municipality, at)

    @property
    def listed(self) -> FacilityListed | None:
        """The facility's entry, unless it is closed."""
        return None if self.facility is None or self.facility.closed else self.facility.listed

    @property
    def takes_emergencies(self) -> bool:
        listed = self.listed
        return listed is not None and listed.emergency and listed.kind == FacilityKind.HOSPITAL

    @property
    def versions(self) -> dict[UUID, int]:
        """Owner of the stream → the version that was read."""
        read = [one for one in (self.facility, self.windows) if one is not None]
        return {one.owner: one.version for one in read}


NO_POLICIES = Policies()
