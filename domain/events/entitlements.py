"""Who may use what no consent is asked for: in the record streams of the facility, and of the disaster windows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.events.event import Event
from tsuzuri.domain.vocabulary import Stream


@dataclass(frozen=True, kw_only=True)
class EmergencyRightGiven(Event):
    """A facility's administrator lets one person declare emergencies there."""

    TOPIC = "emergency-right-given"
    STREAM = Stream.RECORD

    facility: str
    person: str
    since: datetime  # inclusive
    until: datetime  # exclusive
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class EmergencyRightTaken(Event):
    """The right is over before its time."""

    TOPIC = "emergency-right-taken"
    STREAM = Stream.RECORD

    facility: str
    right: UUID  # event id of the giving
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class DisasterWindowOpened(Event):
    """災害時の閲覧: the operating body opens the records to the facilities of some municipalities for a time."""

    TOPIC = "disaster-window-opened"
    STREAM = Stream.RECORD

    municipalities: tuple[str, ...]  # 市区町村コード, JIS X 0402: 5 digits
    since: datetime  # inclusive
    until: datetime  # exclusive
    reason: str
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class DisasterWindowClosed(Event):
    """A window is over before its time, for some of its municipalities or for all."""

    TOPIC = "disaster-window-closed"
    STREAM = Stream.RECORD

    window: UUID  # event id of the opening
    municipalities: tuple[str, ...] = ()  # none listed: all of them
    recorded_by: str
