"""A disaster window is prolonged by opening the next one beforehand, and stays open itself to its last moment."""

from dataclasses import replace
from datetime import timedelta
from functools import reduce

from oracle.access_cases import A_MICROSECOND, HERE, WINDOW, an_event
from tsuzuri.domain.disasters import evolve
from tsuzuri.domain.owners import disaster_owner
from tsuzuri.domain.policies import Windows

NEXT = replace(WINDOW, event_id=an_event(41), since=WINDOW.until, until=WINDOW.until + timedelta(days=7))


def test_opening_the_next_window_beforehand_does_not_end_the_one_that_is_open() -> None:
    windows = reduce(evolve, (WINDOW, NEXT), Windows(disaster_owner()))

    (before,) = windows.open_in(HERE, WINDOW.until - A_MICROSECOND)
    (after,) = windows.open_in(HERE, NEXT.since)
    assert (before.because, after.because) == (WINDOW.event_id, NEXT.event_id)
    assert windows.open_in(HERE, NEXT.until) == ()
