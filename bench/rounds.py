"""The frame of every benchmark: short slices of all variants in turn, ratios within a round, medians of rounds.

The machine may be shared and its disk may change its mind, so no absolute figure counts: what is compared was run
within a second or two of its peer, in an order drawn for each round. A variant that is run twice under two
names shows what the frame itself is worth: its control must come out near 1.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median

ROUNDS, SLICE_SECONDS = 12, 0.5
CONTROL = (0.8, 1.25)


@dataclass(frozen=True)
class Measured:
    """What one slice of one variant did. Times are of one clock that all processes share (CLOCK_MONOTONIC)."""

    events: int
    began: float
    ended: float
    waits: Sequence[float] = ()  # seconds each call took
    client_cpu: float = 0.0  # seconds, user and system
    server_cpu: float = 0.0  # where somebody looked: see bench_sealing
    rate_beside: float = 0.0  # events a second of what was made to run beside it
    peak_mb: float = 0.0  # of the memory of the process that did it, since it was started
    wrong: int = 0  # answers that failed, or lacked something

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / (self.ended - self.began)

    @property
    def cpu_of_one(self) -> float:
        """Seconds of CPU that one event cost, in client and server."""
        return (self.client_cpu + self.server_cpu) / self.events

    def wait(self, share: float) -> float:
        """The wait, in seconds, that this share of the calls did not exceed: 0.99 is p99."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


Slice = Callable[[float], Measured]
"""Runs one variant for about so many seconds. What it prepares before its clock starts costs it nothing."""

Round = Mapping[str, Measured]
Figure = Callable[[Round], float]


def interleaved(
    variants: Mapping[str, Slice], *, rounds: int = ROUNDS, seconds: float = SLICE_SECONDS, forgotten: int = 1
) -> list[Round]:
    """Run every variant once a round, in an order that is drawn anew. A first round is run and *forgotten*.

    Drawn, not turned: in a turning order each variant would always find the disk as the same neighbour left it.
    """
    names, draw = list(variants), Random(1)
    found: list[Round] = []
    for _ in range(rounds + forgotten):
        draw.shuffle(names)
        found.append({name: variants[name](seconds) for name in names})
    return found[forgotten:]


class Report:
    """Prints each line as it is known, and knows at the end whether one of them failed."""

    def __init__(self) -> None:
        self.failed = False

    def claim(
        self,
        name: str,
        rounds: Sequence[Round],
        ratio: Figure,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
        beside: Mapping[str, Figure],
    ) -> None:
        """`name  ratio  bar  pass|FAIL`, and below it the medians of the absolute figures *beside* it.

        With no bar it is reported as it is.
        """
        value = median(ratio(measured) for measured in rounds)
        match at_least, at_most:
            case None, None:
                bar = "-"
            case _, None:
                bar = f">={at_least:g}"
            case None, _:
                bar = f"<={at_most:g}"
            case _:
                bar = f"{at_least:g}..{at_most:g}"
        good = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
        self.failed = self.failed or not good
        verdict = "reported" if bar == "-" else "pass" if good else "FAIL"
        print(f"{name}  {value:.3g}  {bar}  {verdict}")
        figures = {label: median(figure(measured) for measured in rounds) for label, figure in beside.items()}
        print(
            "    " + "; ".join(f"{label} {_plain(figure)}" for label, figure in figures.items()), flush=True
        )

    def control(
        self, rounds: Sequence[Round], variant: str, again: str, of: Callable[[Measured], float] | None = None
    ) -> None:
        """The same variant against itself: far from 1, and no other line of this run means anything."""
        figure = of or (lambda measured: measured.rate)
        self.claim(
            "control",
            rounds,
            lambda r: figure(r[variant]) / figure(r[again]),
            at_least=CONTROL[0],
            at_most=CONTROL[1],
            beside=rates(variant, again),
        )

    def unmeasured(self, name: str, why: Exception) -> None:
        """A claim of which nothing can be said has failed."""
        self.failed = True
        print(f"{name}  -  -  FAIL\n    {why}", flush=True)

    def end(self) -> None:
        """Leave the script, with 1 when a bar was missed."""
        sys.exit(1 if self.failed else 0)


def of(name: str, figure: Callable[[Measured], float]) -> Figure:
    """A figure of one variant."""
    return lambda measured: figure(measured[name])


def rates(*names: str) -> dict[str, Figure]:
    """Events a second of these variants, to be printed beside a claim."""
    return {f"events/s, {name}": of(name, lambda measured: measured.rate) for name in names}


def milliseconds(name: str, share: float) -> Figure:
    """The wait that this share of a variant's calls did not exceed."""
    return of(name, lambda measured: measured.wait(share) * 1000)


def faster(over: str, under: str) -> Figure:
    """How many times as many events a second."""
    return lambda measured: measured[over].rate / measured[under].rate


def _plain(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"
