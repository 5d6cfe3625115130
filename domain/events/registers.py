"""What concerns no patient, each in a record stream of its own owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from tsuzuri.domain.events.event import Event
from tsuzuri.domain.vocabulary import OperatorAct, Stream


@dataclass(frozen=True, kw_only=True)
class FacilityListed(Event):
    """The operating body entered a facility, or changed its entry."""

    TOPIC = "facility-listed"
    STREAM = Stream.RECORD

    facility: str
    name: str
    kind: str  # a FacilityKind; text, since the first entries were not checked
    municipality: str | None = None  # 市区町村コード, JIS X 0402: 5 digits
    municipality_name: str | None = None
    departments: tuple[str, ...] = ()  # 診療科
    emergency: bool = False  # may use emergency access
    recorded_by: str
    department_codes: tuple[
        str, ...
    ] = ()  # in the order of departments, empty where none is given; or none at all


@dataclass(frozen=True, kw_only=True)
class FacilityClosed(Event):
    """A facility is no facility any more. Its entry stays, with what it had; listed anew, it is open again."""

    TOPIC = "facility-closed"
    STREAM = Stream.RECORD

    facility: str
    reason: str | None
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class OperatorActed(Event):
    """An operator ordered something of a projection. Stored before it is carried out; an order repeated is harmless."""

    TOPIC = "operator-acted"
    STREAM = Stream.RECORD

    projection: str
    act: OperatorAct
    generation: int | None = None
    patient: UUID | None = None
    skipped: UUID | None = None  # the event that is left out
    reason: str | None
    ticket: str | None  # of the operators' own tracker
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class CodeReleaseTaken(Event):
    """A release of the codes was taken up: generations made from now on are filled under it."""

    TOPIC = "code-release-taken"
    STREAM = Stream.RECORD

    release: str  # its name, which stays with these bytes
    sha256: str  # hex, of the payload's bytes
    codes: int  # how many entries it has
    payload: UUID  # the release as canonical CSV
    recorded_by: str


@dataclass(frozen=True, kw_only=True)
class LogRestored(Event):
    """The database was put back from a backup, and held against what had been published of the log."""

    TOPIC = "log-restored"
    STREAM = Stream.RECORD

    origin: str  # of the checkpoint that it was held against: the newest of the log
    checkpoint: int
    root: str  # base64
    lost: Mapping[str, int]  # events that this covers and that are gone for ever, by the number of their part
    keys_destroyed: int  # again
    goes_on_as: str  # the origin from then on: another where events were lost
    reason: str | None
    recorded_by: str
