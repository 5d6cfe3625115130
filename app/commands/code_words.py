"""How code releases are told to a person at a terminal."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TypeVar

from tsuzuri.domain.code_changes import Changed, CodeChanges
from tsuzuri.domain.codes import GROUPS, CodeEntry
from tsuzuri.projections.code_report import Effect, UnknownCode

T = TypeVar("T")
CHANGES_TOLD = 20


def changes(found: CodeChanges) -> Iterator[str]:
    """What a release says otherwise, a line a code; the first of each kind, and how many there are."""
    yield from _told("added", found.added, _entry)
    yield from _told("removed", found.removed, _entry)
    yield from _told("ended", found.validity, lambda both: _both(both, lambda one: _day(one.valid_to)))
    yield from _told("renamed", found.display, lambda both: _both(both, lambda one: one.display))
    yield from _told("regrouped", found.group, lambda both: _both(both, lambda one: one.group or "-"))
    yield from _told(
        "reclassed", found.record_class, lambda both: _both(both, lambda one: one.record_class or "-")
    )


def effects(found: Sequence[Effect]) -> Iterator[str]:
    """What it would do to the entries of the index, a line for each facility and class."""
    if not found:
        yield "no entry of the record index would be read otherwise"
        return
    yield "entries of the record index that would be read otherwise:"
    for one in found:
        yield (
            f"  {one.facility} {one.record_class}: {one.regrouped} in another group, "
            f"{one.known} known at last, {one.unknown} not known any more"
        )


def unknown(found: Sequence[UnknownCode], release: str) -> Iterator[str]:
    """The codes that a release does not know, a line each."""
    for one in found:
        yield f"{one.facility} {one.record_class}: {one.system}|{one.code} in {one.entries} entries"
    yield f"{len(found)} codes are not known to {release}"


def _told(kind: str, found: Sequence[T], told: Callable[[T], str]) -> Iterator[str]:
    if found:
        yield f"{len(found)} {kind}"
    for one in found[:CHANGES_TOLD]:
        yield f"  {told(one)}"
    if len(found) > CHANGES_TOLD:
        yield f"  and {len(found) - CHANGES_TOLD} more"


def _entry(entry: CodeEntry) -> str:
    if entry.system == GROUPS:
        return f"group {entry.code} {entry.display}"
    return f"{entry.system}|{entry.code} {entry.display} ({entry.group or 'no group'})"


def _both(both: Changed, told: Callable[[CodeEntry], str]) -> str:
    before, after = both
    return f"{after.system}|{after.code} {after.display}: {told(before)} → {told(after)}"


def _day(day: date | None) -> str:
    return "no end" if day is None else day.isoformat()
