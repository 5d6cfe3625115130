"""A rebuild from its first event to the promotion, in the hands of one process."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from tsuzuri.eventlog.following import heads
from tsuzuri.projections.catalogue import Projection
from tsuzuri.projections.comparing import Comparison, compare
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.filling import fill, index_when_filled
from tsuzuri.projections.generations import (
    Generation,
    UnknownGeneration,
    begin_rebuild,
    beside,
    check_running,
    generations,
    live_generation,
    promote,
)
from tsuzuri.projections.standings import FillProgress, fill_progress

_HELD_SECONDS = 0.1  # what is left to fill is in the hands of projectors


@dataclass(frozen=True)
class Rebuilt:
    """A new generation, and how it compares with the one that reads follow.

    `comparison` is None when the live one was filled by another version of the code: they are meant to differ.
    """

    generation: int
    live: int
    comparison: Comparison | None
    promoted: bool


def rebuild(
    connection: Connection[Any],
    engine: Engine,
    projection: Projection,
    *,
    promote_if_equal: bool = True,
    on_progress: Callable[[FillProgress], None] = lambda _: None,
) -> Rebuilt:
    """Fill a new generation, or go on with the one that was begun; compare it with the live one, promote it if equal.

    When the live one was filled by another version of the code, the new one is promoted without a comparison. A crash
    costs one batch, and so does a pause: called again, this goes on. Raises ProjectionPaused.
    """
    check_running(connection, projection.name)
    generation = begin_rebuild(connection, engine, projection)
    while True:
        filled = fill(connection, engine, projection, generation)
        if not filled.more and index_when_filled(connection, projection, generation):
            break
        check_running(connection, projection.name)
        on_progress(fill_progress(connection, projection.name, generation))
        time.sleep(filled.rest if filled.more else _HELD_SECONDS)
    engine.catch_up(connection, projection, generation, upto=heads(connection))
    on_progress(fill_progress(connection, projection.name, generation))
    comparison = check(connection, engine, projection)
    live = live_generation(connection, projection.name)
    promoted = promote_if_equal and (comparison is None or comparison.equal)
    if promoted:
        promote(connection, engine, projection, generation)
    return Rebuilt(generation, live, comparison, promoted)


def check(connection: Connection[Any], engine: Engine, projection: Projection) -> Comparison | None:
    """The live generation against the one beside it; None when another version of the code filled the live one.

    Raises UnknownGeneration: there is none beside it.
    """
    new = beside(connection, projection.name)
    if new is None:
        raise UnknownGeneration(
            f"projection {projection.name} has no generation beside the live one; "
            f"run: tsuzuri projections rebuild {projection.name}"
        )
    live = _live(connection, projection.name)
    if live.version != projection.version:
        return None
    return compare(connection, engine, projection, live.generation, new.generation)


def _live(connection: Connection[Any], name: str) -> Generation:
    number = live_generation(connection, name)
    return next(one for one in generations(connection, name) if one.generation == number)
