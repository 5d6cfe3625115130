"""Generations of a projection: fill a new one beside the live one, compare, move the pointer, move it back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.errors import UniqueViolation
from psycopg.sql import SQL, Identifier

from tsuzuri.eventlog.following import heads
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.engine import Engine, Progress, lock_checkpoint


class UnknownGeneration(LookupError):
    """A projection has no generation of that number."""


@dataclass(frozen=True)
class Comparison:
    """Two generations that stand at the same position, row by row."""

    rows: int  # in the new one
    differing: Sequence[UUID]  # owners with a row that is not in both, in order

    @property
    def equal(self) -> bool:
        return not self.differing


@dataclass(frozen=True)
class Rebuilt:
    """A new generation, and how it compares with the one that was live when it was filled.

    `comparison` is None when the live one was filled by another version of the code: they are meant to differ.
    """

    generation: int
    live: int
    comparison: Comparison | None
    promoted: bool


@dataclass(frozen=True)
class Standing:
    """Where the live generation of one projection stands."""

    name: str
    generation: int
    state: str
    version: int
    position: int  # applied positions, over all parts
    lag_events: int
    lag_seconds: float  # age of the oldest event not yet applied; 0 when none is
    other_generations: Sequence[int]


def prepare(connection: Connection[Any]) -> None:
    """Give every projection a live generation; a new projection starts with an empty one and catches up."""
    for name in unprepared(connection):
        projection = PROJECTIONS[name]
        try:
            with connection.transaction():
                connection.execute("INSERT INTO projection (name, live) VALUES (%s, 1)", (projection.name,))
                _create(connection, projection, 1, "LIVE")
        except UniqueViolation:  # another process was faster
            continue


def unprepared(connection: Connection[Any]) -> list[str]:
    """Projections of this program that the database does not have yet."""
    known = {name for (name,) in connection.execute("SELECT name FROM projection").fetchall()}
    return [name for name in PROJECTIONS if name not in known]


def live_generation(connection: Connection[Any], name: str) -> int:
    row = connection.execute("SELECT live FROM projection WHERE name = %s", (name,)).fetchone()
    assert row is not None, f"projection {name} has not been prepared"
    return int(row[0])


def rebuild(
    connection: Connection[Any],
    engine: Engine,
    projection: Projection,
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Rebuilt:
    """Fill a new generation from the first event on, compare it with the live one, and promote it when equal.

    When the live one was filled by another version of the code it is not compared: it is what the new one is to
    take the place of. A generation that could not be filled is dropped.
    """
    with connection.transaction():
        row = connection.execute(
            "SELECT live, (SELECT max(generation) FROM projection_generation g WHERE g.name = p.name) "
            "FROM projection p WHERE name = %s FOR UPDATE",
            (projection.name,),
        ).fetchone()
        assert row is not None, f"projection {projection.name} has not been prepared"
        live, generation = row[0], row[1] + 1
        _create(connection, projection, generation, "FILLING")
    try:
        engine.catch_up(connection, projection, generation, on_progress=on_progress)
        with connection.transaction():
            comparison = None
            if _version(connection, projection, live) == projection.version:
                comparison = compare(connection, engine, projection, live, generation)
            if promoted := comparison is None or comparison.equal:
                promote(connection, projection, generation)
    except BaseException:
        drop(connection, projection, generation)
        raise
    return Rebuilt(generation, live, comparison, promoted)


def drop_retired(connection: Connection[Any], projection: Projection) -> list[int]:
    """Drop every generation that reads do not follow; returns which."""
    found = connection.execute(
        "SELECT generation FROM projection_generation WHERE name = %s AND state = 'RETIRED' ORDER BY 1",
        (projection.name,),
    ).fetchall()
    for (generation,) in found:
        drop(connection, projection, generation)
    return [generation for (generation,) in found]


def compare(
    connection: Connection[Any], engine: Engine, projection: Projection, old: int, new: int
) -> Comparison:
    """Hold both generations, bring them to one position, and look for rows that are not in both.

    Both stay held until the caller's transaction ends, so that a promotion in it loses nothing.
    """
    with connection.transaction():
        for generation in sorted((old, new)):
            lock_checkpoint(connection, projection, generation)
        upto = heads(connection)
        for generation in (old, new):
            engine.catch_up(connection, projection, generation, upto=upto)
        differing: set[UUID] = set()
        count = 0
        for kind in projection.rows:
            tables = {
                "old": Identifier(projection.schema(old), kind.TABLE),
                "new": Identifier(projection.schema(new), kind.TABLE),
                "columns": SQL(", ").join(Identifier(name) for name in kind.columns()),
                "owner": Identifier(kind.OWNER),
            }
            row = connection.execute(SQL("SELECT count(*) FROM {new}").format(**tables)).fetchone()
            count += row[0] if row is not None else 0
            found = connection.execute(
                SQL("""
                SELECT DISTINCT {owner} FROM (
                    (SELECT {columns} FROM {old} EXCEPT ALL SELECT {columns} FROM {new}) UNION ALL
                    (SELECT {columns} FROM {new} EXCEPT ALL SELECT {columns} FROM {old})
                ) AS odd""").format(**tables)
            )
            differing |= {owner for (owner,) in found.fetchall()}
    return Comparison(count, sorted(differing))


def drop(connection: Connection[Any], projection: Projection, generation: int) -> None:
    """Drop a generation that reads do not follow."""
    with connection.transaction():
        connection.execute(
            SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(projection.schema(generation)))
        )
        connection.execute(
            "DELETE FROM projection_generation WHERE name = %s AND generation = %s AND state <> 'LIVE'",
            (projection.name, generation),
        )


def _version(connection: Connection[Any], projection: Projection, generation: int) -> int | None:
    row = connection.execute(
        "SELECT version FROM projection_generation WHERE name = %s AND generation = %s",
        (projection.name, generation),
    ).fetchone()
    return None if row is None else int(row[0])


def promote(connection: Connection[Any], projection: Projection, generation: int) -> int:
    """Let reads follow *generation* from now on; returns the one they followed before, which is kept.

    Raises:
        UnknownGeneration: there is none of that number.
    """
    with connection.transaction():
        row = connection.execute(
            "SELECT live FROM projection WHERE name = %s FOR UPDATE", (projection.name,)
        ).fetchone()
        assert row is not None
        states = {row[0]: "RETIRED", generation: "LIVE"}
        for number, state in states.items():
            moved = connection.execute(
                "UPDATE projection_generation SET state = %s WHERE name = %s AND generation = %s",
                (state, projection.name, number),
            )
            if moved.rowcount == 0:
                raise UnknownGeneration(f"projection {projection.name} has no generation {number}")
        connection.execute("UPDATE projection SET live = %s WHERE name = %s", (generation, projection.name))
    return int(row[0])


def standings(connection: Connection[Any]) -> list[Standing]:
    """Every projection's live generation, in the order of the catalogue."""
    found = connection.execute(
        """
        SELECT p.name, g.generation, g.state, g.version, s.done, s.total, s.oldest, clock_timestamp(),
               array(SELECT o.generation FROM projection_generation o
                     WHERE o.name = p.name AND o.generation <> p.live ORDER BY 1)
        FROM projection p JOIN projection_generation g ON g.name = p.name AND g.generation = p.live
        CROSS JOIN LATERAL (
            SELECT sum(coalesce(c.pos, 0))::bigint AS done, sum(h.pos)::bigint AS total, min(e.recorded_at) AS oldest
            FROM part_head h
            LEFT JOIN projection_checkpoint c
                   ON c.part = h.part AND c.name = p.name AND c.generation = p.live
            LEFT JOIN event e ON e.part = h.part AND e.pos = coalesce(c.pos, 0) + 1
        ) AS s
        """
    ).fetchall()
    by_name = {
        row[0]: Standing(
            row[0], row[1], row[2], row[3], row[4], row[5] - row[4], _age(row[6], row[7]), row[8]
        )
        for row in found
    }
    return [by_name[name] for name in PROJECTIONS if name in by_name]


def _age(oldest: datetime | None, now: datetime) -> float:
    return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())


def _create(connection: Connection[Any], projection: Projection, generation: int, state: str) -> None:
    schema = Identifier(projection.schema(generation))
    connection.execute(SQL("CREATE SCHEMA {}").format(schema))
    connection.execute(SQL("SET LOCAL search_path TO {}, public").format(schema))
    connection.execute(projection.tables.encode())
    connection.execute("SET LOCAL search_path TO DEFAULT")
    readers = ["tsuzuri_reader"] + ["tsuzuri_auditor"] * projection.for_auditors
    for reader in map(Identifier, readers):
        connection.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, reader))
        connection.execute(SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(schema, reader))
    connection.execute(
        "INSERT INTO projection_generation (name, generation, version, state) VALUES (%s, %s, %s, %s)",
        (projection.name, generation, projection.version, state),
    )
