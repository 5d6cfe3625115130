"""Random histories, decided twice: by us and by the oracle (tests/oracle), at the moments that matter."""

import os
from pathlib import Path
from random import Random

from pytest import MonkeyPatch

from oracle.access_broken import BROKEN
from oracle.access_histories import READS, compared_at_random
from torture.harness import Outcome, Run, Torture

HISTORIES = 10_000
CONTROL_HISTORIES = 2_000  # a blind comparison is found out after so many
CONTROLS = ("a withdrawal changes nothing", "a window counts at its end", "denials count in an emergency")


def run(_: Path, share: float) -> Outcome:
    return _tormented(round(HISTORIES * share), until_first_fault=False)


def _tormented(histories: int, *, until_first_fault: bool) -> Outcome:
    random = Random(seed := int.from_bytes(os.urandom(4)))
    found = compared_at_random(histories, random, until_first_fault=until_first_fault)
    done = f"{found.reads // READS:,} histories (seed {seed}), {found.reads:,} reads, {found.permitted:,} permitted"
    return Outcome(done, found.faults)


def _broken(rule: str) -> Run:
    def control(_: Path, __: float) -> Outcome:
        with MonkeyPatch.context() as patch:
            BROKEN[rule](patch)
            return _tormented(CONTROL_HISTORIES, until_first_fault=True)

    return control


TORTURE = Torture("access_histories", run, {rule: _broken(rule) for rule in CONTROLS})
