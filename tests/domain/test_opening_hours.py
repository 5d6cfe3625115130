"""When a facility is open, in Japan's time; and hours that nobody can keep."""

from datetime import date, datetime, time

import pytest

from tsuzuri.domain.opening_hours import JAPAN, HoursMalformed, OpenPeriod, checked_hours
from tsuzuri.domain.staff_names import family_name_of

MONDAY, TUESDAY = date(2026, 6, 1), date(2026, 6, 2)


def period(opens: int, closes: int, weekday: int = 1) -> OpenPeriod:
    return OpenPeriod(weekday=weekday, opens=time(opens), closes=time(closes))


def test_a_day_is_open_from_its_first_opening_to_its_last_closing() -> None:
    hours = checked_hours([period(15, 0), period(9, 12)], [])

    assert hours.span(MONDAY) == (
        datetime(2026, 6, 1, 9, tzinfo=JAPAN),
        datetime(2026, 6, 2, 0, tzinfo=JAPAN),
    )
    assert hours.span(TUESDAY) is None


def test_a_closed_day_takes_the_week_s_hours_away() -> None:
    hours = checked_hours([period(9, 12)], [MONDAY, MONDAY])

    assert hours.closed_days == (MONDAY,)
    assert not hours.open_on(MONDAY) and hours.open_on(date(2026, 6, 8))


@pytest.mark.parametrize(
    ("periods", "said"),
    [
        ([], "from 1 to 50"),
        ([period(9, 9)], "closes after it opens"),
        ([period(18, 2)], "period of the next day"),
        ([period(9, 13), period(12, 18)], "run into each other"),
        ([period(9, 12, weekday=0)], "from 1 .Monday."),
    ],
)
def test_hours_that_cannot_be_kept(periods: list[OpenPeriod], said: str) -> None:
    with pytest.raises(HoursMalformed, match=said):
        checked_hours(periods, [])


@pytest.mark.parametrize(
    ("kana", "family"),
    [
        ("サカイ ハナコ", "サカイ"),
        ("さかい　はなこ", "サカイ"),
        ("サカイハナコ", None),
        (None, None),
        (" ", None),
    ],
)
def test_a_family_name_stands_first_and_apart(kana: str | None, family: str | None) -> None:
    assert family_name_of(kana) == family
