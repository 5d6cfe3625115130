"""Two thousand random histories of a few patients, projected, rebuilt, promoted and put back in between, and killed.

At the end of each, what is live, what a rebuild gives and what a fold in memory gives must be the same. Hypothesis
makes the histories up; one of which that is not true it cuts down to the few steps that it takes.
"""

import os
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakSet

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from psycopg import Connection

from log_examples import logins
from torture.failpoints import FORK
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from torture.projection_history import PARTS, History, Shared
from tsuzuri.domain.events import ConsentGranted, ConsentWithdrawn, Event
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.rows import Recorded, Rows

HISTORIES, STEPS = 2_000, 12
AT_ONCE = 2  # processes, each with a server of its own
CONTROL_HISTORIES, CONTROL_STEPS_MOST = 200, 5  # in which the bug is found, and to which it is cut down
CONTROL_SEED = 2  # always the same: how long the cutting takes is chance

# All but one, of which patients' events tell nothing.
TOLD = {name: projection for name, projection in PROJECTIONS.items() if name != "facilities"}


@dataclass(frozen=True)
class Lived:
    """What was done in many histories; of one that failed, the fewest steps that fail."""

    done: Counter[str]
    fault: str = ""
    steps: tuple[str, ...] = ()


def live_through(folder: Path, projections: Mapping[str, Projection], number: int, histories: int) -> Lived:
    """So many histories, or fewer if one fails. The same *number* gives the same ones."""
    with (
        fresh_log(folder, parts=PARTS) as dsn,
        Connection.connect(dsn, autocommit=True) as owner,
        logins(dsn).connect(LogRole.PROJECTOR) as projector,
    ):
        shared = Shared(dsn, owner, projector, projections)
        try:
            run_state_machine_as_test(
                seed(number)(lambda: History(shared)),  # type: ignore[arg-type]  # what makes one will do
                settings=settings(
                    max_examples=histories,
                    stateful_step_count=STEPS,
                    phases=[Phase.generate, Phase.shrink],
                    database=None,
                    deadline=None,
                    derandomize=False,
                    report_multiple_bugs=False,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except Exception as error:  # whatever it is, it ends the history
            notes = "\n".join(getattr(error, "__notes__", ())).splitlines()
            steps = [line for line in notes if "state." in line and line != "state.teardown()"]
            return Lived(shared.done, f"seed {number}: {error!r}", tuple(steps))
        return Lived(shared.done)


def run(folder: Path, share: float) -> Outcome:
    first, each = int.from_bytes(os.urandom(4)), max(1, round(HISTORIES * share / AT_ONCE))
    with ProcessPoolExecutor(AT_ONCE, mp_context=FORK) as processes:
        under_way = [
            processes.submit(live_through, folder / str(number), TOLD, number, each)
            for number in range(first, first + AT_ONCE)
        ]
        lived = [one.result() for one in under_way]
    done = sum((one.done for one in lived), Counter[str]())
    told = ", ".join(
        f"{done[what]:,} {what}" for what in ("histories", "events", "erasures", "deeds", "kills")
    )
    return Outcome(
        f"{told} (seeds from {first})", [f"{one.fault}: {'; '.join(one.steps)}" for one in lived if one.fault]
    )


def forgetful(projection: Projection) -> Projection:
    """Does not withdraw what was granted in another batch."""
    granted: WeakSet[Rows] = WeakSet()

    def apply(rows: Rows, recorded: Recorded[Event]) -> None:
        if isinstance(recorded.event, ConsentGranted):
            granted.add(rows)
        if rows in granted or not isinstance(recorded.event, ConsentWithdrawn):
            projection.apply(rows, recorded)

    return replace(projection, apply=apply)


def mistaken(folder: Path, _: float) -> Outcome:
    """Found is not enough: it has to be cut down to what a person reads at a glance."""
    name = "consent_register"
    lived = live_through(folder, {name: forgetful(PROJECTIONS[name])}, CONTROL_SEED, CONTROL_HISTORIES)
    told = f"{lived.done['histories']} histories, cut down to {len(lived.steps)} steps"
    small = 0 < len(lived.steps) <= CONTROL_STEPS_MOST
    return Outcome(told, [f"{lived.fault}: {'; '.join(lived.steps)}"] if small else [])


TORTURE = Torture("projection histories", run, {"a fold that forgets from batch to batch": mistaken})
