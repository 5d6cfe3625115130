"""What an auditor has before her: who read whose record, what the facility did for the patient, what was declared.

It imports nothing of ours. Times are aware and UTC; stories are told in Japan's time. Facilities, roles, bases and
purposes are in the product's words, so that whoever judges these histories needs no translation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from random import Random
from uuid import UUID

JAPAN = timezone(timedelta(hours=9))  # Asia/Tokyo; no summer time since 1951
Span = tuple[time, time]
EMERGENCY_LASTS = timedelta(hours=24)


@dataclass(frozen=True)
class Facility:
    """*hours* are those on the door: weekday (0 is Monday) → spans in Japan's time, none on a public holiday."""

    number: str  # 保険医療機関番号, 10 digits
    kind: str  # HOSPITAL, CLINIC or PHARMACY
    hours: Mapping[int, tuple[Span, ...]]
    never_closes: bool = False  # a hospital: its wards are awake, whatever its outpatient hours
    holidays: frozenset[date] = frozenset()  # 祝日

    def spans(self, day: date) -> tuple[Span, ...]:
        return () if day in self.holidays else self.hours.get(day.weekday(), ())

    def open_at(self, moment: datetime) -> bool:
        local = moment.astimezone(JAPAN)
        return self.never_closes or any(a <= local.time() < b for a, b in self.spans(local.date()))


@dataclass(frozen=True)
class Staff:
    person: str
    family_name_kana: str | None  # None: the facility's directory does not say
    role: str  # CLINICIAN or PHARMACIST
    facility: Facility
    at_night: bool = False  # works the night shift; the log does not know this


@dataclass(frozen=True)
class Patient:
    id: UUID
    family_name_kana: str | None


@dataclass(frozen=True, kw_only=True)
class Access:
    id: UUID
    at: datetime
    person: str
    family_name_kana: str | None
    role: str
    facility: str
    facility_kind: str
    patient: UUID
    patient_family_name_kana: str | None
    basis: str  # CONSENT, REFERRAL, OWN_FACILITY, EMERGENCY or DISASTER
    purpose: str
    entries_shown: int
    emergency: UUID | None = None  # the declaration that the basis EMERGENCY rests on


@dataclass(frozen=True)
class Encounter:
    """A sign that the patient was there: a Bundle that the facility registered, or a consent at its card reader."""

    at: datetime
    facility: str
    patient: UUID


@dataclass(frozen=True, kw_only=True)
class Emergency:
    id: UUID
    at: datetime
    person: str
    facility: str
    patient: UUID
    until: datetime


@dataclass(frozen=True)
class Label:
    """A human reviewer would want to look at this access, or emergency, and why."""

    id: UUID
    kind: str
    story: str


@dataclass
class Notebook:
    """Takes down what happens, in the order in which the stories tell it."""

    random: Random
    accesses: list[Access] = field(default_factory=list)
    encounters: list[Encounter] = field(default_factory=list)
    emergencies: list[Emergency] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    stories: dict[UUID, str] = field(default_factory=dict)

    def new_id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def minutes(self, least: float, most: float) -> timedelta:
        return timedelta(seconds=round(self.random.uniform(least, most) * 60))

    def at(self, day: date, hour_from: float, hour_to: float) -> datetime:
        """A moment of that day in Japan; hours over 24 are of the night that follows."""
        midnight = datetime.combine(day, time(), JAPAN)
        return (midnight + self.minutes(hour_from * 60, hour_to * 60)).astimezone(UTC)

    def read(
        self,
        story: str,
        at: datetime,
        reader: Staff,
        patient: Patient,
        basis: str = "OWN_FACILITY",
        emergency: UUID | None = None,
    ) -> UUID:
        access = Access(
            id=self.new_id(),
            at=at.astimezone(UTC),
            person=reader.person,
            family_name_kana=reader.family_name_kana,
            role=reader.role,
            facility=reader.facility.number,
            facility_kind=reader.facility.kind,
            patient=patient.id,
            patient_family_name_kana=patient.family_name_kana,
            basis=basis,
            purpose="ETREAT" if basis == "EMERGENCY" else "TREAT",
            entries_shown=min(int(self.random.expovariate(1 / 14)), 200),
            emergency=emergency,
        )
        self.accesses.append(access)
        self.stories[access.id] = story
        return access.id

    def meet(self, at: datetime, facility: Facility, patient: Patient) -> None:
        self.encounters.append(Encounter(at.astimezone(UTC), facility.number, patient.id))

    def declare(self, at: datetime, declarer: Staff, patient: Patient) -> UUID:
        emergency = Emergency(
            id=self.new_id(),
            at=at.astimezone(UTC),
            person=declarer.person,
            facility=declarer.facility.number,
            patient=patient.id,
            until=at.astimezone(UTC) + EMERGENCY_LASTS,
        )
        self.emergencies.append(emergency)
        return emergency.id

    def label(self, kind: str, *ids: UUID, story: str) -> None:
        self.labels += [Label(one, kind, story) for one in ids]
