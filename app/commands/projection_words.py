"""How projections are told to a person at a terminal."""

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column, Table

from tsuzuri.projections.comparing import Comparison
from tsuzuri.projections.quarantine import Quarantined
from tsuzuri.projections.rebuilding import Rebuilt
from tsuzuri.projections.standings import FillProgress, Standing

DIFFERENCES_TOLD = 20


def listed(standings: Sequence[Standing]) -> RenderableType:
    """Every projection, a line each, and a bar for each generation that is being made."""
    headings = ("projection", "generation", "position", "lag events", "lag seconds", "per second", "left")
    table = Table(
        *(Column(heading, no_wrap=True) for heading in (*headings, "quarantined", "kept beside")),
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for s in standings:
        table.add_row(
            s.name + (" (paused)" if s.paused else ""),
            str(s.generation),
            str(s.position),
            str(s.lag_events),
            f"{s.lag_seconds:.1f}",
            f"{s.rate_per_second:.0f}",
            _left(s.seconds_left),
            str(s.quarantined),
            ", ".join(map(str, s.other_generations)) or "-",
        )
    bars = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}")
    )
    for progress in (s.rebuild for s in standings if s.rebuild is not None):
        description = f"{progress.name} generation {progress.generation} {progress.state}"
        left = _left(progress.seconds_left)
        bars.add_task(description, completed=progress.done, total=progress.total, left=left)
    return Group(table, bars) if bars.tasks else table


def told(name: str, rebuilt: Rebuilt) -> str:
    """How a rebuild ended, in one line."""
    new, old, comparison = rebuilt.generation, rebuilt.live, rebuilt.comparison
    follow = (
        f"reads follow generation {new} now"
        if rebuilt.promoted
        else f"reads follow generation {old}; next: tsuzuri projections promote {name}"
    )
    if comparison is None:
        return (
            f"{name}: generation {new} is filled; generation {old} was of another version of the code, so the two "
            f"were not compared; {follow}"
        )
    if comparison.equal:
        return f"{name}: generation {new} has {comparison.rows} rows, equal to generation {old}; {follow}"
    return (
        f"{name}: generation {new} has {comparison.rows} rows and differs from generation {old} "
        f"for {len(comparison.differing)} patients; reads still follow generation {old}{_under(comparison)}"
    )


def compared(name: str, comparison: Comparison | None) -> str:
    """How a check ended, in one line."""
    if comparison is None:
        return f"{name}: the live generation was filled by another version of the code: there is nothing to compare"
    if comparison.equal:
        return f"{name}: {comparison.owners} patients, {comparison.rows} rows, all equal{_under(comparison)}"
    return f"{name}: {len(comparison.differing)} of {comparison.owners} patients differ{_under(comparison)}"


def _under(comparison: Comparison) -> str:
    """Which code releases they stand under, when these are two."""
    if comparison.one_release:
        return ""
    old, new = comparison.codes
    return f"; the live one is filled under code release {old}, the new one under {new}: groups are meant to differ"


def differences(comparison: Comparison) -> Iterator[str]:
    """The first rows that differ, a line each: whose, which, in which columns. Never their values."""
    for one in comparison.differences[:DIFFERENCES_TOLD]:
        where = ", ".join(one.columns) if one.only_in is None else f"only in generation {one.only_in}"
        yield f"  patient {one.owner}  {' '.join([one.table, *one.key])}: {where}"
    if (more := len(comparison.differences) - DIFFERENCES_TOLD) > 0:
        yield f"  and {more} more rows"


def quarantined(found: Sequence[Quarantined]) -> Iterator[str]:
    """Who is set aside, a line each."""
    for one in found:
        yield (
            f"{one.name} generation {one.generation}: patient {one.patient_id} stopped at event {one.event_id} "
            f"({one.topic}, {one.step}: {one.fault}) at {one.quarantined_at:%Y-%m-%d %H:%M:%S%z}, "
            f"tried {one.attempts} times"
        )


def rebuilding(progress: FillProgress) -> str:
    return f"rebuild {progress.name} {progress.state.lower()}"


def _left(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
