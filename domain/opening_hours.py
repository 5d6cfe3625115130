"""診療時間: when a facility that closes is open, week by week, in Japan's time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

JAPAN = timezone(timedelta(hours=9))
_PERIODS_MOST = 50
_CLOSED_DAYS_MOST = 400


class HoursMalformed(ValueError):
    """Hours that no facility can keep. Says what is wrong."""


@dataclass(frozen=True, kw_only=True)
class OpenPeriod:
    """Open on one day of every week, from *opens* (inclusive) until *closes* (exclusive), in Japan's time."""

    weekday: int  # ISO 8601: 1 is Monday, 7 Sunday
    opens: time
    closes: time  # 00:00: midnight, at the day's end


@dataclass(frozen=True, kw_only=True)
class OpeningHours:
    """A week, and the days on which all of it does not hold (休診日, 祝日)."""

    weekly: tuple[OpenPeriod, ...]
    closed_days: tuple[date, ...] = ()

    def open_on(self, day: date) -> bool:
        return day not in self.closed_days and any(one.weekday == day.isoweekday() for one in self.weekly)

    def span(self, day: date) -> tuple[datetime, datetime] | None:
        """From the first opening of a day to its last closing, for staff stays at noon; None: it is closed."""
        if not self.open_on(day):
            return None
        today = [one for one in self.weekly if one.weekday == day.isoweekday()]
        opens = min(datetime.combine(day, one.opens, JAPAN) for one in today)
        return opens, max(_closing(day, one.closes) for one in today)


def checked_hours(weekly: Sequence[OpenPeriod], closed_days: Sequence[date]) -> OpeningHours:
    """In the order of the week, each day once.

    Raises:
        HoursMalformed: all that is wrong, joined by semicolons.
    """
    ordered = tuple(sorted(weekly, key=lambda one: (one.weekday, one.opens)))
    if faults := list(_faults(ordered, closed_days)):
        raise HoursMalformed("; ".join(faults))
    return OpeningHours(weekly=ordered, closed_days=tuple(sorted(set(closed_days))))


def _faults(ordered: Sequence[OpenPeriod], closed_days: Sequence[date]) -> Iterator[str]:
    if not ordered or len(ordered) > _PERIODS_MOST:
        yield f"a week has from 1 to {_PERIODS_MOST} opening periods"
    if len(closed_days) > _CLOSED_DAYS_MOST:
        yield f"at most {_CLOSED_DAYS_MOST} closed days are listed"
    if any(not 1 <= one.weekday <= 7 for one in ordered):
        yield "a weekday is a number from 1 (Monday) to 7 (Sunday)"
    some_day = date(2026, 1, 1)
    if any(_closing(some_day, one.closes) <= datetime.combine(some_day, one.opens, JAPAN) for one in ordered):
        yield "a period closes after it opens; what goes on behind midnight is a period of the next day"
    for one, following in zip(ordered, ordered[1:], strict=False):
        same_day = one.weekday == following.weekday
        if same_day and _closing(some_day, one.closes) > datetime.combine(some_day, following.opens, JAPAN):
            yield f"two periods of weekday {one.weekday} run into each other"


def _closing(day: date, closes: time) -> datetime:
    at = datetime.combine(day, closes, JAPAN)
    return at + timedelta(days=1) if closes == time(0) else at
