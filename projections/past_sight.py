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
from tsuzuri.projections.opening import Poison, open_by_owner
from tsuzuri.projections.quarantine import skipped
from tsuzuri.projections.rows import Rows
from tsuzuri.projections.sight import Sight

SCHEMA = "pg_temp"


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
    before: what lies beside the record is as it was when this moment was recorded (aware; exclusive).
    """

    connection: Connection[Any]  # as the projector; nobody else uses it, and it ends with the replay
    mapper: EventMapper
    ring: KeyRing
    parts: int
    codes: Codes
    positions: Mapping[UUID, int]
    before: datetime
    beside: set[datetime] = field(default_factory=set)  # when what lies beside the record was recorded
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
            for owner, position in self.positions.items():
                self._fold(projection, owner, position if name == record_index.NAME else None)
            self._fence(projection)

    def list_facilities(self, numbers: Iterable[str]) -> None:
        """Fold the entries of these facilities. Raises PastUnreadable."""
        self.fill(facilities.NAME)
        for number in set(numbers) - self._listed:
            self._listed.add(number)
            self._fold(PROJECTIONS[facilities.NAME], facility_owner(number), None)

    def _fold(self, projection: Projection, owner: UUID, position: int | None) -> None:
        """Up to *position*; None: what was recorded before the moment."""
        part = part_of(owner, self.parts)
        logged = events_of_owner(
            self.connection,
            part,
            owner,
            streams=projection.streams,
            topics=projection.topics,
            after=0,
            upto=2**62 if position is None else position,
        )
        left_out = skipped(self.connection, projection.name)
        logged = [one for one in logged if one.event_id not in left_out]
        if position is None:
            logged = self._recorded_before(logged)
        events = open_by_owner(logged, self.mapper, self.ring).get(owner)
        if events is None:
            return
        carrying = Carrying(self.connection, self.ring, projection, events.opened)
        fold = OwnerFold(projection, owner, events, carrying, self.codes, Rows)
        merge_folds(self.connection, SCHEMA, [fold])
        if fold.poison is not None:
            raise PastUnreadable(_words(projection, fold.poison))

    def _recorded_before(self, logged: list[LoggedEvent]) -> list[LoggedEvent]:
        found = [one for one in logged if one.recorded_at < self.before]
        self.beside.update(one.recorded_at for one in found)
        return found

    def _copy_trail(self, projection: Projection) -> None:
        """Rows of the trail are never changed: those from before are what it had. Looks at it lie with who looked."""
        live = self.connection.execute(
            "SELECT live FROM projection WHERE name = %s", (projection.name,)
        ).fetchone()
        assert live is not None, f"there is no projection {projection.name}"
        copied = self.connection.execute(
            SQL(
                "INSERT INTO {} SELECT * FROM {} WHERE at < %(before)s"
                " AND (patient_id = ANY (%(hers)s) OR linked && %(hers)s::uuid[]) RETURNING at"
            ).format(
                Identifier(SCHEMA, audit_trail.VIEW.table),
                Identifier(projection.schema(live[0]), audit_trail.VIEW.table),
            ),
            {"before": self.before, "hers": list(self.positions)},
        )
        self.beside.update(at for (at,) in copied.fetchall())

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
