"""Which course each patient takes, and whose diagnosis is hidden."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from tsuzuri.app.sample import codes, lasting, passing, story
from tsuzuri.app.sample.chart import Chart
from tsuzuri.app.sample.panels import LATEST
from tsuzuri.app.sample.places import AOBADAI


@dataclass(frozen=True)
class Course:
    name: str
    share: int  # of a hundred patients
    youngest: int  # the patient's age today
    oldest: int
    write: Callable[[Chart], None]


STORY = Course("diabetes", 0, 58, 66, story.write)
COURSES = (
    Course("hypertension", 24, 46, 88, lasting.hypertension),
    Course("asthma", 14, 18, 58, lasting.asthma),
    Course("healthy", 18, 24, 62, passing.healthy),
    Course("passing illness", 16, 8, 48, passing.passing_illness),
    Course("fracture", 8, 66, 92, passing.fracture),
    Course("kidney disease", 8, 56, 86, lasting.kidney_disease),
    Course("hepatitis B", 5, 36, 72, lasting.hepatitis_b),
    Course("ulcer", 7, 34, 78, passing.ulcer),
)


def choose(number: int, rng: Random) -> Course:
    if number == 0:
        return STORY
    return rng.choices(COURSES, weights=[course.share for course in COURSES])[0]


def hide(number: int, chart: Chart) -> None:
    """Give some patients a diagnosis that is hidden: 1 in 20 from herself, 1 in 30 from others too.

    By number and not by chance, so that even a small sample holds both.
    """
    if number % 20 == 11:
        _hidden(chart, chart.rng.choice(codes.UNTOLD), "UNINFORMED")
    if number % 30 == 17:
        _hidden(chart, chart.rng.choice(codes.WITHHELD), "UNDELIVERED")


def _hidden(chart: Chart, disease: codes.Disease, flag: str) -> None:
    day = LATEST + timedelta(days=45 + chart.rng.randrange(60))
    visit = chart.visit(AOBADAI, "消化器科", day)
    chart.diagnose(visit, codes.HYPERTENSION, "2015")
    chart.diagnose(visit, disease, (day - timedelta(days=12)).isoformat(), flags=(flag,))
    chart.send_problems(visit)
