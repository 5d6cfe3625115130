"""Ordinary care at clinics and pharmacies, and the days that look like snooping and are not. Nothing here is labelled.

What is kept from a reader of the log is kept here too: nobody writes down that a patient stayed away, that somebody
rang up, or that the doctor stayed late. A visit leaves the reading, mostly a consent at the card reader, and a Bundle
within the hour or, when the day was full, in the next days. Pharmacies register no Bundles: theirs is the consent.

Innocent, and meant to be hard: letters written long after closing; a house call at three in the morning; a duty
Sunday (在宅当番医) that is not on the door; Monday's list read on Sunday evening; a patient who does not come; a
question by telephone; the pharmacy's line at night; a check-up day with one physician; a day of vaccinations; the
doctor of a valley where a third bears his name; evacuees on a weekend of disaster, whose papers come days later.
"""

from datetime import date, timedelta

from oracle.snooping_records import Facility, Notebook, Patient, Staff
from oracle.snooping_region import CLINICS, PHARMACIES, START, SUNDAY_CLINIC, VALLEY_CLINIC, WEEKS, Region

STAYS_AWAY = 0.025  # of appointments
CHECKUP_DAYS, VACCINATION_DAYS = (9, 30), (17, 38)  # days after START
DISASTER_DAYS = (26, 27)  # Saturday and Sunday


