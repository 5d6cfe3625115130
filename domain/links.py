"""Patients who are one person: who is in the set, who survives, and what linking and unlinking make of it.

Every member's record stream holds the whole set, so any of them tells it, and two operators who change one set at the
same time meet at a version. Linking moves nothing, neither what is there nor what comes later: a Bundle, a consent or
a number belongs to whom it names. So unlinking undoes all of it. The survivor is who stands for the set.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from tsuzuri.domain.events import Link, LinksChanged, PatientsLinked, PatientsUnlinked, originator
from tsuzuri.domain.registrations import PatientRecord
from tsuzuri.domain.vocabulary import Stream

E = TypeVar("E", bound=LinksChanged)


class CannotLink(ValueError):
    """These are not two known patients that are not linked yet."""


class NothingToUnlink(ValueError):
    """No such link holds of this patient."""


@dataclass(frozen=True)
class Change:
    """Why the sets change, and who says so."""

    reason: str
    changed_by: str
    new_id: Callable[[], UUID]

    def event(self, kind: type[E], record: PatientRecord, changed: Link, links: tuple[Link, ...]) -> E:
        return kind(
            originator_id=originator(record.patient, Stream.RECORD),
            originator_version=record.version + 1,
            event_id=self.new_id(),
            patient=record.patient,
            changed=changed,
            links=links,
            reason=self.reason,
            changed_by=self.changed_by,
        )


def members(patient: UUID, links: Iterable[Link]) -> tuple[UUID, ...]:
    """Everybody in the patient's set, the survivor first. A patient without links is her own."""
    found = {patient}
    held = list(links)
    while (
        near := {
            one
            for link in held
            if not found.isdisjoint((link.survivor, link.other))
            for one in (link.survivor, link.other)
        }
        - found
    ):
        found |= near
    replaced = {link.other for link in held}
    survivor = next(one for one in sorted(found) if one not in replaced)
    return (survivor, *sorted(found - {survivor}))


def link(
    records: Mapping[UUID, PatientRecord], survivor: UUID, other: UUID, change: Change
) -> list[PatientsLinked]:
    """One event for each who is in the set from here on. The survivors of the two sets are linked.

    *records*: of all in either set. Raises CannotLink.
    """
    if any(records[one].version == 0 for one in (survivor, other)):
        raise CannotLink("one of them is not known here: give the ids of two patients")
    ours, theirs = records[survivor].links, records[other].links
    first, second = members(survivor, ours)[0], members(other, theirs)[0]
    if first == second:
        raise CannotLink("they are one person already")
    made = Link(link=change.new_id(), survivor=first, other=second)
    links = (*ours, *theirs, made)
    return [change.event(PatientsLinked, records[one], made, links) for one in members(first, links)]


def unlink(
    records: Mapping[UUID, PatientRecord], patient: UUID, link_id: UUID, change: Change
) -> list[PatientsUnlinked]:
    """One event for each who was in the set. *records*: of all of them. Raises NothingToUnlink."""
    held = records[patient].links
    undone = next((one for one in held if one.link == link_id), None)
    if undone is None:
        raise NothingToUnlink("no such link holds of this patient")
    rest = [one for one in held if one != undone]
    return [
        change.event(PatientsUnlinked, records[one], undone, _around(one, rest))
        for one in members(patient, held)
    ]


def sets_of(events: Sequence[LinksChanged]) -> list[tuple[UUID, ...]]:
    """The sets that these events leave, each once."""
    return list(dict.fromkeys(members(event.patient, event.links) for event in events))


def _around(patient: UUID, links: Sequence[Link]) -> tuple[Link, ...]:
    inside = set(members(patient, links))
    return tuple(one for one in links if one.survivor in inside)
