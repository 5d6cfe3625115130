"""医療機関 as the operating body lists them: what an entry may say, and what became of it."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from tsuzuri.domain.events import (
    EmergencyRightGiven,
    EmergencyRightTaken,
    Erased,
    FacilityClosed,
    FacilityHoursSet,
    FacilityListed,
    StaffNamed,
    originator,
)
from tsuzuri.domain.identifiers import MalformedNumber, facility_number
from tsuzuri.domain.opening_hours import OpeningHours
from tsuzuri.domain.owners import facility_owner
from tsuzuri.domain.vocabulary import FacilityKind, Stream

_TABLE_DIGITS: dict[FacilityKind, str] = {
    FacilityKind.HOSPITAL: "1",
    FacilityKind.CLINIC: "1",
    FacilityKind.DENTAL: "3",
    FacilityKind.PHARMACY: "4",
}
"""点数表, the third digit: 1 医科, 3 歯科, 4 調剤. A 健診機関 that is no 保険医療機関 has a number of another
list, so of a CHECKUP_CENTRE only the ten digits are asked."""

_PREFECTURES = 47
_CHECK_WEIGHTS = (6, 5, 4, 3, 2)
_LONGEST = 200  # characters of a name
_DEPARTMENTS_MOST = 100


class FacilityMalformed(ValueError):
    """An entry, or a file of entries, that the list cannot take. Says all that is wrong, line by line."""


class NothingToClose(ValueError):
    """The list has no such facility."""


@dataclass(frozen=True)
class Facility:
    """One entry of the list, as it is to be."""

    number: str  # 保険医療機関番号, 10 digits
    name: str
    kind: FacilityKind
    municipality: str | None = None  # 市区町村コード, JIS X 0402: 5 digits
    municipality_name: str | None = None
    departments: tuple[str, ...] = ()  # 診療科, by name
    emergency: bool = False  # may use emergency access
    department_codes: tuple[
        str, ...
    ] = ()  # in the order of departments, empty where none is given; or none at all


@dataclass(frozen=True)
class EmergencyRight:
    """One person may declare emergencies there, from *since* (inclusive) until *until* (exclusive), aware."""

    because: UUID  # the event
    person: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class FacilityEntry:
    """What the events of one number add up to. One that was never listed has nothing."""

    owner: UUID
    version: int = 0
    listed: FacilityListed | None = None
    closed: bool = False
    rights: tuple[EmergencyRight, ...] = ()
    hours: OpeningHours | None = None
    staff: Mapping[str, str] = field(default_factory=dict)  # person → family name in kana


FacilityEvent = (
    FacilityListed
    | FacilityClosed
    | EmergencyRightGiven
    | EmergencyRightTaken
    | FacilityHoursSet
    | StaffNamed
    | Erased
)


def evolve(entry: FacilityEntry, event: FacilityEvent) -> FacilityEntry:
    changed = replace(entry, version=event.originator_version)
    match event:
        case FacilityListed():
            return replace(changed, listed=event, closed=False)
        case FacilityClosed():
            return replace(changed, closed=True)
        case EmergencyRightGiven():
            right = EmergencyRight(event.event_id, event.person, event.since, event.until)
            running = tuple(held for held in entry.rights if held.until > event.since)
            return replace(changed, rights=(*running, right))
        case EmergencyRightTaken():
            left = tuple(held for held in entry.rights if held.because != event.right)
            return replace(changed, rights=left)
        case FacilityHoursSet():
            return replace(changed, hours=event.hours)
        case StaffNamed():
            return replace(changed, staff={**entry.staff, **event.names})
        case Erased():
            return changed
        case _:
            assert_never(event)


def enter(
    entry: FacilityEntry, facility: Facility, *, recorded_by: str, event_id: UUID
) -> FacilityListed | None:
    """The event that lists a facility, changes its entry or opens it again; None when the list says so already."""
    event = FacilityListed(
        originator_id=originator(entry.owner, Stream.RECORD),
        originator_version=entry.version + 1,
        event_id=event_id,
        facility=facility.number,
        name=facility.name,
        kind=facility.kind,
        municipality=facility.municipality,
        municipality_name=facility.municipality_name,
        departments=facility.departments,
        department_codes=facility.department_codes,
        emergency=facility.emergency,
        recorded_by=recorded_by,
    )
    before = entry.listed
    if before is None or entry.closed:
        return event
    told = replace(
        before,
        originator_version=event.originator_version,
        event_id=event.event_id,
        recorded_by=event.recorded_by,
    )
    return None if told == event else event


def close(
    entry: FacilityEntry, *, reason: str | None, recorded_by: str, event_id: UUID
) -> FacilityClosed | None:
    """The event that closes a facility; None when it is closed already.

    Raises:
        NothingToClose: it was never listed.
    """
    if entry.listed is None:
        raise NothingToClose("no facility of that number is listed")
    if entry.closed:
        return None
    return FacilityClosed(
        originator_id=originator(entry.owner, Stream.RECORD),
        originator_version=entry.version + 1,
        event_id=event_id,
        facility=entry.listed.facility,
        reason=reason,
        recorded_by=recorded_by,
    )


def new_entry(number: str) -> FacilityEntry:
    """Of a number that nothing is known of yet. Raises MalformedNumber."""
    return FacilityEntry(facility_owner(facility_number(number)))


def checked(facility: Facility) -> Facility:
    """The entry with its municipality in five digits.

    Raises:
        FacilityMalformed: all that is wrong with it, joined by semicolons.
    """
    if faults := list(_faults(facility)):
        raise FacilityMalformed("; ".join(faults))
    code = facility.municipality
    return facility if code is None else replace(facility, municipality=municipality_code(code))


def municipality_code(text: str) -> str:
    """市区町村コード in five digits (JIS X 0402): the sixth, which checks the others, is checked and left out.

    Raises:
        FacilityMalformed: it is no such code.
    """
    digits = text.isascii() and text.isdigit()
    if not digits or len(text) not in (5, 6) or not 1 <= int(text[:2]) <= _PREFECTURES:
        raise FacilityMalformed("municipality is not a code of 5 digits, or of 6 with its check digit")
    weighed = sum(int(digit) * weight for digit, weight in zip(text, _CHECK_WEIGHTS, strict=False))
    if len(text) == 6 and int(text[5]) != (11 - weighed % 11) % 10:
        raise FacilityMalformed("the sixth digit of municipality does not check the other five")
    return text[:5]


def sought(text: str) -> str:
    """A name or a number as it is looked for: in capitals or not, 全角 or 半角."""
    return unicodedata.normalize("NFKC", text).casefold()


def _faults(facility: Facility) -> Iterator[str]:
    try:
        facility_number(facility.number)
    except MalformedNumber as error:
        yield str(error)
    else:
        digit = _TABLE_DIGITS.get(facility.kind)
        if digit is not None and facility.number[2] != digit:
            yield f"the third digit of a {facility.kind}'s number is {digit} (点数表)"
    if not _readable(facility.name):
        yield "name is empty, too long, or has blanks around it"
    if (facility.municipality is None) != (facility.municipality_name is None):
        yield "municipality and municipality_name come together"
    if facility.municipality is not None:
        try:
            municipality_code(facility.municipality)
        except FacilityMalformed as error:
            yield str(error)
    if facility.municipality_name is not None and not _readable(facility.municipality_name):
        yield "municipality_name is empty, too long, or has blanks around it"
    if facility.emergency and facility.kind is not FacilityKind.HOSPITAL:
        yield "emergency is for a HOSPITAL only (救急時医療情報閲覧)"
    yield from _department_faults(facility)


def _department_faults(facility: Facility) -> Iterator[str]:
    names, codes = facility.departments, facility.department_codes
    if len(names) > _DEPARTMENTS_MOST or len(set(names)) < len(names) or not all(map(_readable, names)):
        yield "departments holds an empty name, or one twice, or too many"
    if codes and len(codes) != len(names):
        yield "department_codes has not as many values as departments: leave them empty where there is none"
    if not all(code == "" or _readable(code) for code in codes):
        yield "department_codes holds what is no code"


def _readable(text: str) -> bool:
    return 1 <= len(text) <= _LONGEST and text == text.strip() and text.isprintable()
