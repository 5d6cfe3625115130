"""Reads while the facility was closed: which of them nothing explains."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from tsuzuri.domain.opening_hours import JAPAN, OpeningHours
from tsuzuri.domain.past_accesses import PastAccess, Stated, begin_of, day_of, end_of, stood
from tsuzuri.domain.unusual_found import Past, UnusualAccess, found, grouped, patients_of
from tsuzuri.domain.unusual_rules import UnusualRule, UnusualRules

Hours = Mapping[str, Stated[OpeningHours]]
"""Of the facilities that close. One that is not named never does, or nobody knows."""


def off_hours(past: Past, hours: Hours) -> Iterator[UnusualAccess]:
    closing = (one for one in past.accesses if one.facility in hours)
    for there in grouped(closing, lambda one: one.facility):
        late = [one for one in there if _closed(past.rules, stood(hours[one.facility], one.at), one.at)]
        for reads in grouped(late, lambda one: (one.person, day_of(one.at))):
            day = day_of(reads[0].at)
            kept = stood(hours[reads[0].facility], reads[0].at)
            if kept is None or not past.over(end_of(day)):
                continue
            lone = [
                one for one in reads if not _there_soon(past, kept, one) and not _on_duty(past, there, one)
            ]
            prepared = {one.patient for one in reads if _there_next(past, kept, one)}
            patients = len(patients_of(lone))
            if lone and patients * past.rules.prepared_for_each > len(prepared):
                yield found(
                    UnusualRule.OFF_HOURS,
                    past.rules,
                    f"day/{day}",
                    lone,
                    f"{patients} patients were read while the facility was closed, and no encounter explains it.",
                    f"診療時間外に患者{patients}名を閲覧。前後に受診等の記録がない。",
                )


def _closed(rules: UnusualRules, kept: OpeningHours | None, at: datetime) -> bool:
    """Whether nobody is at work then. The day before counts too: it may end behind midnight."""
    if kept is None:
        return False
    today = at.astimezone(JAPAN).date()
    spans = [kept.span(day) for day in (today - timedelta(days=1), today, today + timedelta(days=1))]
    return not any(
        span and span[0] - rules.closed_before_opening <= at <= span[1] + rules.closed_after_closing
        for span in spans
    )


def _next_opening(rules: UnusualRules, kept: OpeningHours, day: date) -> date:
    """The next day on which it is open, as far as that can be judged."""
    days = [day + timedelta(days=number) for number in range(1, rules.encounter_after.days)]
    return next((one for one in days if kept.open_on(one)), days[0])


def _there_soon(past: Past, kept: OpeningHours, one: PastAccess) -> bool:
    """On that day, or up to the next opening one: house calls, charts that are finished late, appointments."""
    day = day_of(one.at)
    since, until = begin_of(day), end_of(_next_opening(past.rules, kept, day))
    return past.encounters.of(one, since, until)


def _there_next(past: Past, kept: OpeningHours, one: PastAccess) -> bool:
    """She came after the read, on that day's next: it was prepared."""
    until = end_of(_next_opening(past.rules, kept, day_of(one.at)))
    return past.encounters.of(one, one.at, until)


def _on_duty(past: Past, there: Sequence[PastAccess], one: PastAccess) -> bool:
    """Whether others were read there and seen there at that time."""
    near = past.rules.duty_near
    others = {
        other.patient
        for other in there
        if other.patient != one.patient
        and abs(other.at - one.at) <= near
        and past.encounters.of(other, one.at - near, one.at + near)
    }
    return len(others) >= past.rules.duty_patients
