"""災害時の閲覧: the operating body opens the records to the facilities of an area, for a time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from tsuzuri.domain.emergencies import readable_reason
from tsuzuri.domain.events import DisasterWindowClosed, DisasterWindowOpened, Erased, originator
from tsuzuri.domain.facilities import municipality_code
from tsuzuri.domain.policies import Window, Windows
from tsuzuri.domain.vocabulary import Stream


class UselessWindow(ValueError):
    """A window that would open nothing."""


class NoSuchWindow(ValueError):
    """No such window is open, or not for that municipality."""


def evolve(windows: Windows, event: DisasterWindowOpened | DisasterWindowClosed | Erased) -> Windows:
    """What is over is kept: a window may be opened days before it begins, and must not end one that is open now."""
    changed = replace(windows, version=event.originator_version)
    match event:
        case DisasterWindowOpened():
            window = Window(event.event_id, event.municipalities, event.since, event.until)
            return replace(changed, opened=(*windows.opened, window))
        case DisasterWindowClosed():
            rest = [_without(held, event) for held in windows.opened]
            return replace(changed, opened=tuple(held for held in rest if held.municipalities))
        case Erased():
            return changed
        case _:
            assert_never(event)


def open_window(
    windows: Windows,
    *,
    event_id: UUID,
    municipalities: Sequence[str],
    since: datetime,
    until: datetime,
    reason: str,
    recorded_by: str,
) -> DisasterWindowOpened:
    """From *since* (inclusive) until *until* (exclusive), aware, UTC. It is prolonged by opening another one.

    *municipalities*: 市区町村コード of five digits, or six with the check digit.

    Raises:
        UselessWindow; UselessReason; tsuzuri.domain.facilities.FacilityMalformed: one is no such code.
    """
    if not municipalities:
        raise UselessWindow("a window names at least one municipality")
    if until <= since:
        raise UselessWindow("a window ends after it begins")
    return DisasterWindowOpened(
        originator_id=originator(windows.owner, Stream.RECORD),
        originator_version=windows.version + 1,
        event_id=event_id,
        municipalities=tuple(sorted({municipality_code(code) for code in municipalities})),
        since=since,
        until=until,
        reason=readable_reason(reason),
        recorded_by=recorded_by,
    )


def close_window(
    windows: Windows,
    window: UUID,
    *,
    event_id: UUID,
    municipalities: Sequence[str] = (),
    recorded_by: str,
) -> DisasterWindowClosed:
    """Close it at once, for the listed municipalities or for all.

    Raises:
        NoSuchWindow; tsuzuri.domain.facilities.FacilityMalformed.
    """
    closed = DisasterWindowClosed(
        originator_id=originator(windows.owner, Stream.RECORD),
        originator_version=windows.version + 1,
        event_id=event_id,
        window=window,
        municipalities=tuple(sorted({municipality_code(code) for code in municipalities})),
        recorded_by=recorded_by,
    )
    if all(_without(held, closed) == held for held in windows.opened):
        raise NoSuchWindow("no such window is open for these municipalities")
    return closed


def _without(held: Window, event: DisasterWindowClosed) -> Window:
    if held.because != event.window:
        return held
    left = tuple(
        one for one in held.municipalities if event.municipalities and one not in event.municipalities
    )
    return replace(held, municipalities=left)
