"""Generations of a projection: one that reads follow, one that is filled beside it, those that are kept."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.errors import UniqueViolation
from psycopg.sql import SQL, Identifier

from tsuzuri.eventlog.following import heads
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.checkpoints import lock_checkpoint
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.failpoints import failpoint


class UnknownGeneration(LookupError):
    """A projection has no generation of that number, or none that could be meant."""


class NotReady(Exception):
    """The generation is still being filled."""


class ProjectionPaused(Exception):
    """An operator has paused the projection: nothing is applied to any of its generations."""


@dataclass(frozen=True)
class Generation:
    """One set of tables of a projection."""

    name: str
    generation: int
    version: int  # of the code that fills it
    state: str  # FILLING, READY, LIVE, RETIRED
    codes: str  # name of the code release it is filled under


def prepare(connection: Connection[Any], codes: Callable[[], str]) -> None:
    """Give every projection a live generation; a new projection starts with an empty one and catches up.

    *codes* names the release in force; it is asked only when a generation is made.
    """
    for name in unprepared(connection):
        projection = PROJECTIONS[name]
        try:
            with connection.transaction():
                connection.execute("INSERT INTO projection (name, live) VALUES (%s, 1)", (projection.name,))
                _create(connection, projection, 1, "LIVE", codes())
        except UniqueViolation:  # another process was faster
            continue
    connection.execute("INSERT INTO projector_lease (part) SELECT part FROM part_head ON CONFLICT DO NOTHING")


def unprepared(connection: Connection[Any]) -> list[str]:
    """Projections of this program that the database does not have yet."""
    known = {name for (name,) in connection.execute("SELECT name FROM projection").fetchall()}
    return [name for name in PROJECTIONS if name not in known]


def generations(connection: Connection[Any], name: str) -> list[Generation]:
    """All that there are, oldest first."""
    found = connection.execute(
        """SELECT name, generation, version, state, codes FROM projection_generation
           WHERE name = %s ORDER BY generation""",
        (name,),
    )
    return [Generation(*row) for row in found.fetchall()]


def live_generation(connection: Connection[Any], name: str) -> int:
    row = connection.execute("SELECT live FROM projection WHERE name = %s", (name,)).fetchone()
    assert row is not None, f"projection {name} has not been prepared"
    return int(row[0])


def beside(connection: Connection[Any], name: str) -> Generation | None:
    """The generation that is being filled, or waits to be promoted."""
    for one in reversed(generations(connection, name)):
        if one.state in ("FILLING", "READY"):
            return one
    return None


def begun(connection: Connection[Any], name: str) -> Generation:
    """As `beside`. Raises UnknownGeneration: there is none."""
    if (found := beside(connection, name)) is None:
        raise UnknownGeneration(f"projection {name} is not being rebuilt")
    return found


def begin_rebuild(connection: Connection[Any], engine: Engine, projection: Projection) -> int:
    """A new, empty generation beside the live one, or the one that was begun already; its number.

    One that was begun by another version of the code is dropped: nobody can go on with it. So is one that was begun
    under another code release than the one in force.
    """
    with connection.transaction():
        connection.execute("SELECT FROM projection WHERE name = %s FOR UPDATE", (projection.name,))
        found, codes = beside(connection, projection.name), engine.releases.in_force(connection)
        if found is not None and (found.version, found.codes) == (projection.version, codes):
            return found.generation
        if found is not None:
            drop(connection, projection, found.generation)
        number = generations(connection, projection.name)[-1].generation + 1
        _create(connection, projection, number, "FILLING", codes)
        return number


def ready(connection: Connection[Any], projection: Projection, generation: int) -> int:
    """The number of a generation that reads can follow. Raises UnknownGeneration and NotReady."""
    states = {one.generation: one.state for one in generations(connection, projection.name)}
    if generation not in states:
        raise UnknownGeneration(f"projection {projection.name} has no generation {generation}")
    if states[generation] == "FILLING":
        raise NotReady(f"projection {projection.name}: generation {generation} is still being filled")
    return generation


def promote(connection: Connection[Any], engine: Engine, projection: Projection, generation: int) -> int:
    """Let reads follow *generation* from now on; returns the one they followed before, which is kept.

    First it catches up with the live one, while nobody applies anything to either: what was seen is not unseen.

    Raises:
        UnknownGeneration: there is none of that number.
        NotReady: it is still being filled.
        tsuzuri.projections.checkpoints.ProjectionOutdated: another version of the code filled it.
    """
    ready(connection, projection, generation)
    engine.catch_up(
        connection, projection, generation, upto=heads(connection)
    )  # little is left while both are held
    with connection.transaction():
        row = connection.execute(
            "SELECT live FROM projection WHERE name = %s FOR UPDATE", (projection.name,)
        ).fetchone()
        assert row is not None, f"projection {projection.name} has not been prepared"
        live = int(row[0])
        if generation == live:
            return live
        upto = _held(connection, projection, live)
        lock_checkpoint(connection, projection, generation)
        engine.catch_up(connection, projection, generation, upto=upto)
        failpoint("promote.before")
        for number, state in ((live, "RETIRED"), (generation, "LIVE")):
            connection.execute(
                "UPDATE projection_generation SET state = %s WHERE name = %s AND generation = %s",
                (state, projection.name, number),
            )
        connection.execute(
            "UPDATE projection SET live = %s, previous = %s WHERE name = %s",
            (generation, live, projection.name),
        )
    failpoint("promote.after")
    return live


def previous_generation(connection: Connection[Any], name: str) -> int:
    """The one that reads followed before the last promotion. Raises UnknownGeneration."""
    row = connection.execute(
        """SELECT previous FROM projection p WHERE name = %s AND EXISTS (
               SELECT FROM projection_generation g WHERE g.name = p.name AND g.generation = p.previous)""",
        (name,),
    ).fetchone()
    if row is None:
        raise UnknownGeneration(f"projection {name} has no generation to go back to")
    return int(row[0])


def set_paused(connection: Connection[Any], name: str, paused: bool) -> None:
    """Stop applying events to any generation of a projection after the batch under way, or go on."""
    connection.execute("UPDATE projection SET paused = %s WHERE name = %s", (paused, name))


def check_running(connection: Connection[Any], name: str) -> None:
    """Raises ProjectionPaused."""
    row = connection.execute("SELECT paused FROM projection WHERE name = %s", (name,)).fetchone()
    if row is not None and row[0]:
        raise ProjectionPaused(f"projection {name} is paused; run: tsuzuri projections resume {name}")


def cancel(connection: Connection[Any], projection: Projection) -> int:
    """Drop the generation that is being filled or waits to be promoted; its number. Raises UnknownGeneration."""
    number = begun(connection, projection.name).generation
    drop(connection, projection, number)
    return number


def drop_retired(connection: Connection[Any], projection: Projection) -> list[int]:
    """Drop every generation that reads followed once; returns which."""
    retired = [one for one in generations(connection, projection.name) if one.state == "RETIRED"]
    for one in retired:
        drop(connection, projection, one.generation)
    return [one.generation for one in retired]


def drop(connection: Connection[Any], projection: Projection, generation: int) -> None:
    """Drop a generation that reads do not follow; a batch under way ends first."""
    with connection.transaction():
        gone = connection.execute(
            "DELETE FROM projection_generation WHERE name = %s AND generation = %s AND state <> 'LIVE'",
            (projection.name, generation),
        )
        if gone.rowcount:
            schema = Identifier(projection.schema(generation))
            connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))


def _held(connection: Connection[Any], projection: Projection, generation: int) -> dict[int, int]:
    """Where a generation stands, held there until the transaction ends, whatever version filled it."""
    found = connection.execute(
        """SELECT part, pos FROM projection_checkpoint WHERE name = %s AND generation = %s
           ORDER BY part FOR UPDATE""",
        (projection.name, generation),
    )
    return dict(found.fetchall())


def _create(
    connection: Connection[Any], projection: Projection, generation: int, state: str, codes: str
) -> None:
    schema = Identifier(projection.schema(generation))
    connection.execute(SQL("CREATE SCHEMA {}").format(schema))
    connection.execute(SQL("SET LOCAL search_path TO {}, public").format(schema))
    connection.execute(projection.tables.encode())
    if state != "FILLING":
        connection.execute(projection.indexes.encode())
    connection.execute("SET LOCAL search_path TO DEFAULT")
    readers = ["tsuzuri_reader"] + ["tsuzuri_auditor"] * projection.for_auditors
    for reader in map(Identifier, readers):
        connection.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, reader))
        connection.execute(SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(schema, reader))
    connection.execute(
        "INSERT INTO projection_generation (name, generation, version, codes, state) VALUES (%s, %s, %s, %s, %s)",
        (projection.name, generation, projection.version, codes, state),
    )
    connection.execute(
        """INSERT INTO projection_checkpoint (name, generation, part, fill_upto)
           SELECT %s, %s, part, CASE WHEN %s THEN pos END FROM part_head""",
        (projection.name, generation, state == "FILLING"),
    )
