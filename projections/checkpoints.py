"""How far each generation has applied the log, part by part; and the locks that let one process at a time apply."""

from collections.abc import Iterable
from typing import Any

from psycopg import Connection

from tsuzuri.eventlog.places import Vector
from tsuzuri.projections.catalogue import Projection


class ProjectionOutdated(Exception):
    """The tables were filled by another version of the projection's code."""


class LeaseLost(Exception):
    """Another process has taken over the parts."""


def checkpoint(connection: Connection[Any], name: str, generation: int) -> Vector:
    """Part → position up to which the generation has applied the log."""
    found = connection.execute(
        "SELECT part, pos FROM projection_checkpoint WHERE name = %s AND generation = %s", (name, generation)
    )
    return dict(found.fetchall())


def check_version(connection: Connection[Any], projection: Projection, generation: int) -> None:
    """Keeps the generation from being dropped until the transaction ends. Raises ProjectionOutdated."""
    found = connection.execute(
        "SELECT version FROM projection_generation WHERE name = %s AND generation = %s FOR KEY SHARE",
        (projection.name, generation),
    ).fetchone()
    if found is None or found[0] != projection.version:
        raise ProjectionOutdated(
            f"projection {projection.name}: generation {generation} was filled by version "
            f"{found[0] if found else 'none'}, this program has {projection.version}; "
            f"run: tsuzuri projections rebuild {projection.name}"
        )


def lock_checkpoint(
    connection: Connection[Any], projection: Projection, generation: int, parts: Iterable[int] | None = None
) -> Vector:
    """The checkpoint, of all parts or of some, locked until the transaction ends. Raises ProjectionOutdated."""
    check_version(connection, projection, generation)
    rows = connection.execute(
        """SELECT part, pos FROM projection_checkpoint
           WHERE name = %s AND generation = %s AND (%s::smallint[] IS NULL OR part = ANY (%s))
           ORDER BY part FOR UPDATE""",
        (projection.name, generation, *[None if parts is None else list(parts)] * 2),
    )
    return dict(rows.fetchall())


def move_checkpoint(
    connection: Connection[Any], projection: Projection, generation: int, after: Vector, covers: Vector
) -> None:
    """Move it on from where it was locked. Raises LeaseLost when it is not there any more."""
    moved = {part: pos for part, pos in covers.items() if after.get(part, 0) != pos}
    if not moved:
        return
    done = connection.execute(
        """UPDATE projection_checkpoint c SET pos = n.pos
           FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS n (part, was, pos)
           WHERE c.name = %s AND c.generation = %s AND c.part = n.part AND c.pos = n.was""",
        (
            list(moved),
            [after.get(part, 0) for part in moved],
            list(moved.values()),
            projection.name,
            generation,
        ),
    )
    if done.rowcount != len(moved):
        raise LeaseLost(f"projection {projection.name}: the checkpoint moved under this batch")
