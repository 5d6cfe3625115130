"""Sample data: invented patients of invented facilities, as the Bundles they would send.

Everything follows from the seed and the patient's number, so the same call gives the same bytes on any machine,
and patient 17 is the same person whether 20 or 20,000 are asked for. Patient 0 is always the diabetic of the story.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import msgspec

from tsuzuri.app.sample import courses
from tsuzuri.app.sample.chart import Chart
from tsuzuri.app.sample.courses import Course
from tsuzuri.app.sample.people import Person, SamplePatient, person
from tsuzuri.app.sample.places import PLACES
from tsuzuri.domain.facilities import Facility

__all__ = [
    "SampleBundle",
    "SamplePatient",
    "facilities",
    "sample_bundles",
    "sample_patients",
    "write_sample",
]


_JSON = msgspec.json.Encoder(decimal_format="number")  # compact UTF-8; 0.80 stays 0.80


@dataclass(frozen=True)
class SampleBundle:
    name: str  # of the file: patient, place in her order, kind
    facility: str  # who sends it, 10 digits
    body: bytes  # compact UTF-8 JSON
    patient: int


def facilities() -> list[Facility]:
    """Every facility of the sample. The pharmacy sends nothing: it only reads."""
    return [place.facility for place in PLACES]


def sample_patients(patients: int, seed: int) -> list[SamplePatient]:
    return [_begin(number, seed)[2].listed() for number in range(patients)]


def sample_bundles(patients: int, seed: int) -> Iterator[SampleBundle]:
    """One patient after the other, each in the order of `Bundle.timestamp`."""
    for number in range(patients):
        rng, course, who = _begin(number, seed)
        chart = Chart(who, rng)
        course.write(chart)
        courses.hide(number, chart)
        for place, sent in enumerate(sorted(chart.sent, key=lambda one: one.at)):
            body = _JSON.encode(sent.bundle)
            yield SampleBundle(f"{number:05d}-{place:02d}-{sent.kind}.json", sent.facility, body, number)


def write_sample(folder: Path, patients: int, seed: int) -> int:
    """One file a Bundle, and facilities.json. Returns how many Bundles were written."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = [asdict(facility) for facility in facilities()]
    text = json.dumps(listed, ensure_ascii=False, indent=2) + "\n"
    (folder / "facilities.json").write_bytes(text.encode())
    written = 0
    for bundle in sample_bundles(patients, seed):
        (folder / bundle.name).write_bytes(bundle.body)
        written += 1
    return written


def _begin(number: int, seed: int) -> tuple[Random, Course, Person]:
    """The patient's own randomness, already used to draw her course and her person."""
    rng = Random(f"{seed}/{number}")
    course = courses.choose(number, rng)
    return rng, course, person(number, seed, rng, course.youngest, course.oldest)
