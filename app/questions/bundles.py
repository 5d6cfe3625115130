"""Bundles that a facility sent and that are not kept: rejected, or cancelled by itself."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from tsuzuri.app.services import Services
from tsuzuri.domain.answers import Answered, Finding, answered
from tsuzuri.domain.events import BundleCancelled, BundleRefused
from tsuzuri.domain.questions import Asked
from tsuzuri.domain.vocabulary import Language
from tsuzuri.eventlog.stored_events import RecordedEvent, events_within


async def bundles_not_kept(services: Services, asked: Asked, complete_until: datetime) -> Answered:
    """One finding for each facility; what an operator handed in at the machine has none."""
    assert asked.since is not None and asked.until is not None, "`checked` has seen that both are given"
    until = min(asked.until, complete_until)
    of_facility = defaultdict[str | None, list[RecordedEvent]](list)
    undecided = 0
    for one in await events_within(services.log, [BundleRefused, BundleCancelled], asked.since, until):
        if not isinstance(one.event, BundleRefused | BundleCancelled):
            undecided += 1
        elif asked.facility in (None, one.event.facility):
            of_facility[one.event.facility].append(one)
    found = (_finding(facility, events) for facility, events in of_facility.items())
    return answered(found, until, undecided=undecided)


def _finding(facility: str | None, events: Sequence[RecordedEvent]) -> Finding:
    refused = [one.event for one in events if isinstance(one.event, BundleRefused)]
    cancelled = len(events) - len(refused)
    rules = Counter(rule for event in refused for rule in event.broken)
    most = ", ".join(f"{rule} {count}" for rule, count in rules.most_common(10))
    return Finding(
        since=min(one.recorded_at for one in events),
        until=max(one.recorded_at for one in events),
        facility=facility,
        number=len(events),
        says={
            Language.EN: f"{len(refused)} Bundles rejected{f' ({most})' if most else ''}, {cancelled} cancelled.",
            Language.JA: f"受付拒否{len(refused)}件{f'({most})' if most else ''}、取消{cancelled}件。",
        },
    )
