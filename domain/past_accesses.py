"""What the rules for unusual access look at: reads, encounters and emergencies of the past, and their days."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from uuid import UUID

from tsuzuri.domain.opening_hours import JAPAN
from tsuzuri.domain.vocabulary import AccessBasis, Role

T = TypeVar("T")
Stated = Sequence[tuple[datetime, T]]
"""What was said of something, and when (aware), the oldest first: the last one counts."""

DAY_BEGINS = time(5)
"""In Japan: what is done in a night belongs to one day."""


@dataclass(frozen=True, kw_only=True)
class PastAccess:
    """One answered read by somebody of a facility. Moments are aware."""

    id: UUID
    at: datetime
    person: str
    role: Role
    facility: str
    patient: UUID
    bases: tuple[AccessBasis, ...]
    linked: tuple[UUID, ...] = ()  # who else was the same person then
    patient_family_name: str | None = None  # kana, as it was known then
    emergency: UUID | None = None  # the declaration that it was read under


@dataclass(frozen=True, kw_only=True)
class Encounter:
    """受診等: the facility registered a Bundle of the patient, or she consented at its card reader."""

    at: datetime
    facility: str
    patient: UUID


@dataclass(frozen=True, kw_only=True)
class PastEmergency:
    """An emergency that was declared."""

    id: UUID
    at: datetime


class Encounters:
    """When whom a facility has met."""

    def __init__(self, encounters: Iterable[Encounter]) -> None:
        self._at: dict[tuple[str, UUID], list[datetime]] = defaultdict(list)
        for one in encounters:
            self._at[one.facility, one.patient].append(one.at)
        for moments in self._at.values():
            moments.sort()

    def of(self, access: PastAccess, since: datetime, until: datetime) -> bool:
        """Whether the reader's facility met the patient from *since* until *until*, both inclusive."""
        for patient in (access.patient, *access.linked):
            moments = self._at.get((access.facility, patient), [])
            place = bisect_left(moments, since)
            if place < len(moments) and moments[place] <= until:
                return True
        return False


def stood(stated: Stated[T], at: datetime) -> T | None:
    """What counted at a moment; None when nothing had been said yet."""
    said = [value for since, value in stated if since <= at]
    return said[-1] if said else None


def day_of(at: datetime) -> date:
    """The day to which a moment belongs, from 05:00 to 05:00 in Japan."""
    return (at.astimezone(JAPAN) - timedelta(hours=DAY_BEGINS.hour)).date()


def begin_of(day: date) -> datetime:
    return datetime.combine(day, DAY_BEGINS, JAPAN)


def end_of(day: date) -> datetime:
    return begin_of(day + timedelta(days=1))


def week_of(day: date) -> int:
    """Weeks from Monday to Sunday, numbered on and on."""
    return (day.toordinal() - 1) // 7


def end_of_week(week: int) -> datetime:
    return begin_of(date.fromordinal((week + 1) * 7 + 1))
