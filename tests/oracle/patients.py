"""Whose summaries are folded twice: the sample's patients, the thirty of clinosim, and the sample's in trouble."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from oracle import clinosim
from oracle.asking import Life
from oracle.summary import Sent
from oracle.troubles import troubled
from tsuzuri.app.sample.generate import sample_bundles

DATA = Path(os.environ.get("TSUZURI_SHARED_DATA") or Path(__file__).parents[3] / "shared" / "data")
SEED = 7
_NOT_YET = datetime.max.replace(tzinfo=UTC)  # a Bundle's time of arrival is known when it arrives


def of_the_sample(patients: int) -> list[Life]:
    return _lives(
        (f"sample {bundle.patient}", Sent(bundle.facility, bundle.body, _NOT_YET))
        for bundle in sample_bundles(patients, SEED)
    )


def of_clinosim() -> list[Life]:
    return _lives(
        (f"clinosim {number}", Sent(clinosim.HOSPITAL, body, _NOT_YET))
        for number, body in clinosim.bundles(DATA)
    )


def in_trouble(lives: Iterable[Life], random: Random) -> Iterator[Life]:
    for life in lives:
        sent = [act for act in life.acts if isinstance(act, Sent)]
        yield Life(f"{life.name}, in trouble", troubled(sent, random))


def _lives(sent: Iterable[tuple[str, Sent]]) -> list[Life]:
    acts: defaultdict[str, list[Sent]] = defaultdict(list)
    for name, act in sent:
        acts[name].append(act)
    return [Life(name, hers) for name, hers in acts.items()]
