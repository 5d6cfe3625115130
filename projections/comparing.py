"""Two generations side by side: which patients differ, and in which rows and columns. Never in which values."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from tsuzuri.eventlog.following import heads
from tsuzuri.eventlog.places import Vector, part_of
from tsuzuri.projections.catalogue import Projection
from tsuzuri.projections.checkpoints import lock_checkpoint
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.rows import Row

OWNERS_AT_ONCE = 1_000
"""A look holds its snapshot for so many owners and no longer."""


@dataclass(frozen=True)
class Difference:
    """One row that is not the same in both."""

    owner: UUID
    table: str
    key: tuple[str, ...]  # of the row without its owner
    columns: Sequence[str]  # that differ; all of them when only one generation has the row
    only_in: int | None = None  # the generation that alone has it


@dataclass(frozen=True)
class Comparison:
    """What two generations have for the same events."""

    owners: int
    rows: int  # in the new one
    differences: Sequence[Difference]
    codes: tuple[str, str]  # the code releases that the old one and the new one are filled under

    @property
    def differing(self) -> list[UUID]:
        """The owners that differ, in order."""
        return sorted({one.owner for one in self.differences})

    @property
    def one_release(self) -> bool:
        """Else the groups of results (`analyte`) may differ, and are meant to."""
        return self.codes[0] == self.codes[1]

    @property
    def equal(self) -> bool:
        return not self.differences


def compare(
    connection: Connection[Any], engine: Engine, projection: Projection, old: int, new: int
) -> Comparison:
    """Hold one owner's rows against the other's, for all owners, while both generations are carried on.

    First by digests, some owners at a time. Whoever seems to differ is looked at once more, with both generations
    held at one position of her part: what was only behind drops out.
    """
    upto = heads(connection)
    for generation in (old, new):
        engine.catch_up(connection, projection, generation, upto=upto)
    owners = rows = 0
    suspects: set[UUID] = set()
    after = UUID(int=0)
    while page := _page_of_owners(connection, projection, (old, new), after):
        digests = [_digests(connection, projection, generation, page) for generation in (old, new)]
        suspects |= {owner for owner in page if digests[0].get(owner) != digests[1].get(owner)}
        rows += sum(count for count, _ in digests[1].values())
        owners += len(page)
        after = page[-1]
    suspects |= _owners_behind(connection, projection, upto)
    parts: dict[int, list[UUID]] = defaultdict(list)
    for owner in sorted(suspects):
        parts[part_of(owner, len(upto))].append(owner)
    found = [
        difference
        for part, some in sorted(parts.items())
        for difference in _held_differences(connection, engine, projection, (old, new), part, some)
    ]
    codes = [engine.releases.of_generation(connection, projection.name, one).name for one in (old, new)]
    return Comparison(owners, rows, found, (codes[0], codes[1]))


def _owners_behind(connection: Connection[Any], projection: Projection, upto: Vector) -> set[UUID]:
    """Owners of whom something was recorded meanwhile: their digests may be of two moments."""
    found = connection.execute(
        """SELECT DISTINCT e.patient_id FROM unnest(%s::smallint[], %s::bigint[]) AS n (part, pos)
           JOIN event e ON e.part = n.part AND e.pos > n.pos WHERE e.topic = ANY (%s)""",
        (list(upto), list(upto.values()), projection.topics),
    )
    return {owner for (owner,) in found.fetchall()}


def _page_of_owners(
    connection: Connection[Any], projection: Projection, generations: Iterable[int], after: UUID
) -> list[UUID]:
    """The next owners that have rows in either generation."""
    tables = [
        SQL("(SELECT DISTINCT {0} AS owner FROM {1} WHERE {0} > {2} ORDER BY 1 LIMIT {3})").format(
            Identifier(kind.OWNER),
            Identifier(projection.schema(generation), kind.TABLE),
            after,
            OWNERS_AT_ONCE,
        )
        for generation in generations
        for kind in projection.rows
    ]
    found = connection.execute(
        SQL("SELECT owner FROM ({}) AS o GROUP BY 1 ORDER BY 1 LIMIT {}").format(
            SQL(" UNION ALL ").join(tables), OWNERS_AT_ONCE
        )
    )
    return [owner for (owner,) in found.fetchall()]


def _digests(
    connection: Connection[Any], projection: Projection, generation: int, owners: Sequence[UUID]
) -> Mapping[UUID, tuple[int, str]]:
    """Number and digest of each owner's rows. Rows are told apart by their text, in the order of their keys."""
    tables = [
        SQL(
            "SELECT {owner} AS owner, count(*) AS n, "
            "md5(string_agg(md5(ROW({columns})::text), '' ORDER BY {keys})) AS digest "
            "FROM {table} WHERE {owner} = ANY ({owners}) GROUP BY 1"
        ).format(
            owner=Identifier(kind.OWNER),
            columns=SQL(", ").join(map(Identifier, kind.columns())),
            keys=SQL(", ").join(map(Identifier, kind.KEY)),
            table=Identifier(projection.schema(generation), kind.TABLE),
            owners=list(owners),
        )
        for kind in projection.rows
    ]
    numbered = [
        SQL("SELECT {} AS place, t.* FROM ({}) AS t").format(place, table)
        for place, table in enumerate(tables)
    ]
    found = connection.execute(
        SQL(
            "SELECT owner, sum(n)::bigint, string_agg(place || digest, ' ' ORDER BY place) "
            "FROM ({}) AS o GROUP BY 1"
        ).format(SQL(" UNION ALL ").join(numbered))
    )
    return {owner: (count, digest) for owner, count, digest in found.fetchall()}


def _held_differences(
    connection: Connection[Any],
    engine: Engine,
    projection: Projection,
    generations: tuple[int, int],
    part: int,
    owners: Sequence[UUID],
) -> list[Difference]:
    """The rows of these owners that differ when both generations stand at one position of their part."""
    with connection.transaction():
        for generation in sorted(generations):
            lock_checkpoint(connection, projection, generation, [part])
        upto = {part: heads(connection)[part]}
        for generation in generations:
            engine.catch_up(connection, projection, generation, upto=upto, parts=[part])
        return [
            difference
            for kind in projection.rows
            for difference in _row_differences(connection, projection, generations, kind, owners)
        ]


def _row_differences(
    connection: Connection[Any],
    projection: Projection,
    generations: tuple[int, int],
    kind: type[Row],
    owners: Sequence[UUID],
) -> list[Difference]:
    old, new = (_rows(connection, projection, generation, kind, owners) for generation in generations)
    found = []
    for key in sorted(old.keys() | new.keys(), key=str):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        present = before or after
        assert present is not None
        only_in = generations[1] if before is None else generations[0] if after is None else None
        columns = [
            name for name in kind.columns() if before is None or after is None or before[name] != after[name]
        ]
        shown = tuple(str(value) for name, value in zip(kind.KEY, key, strict=True) if name != kind.OWNER)
        found.append(Difference(present[kind.OWNER], kind.TABLE, shown, columns, only_in))
    return found


def _rows(
    connection: Connection[Any],
    projection: Projection,
    generation: int,
    kind: type[Row],
    owners: Sequence[UUID],
) -> dict[tuple[Any, ...], dict[str, Any]]:
    with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        found = cursor.execute(
            SQL("SELECT {} FROM {} WHERE {} = ANY (%s)").format(
                SQL(", ").join(map(Identifier, kind.columns())),
                Identifier(projection.schema(generation), kind.TABLE),
                Identifier(kind.OWNER),
            ),
            (list(owners),),
        ).fetchall()
    return {tuple(row[name] for name in kind.KEY): row for row in found}
