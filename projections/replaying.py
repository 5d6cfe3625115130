"""One patient again: a quarantined one from where she was set aside, or anybody from the first event on."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection

from tsuzuri.eventlog.following import events_of_owner
from tsuzuri.projections.carrying import Carrying
from tsuzuri.projections.catalogue import Projection
from tsuzuri.projections.checkpoints import check_version
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.folding import OwnerFold, merge_folds, poisons
from tsuzuri.projections.generations import NotReady
from tsuzuri.projections.merging import load
from tsuzuri.projections.opening import OwnerEvents, open_by_owner
from tsuzuri.projections.quarantine import quarantine, release, skipped
from tsuzuri.projections.rows import Rows


@dataclass(frozen=True)
class Tried:
    """What became of quarantined patients that were tried again."""

    current: int
    stopped: int  # at the same event, or a later one


class NothingOfPatient(LookupError):
    """No event of this patient that the projection applies lies before where the generation stands."""


class NotQuarantined(LookupError):
    """The patient is not set aside in this generation: there is nothing to try again."""


def retry(
    connection: Connection[Any], engine: Engine, projection: Projection, generation: int, owner: UUID
) -> bool:
    """Apply what waits of a quarantined patient; whether she is current again, or stopped at an event once more.

    Raises:
        NotQuarantined, NotReady.
        tsuzuri.projections.checkpoints.ProjectionOutdated.
    """
    with connection.transaction():
        part, upto = _held(connection, projection, generation, owner)
        row = connection.execute(
            """SELECT pos FROM projection_quarantine WHERE name = %s AND generation = %s AND patient_id = %s""",
            (projection.name, generation, owner),
        ).fetchone()
        if row is None:
            raise NotQuarantined(f"projection {projection.name}: this patient is not quarantined")
        return _replay(connection, engine, projection, generation, owner, part, row[0] - 1, upto)


def rebuild_patient(
    connection: Connection[Any], engine: Engine, projection: Projection, generation: int, owner: UUID
) -> bool:
    """Make all rows of one patient anew from her first event on. As `retry`, of anybody. Raises NothingOfPatient."""
    with connection.transaction():
        part, upto = _held(connection, projection, generation, owner)
        return _replay(connection, engine, projection, generation, owner, part, 0, upto)


def _held(
    connection: Connection[Any], projection: Projection, generation: int, owner: UUID
) -> tuple[int, int]:
    """The owner's part and where the generation stands there, held until the transaction ends."""
    check_version(connection, projection, generation)
    row = connection.execute(
        """SELECT part, pos, (SELECT state FROM projection_generation g
                              WHERE g.name = c.name AND g.generation = c.generation)
           FROM projection_checkpoint c WHERE name = %s AND generation = %s
           AND part = mod(%s::numeric, (SELECT count(*) FROM part_head)) FOR UPDATE""",
        (projection.name, generation, owner.int),
    ).fetchone()
    assert row is not None, "a generation has a checkpoint for each part"
    if row[2] == "FILLING":
        raise NotReady(f"projection {projection.name}: generation {generation} is still being filled")
    return row[0], row[1]


def _replay(
    connection: Connection[Any],
    engine: Engine,
    projection: Projection,
    generation: int,
    owner: UUID,
    part: int,
    after: int,
    upto: int,
) -> bool:
    logged = events_of_owner(
        connection, part, owner, streams=projection.streams, topics=projection.topics, after=after, upto=upto
    )
    if not logged and not after:
        raise NothingOfPatient(f"projection {projection.name}: no event of this patient has come to it")
    left_out = skipped(connection, projection.name)
    kept = (one for one in logged if one.event_id not in left_out)
    events = open_by_owner(kept, engine.mapper, engine.ring).get(owner, OwnerEvents())
    schema = projection.schema(generation)
    looks = tuple({look for one in events.opened for look in projection.looks(one.event)})
    loaded = load(connection, schema, {owner: looks}).get(owner, []) if after else []

    def start() -> Rows:
        if after:
            return Rows(loaded, looks)
        rows = Rows()
        for kind in projection.rows:
            rows.remove_all(kind)
        return rows

    carrying = Carrying(connection, engine.ring, projection, events.opened)
    codes = engine.releases.of_generation(connection, projection.name, generation)
    fold = OwnerFold(projection, owner, events, carrying, codes, start)
    merge_folds(connection, schema, [fold])
    stopped = poisons([fold])
    if stopped:
        quarantine(connection, projection.name, generation, stopped)
    else:
        release(connection, projection.name, generation, owner)
    return not stopped
