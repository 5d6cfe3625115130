"""Who reads without a reason, and what a reviewer would call it. Written before any rule that judges these reads.

A label follows the story, never a count or an hour: all that a snooper reads as a snooper is labelled, her own work
between is not. The label's kind is one of the four that the product's rules are named after only where that name
plainly says what she does:

    many_patients                  goes through old files by the dozen in an hour, or some each day for weeks
    own_family_name                reads about relatives who bear her name
    off_hours                      reads from a clinic after its doors are closed, with nobody to treat
    no_encounter_after_emergency   declares an emergency for somebody who never comes

All else is labelled too, under kinds that these names do not say and a rule may well miss: many staff and one
celebrity, a neighbour, a former partner looked at week after week, a relative by another name, or one who lies in the
house, a day worker's night at a hospital that never closes. One read may have two kinds: a sister's emergency.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from oracle.snooping_care import a_visit
from oracle.snooping_hospital import DAYS, STILL_QUIET, an_emergency
from oracle.snooping_records import Notebook, Patient, Staff
from oracle.snooping_region import CLINICS, COMMUNITY_HOSPITAL, EMERGENCY_HOSPITAL, HOSPITALS, START, Region

LAST = DAYS - STILL_QUIET
IN_CARE = 0.07  # of old files gone through: somebody who happens to be a patient just now


def snooping(region: Region, book: Notebook) -> None:
    for story in (
        _trawls,
        _slow_trawls,
        _relatives,
        _relatives_in_care,
        _closed_clinics,
        _emergencies,
        _celebrities,
        _neighbours,
        _former_partners,
        _nights_of_day_workers,
    ):
        story(region, book)


def _days(book: Notebook, reader: Staff, many: int) -> list[date]:
    """Days on which the reader works, as many or all there are, in order."""
    days = [START + timedelta(days=number) for number in range(LAST)]
    at_work = [day for day in days if reader.at_night or reader.facility.spans(day)]
    return sorted(book.random.sample(at_work, min(many, len(at_work))))


def _in_shift(book: Notebook, reader: Staff, day: date) -> float:
    """An hour of that day's shift. A night shift's hours go over midnight."""
    if reader.at_night:
        return book.random.uniform(21, 30)
    opens, closes = book.random.choice(reader.facility.spans(day))
    return book.random.uniform(opens.hour + 0.5, closes.hour)


def _old_files(region: Region, book: Notebook, reader: Staff, many: int) -> list[Patient]:
    number = reader.facility.number
    files = (region.under_care[number], region.former[number])
    found = [book.random.choice(files[book.random.random() > IN_CARE]) for _ in range(many)]
    return list(dict.fromkeys(found))


def _seen_elsewhere(region: Region, book: Notebook, patient: Patient, here: Staff) -> None:
    """Many of those one is curious about do see a doctor: another one."""
    if book.random.random() < 0.5:
        clinic = book.random.choice([one for one in CLINICS if one != here.facility])
        day = book.random.choice(_days(book, region.of(clinic)[0], DAYS))
        opens = clinic.spans(day)[0][0].hour + 0.6
        a_visit(book, "visit", book.random.choice(region.of(clinic)), patient, day, opens)


def _trawls(region: Region, book: Notebook) -> None:
    """By the dozen: at a hospital in the daytime, at a clinic between patients, at a clinic at night."""
    at_hospitals = [one for hospital in HOSPITALS for one in region.of(hospital)]
    at_clinics = [one for clinic in CLINICS for one in region.of(clinic)]
    readers = book.random.sample(at_hospitals, book.random.randint(2, 4))
    for reader in [*readers, book.random.choice(at_clinics)]:
        day = _days(book, reader, 1)[0]
        start = _in_shift(book, reader, day)
        many = book.random.randint(50, 130) if reader in readers else book.random.randint(40, 60)
        _go_through(region, book, reader, day, start, many, "trawl", ("many_patients",))
    reader = book.random.choice(at_clinics)
    day, start = _days(book, reader, 1)[0], book.random.uniform(23, 26)
    kinds = ("many_patients", "off_hours")
    _go_through(region, book, reader, day, start, book.random.randint(40, 70), "trawl at night", kinds)


def _go_through(
    region: Region,
    book: Notebook,
    reader: Staff,
    day: date,
    start: float,
    many: int,
    story: str,
    kinds: tuple[str, ...],
) -> None:
    at = book.at(day, start, start)
    for patient in _old_files(region, book, reader, many):
        at += book.minutes(0.3, 2)
        read = book.read(story, at, reader, patient)
        for kind in kinds:
            book.label(kind, read, story=story)


def _slow_trawls(region: Region, book: Notebook) -> None:
    for hospital in HOSPITALS:
        reader = book.random.choice(region.of(hospital)[:20])
        days = _days(book, reader, book.random.randint(22, 28))
        files = iter(_old_files(region, book, reader, 6 * len(days)))
        for day in days:
            for _, patient in zip(range(book.random.randint(3, 6)), files, strict=False):
                hour = _in_shift(book, reader, day)
                read = book.read("slow trawl", book.at(day, hour, hour), reader, patient)
                book.label("many_patients", read, story="slow trawl")


def _relatives(region: Region, book: Notebook) -> None:
    """Of her name; of another, as a married daughter's; or of a reader whose own name is not in the directory."""
    clinical = [one for one in region.staff if one.facility.kind != "PHARMACY"]
    named = [one for one in clinical if one.family_name_kana]
    for reader in book.random.sample(named, book.random.randint(16, 22)):
        for _ in range(book.random.randint(1, 3)):
            relative = Patient(book.new_id(), reader.family_name_kana)
            _look_up(region, book, reader, relative, "relative", "own_family_name")
    unnamed = [one for one in clinical if not one.family_name_kana]
    others = book.random.sample(named, 3) + book.random.sample(unnamed, 2)
    for reader in others:
        relative = book.random.choice(region.quiet)
        _look_up(region, book, reader, relative, "relative by another name", "relative_by_another_name")


