"""Where projections stand, how fast they go, and who does the work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.leases import LEASE_SECONDS


@dataclass(frozen=True)
class FillProgress:
    """How far a generation has come towards the log's head, while it is filled and after."""

    name: str
    generation: int
    state: str
    done: int  # positions of the log, over all parts; of parts that are filled owner by owner an estimate
    total: int
    rate_per_second: float  # of late, over all processes
    quarantined: int

    @property
    def seconds_left(self) -> float | None:
        """None when nobody works on it."""
        left = self.total - self.done
        return 0.0 if left <= 0 else left / self.rate_per_second if self.rate_per_second > 0 else None


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
    paused: bool
    rate_per_second: float
    quarantined: int  # patients
    batch_seconds: float  # of the last batch
    oldest_snapshot_seconds: float  # the longest that a batch has held one
    rebuild: FillProgress | None  # of the generation beside it

    @property
    def seconds_left(self) -> float | None:
        """Until it has caught up at the present rate; None when nobody works on it."""
        if self.lag_events == 0:
            return 0.0
        return self.lag_events / self.rate_per_second if self.rate_per_second > 0 else None


@dataclass(frozen=True)
class _Reported:
    name: str
    generation: int
    per_second: float
    batch_seconds: float
    batch_seconds_max: float


def standings(connection: Connection[Any]) -> list[Standing]:
    """Every projection's live generation, in the order of the catalogue."""
    found = connection.execute(
        """
        SELECT p.name, g.generation, g.state, g.version, s.done, s.total, s.oldest, clock_timestamp(), p.paused,
               array(SELECT o.generation FROM projection_generation o
                     WHERE o.name = p.name AND o.generation <> p.live ORDER BY 1),
               (SELECT count(*) FROM projection_quarantine q WHERE q.name = p.name AND q.generation = p.live),
               (SELECT max(o.generation) FROM projection_generation o
                WHERE o.name = p.name AND o.state IN ('FILLING', 'READY'))
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
    reports = _reports(connection)
    by_name = {}
    for name, live, state, version, done, total, oldest, now, paused, others, waiting, beside in found:
        mine = [one for one in reports if (one.name, one.generation) == (name, live)]
        by_name[name] = Standing(
            name=name,
            generation=live,
            state=state,
            version=version,
            position=done,
            lag_events=total - done,
            lag_seconds=_age(oldest, now),
            other_generations=others,
            paused=paused,
            rate_per_second=sum(one.per_second for one in mine),
            quarantined=waiting,
            batch_seconds=max((one.batch_seconds for one in mine), default=0.0),
            oldest_snapshot_seconds=max((one.batch_seconds_max for one in mine), default=0.0),
            rebuild=None if beside is None else fill_progress(connection, name, beside),
        )
    return [by_name[name] for name in PROJECTIONS if name in by_name]


def fill_progress(connection: Connection[Any], name: str, generation: int) -> FillProgress:
    """Owners' ids are spread evenly, so the one a part was filled up to tells how much of the part that was."""
    row = connection.execute(
        """
        SELECT g.state,
               coalesce(sum(CASE WHEN c.fill_after IS NULL THEN c.pos ELSE
                   c.fill_upto * (('x' || left(c.fill_after::text, 8))::bit(32)::bigint / 4294967296.0) END), 0),
               coalesce(sum(h.pos), 0),
               (SELECT count(*) FROM projection_quarantine q WHERE q.name = g.name AND q.generation = g.generation)
        FROM projection_generation g JOIN projection_checkpoint c USING (name, generation) JOIN part_head h USING (part)
        WHERE g.name = %s AND g.generation = %s GROUP BY g.name, g.generation, g.state
        """,
        (name, generation),
    ).fetchone()
    if row is None:
        return FillProgress(name, generation, "DROPPED", 0, 0, 0.0, 0)
    rate = sum(
        one.per_second for one in _reports(connection) if (one.name, one.generation) == (name, generation)
    )
    return FillProgress(name, generation, row[0], int(row[1]), int(row[2]), rate, row[3])


def _reports(connection: Connection[Any]) -> list[_Reported]:
    """Of the processes that are alive."""
    with connection.cursor(row_factory=class_row(_Reported)) as cursor:
        return cursor.execute(
            """SELECT name, generation, per_second, batch_seconds, batch_seconds_max FROM projector_report
               JOIN projector USING (process) WHERE seen_at > clock_timestamp() - make_interval(secs => %s)""",
            (LEASE_SECONDS,),
        ).fetchall()


def _age(oldest: datetime | None, now: datetime) -> float:
    return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
