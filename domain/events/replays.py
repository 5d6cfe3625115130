"""Access streams of owners of their own: what was asked, to be asked again; and who may see what that shows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tsuzuri.domain.events.event import Event
from tsuzuri.domain.vocabulary import Role, Stream


@dataclass(frozen=True, kw_only=True)
class DocumentKept(Event):
    """The text of a GraphQL document that names nobody. Once for each text: the event's id follows from its digest."""

    TOPIC = "document-kept"
    STREAM = Stream.ACCESS

    sha256: str  # hex; accesses name the document by it
    document: str


@dataclass(frozen=True, kw_only=True)
class ReplayContentAllowed(Event):
    """A second person lets one who replays an access see what it shows, and not its digests alone."""

    TOPIC = "replay-content-allowed"
    STREAM = Stream.ACCESS

    access: UUID
    to: str  # the person who replays
    until: datetime  # aware; exclusive
    person: str  # who allows it: somebody else
    role: Role
    session: str | None = None
