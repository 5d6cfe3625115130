"""A region for the histories: two hospitals, five clinics, three pharmacies, who works there and who lives there.

Family names are as common as in Japan: サトウ at one and a half in a hundred, and so on down a long tail; so a
clinician and a patient of the same name are mostly strangers. In the valley a third is called オオタニ, the doctor too.
Half of the people are *quiet*: they see no doctor at these facilities in these weeks, though a facility may know
them from before. It is such people that one has no reason to read about.
"""

from dataclasses import dataclass
from datetime import date, time
from itertools import accumulate
from random import Random
from uuid import UUID

from oracle.snooping_records import Facility, Patient, Span, Staff

START, WEEKS = date(2026, 10, 5), 8  # a Monday
HOLIDAYS = frozenset({date(2026, 10, 12), date(2026, 11, 3), date(2026, 11, 23)})
PEOPLE = 10_000
VALLEY_NAME = "オオタニ"
NO_NAME_KNOWN = 0.03  # of patients: registered without kana

_PER_MILLE = {  # people among a thousand, all spellings of a reading together; rounded
    "サトウ": 15, "スズキ": 14, "タカハシ": 11, "タナカ": 11, "ワタナベ": 11, "イトウ": 9, "ナカムラ": 8,
    "コバヤシ": 8, "ヤマモト": 8, "サイトウ": 8, "カトウ": 7, "ヨシダ": 7, "ヤマダ": 6, "ササキ": 6, "ヤマグチ": 5,
    "マツモト": 5, "イノウエ": 5, "キムラ": 5, "ハヤシ": 4, "シミズ": 4, "ヤマザキ": 4, "アベ": 4, "モリ": 4,
    "イケダ": 4, "ハシモト": 3, "イシカワ": 3, "ヤマシタ": 3, "ナカジマ": 3, "オガワ": 3, "フジタ": 3, "オカダ": 3,
    "ゴトウ": 3, "ハセガワ": 3, "ムラカミ": 3, "コンドウ": 3, "イシイ": 3, "マエダ": 3, "サカモト": 3, "エンドウ": 3,
}  # fmt: skip
_FIRST = (
    "アオ アサ イワ ウエ オオ オカ カミ カワ キタ クロ コ シマ "
    "シモ タカ タケ ツカ トミ ナカ ニシ ノ フカ フル ホシ マツ ミヤ"
)
_LAST = (
    "イ ウラ オカ カワ クボ サキ サワ シマ ゾノ ダ タニ ツカ "
    "ナガ ノ ハタ ハラ バヤシ マツ ミ ムラ モト モリ ヤ ヤマ"
)


def _spans(*hours: float) -> tuple[Span, ...]:
    ends = [time(int(hour), round(hour % 1 * 60)) for hour in hours]
    return tuple(zip(ends[::2], ends[1::2], strict=True))


def _hospital(number: str) -> Facility:
    weekdays = dict.fromkeys(range(5), _spans(8.5, 17.25))
    return Facility(number, "HOSPITAL", weekdays, never_closes=True, holidays=HOLIDAYS)


def _office(number: str, kind: str, days: str, *hours: float, saturday: tuple[float, ...] = ()) -> Facility:
    doors = {int(day): _spans(*hours) for day in days} | ({5: _spans(*saturday)} if saturday else {})
    return Facility(number, kind, doors, holidays=HOLIDAYS)


EMERGENCY_HOSPITAL = _hospital("1319000001")
COMMUNITY_HOSPITAL = _hospital("1319000002")
HOSPITALS = (EMERGENCY_HOSPITAL, COMMUNITY_HOSPITAL)
VALLEY_CLINIC = _office("1311000004", "CLINIC", "01234", 8.5, 12, 14, 17.5)
SUNDAY_CLINIC = _office("1311000003", "CLINIC", "01246", 9, 13, 14, 18)
CLINICS = (
    _office("1311000001", "CLINIC", "0124", 9, 12, 15, 18.5, saturday=(9, 12.5)),  # 木曜休診
    _office("1311000002", "CLINIC", "01234", 10, 13, 16, 21, saturday=(10, 17)),  # evenings
    SUNDAY_CLINIC,
    VALLEY_CLINIC,
    _office("1311000005", "CLINIC", "0134", 9.5, 12.5, 14.5, 18.5, saturday=(9.5, 12.5)),
)
PHARMACIES = (
    _office("1341000001", "PHARMACY", "01234", 9, 19, saturday=(9, 13)),
    _office("1341000002", "PHARMACY", "01234", 10, 21.5, saturday=(10, 18)),
    _office("1341000003", "PHARMACY", "01234", 8.5, 18, saturday=(8.5, 12.5)),
)
FACILITIES = (*HOSPITALS, *CLINICS, *PHARMACIES)


@dataclass(frozen=True)
class Region:
    staff: tuple[Staff, ...]
    active: tuple[Patient, ...]  # who sees doctors in these weeks
    quiet: tuple[Patient, ...]  # who does not
    under_care: dict[str, tuple[Patient, ...]]  # facility → those of the active who come there
    former: dict[str, tuple[Patient, ...]]  # facility → those of the quiet whom it has known

    def of(self, facility: Facility, *, at_night: bool = False) -> list[Staff]:
        return [one for one in self.staff if one.facility == facility and one.at_night == at_night]


class Names:
    """Draws family names as they are met in a street."""

    def __init__(self, random: Random) -> None:
        tail = sorted({first + last for first in _FIRST.split() for last in _LAST.split()} - {VALLEY_NAME})
        shares = [random.paretovariate(2) for _ in tail]
        rest = 1000 - sum(_PER_MILLE.values())
        self._random = random
        self._names = [*_PER_MILLE, *tail]
        self._up_to = list(accumulate([*_PER_MILLE.values(), *(rest * s / sum(shares) for s in shares)]))

    def one(self) -> str:
        return self._random.choices(self._names, cum_weights=self._up_to)[0]


def a_region(random: Random) -> Region:
    names = Names(random)
    people = [
        _person(random, None if random.random() < NO_NAME_KNOWN else names.one()) for _ in range(PEOPLE)
    ]
    quiet, active = people[: PEOPLE // 2], people[PEOPLE // 2 :]
    former = {one.number: tuple(random.sample(quiet, _size(one, 1200, 3000))) for one in FACILITIES}
    care = {one.number: tuple(random.sample(active, _size(one, 400, 600))) for one in FACILITIES}
    valley = [_person(random, VALLEY_NAME) for _ in range(200)]
    care[VALLEY_CLINIC.number] = (*care[VALLEY_CLINIC.number], *valley)
    return Region(tuple(_staff(random, names)), (*active, *valley), tuple(quiet), care, former)


def _size(facility: Facility, office: int, hospital: int) -> int:
    return hospital if facility.kind == "HOSPITAL" else office


def _person(random: Random, name: str | None) -> Patient:
    return Patient(UUID(int=random.getrandbits(128), version=4), name)


def _staff(random: Random, names: Names) -> list[Staff]:
    numbers = random.sample(range(1000, 10_000), 200)
    staff: list[Staff] = []
    for facility in FACILITIES:
        role = "PHARMACIST" if facility.kind == "PHARMACY" else "CLINICIAN"
        by_day, by_night = (34, 10) if facility.kind == "HOSPITAL" else (3, 0)
        for place in range(by_day + by_night):
            name = names.one() if random.random() > 0.1 else None
            if facility == VALLEY_CLINIC and place == 0:
                name = VALLEY_NAME
            staff.append(Staff(f"p-{numbers.pop()}", name, role, facility, place >= by_day))
    return staff
