"""Who replays an access learns digests and ids; what it shows, only when a second person lets her."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import ReplayContentAllowed, originator
from tsuzuri.domain.owners import access_owner
from tsuzuri.domain.vocabulary import Role, Stream

ALLOWED_FOR = timedelta(hours=1)
ALLOWING_ROLES = (Role.AUDITOR, Role.OPERATOR)


class NoSuchAccess(ValueError):
    """The trail does not have it."""


class OwnReplay(ValueError):
    """Nobody lets herself see what a replay shows."""


class ContentNotAllowed(ValueError):
    """No second person has let this caller see what this access showed, or no longer does."""


def allow_content(
    access: UUID, *, to: str, caller: Caller, at: datetime, event_id: UUID
) -> ReplayContentAllowed:
    """Raises OwnReplay."""
    if not to or to == caller.person:
        raise OwnReplay("name another person than yourself: what a replay shows takes two")
    return ReplayContentAllowed(
        originator_id=originator(access_owner(access), Stream.ACCESS),
        originator_version=0,
        event_id=event_id,
        access=access,
        to=to,
        until=at + ALLOWED_FOR,
        person=caller.person,
        role=caller.role,
        session=caller.session,
    )


def check_allowed(allowance: Any, access: UUID, caller: Caller, at: datetime) -> None:
    """Whether *allowance*, as the log has it, lets *caller* see what *access* showed. Raises ContentNotAllowed."""
    held = (
        isinstance(allowance, ReplayContentAllowed)
        and allowance.access == access
        and allowance.to == caller.person != allowance.person
        and at < allowance.until
    )
    if not held:
        raise ContentNotAllowed(
            "nobody has let you see what this access showed, or it is too long ago: ask another auditor or an operator "
            "to allow it"
        )
