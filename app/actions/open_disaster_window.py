"""災害: the operating body opens the records to the facilities of an area, and closes them again."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from tsuzuri.app.actions.change_register import change_register
from tsuzuri.app.actions.load_policies import disaster_windows
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain import disasters
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import DisasterWindowClosed, DisasterWindowOpened
from tsuzuri.domain.policies import Window, Windows
from tsuzuri.domain.vocabulary import Role

Decide = Callable[[Windows], DisasterWindowOpened | DisasterWindowClosed]


async def open_disaster_window(
    services: Services,
    caller: Caller,
    municipalities: Sequence[str],
    since: datetime | None,
    until: datetime,
    reason: str,
) -> UUID:
    """From *since* (now, when none is given) until *until* (aware; exclusive); returns the window's id.

    Raises:
        NotPermitted, Busy; tsuzuri.domain.disasters.UselessWindow; tsuzuri.domain.emergencies.UselessReason;
        tsuzuri.domain.facilities.FacilityMalformed.
    """
    _operating_body(caller)
    begins = since or services.now()

    def decide(windows: Windows) -> DisasterWindowOpened:
        return disasters.open_window(
            windows,
            event_id=services.new_id(),
            municipalities=municipalities,
            since=begins,
            until=until,
            reason=reason,
            recorded_by=caller.person,
        )

    return await _changed(services, decide)


async def close_disaster_window(
    services: Services, caller: Caller, window: UUID, municipalities: Sequence[str]
) -> UUID:
    """At once, for these municipalities or for all; no read that begins after this returns rests on it.

    Raises:
        NotPermitted, Busy; tsuzuri.domain.disasters.NoSuchWindow; tsuzuri.domain.facilities.FacilityMalformed.
    """
    _operating_body(caller)

    def decide(windows: Windows) -> DisasterWindowClosed:
        return disasters.close_window(
            windows,
            window,
            event_id=services.new_id(),
            municipalities=municipalities,
            recorded_by=caller.person,
        )

    return await _changed(services, decide)


async def disaster_windows_now(services: Services) -> list[Window]:
    """Those that are open, or will be."""
    windows, now = await disaster_windows(services), services.now()
    return [window for window in windows.opened if window.until > now]


def _operating_body(caller: Caller) -> None:
    if caller.role is not Role.OPERATOR:
        raise NotPermitted("the operating body opens and closes disaster windows")


async def _changed(services: Services, decide: Decide) -> UUID:
    event = await change_register(services, lambda: disaster_windows(services), decide)
    assert event is not None, "a window is opened or closed, or refused"
    return event.event_id
