"""What writers intended and what they were told is durable, held against what is stored."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

Batch = tuple[UUID, ...]
"""The ids of events that are appended in one transaction, in their order."""


@dataclass
class Ledger:
    """Kept outside the log: by writer, the batches it intended and those it was told are durable, in its order."""

    intended: defaultdict[str, list[Batch]] = field(default_factory=lambda: defaultdict(list))
    acknowledged: defaultdict[str, list[Batch]] = field(default_factory=lambda: defaultdict(list))
    surprises: list[str] = field(default_factory=list)

    def intend(self, writer: str, batch: Batch) -> None:
        self.intended[writer].append(batch)

    def acknowledge(self, writer: str, batch: Batch) -> None:
        self.acknowledged[writer].append(batch)

    def surprise(self, writer: str, what: str) -> None:
        """Something a writer must never meet. Told once."""
        if (told := f"{writer}: {what}") not in self.surprises:
            self.surprises.append(told)

    def told(self) -> str:
        counts = [sum(map(len, batches.values())) for batches in (self.intended, self.acknowledged)]
        return f"{counts[0]:,} batches intended, {counts[1]:,} acknowledged"


@dataclass(frozen=True)
class StoredRow:
    """One event as it lies in the log."""

    part: int
    pos: int
    event_id: UUID
    patient_id: UUID
    stream: int
    version: int | None
    recorded_at: datetime


def faults(connection: Connection[Any], ledger: Ledger) -> list[str]:
    """Each promise of the log that is broken, one sentence each. Ask only when no append is under way."""
    with connection.cursor(row_factory=class_row(StoredRow), binary=True) as cursor:
        rows = cursor.execute(
            """SELECT part, pos, event_id, patient_id, stream, version, recorded_at
               FROM event ORDER BY part, pos"""
        ).fetchall()
    ends = dict(connection.execute("SELECT part, pos FROM part_head").fetchall())
    return [
        *_lost(rows, ledger),
        *_not_once(rows, ledger),
        *_torn(rows, ledger),
        *_misplaced(rows, ends),
        *_versions_with_holes(rows),
        *_out_of_order(rows, ledger),
        *_back_in_time(rows),
        *ledger.surprises,
    ]


def _each(batches: dict[str, list[Batch]]) -> Iterator[tuple[str, Batch]]:
    for writer, of_one in batches.items():
        for batch in of_one:
            yield writer, batch


def _lost(rows: Sequence[StoredRow], ledger: Ledger) -> Iterator[str]:
    stored = {row.event_id for row in rows}
    for writer, batch in _each(ledger.acknowledged):
        for event_id in batch:
            if event_id not in stored:
                yield f"{writer}: event {event_id} was acknowledged and is not stored"


def _not_once(rows: Sequence[StoredRow], ledger: Ledger) -> Iterator[str]:
    intended = {event_id for _, batch in _each(ledger.intended) for event_id in batch}
    for event_id, times in Counter(row.event_id for row in rows).items():
        if times > 1:
            yield f"event {event_id} is stored {times} times"
        if event_id not in intended:
            yield f"event {event_id} is stored and nobody intended it"


def _torn(rows: Sequence[StoredRow], ledger: Ledger) -> Iterator[str]:
    stored = {row.event_id for row in rows}
    for writer, batch in _each(ledger.intended):
        found = sum(event_id in stored for event_id in batch)
        if 0 < found < len(batch):
            yield f"{writer}: of a batch of {len(batch)} events {found} are stored"


def _misplaced(rows: Sequence[StoredRow], ends: dict[int, int]) -> Iterator[str]:
    positions = defaultdict(list)
    for row in rows:
        positions[row.part].append(row.pos)
    for part in positions.keys() | ends.keys():
        end = ends.get(part, 0)
        if positions[part] != list(range(1, end + 1)):
            yield f"part {part} ends at {end}, and its {len(positions[part])} positions are not 1 to {end}"


def _versions_with_holes(rows: Sequence[StoredRow]) -> Iterator[str]:
    streams = defaultdict(list)
    for row in rows:
        if row.version is not None:
            streams[row.patient_id, row.stream].append(row.version)
    for (owner, stream), versions in streams.items():
        if versions != list(range(1, len(versions) + 1)):
            yield f"stream {owner}/{stream}: its {len(versions)} versions, as they lie, do not count from 1"


def _out_of_order(rows: Sequence[StoredRow], ledger: Ledger) -> Iterator[str]:
    places = {row.event_id: (row.part, row.pos) for row in rows}
    for writer, batches in ledger.acknowledged.items():
        written = defaultdict(list)
        for event_id in (event_id for batch in batches for event_id in batch if event_id in places):
            part, pos = places[event_id]
            written[part].append(pos)
        for part, positions in written.items():
            if not _ascending(positions):
                yield f"{writer}: its acknowledged events do not lie in part {part} in the order it wrote them"


def _back_in_time(rows: Sequence[StoredRow]) -> Iterator[str]:
    for earlier, later in pairwise(rows):
        if earlier.part == later.part and later.recorded_at < earlier.recorded_at:
            yield f"part {later.part}, position {later.pos}: recorded before position {earlier.pos}"


def _ascending(numbers: Iterable[int]) -> bool:
    return all(earlier < later for earlier, later in pairwise(numbers))
