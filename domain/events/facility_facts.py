"""What a facility says of itself, in its record stream: the rules for unusual access read it."""

from collections.abc import Mapping
from dataclasses import dataclass

from tsuzuri.domain.events.event import Event
from tsuzuri.domain.opening_hours import OpeningHours
from tsuzuri.domain.vocabulary import Stream


@dataclass(frozen=True, kw_only=True)
class FacilityHoursSet(Event):
    """診療時間: when a facility is open from here on. It takes the place of what was said before."""

    TOPIC = "facility-hours-set"
    STREAM = Stream.RECORD

    facility: str
    hours: OpeningHours
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class StaffNamed(Event):
    """The family names of people who work at a facility. Who is not named keeps what was said before."""

    TOPIC = "staff-named"
    STREAM = Stream.RECORD

    facility: str
    names: Mapping[str, str]  # person, as her token says → family name in kana, in one spelling
    recorded_by: str