def care_outside_hospitals(region: Region, book: Notebook) -> None:
    for number in range(WEEKS * 7):
        day = START + timedelta(days=number)
        for clinic in CLINICS:
            _clinic(region, book, clinic, day)
        for pharmacy in PHARMACIES:
            _pharmacy(region, book, pharmacy, day)
        if day.weekday() == 6:
            duty = [one for one in CLINICS if one != SUNDAY_CLINIC][number // 7 % 4]
            _duty_sunday(region, book, duty, day)
        if number in CHECKUP_DAYS:
            _check_ups(region, book, CLINICS[0], day)
        if number in VACCINATION_DAYS:
            _vaccinations(region, book, CLINICS[1], day)
        if number in DISASTER_DAYS:
            _evacuees(region, book, VALLEY_CLINIC, day)
            _evacuees(region, book, CLINICS[4], day)


def _hour(book: Notebook, facility: Facility, day: date) -> float:
    """A moment at which the doors are open, in hours of Japan's day."""
    opens, closes = book.random.choice(facility.spans(day))
    return book.random.uniform(opens.hour + opens.minute / 60, closes.hour + closes.minute / 60)


def a_visit(
    book: Notebook, story: str, reader: Staff, patient: Patient, day: date, hour: float, bundle: float = 0.85
) -> None:
    """The patient is there at that hour. *bundle*: how often one is registered within the hour."""
    at, there = book.at(day, hour, hour), reader.facility
    card = book.random.random() < 0.6
    if card:
        book.meet(at - book.minutes(2, 20), there, patient)
    book.read(story, at, reader, patient, "CONSENT" if card else "OWN_FACILITY")
    if book.random.random() < bundle:
        book.meet(at + book.minutes(3, 60), there, patient)
    elif not card:  # entered when there is time
        book.meet(at + book.minutes(20 * 60, 60 * 60), there, patient)


def _clinic(region: Region, book: Notebook, clinic: Facility, day: date) -> None:
    patients = region.under_care[clinic.number]
    if book.random.random() < 0.05:
        _house_call(book, book.random.choice(region.of(clinic)), book.random.choice(patients), day)
    spans = clinic.spans(day)
    if not spans:
        return
    opens, closes = spans[0][0].hour, spans[-1][1].hour + spans[-1][1].minute / 60
    for reader in region.of(clinic):
        stays_late = book.random.random() < 0.15
        prepares = day.weekday() == 0 and book.random.random() < 0.25
        for patient in book.random.sample(patients, book.random.randint(6, 13)):
            chance = book.random.random()
            if prepares:
                book.read("tomorrow's list", book.at(day, -4.5, -1.5), reader, patient)
            elif chance > 0.9:
                book.read("before the doors open", book.at(day, opens - 1.3, opens), reader, patient)
            if chance < STAYS_AWAY:
                if not prepares:
                    waits = _hour(book, clinic, day)
                    book.read("stays away", book.at(day, waits, waits), reader, patient)
                continue
            a_visit(book, "visit", reader, patient, day, _hour(book, clinic, day))
            if stays_late and book.random.random() < 0.5:
                book.read("letters", book.at(day, closes, closes + 3.5), reader, patient)
            if book.random.random() < 0.02:
                after = day + timedelta(days=book.random.randint(1, 4))
                if clinic.spans(after):
                    asked = _hour(book, clinic, after)
                    book.read("telephone", book.at(after, asked, asked), reader, patient)


def _house_call(book: Notebook, reader: Staff, patient: Patient, day: date) -> None:
    hour = book.random.uniform(21.5, 29)
    book.read("house call", book.at(day, hour, hour), reader, patient)
    book.meet(book.at(day, hour + 0.5, hour + 9), reader.facility, patient)


def _duty_sunday(region: Region, book: Notebook, clinic: Facility, day: date) -> None:
    reader = book.random.choice(region.of(clinic))
    for patient in book.random.sample(region.active, book.random.randint(15, 40)):
        a_visit(book, "duty Sunday", reader, patient, day, book.random.uniform(9, 17.5))


def _pharmacy(region: Region, book: Notebook, pharmacy: Facility, day: date) -> None:
    patients = region.under_care[pharmacy.number]
    for reader in region.of(pharmacy) if pharmacy.spans(day) else ():
        for patient in book.random.sample(patients, book.random.randint(8, 18)):
            hour = _hour(book, pharmacy, day)
            at = book.at(day, hour, hour)
            book.meet(at - book.minutes(1, 15), pharmacy, patient)
            book.read("dispensing", at, reader, patient, "CONSENT")
            if book.random.random() < 0.015:  # within the day that the consent lasts
                rings = min(at + book.minutes(120, 900), at + timedelta(hours=23))
                book.read("line at night", rings, reader, patient, "CONSENT")


def _check_ups(region: Region, book: Notebook, clinic: Facility, day: date) -> None:
    """One physician, a hundred people and more; the reports follow in two weeks."""
    reader = book.random.choice(region.of(clinic))
    for patient in book.random.sample(region.active, book.random.randint(90, 130)):
        at = book.at(day, 8.5, 16.5)
        if book.random.random() < 0.95:
            book.meet(at - book.minutes(5, 60), clinic, patient)
        book.read("check-up day", at, reader, patient, "CONSENT")
        book.meet(at + timedelta(days=book.random.randint(5, 14)), clinic, patient)


def _vaccinations(region: Region, book: Notebook, clinic: Facility, day: date) -> None:
    readers = region.of(clinic)[:2]
    for patient in book.random.sample(region.active, book.random.randint(140, 200)):
        reader, at = book.random.choice(readers), book.at(day, 9, 18)
        card = book.random.random() < 0.7
        if card:
            book.meet(at - book.minutes(2, 30), clinic, patient)
        book.read("vaccinations", at, reader, patient, "CONSENT" if card else "OWN_FACILITY")
        if not card or book.random.random() < 0.6:
            book.meet(at + book.minutes(2, 30 * 60), clinic, patient)


def _evacuees(region: Region, book: Notebook, clinic: Facility, day: date) -> None:
    """A shelter has no opening hours."""
    reader = book.random.choice(region.of(clinic))
    for patient in book.random.sample(region.active, book.random.randint(30, 60)):
        at = book.at(day, 6, 25)
        book.read("evacuees", at, reader, patient, "DISASTER")
        if book.random.random() < 0.95:
            book.meet(at + book.minutes(30, 5 * 24 * 60), clinic, patient)
