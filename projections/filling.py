"""Fills a new generation from the first event on: owner after owner, rows by COPY, keys and indexes last.

An owner's events are folded from first to last in memory: nothing is read back from the tables, nothing merged.
What only adds rows (see Row.ADDED_ONCE) is filled in the order of the log instead. Each batch is a transaction of
its own, and says how far it came.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier

from tsuzuri.eventlog.following import LoggedEvent, events_by_owner, events_of_owner
from tsuzuri.projections.carrying import BATCH_BYTES, Carrying
from tsuzuri.projections.catalogue import Projection
from tsuzuri.projections.checkpoints import check_version
from tsuzuri.projections.engine import Engine, Holds, uncollected
from tsuzuri.projections.failpoints import failpoint
from tsuzuri.projections.folding import OwnerFold, is_poison, merge_folds, poisons
from tsuzuri.projections.opening import open_by_owner
from tsuzuri.projections.quarantine import quarantine, skipped
from tsuzuri.projections.rows import Rows

_FIRST_OWNER = UUID(int=0)  # no owner's


@dataclass(frozen=True)
class Filled:
    """How many events a batch had, whether there may be more for this process, and how long it is to rest first."""

    events: int
    more: bool
    rest: float = 0.0  # seconds, by the engine's rebuild_share


@dataclass(frozen=True)
class _Claimed:
    """A part that is being filled, locked for one batch."""

    part: int
    fill_upto: int
    fill_after: UUID


def fill(
    connection: Connection[Any],
    engine: Engine,
    projection: Projection,
    generation: int,
    *,
    parts: Collection[int] | None = None,
    holds: Holds = lambda _: None,
) -> Filled:
    """One batch. Raises ProjectionOutdated and LeaseLost."""
    began = time.monotonic()
    fill_some = _fill_in_order if projection.added_once else _fill_by_owner
    filled = fill_some(connection, engine, projection, generation, parts, holds)
    took = time.monotonic() - began
    return replace(filled, rest=took * (1 / engine.rebuild_share - 1)) if filled.events else filled


def _fill_by_owner(
    connection: Connection[Any],
    engine: Engine,
    projection: Projection,
    generation: int,
    parts: Collection[int] | None,
    holds: Holds,
) -> Filled:
    schema = projection.schema(generation)
    limit = engine.limit(schema)
    began = time.monotonic()
    with uncollected(), connection.transaction():
        holds(connection)
        check_version(connection, projection, generation)
        claimed = _claim(connection, projection, generation, parts)
        if claimed is None:
            return Filled(0, more=False)
        failpoint("fill.before")
        events = _fill_part(connection, engine, projection, generation, claimed, limit)
        failpoint("fill.after")
    failpoint("batch.committed")
    engine.learn(schema, limit, events, time.monotonic() - began)
    return Filled(events, more=True)


def index_when_filled(connection: Connection[Any], projection: Projection, generation: int) -> bool:
    """Give the tables their keys and indexes once all parts are filled; whether they have them."""
    with connection.transaction():
        row = connection.execute(
            """SELECT state, EXISTS (SELECT FROM projection_checkpoint c WHERE c.name = g.name
                   AND c.generation = g.generation AND c.fill_upto IS NOT NULL)
               FROM projection_generation g WHERE name = %s AND generation = %s FOR NO KEY UPDATE""",
            (projection.name, generation),
        ).fetchone()
        if row is None or row[0] != "FILLING":
            return row is not None
        if row[1]:
            return False
        failpoint("index.before")
        schema = projection.schema(generation)
        connection.execute(SQL("SET LOCAL search_path TO {}, public").format(Identifier(schema)))
        try:
            with connection.transaction():
                connection.execute(projection.indexes.encode())
        except Exception as error:
            if not is_poison(error):
                raise
            _begin_again_with_indexes(connection, projection, generation)
        for kind in projection.rows:
            _analyze(connection, Identifier(schema, kind.TABLE))
        connection.execute("SET LOCAL search_path TO DEFAULT")
        connection.execute(
            "UPDATE projection_generation SET state = 'READY' WHERE name = %s AND generation = %s",
            (projection.name, generation),
        )
        failpoint("index.after")
    return True


def _analyze(connection: Connection[Any], table: Identifier) -> None:
    """The columns that have an index, which is what plans turn on; autovacuum comes to the wide ones in time."""
    indexed = connection.execute(
        """SELECT DISTINCT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
           WHERE indrelid = %s::regclass""",
        (table.as_string(),),
    )
    columns = SQL(", ").join(Identifier(name) for (name,) in indexed)
    connection.execute(SQL("ANALYZE {} ({})").format(table, columns))


def _begin_again_with_indexes(connection: Connection[Any], projection: Projection, generation: int) -> None:
    """A row was filled in that the indexes refuse. The tables are emptied: what carries on a generation finds whose."""
    for kind in projection.rows:
        connection.execute(SQL("TRUNCATE {}").format(Identifier(projection.schema(generation), kind.TABLE)))
    connection.execute(projection.indexes.encode())
    connection.execute(
        "UPDATE projection_checkpoint SET pos = 0, fill_upto = NULL WHERE name = %s AND generation = %s",
        (projection.name, generation),
    )
    connection.execute(
        "DELETE FROM projection_quarantine WHERE name = %s AND generation = %s", (projection.name, generation)
    )


def _claim(
    connection: Connection[Any], projection: Projection, generation: int, parts: Collection[int] | None
) -> _Claimed | None:
    with connection.cursor(row_factory=class_row(_Claimed)) as cursor:
        return cursor.execute(
            """SELECT part, fill_upto, coalesce(fill_after, %s) AS fill_after FROM projection_checkpoint
               WHERE name = %s AND generation = %s AND fill_upto IS NOT NULL
                 AND (%s::smallint[] IS NULL OR part = ANY (%s))
               ORDER BY part LIMIT 1 FOR UPDATE SKIP LOCKED""",
            (_FIRST_OWNER, projection.name, generation, *[None if parts is None else list(parts)] * 2),
        ).fetchone()


def _fill_part(
    connection: Connection[Any],
    engine: Engine,
    projection: Projection,
    generation: int,
    claimed: _Claimed,
    limit: int,
) -> int:
    """One batch of whole owners; how many events it had."""
    logged, complete = _whole_owners(connection, projection, claimed, limit)
    left_out = skipped(connection, projection.name)
    owners = open_by_owner(
        (one for one in logged if one.event_id not in left_out), engine.mapper, engine.ring
    )
    carrying = Carrying(
        connection, engine.ring, projection, [one for events in owners.values() for one in events.opened]
    )
    codes = engine.releases.of_generation(connection, projection.name, generation)
    folds: list[OwnerFold] = []
    weight = 0
    for owner, events in owners.items():
        if weight > BATCH_BYTES:
            complete = False
            break
        folds.append(OwnerFold(projection, owner, events, carrying, codes, Rows))
        weight += sum(carrying.bytes_of(one.logged.event_id) for one in events.opened)
    failpoint("merge.before")
    merge_folds(connection, projection.schema(generation), folds)
    quarantine(connection, projection.name, generation, poisons(folds))
    failpoint("merge.after")
    reached = folds[-1].owner if folds else logged[-1].patient_id if logged else claimed.fill_after
    connection.execute(
        """UPDATE projection_checkpoint SET fill_after = %s, pos = CASE WHEN %s THEN fill_upto ELSE pos END,
               fill_upto = CASE WHEN %s THEN NULL ELSE fill_upto END
           WHERE name = %s AND generation = %s AND part = %s""",
        (None if complete else reached, complete, complete, projection.name, generation, claimed.part),
    )
    return len(logged)


def _whole_owners(
    connection: Connection[Any], projection: Projection, claimed: _Claimed, limit: int
) -> tuple[list[LoggedEvent], bool]:
    """The next owners' events, each owner's in order and none cut off; whether they are the part's last."""
    part, upto, streams, topics = claimed.part, claimed.fill_upto, projection.streams, projection.topics
    found = events_by_owner(
        connection, part, streams=streams, topics=topics, after=claimed.fill_after, upto=upto, limit=limit
    )
    if len(found) < limit:
        return found, True
    last = found[-1].patient_id  # who may have more
    found = [one for one in found if one.patient_id != last]
    if not found:
        found = events_of_owner(connection, part, last, streams=streams, topics=topics, after=0, upto=upto)
    return found, False


def _fill_in_order(
    connection: Connection[Any],
    engine: Engine,
    projection: Projection,
    generation: int,
    parts: Collection[int] | None,
    holds: Holds,
) -> Filled:
    """One batch in the order of the log; the tables have no indexes yet, and need none to be added to."""
    found = connection.execute(
        """SELECT part, fill_upto FROM projection_checkpoint
           WHERE name = %s AND generation = %s AND fill_upto IS NOT NULL
             AND (%s::smallint[] IS NULL OR part = ANY (%s))""",
        (projection.name, generation, *[None if parts is None else list(parts)] * 2),
    )
    upto = dict(found.fetchall())
    if not upto:
        return Filled(0, more=False)
    progress = engine.step(connection, projection, generation, upto=upto, parts=upto, holds=holds)
    if progress.lag_events == 0:
        connection.execute(
            """UPDATE projection_checkpoint SET fill_upto = NULL
               WHERE name = %s AND generation = %s AND part = ANY (%s) AND pos = fill_upto""",
            (projection.name, generation, list(upto)),
        )
    return Filled(progress.events, more=True)
