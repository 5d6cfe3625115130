"""A second person lets one who replays an access see what it shows."""

from uuid import UUID

from tsuzuri.app.actions.recorded_access import find_access
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import ReplayContentAllowed
from tsuzuri.domain.replay_allowances import ALLOWING_ROLES, NoSuchAccess, allow_content
from tsuzuri.eventlog.appending import Beside


async def allow_replay_content(
    services: Services, caller: Caller, access: UUID, to: str
) -> ReplayContentAllowed:
    """For an hour; what is returned is in the log.

    Raises NotPermitted, LogUnavailable, and tsuzuri.domain.replay_allowances.OwnReplay, NoSuchAccess.
    """
    if caller.role not in ALLOWING_ROLES:
        raise NotPermitted("auditors and operators allow each other to see what a replay shows")
    if await find_access(services, access) is None:
        raise NoSuchAccess("the trail has no such access, or has not come to it yet")
    allowed = allow_content(access, to=to, caller=caller, at=services.now(), event_id=services.new_id())
    await services.log.append_access([allowed], Beside())
    return allowed
