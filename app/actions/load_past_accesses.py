"""What the rules for unusual access look at: reads from the audit trail, and from the log what explains them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from tsuzuri.app.services import Services
from tsuzuri.domain.consents import CARD_READER
from tsuzuri.domain.events import (
    BundleAccepted,
    BundleRegistered,
    BundleReplaced,
    ConsentGranted,
    EmergencyDeclared,
    Erased,
    Event,
    FacilityHoursSet,
    PatientIdentified,
    StaffNamed,
    Unreadable,
)
from tsuzuri.domain.opening_hours import OpeningHours
from tsuzuri.domain.owners import facility_owner
from tsuzuri.domain.past_accesses import Encounter, PastAccess, PastEmergency, stood
from tsuzuri.domain.staff_names import family_name_of
from tsuzuri.domain.vocabulary import AccessBasis, Role
from tsuzuri.eventlog.stored_events import RecordedEvent, recorded_events
from tsuzuri.projections import audit_trail
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.freshness import served_generation

_PAGE_ACCESSES = 20_000
_PAGE_OWNERS = 500
_EVER = datetime(1900, 1, 1, tzinfo=UTC)
_MET: tuple[type[Event], ...] = (BundleRegistered, BundleReplaced, ConsentGranted, EmergencyDeclared)
Names = dict[UUID, list[tuple[datetime, str | None]]]
"""Owner of a record → the family names that were stated, and when."""


@dataclass
class Past:
    """All of it, ready for `tsuzuri.domain.unusual.findings`."""

    accesses: list[PastAccess] = field(default_factory=list)
    encounters: list[Encounter] = field(default_factory=list)
    emergencies: list[PastEmergency] = field(default_factory=list)
    hours: dict[str, list[tuple[datetime, OpeningHours]]] = field(default_factory=lambda: defaultdict(list))
    staff_names: dict[tuple[str, str], list[tuple[datetime, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    erased: set[UUID] = field(default_factory=set)
    """Patients of whom something that would explain a read cannot be read any more: nobody is accused about them."""


async def load_past_accesses(
    services: Services,
    since: datetime,
    until: datetime,
    *,
    explained_for: timedelta,
    complete_until: datetime,
) -> Past:
    """Reads recorded from *since* to *until*, with encounters *explained_for* before them and up to *complete_until*.

    What is said of a facility or a person counts from when it was said: later asking changes nothing.
    """
    past = Past()
    rows = await _accesses(services, since, until)
    await _facilities(services, past, {row["facility"] for row in rows}, until)
    persons = sorted({one for row in rows for one in _same_person(row)})
    met = await _events(services, persons, _MET, since - explained_for, complete_until)
    said: Sequence[RecordedEvent] = []
    if past.staff_names:
        said = await _events(services, persons, [PatientIdentified], _EVER, until)
    names: Names = defaultdict(list)
    for one in (*met, *said):
        _add(past, names, one)
    past.accesses = [_access(row, names) for row in rows if past.erased.isdisjoint(_same_person(row))]
    return past


def _add(past: Past, names: Names, one: RecordedEvent) -> None:
    match one.event:
        case Erased() | Unreadable():
            past.erased.add(one.owner)
        case BundleAccepted(facility=facility):
            past.encounters.append(Encounter(at=one.recorded_at, facility=facility, patient=one.owner))
        case ConsentGranted(facility=facility, given=given) if given == CARD_READER:
            past.encounters.append(Encounter(at=one.recorded_at, facility=facility, patient=one.owner))
        case EmergencyDeclared() as event:
            past.emergencies.append(PastEmergency(id=event.event_id, at=one.recorded_at))
        case PatientIdentified() as event:
            names[one.owner].append((one.recorded_at, family_name_of(event.demographics.kana)))


async def _facilities(services: Services, past: Past, facilities: Collection[str], until: datetime) -> None:
    owners = [facility_owner(one) for one in sorted(facilities)]
    for one in await _events(services, owners, [FacilityHoursSet, StaffNamed], _EVER, until):
        match one.event:
            case FacilityHoursSet() as event:
                past.hours[event.facility].append((one.recorded_at, event.hours))
            case StaffNamed() as event:
                for person, name in event.names.items():
                    past.staff_names[event.facility, person].append((one.recorded_at, name))


def _same_person(row: Mapping[str, Any]) -> list[UUID]:
    """Whose records were read in one access: the patient's, and whoever was linked with her then."""
    return [row["patient_id"], *row["linked"]]


def _access(row: Mapping[str, Any], names: Names) -> PastAccess:
    stated = [name for one in _same_person(row) for name in names.get(one, ())]
    declared = [
        UUID(ground["because"])
        for ground in orjson.loads(row["grounds"])
        if ground["basis"] == AccessBasis.EMERGENCY
    ]
    return PastAccess(
        id=row["access"],
        at=row["at"],
        person=row["person"],
        role=Role(row["role"]),
        facility=row["facility"],
        patient=row["patient_id"],
        bases=tuple(AccessBasis(basis) for basis in row["bases"]),
        linked=tuple(row["linked"]),
        patient_family_name=stood(sorted(stated, key=lambda name: name[0]), row["at"]),
        emergency=declared[0] if declared else None,
    )


async def _accesses(services: Services, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Of people at facilities, page by page. Where only letters could be seen, nothing of a record was read."""
    found: list[dict[str, Any]] = []
    after = (since, UUID(int=0))
    while True:
        async with (
            services.pool.connection() as connection,
            connection.cursor(row_factory=dict_row, binary=True) as cursor,
        ):
            generation = await served_generation(services.reads, audit_trail.NAME)
            schema = PROJECTIONS[audit_trail.NAME].schema(generation)
            await cursor.execute(
                SQL(
                    "SELECT access, at, person, role, facility, patient_id, bases, grounds, linked FROM {}"
                    " WHERE (at, access) > (%s, %s) AND at < %s AND outcome = 'PERMITTED'"
                    " AND facility IS NOT NULL AND NOT classes_permitted <@ '{{REFERRAL}}'"
                    " ORDER BY at, access LIMIT %s"
                ).format(Identifier(schema, audit_trail.AccessRow.TABLE)),
                (*after, until, _PAGE_ACCESSES),
            )
            page = await cursor.fetchall()
        found += page
        if len(page) < _PAGE_ACCESSES:
            return found
        after = (page[-1]["at"], page[-1]["access"])


async def _events(
    services: Services, owners: Sequence[UUID], kinds: Iterable[type[Event]], since: datetime, until: datetime
) -> list[RecordedEvent]:
    wanted = list(kinds)
    found: list[RecordedEvent] = []
    for first in range(0, len(owners), _PAGE_OWNERS):
        page = owners[first : first + _PAGE_OWNERS]
        found += await recorded_events(services.log, page, wanted, since, until)
    return found
