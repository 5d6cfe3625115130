"""救急時の閲覧: what opens a record without consent. In the patient's consent stream, for it decides what is seen."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.events.event import Event
from tsuzuri.domain.vocabulary import Stream


@dataclass(frozen=True, kw_only=True)
class EmergencyDeclared(Event):
    """One person at one facility may read one patient for at most 60 minutes: the emergency table first."""

    TOPIC = "emergency-declared"
    STREAM = Stream.CONSENT

    patient: UUID
    person: str
    facility: str
    reason: str
    identified_by: (
        str  # how the patient was found: "ID", "INSURED_PERSON", "PUBLIC_ASSISTANCE", "LOCAL", "DEMOGRAPHICS"
    )
    since: datetime  # inclusive
    until: datetime  # exclusive
    shows_undelivered: bool = False  # whether 未提供 is shown too, as the installation was set then


@dataclass(frozen=True, kw_only=True)
class EmergencyWidened(Event):
    """The second step: the table was not enough, and the rest of the record is opened too."""

    TOPIC = "emergency-widened"
    STREAM = Stream.CONSENT

    patient: UUID
    emergency: UUID  # event id of the declaration
    person: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class EmergencyEnded(Event):
    """The emergency is over before its time."""

    TOPIC = "emergency-ended"
    STREAM = Stream.CONSENT

    patient: UUID
    emergency: UUID  # event id of the declaration
    recorded_by: str
