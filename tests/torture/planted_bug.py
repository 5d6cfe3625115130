"""Bugs planted in the live generation of a projection, each wrong for some patients only, who are known.

The comparison with a rebuild must name just them, with the rows and columns that differ and not a word of what these
hold. The promotion of the rebuild must put the rows right, and the rollback must bring back those of before.
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from log_examples import logins
from projection_examples import an_engine, catch_up, live_rows
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from torture.lives import WORD, Life, go_on
from torture.tables import Folded, Tables, differing, digest, stored
from tsuzuri.domain.events import BundleCancelled, ConsentWithdrawn, Event
from tsuzuri.domain.vocabulary import RecordClass
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.comparing import Comparison, Difference
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.generations import drop_retired, live_generation, previous_generation, promote
from tsuzuri.projections.patient_summary import SummaryRow
from tsuzuri.projections.rebuilding import check, rebuild
from tsuzuri.projections.record_rows import DocumentRow, EntryRow
from tsuzuri.projections.rows import Recorded, Rows

PATIENTS, EVENTS_MOST, TURNS = 300, 12, 3
ROUNDS = 6  # of each bug, each for other patients
PATIENTS_LEAST = 24

Check = Callable[[Connection[Any], Engine, Projection], Comparison | None]
Bug = Callable[[Rows, Recorded[Event]], None]
"""What goes wrong behind an event, for a patient who is affected."""
Seen = Counter[tuple[UUID, str, tuple[str, ...], tuple[str, ...], bool]]
"""Owner, table, key, the columns that differ, and whether only one generation has the row."""


def shown_again(rows: Rows, recorded: Recorded[Event]) -> None:
    """A Bundle that was cancelled is not hidden."""
    if isinstance(recorded.event, BundleCancelled):
        for row in rows.of(EntryRow, document=recorded.event.document):
            rows.put(msgspec.structs.replace(row, cancelled_by=None))


def mark_forgotten(rows: Rows, recorded: Recorded[Event]) -> None:
    for document in _document(recorded):
        for row in rows.of(EntryRow, document=document):
            rows.put(msgspec.structs.replace(row, flags_now=[]))


def title_lost(rows: Rows, recorded: Recorded[Event]) -> None:
    for document in _document(recorded):
        for row in rows.of(DocumentRow, document=document):
            rows.put(msgspec.structs.replace(row, title=row.title[:-1], author=WORD))


def class_left_out(rows: Rows, recorded: Recorded[Event]) -> None:
    for document in _document(recorded):
        for row in rows.of(SummaryRow, document=document):
            if row.record_class == RecordClass.CONDITION:
                rows.remove(row)


def withdrawal_overlooked(rows: Rows, recorded: Recorded[Event]) -> None:
    """Stands for the whole event: it is not applied at all."""


BUGS: dict[str, tuple[Bug, ...]] = {
    "record_index": (shown_again, mark_forgotten, title_lost),
    "patient_summary": (class_left_out,),
    "consent_register": (withdrawal_overlooked,),
}


def _document(recorded: Recorded[Event]) -> list[UUID]:
    document = getattr(recorded.event, "document", None)
    return [] if document is None or isinstance(recorded.event, BundleCancelled) else [document]


def buggy(projection: Projection, bug: Bug, affected: frozenset[UUID]) -> Projection:
    def apply(rows: Rows, recorded: Recorded[Event]) -> None:
        wrong = recorded.owner in affected
        if wrong and bug is withdrawal_overlooked and isinstance(recorded.event, ConsentWithdrawn):
            return
        projection.apply(rows, recorded)
        if wrong:
            bug(rows, recorded)

    return replace(projection, apply=apply)


def wanted(projection: Projection, wrong: Tables, right: Tables) -> Seen:
    """The differences between two folds, as a comparison should tell them."""
    found: Seen = Counter()
    for owner in differing(wrong, right):
        ours, theirs = wrong.get(owner, {}), right.get(owner, {})
        for table, key in ours.keys() | theirs.keys():
            one, other = ours.get((table, key)), theirs.get((table, key))
            if one == other:
                continue
            both = one is not None and other is not None
            columns = one or other or {}
            names = [name for name in columns if not one or not other or one[name] != other[name]]
            found[owner, table, key, tuple(names), not both] += 1
    return found


def told(differences: list[Difference]) -> Seen:
    return Counter(
        (one.owner, one.table, one.key, tuple(one.columns), one.only_in is not None) for one in differences
    )


class Bugs:
    """A log whose live generations are filled by bugs, one after the other."""

    def __init__(self, connection: Connection[Any], compared: Check) -> None:
        self.connection, self.compared = connection, compared
        self.engine = an_engine()
        self.folded = Folded(connection)
        self.patients = 0
        self.rows = 0
        self.faults: list[str] = []

    def plant(self, name: str, bug: Bug, affected: frozenset[UUID]) -> None:
        """Live rows of a bug, then the comparison, the promotion of what is right, and the way back."""
        right = PROJECTIONS[name]
        wrong = buggy(right, bug, affected)
        filled = rebuild(self.connection, self.engine, wrong, promote_if_equal=False)
        promote(self.connection, self.engine, wrong, filled.generation)
        tables = self.folded.tables(right)
        expected = wanted(right, self.folded.tables(wrong), tables)
        owners = sorted({owner for owner, *_ in expected})
        assert owners and set(owners) <= affected, "the bug touches nobody: the log is too small for it"
        before = self._digest(right, filled.generation)
        fixed = rebuild(self.connection, self.engine, right, promote_if_equal=False).generation
        comparison = self.compared(self.connection, self.engine, right)
        assert comparison is not None
        self.patients += len(owners)
        self.rows += expected.total()
        self._blame(f"{name}, {bug.__name__}", comparison, owners, expected)
        promote(self.connection, self.engine, right, fixed)
        if differing(stored(self.connection, right, live_generation(self.connection, name)), tables):
            self.faults.append(f"{name}, {bug.__name__}: after the promotion the rows are not right")
        back = promote(self.connection, self.engine, wrong, previous_generation(self.connection, name))
        live = live_generation(self.connection, name)
        if (back, live) != (fixed, filled.generation) or self._digest(right, live) != before:
            self.faults.append(f"{name}, {bug.__name__}: after the rollback the rows are not those of before")
        promote(self.connection, self.engine, right, fixed)
        drop_retired(self.connection, right)

    def _blame(self, which: str, comparison: Comparison, owners: list[UUID], expected: Seen) -> None:
        if comparison.differing != owners:
            self.faults.append(
                f"{which}: {len(comparison.differing)} patients are named, {len(owners)} are affected"
            )
        elif told(list(comparison.differences)) != expected:
            self.faults.append(f"{which}: other rows or columns are named than those that differ")
        if WORD in repr(comparison):
            self.faults.append(f"{which}: the comparison repeats what a row holds")

    def _digest(self, projection: Projection, generation: int) -> str:
        return digest(self.connection, projection, generation)


def tormented(folder: Path, share: float, compared: Check) -> Outcome:
    random = Random(seed := int.from_bytes(os.urandom(4)))
    lives = [
        Life(number, Random(random.random()))
        for number in range(max(PATIENTS_LEAST, round(PATIENTS * share)))
    ]
    with fresh_log(folder) as dsn, logins(dsn).connect(LogRole.PROJECTOR) as connection:
        for _ in range(TURNS):
            go_on(dsn, lives, random, events_most=EVENTS_MOST, erasures=0.02)
        catch_up(connection)
        bugs = Bugs(connection, compared)
        planted = 0
        for _ in range(max(1, round(ROUNDS * share))):
            affected = frozenset(life.patient_id for life in random.sample(lives, len(lives) // 3))
            for name, each in BUGS.items():
                for bug in each:
                    bugs.plant(name, bug, affected)
                    planted += 1
        said = any(WORD in row.name for row in live_rows(connection, "record_index", EntryRow))
    if not said:
        bugs.faults.append("no row holds the word that is looked for: the search is blind")
    return Outcome(
        f"{planted} bugs planted over {len(lives)} patients (seed {seed}): {bugs.patients} patients and"
        f" {bugs.rows:,} rows made wrong",
        bugs.faults,
    )


def only_counted(connection: Connection[Any], engine: Engine, projection: Projection) -> Comparison:
    """What one would do first: as many rows here as there."""
    live = live_generation(connection, projection.name)
    counts = [
        Counter({owner: len(rows) for owner, rows in stored(connection, projection, number).items()})
        for number in (live, live + 1)
    ]
    found = [
        Difference(owner, "", (), ())
        for owner in counts[0] | counts[1]
        if counts[0][owner] != counts[1][owner]
    ]
    return Comparison(len(counts[1]), counts[1].total(), found, ("", ""))


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, share, check)


def counting(folder: Path, share: float) -> Outcome:
    return tormented(folder, min(share, 0.1), only_counted)


TORTURE = Torture("planted bugs", run, {"a comparison that counts rows": counting})
