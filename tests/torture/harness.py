"""What a torture is: something hard done to the log many times, then everything that must hold looked at.

Each has controls: the same harness over a log that is broken on purpose. A control that finds no fault means that
the harness is blind, and counts as a failure.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """What was done, in numbers and words, and each fault that was found, one sentence each."""

    done: str
    faults: Sequence[str] = ()


Run = Callable[[Path, float], Outcome]
"""A run gets an empty folder of its own and the share of the full size to do, from 0 (exclusive) to 1."""


@dataclass(frozen=True)
class Torture:
    """One harness: the run, and its controls by name."""

    name: str
    run: Run
    controls: Mapping[str, Run] = field(default_factory=dict)


def torment(torture: Torture, scratch: Path, share: float, tell: Callable[[str], None] = print) -> bool:
    """Run it and its controls, telling one line each; whether all is as it must be."""
    good = True
    for control, run in {"": torture.run, **torture.controls}.items():
        folder = scratch / (control or "run").replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        outcome = run(folder, share)
        seconds = time.monotonic() - began
        as_it_must_be = bool(outcome.faults) if control else not outcome.faults
        found = f"{len(outcome.faults)} faults" + (f", first: {outcome.faults[0]}" if outcome.faults else "")
        name = f"{torture.name}, control: {control}" if control else torture.name
        tell(f"{name}  {outcome.done}; {found}  {'pass' if as_it_must_be else 'FAIL'}  {seconds:.0f} s")
        good = good and as_it_must_be
    return good
