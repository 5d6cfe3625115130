"""What lies in the tables of a generation, and what should: each owner's events folded in memory, with no engine."""

from collections import defaultdict
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from msgspec import structs
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from log_examples import a_ring, opened_payloads
from tsuzuri.domain.code_table import built_in
from tsuzuri.domain.codes import Codes
from tsuzuri.domain.events import Erased, Event
from tsuzuri.eventlog.mapper import EventMapper, event_mapper
from tsuzuri.eventlog.opened_events import EVENT_COLUMNS, open_event
from tsuzuri.projections.catalogue import Projection
from tsuzuri.projections.rows import Changes, Recorded, Row, Rows

Columns = dict[str, Any]
Tables = dict[UUID, dict[tuple[str, tuple[str, ...]], Columns]]
"""Owner → table and key of each of her rows → its columns."""


def dump(connection: Connection[Any], projection: Projection, generation: int) -> bytes:
    """All rows of all tables as PostgreSQL writes them, in the order of their keys."""
    found = bytearray()
    for kind in projection.rows:
        statement = SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT").format(
            SQL(", ").join(map(Identifier, kind.columns())),
            Identifier(projection.schema(generation), kind.TABLE),
            SQL(", ").join(SQL('{}::text COLLATE "C"').format(Identifier(name)) for name in kind.KEY),
        )
        found += kind.TABLE.encode() + b"\n"
        with connection.cursor().copy(statement) as copy:
            for piece in copy:
                found += piece
    return bytes(found)


def digest(connection: Connection[Any], projection: Projection, generation: int) -> str:
    return sha256(dump(connection, projection, generation)).hexdigest()


def stored(connection: Connection[Any], projection: Projection, generation: int) -> Tables:
    """What one generation holds."""
    tables: Tables = defaultdict(dict)
    for kind in projection.rows:
        with connection.cursor(row_factory=dict_row) as cursor:
            statement = SQL("SELECT {} FROM {}").format(
                SQL(", ").join(map(Identifier, kind.columns())),
                Identifier(projection.schema(generation), kind.TABLE),
            )
            for row in cursor.execute(statement):
                tables[row[kind.OWNER]][_place(kind, row)] = row
    return dict(tables)


class Folded:
    """The log as it lies there now, read once, to be folded by any projection."""

    def __init__(self, connection: Connection[Any], mapper: EventMapper | None = None) -> None:
        self.payloads = opened_payloads(connection)
        self.events = self._recorded(connection, mapper or event_mapper())

    def tables(self, projection: Projection, until: Mapping[UUID, int] | None = None) -> Tables:
        """What a projection should have: every owner's events from first to last, or those before a position."""
        by_owner: dict[UUID, Rows] = defaultdict(Rows)
        for topic, recorded in self.events:
            end = (until or {}).get(recorded.owner)
            if topic in projection.topics and (end is None or recorded.pos < end):
                projection.apply(by_owner[recorded.owner], self._carrying(projection, recorded))
        return {owner: tables for owner, rows in by_owner.items() if (tables := _final(owner, rows))}

    def _carrying(self, projection: Projection, recorded: Recorded[Event]) -> Recorded[Event]:
        wanted = projection.payloads(recorded.event)
        there = {one: self.payloads[one] for one in wanted if one in self.payloads}
        return structs.replace(recorded, payloads=there)

    def _recorded(
        self, connection: Connection[Any], mapper: EventMapper
    ) -> list[tuple[str, Recorded[Event]]]:
        """Every event that can still be read, with its topic, in the order of the log."""
        ring, codes, events = a_ring(), Codes(built_in()), []
        found = connection.execute(
            f"""SELECT e.part, e.pos, e.recorded_at, {EVENT_COLUMNS}
                FROM event e LEFT JOIN data_key k USING (part, key_id) ORDER BY part, pos""".encode()
        ).fetchall()
        for part, pos, recorded_at, *row in found:
            event = mapper.to_domain_event(open_event(ring, *row))
            if not isinstance(event, Erased):
                owner, topic = row[1], row[4]
                events.append((topic, Recorded(event, owner, part, pos, recorded_at, {}, codes)))
        return events


def _final(owner: UUID, rows: Rows) -> dict[tuple[str, tuple[str, ...]], Columns]:
    changes: dict[type[Row], Changes] = defaultdict(lambda: Changes([], [], [], []))
    rows.add_changes(owner, changes)
    final = {}
    for kind, changed in changes.items():
        for row in (*changed.added, *changed.put):
            columns = {name: getattr(row, name) for name in kind.columns()}
            final[_place(kind, columns)] = columns
    return final


def _place(kind: type[Row], columns: Columns) -> tuple[str, tuple[str, ...]]:
    return kind.TABLE, tuple(str(columns[name]) for name in kind.KEY if name != kind.OWNER)


def differing(one: Tables, other: Tables) -> list[UUID]:
    """Owners whose rows are not the same in both, in order."""
    return sorted(owner for owner in one.keys() | other.keys() if one.get(owner) != other.get(owner))
