"""One write: what goes into the log together, as the caller has it, and what a refusal means."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from eventsourcing.persistence import IntegrityError
from psycopg import Error

from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.data_keys import STREAM_USES, KeyChanged, KeyUse
from tsuzuri.eventlog.mapper import MappedEvent


class NarrowedMeanwhile(Exception):
    """An event that narrows sight came between the decision and its append: decide again."""

    def __init__(self, writes: Sequence[int] = (0,)) -> None:
        super().__init__("an event that narrows sight came in between")
        self.writes = frozenset(writes)  # of those sent together: theirs, by number


class ClaimedElsewhere(Exception):
    """A number was claimed for another patient meanwhile: look it up again and use that patient."""


class Taken(IntegrityError):
    """A version is taken: by somebody else's event, or by the very one that was sent once more."""


class LogUnavailable(Exception):
    """The log cannot be written now. Nothing may be shown that it would have to record."""


class HoldStands(Exception):
    """A hold blocks the destruction of this patient's keys until it is lifted."""


@dataclass(frozen=True)
class Payload:
    """Bytes kept beside an event: a received Bundle, or a unit taken from it. Those of one key go together."""

    payload_id: UUID
    body: bytes
    key_id: UUID
    use: KeyUse


@dataclass(frozen=True)
class Claim:
    """A number, as its keyed hash, for the patient whose first event this append stores."""

    digest: bytes
    patient: UUID


@dataclass(frozen=True)
class Findable:
    """A keyed hash by which a patient without a number may be found; several patients may share it."""

    digest: bytes
    patient: UUID


@dataclass(frozen=True)
class Guard:
    """Nothing may have narrowed the patient's sight since the position the decision read."""

    patient: UUID
    guard_pos: int


@dataclass(frozen=True)
class Beside:
    """What is written or checked in the same transaction as the events. Consents and payloads are their owner's."""

    narrows: bool = False  # these events may narrow what is seen of their patient
    consents: bytes | None = None  # the consent stream folded up to these events
    payloads: Sequence[Payload] = ()
    claims: Sequence[Claim] = ()
    findable: Sequence[Findable] = ()
    guards: Sequence[Guard] = ()


@dataclass(frozen=True)
class Write:
    """Events that are stored together or not at all, and what belongs to them."""

    events: Sequence[MappedEvent]
    beside: Beside = field(default_factory=Beside)

    @property
    def owner(self) -> UUID:
        """Whose consents and payloads these are."""
        return split(self.events[0].originator_id)[0]

    def streams(self) -> set[tuple[UUID, KeyUse]]:
        """The streams whose keys seal this write."""
        routes = {split(event.originator_id) for event in self.events}
        used = {(owner, STREAM_USES[stream]) for owner, stream in routes}
        return used if self.beside.consents is None else used | {(self.owner, KeyUse.CONSENT)}

    def begun(self) -> set[tuple[UUID, KeyUse]]:
        """The streams that begin with this write, and so most likely have no key yet."""
        first = [split(event.originator_id) for event in self.events if event.originator_version == 1]
        return {(owner, STREAM_USES[stream]) for owner, stream in first if stream is not Stream.ACCESS}


@lru_cache(maxsize=65_536)  # each append asks a few times for the same few
def split(originator_id: UUID | str) -> tuple[UUID, Stream]:
    """The owner and the stream of an originator id, "<owner>/<stream>"."""
    owner, _, stream = str(originator_id).partition("/")
    return UUID(owner), Stream[stream.upper()]


def meaning(error: Error) -> Exception | None:
    """What a refusal of the database's functions means to their caller; None for any other error."""
    match error.sqlstate:
        case "TZ001":
            return NarrowedMeanwhile(
                [int(number) for number in (error.diag.message_detail or "0").split(",")]
            )
        case "TZ002":
            return ClaimedElsewhere("a number was claimed for another patient")
        case "TZ003":
            return IntegrityError("the stream has moved on: load it again and decide again")
        case "23505":
            return Taken("the stream has moved on, or the events are stored already")
        case "TZ005":
            return KeyChanged("a key was made or destroyed meanwhile")
        case "TZ006":
            return HoldStands("a hold stands: nothing of this patient is erased until it is lifted")
        case _:
            return None
