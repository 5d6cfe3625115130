"""Carries the log into tables: a batch of events, a fold in memory, one merge, and the checkpoint, in one transaction.

So each event is applied exactly once, whatever is killed when.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL, Composed, Identifier

from tsuzuri.domain.events import Erased
from tsuzuri.eventlog.data_keys import KeyRing, WrappedKey
from tsuzuri.eventlog.following import Batch, follow, heads
from tsuzuri.eventlog.mapper import EventMapper
from tsuzuri.eventlog.places import Vector
from tsuzuri.eventlog.sealed_events import unseal_payload
from tsuzuri.projections.catalogue import Projection
from tsuzuri.projections.rows import Recorded, Row, Rows

BATCH_EVENTS = 1_000
BATCH_BYTES = 32 * 1024 * 1024  # of payloads at once, which bounds the projector's memory


class ProjectionOutdated(Exception):
    """The tables were filled by another version of the projection's code."""


@dataclass(frozen=True)
class Progress:
    """How far one generation has come: *done* of *total* positions of the log, over all parts."""

    done: int
    total: int
    events: int = 0  # applied by the last batch

    @property
    def lag_events(self) -> int:
        return self.total - self.done


class Engine:
    """Applies batches to one generation. It holds no state between them: everything is in the database."""

    def __init__(self, mapper: EventMapper, ring: KeyRing, *, batch_events: int = BATCH_EVENTS):
        self.mapper = mapper
        self.ring = ring
        self.batch_events = batch_events

    def catch_up(
        self,
        connection: Connection[Any],
        projection: Projection,
        generation: int,
        *,
        upto: Vector | None = None,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> Progress:
        """Apply batch after batch until the generation stands at *upto*, or where the heads stood at the last look."""
        while True:
            progress = self.step(connection, projection, generation, upto=upto)
            on_progress(progress)
            if progress.lag_events == 0:
                return progress

    def step(
        self,
        connection: Connection[Any],
        projection: Projection,
        generation: int,
        *,
        upto: Vector | None = None,
    ) -> Progress:
        """Apply one batch.

        Raises:
            ProjectionOutdated: the generation was filled by another version; it names the command to run.
        """
        wanted = heads(connection) if upto is None else upto
        total = sum(wanted.values())
        if total == sum(checkpoint(connection, projection.name, generation).values()):
            return Progress(total, total)  # nothing new: not even a lock is taken
        with connection.transaction():
            after = lock_checkpoint(connection, projection, generation)
            topics = [event.TOPIC for event in projection.events]
            batch = follow(connection, after, upto=wanted, topics=topics, limit=self.batch_events)
            if batch.events:
                batch = self._apply(connection, projection, generation, after, batch)
            moved = {part: pos for part, pos in batch.covers.items() if after.get(part, 0) != pos}
            _set_checkpoint(connection, projection, generation, moved)
        return Progress(sum(batch.covers.values()), total, len(batch.events))

    def _apply(
        self,
        connection: Connection[Any],
        projection: Projection,
        generation: int,
        after: Vector,
        batch: Batch,
    ) -> Batch:
        """Apply what of the batch fits into memory; the batch that was applied."""
        events = [(row, self.mapper.to_domain_event(row.opened(self.ring))) for row in batch.events]
        wanted = [[(row.part, payload) for payload in projection.payloads(event)] for row, event in events]
        fitting = _fitting(connection, wanted)
        if fitting < len(events):
            batch = batch.first(fitting, after)
            events, wanted = events[:fitting], wanted[:fitting]
        bodies = self._payloads(connection, [one for payloads in wanted for one in payloads])
        rows = Rows()
        owners = {row.patient_id for row, _ in events}
        for kind in projection.rows:
            if kind.FOLDED:
                for held in _load(connection, projection, generation, kind, owners):
                    rows.load(held)
        for row, event in events:
            if isinstance(event, Erased):  # what it said is gone, and what it led to was removed with it
                continue
            carried = {
                payload: bodies[payload] for payload in projection.payloads(event) if payload in bodies
            }
            projection.apply(
                rows, Recorded(event, row.patient_id, row.part, row.pos, row.recorded_at, carried)
            )
        for kind in projection.rows:
            _merge(connection, projection, generation, kind, rows)
        return batch

    def _payloads(self, connection: Connection[Any], wanted: Sequence[tuple[int, UUID]]) -> dict[UUID, bytes]:
        """The payloads that can still be read."""
        if not wanted:
            return {}
        parts, ids = zip(*wanted, strict=True)
        found = connection.execute(
            """SELECT p.payload_id, p.body, p.key_id, k.patient_id, k.use, k.epoch, k.wrapped
               FROM unnest(%b::smallint[], %b::uuid[]) AS w (part, payload_id)
               JOIN payload p USING (part, payload_id) JOIN data_key k USING (part, key_id)""",
            (list(parts), list(ids)),
            binary=True,
        )
        secrets = (
            (payload, body, self.ring.secret(WrappedKey(*key))) for payload, body, *key in found.fetchall()
        )
        return {
            payload: unseal_payload(secret, payload, body)
            for payload, body, secret in secrets
            if secret is not None
        }


def lock_checkpoint(connection: Connection[Any], projection: Projection, generation: int) -> Vector:
    """The generation's checkpoint, locked until the transaction ends: one projector at a time applies."""
    found = connection.execute(
        "SELECT version FROM projection_generation WHERE name = %s AND generation = %s FOR UPDATE",
        (projection.name, generation),
    ).fetchone()
    if found is None or found[0] != projection.version:
        raise ProjectionOutdated(
            f"projection {projection.name}: generation {generation} was filled by version "
            f"{found[0] if found else 'none'}, this program has {projection.version}; "
            f"run: tsuzuri projections rebuild {projection.name}"
        )
    return checkpoint(connection, projection.name, generation)


def checkpoint(connection: Connection[Any], name: str, generation: int) -> Vector:
    """Part → position up to which the generation has applied the log."""
    found = connection.execute(
        "SELECT part, pos FROM projection_checkpoint WHERE name = %s AND generation = %s", (name, generation)
    )
    return dict(found.fetchall())


def _set_checkpoint(
    connection: Connection[Any], projection: Projection, generation: int, moved: Vector
) -> None:
    connection.execute(
        """INSERT INTO projection_checkpoint (name, generation, part, pos)
           SELECT %s, %s, * FROM unnest(%s::smallint[], %s::bigint[])
           ON CONFLICT (name, generation, part) DO UPDATE SET pos = excluded.pos""",
        (projection.name, generation, list(moved), list(moved.values())),
    )


def _fitting(connection: Connection[Any], wanted: Sequence[Sequence[tuple[int, UUID]]]) -> int:
    """How many of the events, from the first on, have payloads that fit into BATCH_BYTES together; at least one."""
    ids = [one for payloads in wanted for one in payloads]
    if not ids:
        return len(wanted)
    parts, payloads = zip(*ids, strict=True)
    found = connection.execute(
        """SELECT payload_id, size FROM unnest(%b::smallint[], %b::uuid[]) AS w (part, payload_id)
           JOIN payload USING (part, payload_id)""",
        (list(parts), list(payloads)),
    )
    sizes = dict(found.fetchall())
    bytes_so_far = 0
    for place, one in enumerate(wanted):
        bytes_so_far += sum(sizes.get(payload, 0) for _, payload in one)
        if bytes_so_far > BATCH_BYTES and place > 0:
            return place
    return len(wanted)


def _table(projection: Projection, generation: int, kind: type[Row]) -> Identifier:
    return Identifier(projection.schema(generation), kind.TABLE)


def _columns(names: Iterable[str]) -> Composed:
    return SQL(", ").join(Identifier(name) for name in names)


def _load(
    connection: Connection[Any],
    projection: Projection,
    generation: int,
    kind: type[Row],
    owners: Iterable[UUID],
) -> list[Row]:
    statement = SQL("SELECT {} FROM {} WHERE {} = ANY (%s)").format(
        _columns(kind.columns()), _table(projection, generation, kind), Identifier(kind.OWNER)
    )
    with connection.cursor(row_factory=class_row(kind), binary=True) as cursor:
        return cursor.execute(statement, (list(owners),)).fetchall()


def _merge(
    connection: Connection[Any], projection: Projection, generation: int, kind: type[Row], rows: Rows
) -> None:
    """Write what `apply` left: deletions first, then all rows by COPY and one INSERT."""
    changed = rows.changed(kind)
    table = _table(projection, generation, kind)
    if changed.emptied:
        owners = SQL("DELETE FROM {} WHERE {} = ANY (%s)").format(table, Identifier(kind.OWNER))
        connection.execute(owners, (changed.emptied,))
    if changed.removed:
        keys = SQL(" AND ").join(SQL("{} = %s").format(Identifier(name)) for name in kind.KEY)
        with connection.cursor() as cursor:
            cursor.executemany(SQL("DELETE FROM {} WHERE {}").format(table, keys), changed.removed)
    if not changed.put:
        return
    columns = kind.columns()
    incoming = Identifier(f"incoming_{projection.schema(generation)}_{kind.TABLE}")
    connection.execute(
        SQL("CREATE TEMP TABLE IF NOT EXISTS {} (LIKE {}) ON COMMIT DELETE ROWS").format(incoming, table)
    )
    with connection.cursor().copy(SQL("COPY {} ({}) FROM STDIN").format(incoming, _columns(columns))) as copy:
        for row in changed.put:
            copy.write_row([getattr(row, name) for name in columns])
    updates = SQL(", ").join(SQL("{0} = excluded.{0}").format(Identifier(name)) for name in columns)
    connection.execute(
        SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT ({}) DO UPDATE SET {}").format(
            table, _columns(columns), _columns(columns), incoming, _columns(kind.KEY), updates
        )
    )
    connection.execute(SQL("TRUNCATE {}").format(incoming))
