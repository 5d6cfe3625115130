"""What of the record index a code release concerns: counts per facility and class, and never whose entries."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier

from tsuzuri.domain.codes import Codes
from tsuzuri.domain.record import Coding
from tsuzuri.domain.vocabulary import RESULT_CLASSES
from tsuzuri.projections.generations import live_generation
from tsuzuri.projections.record_index import ENTRIES
from tsuzuri.projections.record_index import NAME as INDEX

_codings = msgspec.json.Decoder(tuple[Coding, ...])


@dataclass(frozen=True)
class Effect:
    """What a release would do to the current entries of one class that one facility registered."""

    facility: str
    record_class: str
    regrouped: int  # results that would belong to another group, or to none, or to their first
    known: int  # entries all of whose codes would be known, and are not
    unknown: int  # entries with a code that would be unknown, and is not


@dataclass(frozen=True)
class UnknownCode:
    """A code that the release does not know, though it covers its system."""

    facility: str
    record_class: str
    system: str
    code: str
    entries: int


@dataclass(frozen=True)
class _Alike:
    """Entries in force that have all of this in common."""

    sender: str
    record_class: str
    codings: str  # JSON
    measured: date | None  # in Japan, as domain.analytes counts it
    reported: date
    entries: int


def effects(connection: Connection[Any], old: Codes, new: Codes) -> Sequence[Effect]:
    """Where the entries of the live index would be read otherwise under *new*; in order of facility and class."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for alike in _entries(connection, None):
        codings, found = _codings.decode(alike.codings), counts[alike.sender, alike.record_class]
        if alike.record_class in RESULT_CLASSES:
            groups = [codes.group_of(codings, alike.measured) for codes in (old, new)]
            found["regrouped"] += alike.entries * (groups[0] != groups[1])
        before, after = (bool(_unknown(codes, codings, alike.reported)) for codes in (old, new))
        found["known"] += alike.entries * (before and not after)
        found["unknown"] += alike.entries * (after and not before)
    return [
        Effect(*key, some["regrouped"], some["known"], some["unknown"])
        for key, some in sorted(counts.items())
        if some.total()
    ]


def unknown_codes(
    connection: Connection[Any], codes: Codes, facility: str | None = None
) -> Sequence[UnknownCode]:
    """What *facility*, or all of them, have in the live index that the release does not know; the most used first."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for alike in _entries(connection, facility):
        for coding in _unknown(codes, _codings.decode(alike.codings), alike.reported):
            counts[alike.sender, alike.record_class, coding.system, coding.code] += alike.entries
    found = [UnknownCode(*key, entries) for key, entries in counts.items()]
    return sorted(found, key=lambda one: (one.facility, -one.entries, one.system, one.code, one.record_class))


def _unknown(codes: Codes, codings: Sequence[Coding], at: date) -> list[Coding]:
    """A code counts as of the day it was reported: what began long ago is told in the codes of today."""
    return [one for one in codings if codes.covers(one.system) and not codes.known(one.system, one.code, at)]


def _entries(connection: Connection[Any], facility: str | None) -> Iterator[_Alike]:
    """The entries in force, those that are alike together, a few thousand rows at a time."""
    schema = f"{INDEX}_g{live_generation(connection, INDEX)}"
    statement = SQL(
        """SELECT sender, record_class, codings,
               (coalesce(effective_at, issued_at) AT TIME ZONE 'Asia/Tokyo')::date AS measured,
               (registered_at AT TIME ZONE 'Asia/Tokyo')::date AS reported, count(*) AS entries
           FROM {}
           WHERE to_pos IS NULL AND cancelled_by IS NULL AND (%(facility)s::text IS NULL OR sender = %(facility)s)
           GROUP BY 1, 2, 3, 4, 5"""
    ).format(Identifier(schema, ENTRIES.table))
    with connection.transaction(), connection.cursor("alike", row_factory=class_row(_Alike)) as cursor:
        cursor.itersize = 5_000
        yield from cursor.execute(statement, {"facility": facility})
