"""Ask the rules for unusual access about what has happened, and open a review for what they notice.

What is found under one version is found again, under the same id: so it is stored once, and can be compared later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tsuzuri.app.actions.load_past_accesses import load_past_accesses
from tsuzuri.app.actions.read_trail import trail_complete_until
from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.reviews import open_review
from tsuzuri.domain.unusual import findings, judged_until
from tsuzuri.domain.unusual_found import UnusualAccess
from tsuzuri.domain.unusual_rules import UnusualRules
from tsuzuri.domain.vocabulary import Role
from tsuzuri.eventlog.appending import Beside, split
from tsuzuri.eventlog.stored_events import stored_ids
from tsuzuri.projections.access_reviews import ReviewRow
from tsuzuri.projections.review_queue import opened_by_rules

USUAL_PERIOD = timedelta(days=8)
"""What a day's run asks about: a week is judged when it has ended."""
_JUDGED_WITH = timedelta(days=8)
"""Reads this long behind a moment belong to a day or a week that began before it."""


@dataclass(frozen=True)
class Judged:
    """What the rules found whose last read lies from *since* (inclusive) to *until* (exclusive), aware."""

    since: datetime
    until: datetime
    found: Sequence[UnusualAccess]
    erased: frozenset[UUID]  # patients nobody can be asked about any more


@dataclass(frozen=True)
class Differences:
    """What the rules say now against the reviews that they opened then."""

    same: int
    only_stored: Sequence[UUID]  # reviews that would not be opened now
    only_found: Sequence[UnusualAccess]  # of which there is no review
    changed: Sequence[UUID]  # under the same id, of other reads
    erased: int  # reviews that cannot be asked again: something was erased

    def __bool__(self) -> bool:
        return bool(self.only_stored or self.only_found or self.changed)


async def judge(
    services: Services, caller: Caller, rules: UnusualRules, since: datetime | None, until: datetime | None
) -> Judged:
    """Nothing is stored. Without *until*: as far as can be judged now; without *since*: the days before that.

    Raises:
        NotPermitted: the caller is not an operator.
        Busy; tsuzuri.projections.checkpoints.ProjectionOutdated.
    """
    if caller.role is not Role.OPERATOR:
        raise NotPermitted("only an operator asks the rules for unusual access")
    return await judged_within(services, rules, since, until)


async def judged_within(
    services: Services, rules: UnusualRules, since: datetime | None, until: datetime | None
) -> Judged:
    """As `judge`, for whoever has been let ask."""
    complete_until = await trail_complete_until(services)
    end = judged_until(complete_until, rules)
    end = end if until is None else min(until, end)
    begin = end - USUAL_PERIOD if since is None else since
    read_until = min(end + _JUDGED_WITH, complete_until)
    past = await load_past_accesses(
        services,
        begin - timedelta(weeks=rules.many_weeks + 2),
        read_until,
        explained_for=max(rules.encounter_before, rules.family_before),
        complete_until=min(read_until + rules.encounter_after, complete_until),
    )
    found = findings(
        past.accesses,
        past.encounters,
        past.emergencies,
        past.hours,
        past.staff_names,
        rules,
        complete_until=complete_until,
    )
    within = [one for one in found if begin <= one.until < end]
    return Judged(begin, end, within, frozenset(past.erased))


async def find_unusual(
    services: Services, caller: Caller, rules: UnusualRules, since: datetime | None, until: datetime | None
) -> tuple[Judged, list[UUID]]:
    """Judge, and open a review for each that has none; their ids.

    Raises as `judge`, and LogUnavailable: do it again.
    """
    judged = await judge(services, caller, rules, since, until)
    events = [open_review(one) for one in judged.found]
    owned = [(split(event.originator_id)[0], event.event_id) for event in events]
    known = await stored_ids(services.log, owned)
    lacking = [event for event in events if event.event_id not in known]
    for event in lacking:
        await services.log.append_access([event], Beside())
    return judged, [event.event_id for event in lacking]


async def check_unusual(
    services: Services, caller: Caller, rules: UnusualRules, since: datetime | None, until: datetime | None
) -> tuple[Judged, Differences]:
    """Judge, and compare with the reviews of that version; nothing is stored. Raises as `judge`."""
    judged = await judge(services, caller, rules, since, until)
    stored = await opened_by_rules(services.reads, rules.version, judged.since, judged.until)
    return judged, differences(judged, stored)


def differences(judged: Judged, stored: Sequence[ReviewRow]) -> Differences:
    gone = [row for row in stored if judged.erased.intersection(row.patients)]
    unasked = {access for row in gone for access in row.accesses}
    asked = {row.review: row for row in stored if row not in gone}
    found = {one.id: one for one in judged.found if unasked.isdisjoint(one.accesses)}
    both = asked.keys() & found.keys()
    changed = [each for each in both if _said(found[each]) != _said(asked[each])]
    return Differences(
        same=len(both) - len(changed),
        only_stored=sorted(asked.keys() - found.keys()),
        only_found=[one for each, one in found.items() if each not in asked],
        changed=sorted(changed),
        erased=len(gone),
    )


def _said(one: UnusualAccess | ReviewRow) -> tuple[object, ...]:
    """What a review rests on, whichever way it is held."""
    return one.person, one.facility, list(one.patients), list(one.accesses), one.says
