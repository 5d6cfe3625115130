"""The rows of one person as they were at an earlier moment: folded from the log once more, on one connection alone.

Not read from the index: there some columns are changed in place (marks, cancellations, ends), and what the index has
now is not what it had then. So a replay stands on the log, and a row of the index that was tampered with shows.

The tables are temporary, and made of the projections' own declarations with their fences: row-level security asks each
row as it does of the reader.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from tsuzuri.domain.codes import Codes
from tsuzuri.domain.owners import facility_owner
from tsuzuri.eventlog.data_keys import KeyRing
from tsuzuri.eventlog.following import LoggedEvent, events_of_owner
from tsuzuri.eventlog.mapper import EventMapper
from tsuzuri.eventlog.places import part_of
from tsuzuri.projections import audit_trail, facilities, record_index
from tsuzuri.projections.carrying import Carrying
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.folding import OwnerFold, merge_folds
from tsuzuri.projections.freshness import served
from tsuzuri.projections.opening import Poison, open_by_owner
from tsuzuri.projections.quarantine import skipped
from tsuzuri.projections.rows import Rows
from tsuzuri.projections.sight import Sight

SCHEMA = "pg_temp"
_EVERYTHING = 2**62  # a position behind every other


class PastUnreadable(Exception):
    """An event cannot be applied by this program, so what was there then is not known."""


@dataclass(frozen=True, kw_only=True)
class PastSight(Sight):
    """What a reading may show, of rows that `PastTables` has folded."""

    @property
    def index(self) -> str:
        return SCHEMA


@dataclass
class PastTables:
    """Tables of one person's rows, filled when they are asked for.

    positions: of all who were this person, where the index stood in the part of each.
    beside: the same of what was read beside it, by its name.
    ahead: so many events more of what lies beside it, recorded before the access: it moved on while it was read.
    before: when the access was recorded (aware; exclusive).
    """

    connection: Connection[Any]  # as the projector; nobody else uses it, and it ends with the replay
    mapper: EventMapper
    ring: KeyRing
    parts: int
    codes: Codes
    positions: Mapping[UUID, int]
    beside: Mapping[str, Mapping[UUID, int]]
    ahead: int
    before: datetime
    more: int = 0  # how many events lie ahead, of what was read beside the index
    _made: set[str] = field(default_factory=set)
    _listed: set[str] = field(default_factory=set)  # facilities that were looked up

    def fill(self, name: str) -> None:
        """Make the tables of a projection. Raises PastUnreadable."""
        if name in self._made:
            return
        self._made.add(name)
        projection = PROJECTIONS[name]
        with self.connection.transaction():
            self.connection.execute(f"SET LOCAL search_path TO {SCHEMA}, public".encode())
            self.connection.execute(projection.tables.encode())
        if name == audit_trail.NAME:
            self._copy_trail(projection)
        elif name != facilities.NAME:
            stood = self.positions if name == record_index.NAME else self.beside.get(name, {})
            for owner in self.positions:
                self._fold(projection, owner, stood.get(owner), ahead=name != record_index.NAME)
            self._fence(projection)

    def list_facilities(self, numbers: Iterable[str]) -> None:
        """Fold the entries of these facilities. Raises PastUnreadable."""
        self.fill(facilities.NAME)
        for number in set(numbers) - self._listed:
            self._listed.add(number)
            self._fold(PROJECTIONS[facilities.NAME], facility_owner(number), None, ahead=False)

    def _fold(self, projection: Projection, owner: UUID, position: int | None, *, ahead: bool) -> None:
        """Up to *position*; None: what was recorded before the access."""
        part = part_of(owner, self.parts)
        logged = events_of_owner(
            self.connection,
            part,
            owner,
            streams=projection.streams,
            topics=projection.topics,
            after=0,
            upto=_EVERYTHING if position is None or ahead else position,
        )
        left_out = skipped(self.connection, projection.name)
        logged = [one for one in logged if one.event_id not in left_out]
        if position is None or ahead:
            logged = self._beside(logged, position)
        events = open_by_owner(logged, self.mapper, self.ring).get(owner)
        if events is None:
            return
        carrying = Carrying(self.connection, self.ring, projection, events.opened)
        fold = OwnerFold(projection, owner, events, carrying, self.codes, Rows)
        merge_folds(self.connection, SCHEMA, [fold])
        if fold.poison is not None:
            raise PastUnreadable(_words(projection, fold.poison))

    def _beside(self, logged: list[LoggedEvent], position: int | None) -> list[LoggedEvent]:
        found = [one for one in logged if one.recorded_at < self.before]
        if position is None:
            return found
        there = [one for one in found if one.pos <= position]
        self.more = max(self.more, len(found) - len(there))
        return found[: len(there) + self.ahead]

    def _copy_trail(self, projection: Projection) -> None:
        """Rows of the trail are never changed: those from before are what it had.

        Looks at it lie with who looked, in parts of which it is not recorded how far the trail had come.
        """
        found = self.connection.execute(
            f"SELECT {served('%s', '%s')}".encode(), (projection.name, projection.version)
        ).fetchone()
        assert found is not None, "a subquery has an answer"
        trail = Identifier(projection.schema(found[0]), audit_trail.VIEW.table)
        copied = Identifier(SCHEMA, audit_trail.VIEW.table)
        hers = {"hers": list(self.positions), "before": self.before}
        self.connection.execute(
            SQL(
                "INSERT INTO {} SELECT * FROM {} WHERE at < %(before)s AND owner_id <> ALL (%(hers)s)"
                " AND (patient_id = ANY (%(hers)s) OR linked && %(hers)s::uuid[])"
            ).format(copied, trail),
            hers,
        )
        stood = self.beside.get(projection.name, {})
        for owner in self.positions:
            position = stood.get(owner, _EVERYTHING)
            ahead = self.connection.execute(
                SQL(
                    "SELECT pos FROM {} WHERE owner_id = %(owner)s AND pos > %(pos)s AND at < %(before)s ORDER BY pos"
                ).format(trail),
                hers | {"owner": owner, "pos": position},
            ).fetchall()
            self.more = max(self.more, len(ahead))
            reached = ahead[: self.ahead][-1][0] if ahead and self.ahead else position
            self.connection.execute(
                SQL(
                    "INSERT INTO {} SELECT * FROM {} WHERE owner_id = %(owner)s AND pos <= %(pos)s"
                    " AND at < %(before)s"
                ).format(copied, trail),
                hers | {"owner": owner, "pos": reached},
            )

    def _fence(self, projection: Projection) -> None:
        """The policies are asked of this connection too, which is neither the reader's nor, for them, the owner's."""
        for kind in projection.rows:
            table = Identifier(SCHEMA, kind.TABLE)
            fenced = self.connection.execute(
                "SELECT FROM pg_policy WHERE polrelid = to_regclass(%s)", (f"{SCHEMA}.{kind.TABLE}",)
            ).fetchone()
            if fenced is not None:
                self.connection.execute(SQL("ALTER POLICY fence ON {} TO CURRENT_USER").format(table))
                self.connection.execute(SQL("ALTER TABLE {} FORCE ROW LEVEL SECURITY").format(table))


def _words(projection: Projection, poison: Poison) -> str:
    where = f"part {poison.logged.part}, position {poison.logged.pos} ({poison.logged.topic})"
    return f"projection {projection.name} cannot apply the event at {where}: {poison.fault}"
