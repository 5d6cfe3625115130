"""Ordinary care at hospitals, by day and by night. Nothing here is labelled but the patient who never came.

Innocent, and meant to be hard: wards are read at three in the morning by who is on shift there, and a Bundle is
registered only every few days of a stay; one nurse reads the whole ward; on the first of the month a physician takes
over a ward; the infection control team goes through everyone who lies there; the desk for referrals (地域連携室)
reads letters about people who come in three weeks or never; a summary is entered six days after the emergency.

An emergency declared for a patient whom the ambulance then brings elsewhere is innocent too. But what the four words
name is there to see, an emergency and no encounter, and only a person can find out why. It is labelled, under its
own story. That is the one label of these pages that stands for no wrong.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

from oracle.snooping_care import STAYS_AWAY, a_visit
from oracle.snooping_records import Facility, Notebook, Patient, Staff
from oracle.snooping_region import EMERGENCY_HOSPITAL, HOSPITALS, START, WEEKS, Region

DAYS = WEEKS * 7
STILL_QUIET = 14  # days at the end in which no emergency is declared: whoever waits for an encounter can wait


def care_at_hospitals(region: Region, book: Notebook) -> None:
    for hospital in HOSPITALS:
        day_staff = region.of(hospital)
        physicians, nurses, desk = day_staff[:20], day_staff[20:26], day_staff[26]
        inpatients = _stays(region, book, hospital)
        for number in range(DAYS):
            day = START + timedelta(days=number)
            lying = [one for one, (first, last) in inpatients.items() if first <= number <= last]
            _wards(book, lying, nurses, region.of(hospital, at_night=True), day)
            if day.day == 1:
                _look_at_all(book, "takes over a ward", lying[:40], physicians[-1], day)
            if day.weekday() == 3:
                _look_at_all(book, "infection control", lying, day_staff[27], day)
            if hospital.spans(day):
                _outpatients(region, book, physicians, day)
                _letters(region, book, desk, day)
    for number in range(DAYS - STILL_QUIET):
        _emergencies(region, book, START + timedelta(days=number))
    _never_came(region, book)


def _stays(region: Region, book: Notebook, hospital: Facility) -> dict[Patient, tuple[int, int]]:
    """Who lies there from which day to which, numbered from START. Each stay is registered as it goes on."""
    stays: dict[Patient, tuple[int, int]] = {}
    for patient in book.random.sample(region.under_care[hospital.number], 160):
        first = book.random.randint(-10, DAYS)
        last = first + min(1 + int(book.random.expovariate(1 / 9)), 30)
        stays[patient] = (first, last)
        told = first
        while told < last:
            book.meet(book.at(START + timedelta(days=told), 10, 17), hospital, patient)
            told += book.random.randint(2, 5)
        book.meet(book.at(START + timedelta(days=last), 10, 17), hospital, patient)
    return stays


def _wards(
    book: Notebook, lying: list[Patient], by_day: list[Staff], by_night: list[Staff], day: date
) -> None:
    nurse, night_nurse = book.random.choice(by_day), book.random.choice(by_night[:5])
    for patient in lying:
        book.read("ward round", book.at(day, 8.5, 11), nurse, patient)
        if book.random.random() < 0.3:
            book.read("ward, afternoon", book.at(day, 13, 17), book.random.choice(by_day), patient)
        if book.random.random() < 0.35:
            book.read("ward, night", book.at(day, 21, 31), night_nurse, patient)


def _look_at_all(book: Notebook, story: str, patients: list[Patient], reader: Staff, day: date) -> None:
    for patient in patients:
        book.read(story, book.at(day, 9, 11), reader, patient)


def _outpatients(region: Region, book: Notebook, physicians: list[Staff], day: date) -> None:
    for reader in book.random.sample(physicians, 9):
        for patient in book.random.sample(
            region.under_care[reader.facility.number], book.random.randint(4, 12)
        ):
            if book.random.random() < STAYS_AWAY:
                book.read("stays away", book.at(day, 7.5, 9), reader, patient)
                continue
            a_visit(book, "visit", reader, patient, day, book.random.uniform(9, 16.5))
            if book.random.random() < 0.06:
                book.read("letters", book.at(day, 17.5, 23), reader, patient)


def _letters(region: Region, book: Notebook, desk: Staff, day: date) -> None:
    for patient in book.random.sample(region.active, book.random.randint(3, 9)):
        at = book.at(day, 9, 17)
        book.read("referral desk", at, desk, patient, "REFERRAL")
        if book.random.random() < 0.88:
            comes = at + timedelta(days=book.random.randint(1, 21))
            book.meet(comes, desk.facility, patient)


def _emergencies(region: Region, book: Notebook, day: date) -> None:
    for _ in range(book.random.choice((0, 1, 1, 2, 2, 3, 4))):
        hour = book.random.uniform(9, 33)
        on_shift = region.of(EMERGENCY_HOSPITAL, at_night=hour > 18)[5 if hour > 18 else 28 :]
        patient = book.random.choice(region.active)
        at = book.at(day, hour, hour)
        first = book.random.choice(on_shift)
        if book.random.random() < 0.3:  # the desk was quicker
            book.meet(at - book.minutes(2, 15), first.facility, patient)
        an_emergency(book, "emergency", first, patient, at, book.random.randint(1, 3))
        delay = book.random.choices(((15, 240), (600, 1800), (4320, 8640)), (80, 14, 6))[0]
        book.meet(at + book.minutes(*delay), first.facility, patient)


def an_emergency(
    book: Notebook, story: str, reader: Staff, patient: Patient, at: datetime, reads: int
) -> tuple[UUID, ...]:
    """Declare one and read under it. The emergency's id, then those of the reads."""
    emergency = book.declare(at, reader, patient)
    moments = [at + book.minutes(0.2 + 20 * n, 20 * (n + 1)) for n in range(reads)]
    read = [book.read(story, one, reader, patient, "EMERGENCY", emergency) for one in moments]
    return (emergency, *read)


def _never_came(region: Region, book: Notebook) -> None:
    """The ambulance was sent on: the other hospital registers the patient, this one has nothing to register."""
    readers = region.of(EMERGENCY_HOSPITAL, at_night=True)[5:]
    for _ in range(book.random.randint(1, 3)):
        patient = book.random.choice(region.quiet)
        at = book.at(START + timedelta(days=book.random.randrange(DAYS - STILL_QUIET)), 19, 29)
        ids = an_emergency(book, "ambulance sent on", book.random.choice(readers), patient, at, 1)
        book.label("no_encounter_after_emergency", *ids, story="ambulance sent on")
        book.meet(at + book.minutes(20, 90), HOSPITALS[1], patient)