def _look_up(
    region: Region, book: Notebook, reader: Staff, patient: Patient, story: str, kind: str, most: int = 4
) -> None:
    _seen_elsewhere(region, book, patient, reader)
    for day in _days(book, reader, book.random.randint(1, most)):
        hour = _in_shift(book, reader, day)
        basis = "CONSENT" if book.random.random() < 0.2 else "OWN_FACILITY"  # one given long ago
        book.label(kind, book.read(story, book.at(day, hour, hour), reader, patient, basis), story=story)


def _relatives_in_care(region: Region, book: Notebook) -> None:
    """She is treated in the house, by others; the log cannot tell that the reader is not one of them."""
    for reader in book.random.sample(region.of(EMERGENCY_HOSPITAL), 3):
        relative = Patient(book.new_id(), reader.family_name_kana)
        for day in _days(book, reader, 2):
            doctor = book.random.choice(region.of(EMERGENCY_HOSPITAL)[:20])
            a_visit(book, "visit", doctor, relative, day, 10, bundle=1)
            read = book.read("relative in care", book.at(day, 11, 17), reader, relative)
            book.label("relative_in_care", read, story="relative in care")


def _closed_clinics(region: Region, book: Notebook) -> None:
    """Late in the evening, on a Sunday, on the clinic's free day: nobody is there, the reader browses."""
    for clinic in book.random.sample(CLINICS, 4):
        reader = book.random.choice(region.of(clinic))
        for moment in _when_closed(book, reader):
            at = book.at(moment[0], moment[1], moment[1])
            for patient in _old_files(region, book, reader, book.random.randint(3, 8)):
                at += book.minutes(0.5, 6)
                book.label(
                    "off_hours", book.read("closed clinic", at, reader, patient), story="closed clinic"
                )


def _when_closed(book: Notebook, reader: Staff) -> Iterator[tuple[date, float]]:
    for number in book.random.sample(range(LAST), book.random.randint(5, 8)):
        day = START + timedelta(days=number)
        if reader.facility.spans(day):
            yield day, book.random.uniform(21.75, 26)
        else:
            yield day, book.random.uniform(9, 24)


def _emergencies(region: Region, book: Notebook) -> None:
    on_shift = [*region.of(EMERGENCY_HOSPITAL)[20:], *region.of(EMERGENCY_HOSPITAL, at_night=True)]
    for reader in book.random.sample(on_shift, book.random.randint(7, 10)):
        for day in _days(book, reader, book.random.randint(2, 5)):
            hour, relative = _in_shift(book, reader, day), book.random.random() < 0.12
            kin = relative and reader.family_name_kana is not None
            story = "emergency, relative" if kin else "emergency, nobody came"
            patient = book.random.choice(region.quiet)
            if kin:
                patient = Patient(book.new_id(), reader.family_name_kana)
            _seen_elsewhere(region, book, patient, reader)
            times = book.random.randint(1, 3)
            emergency, *reads = an_emergency(book, story, reader, patient, book.at(day, hour, hour), times)
            book.label("no_encounter_after_emergency", emergency, *reads, story=story)
            if kin:
                book.label("own_family_name", *reads, story=story)


def _celebrities(region: Region, book: Notebook) -> None:
    """Treated there last spring, in the news today: half the house looks, each once or twice."""
    for hospital, readers in ((EMERGENCY_HOSPITAL, 26), (COMMUNITY_HOSPITAL, 9)):
        celebrity = book.random.choice(region.former[hospital.number])
        news = book.random.randrange(7, LAST - 7)
        for reader in book.random.sample(region.of(hospital), readers):
            for _ in range(book.random.randint(1, 2)):
                day = START + timedelta(days=news + min(int(book.random.expovariate(0.8)), 5))
                read = book.read("celebrity", book.at(day, 8, 20), reader, celebrity)
                book.label("one_patient_many_readers", read, story="celebrity")


def _neighbours(region: Region, book: Notebook) -> None:
    clinical = [one for one in region.staff if one.facility.kind != "PHARMACY"]
    for reader in book.random.sample(clinical, 8):
        _look_up(region, book, reader, book.random.choice(region.quiet), "neighbour", "acquaintance", most=2)


def _former_partners(region: Region, book: Notebook) -> None:
    for hospital in HOSPITALS:
        reader, partner = book.random.choice(region.of(hospital)), book.random.choice(region.quiet)
        _seen_elsewhere(region, book, partner, reader)
        for day in _days(book, reader, book.random.randint(12, 18)):
            hour = _in_shift(book, reader, day)
            read = book.read("former partner", book.at(day, hour, hour), reader, partner)
            book.label("same_patient_again", read, story="former partner")


def _nights_of_day_workers(region: Region, book: Notebook) -> None:
    """The hospital is awake and who is on shift is not in the log: the hour alone says nothing here."""
    for reader in book.random.sample(region.of(COMMUNITY_HOSPITAL)[:20], 2):
        for day in _days(book, reader, 3):
            for patient in _old_files(region, book, reader, book.random.randint(2, 6)):
                read = book.read("a day worker's night", book.at(day, 24.5, 27), reader, patient)
                book.label("off_duty", read, story="a day worker's night")
