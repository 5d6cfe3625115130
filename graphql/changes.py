"""SQL: what of a record is otherwise than it was, as far as both what was and what is may be seen now.

Both sides are what a reading may show, the earlier one as `asOf` shows it. So what was cancelled, hidden or has run out
since is on neither side: nothing tells of it. Why so: docs/decisions/0021-what-changed-since.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self
from uuid import UUID

from tsuzuri.graphql.statements import Source
from tsuzuri.projections.sight import Sight
from tsuzuri.projections.sql import SQL, Composed, Identifier
from tsuzuri.projections.view import View

_NOTHING = -1  # a position in front of the first


class ChangeKind(StrEnum):
    APPEARED = "APPEARED"
    REPLACED = "REPLACED"
    GONE = "GONE"


VIEW = View(
    "change",
    fields={"id": "id", "of": "of", "recordClass": "record_class", "change": "change"},
    order=("at", "sort_at", "id"),
)


@dataclass(frozen=True)
class Changes(Source):
    """One row for each entry or document that changed: `of` is "entry" or "document", `at` when that was recorded."""

    changed: Composed

    @classmethod
    def of(cls, entries: tuple[Source, Source], documents: tuple[Source, Source], marked: Composed) -> Self:
        """*entries*, *documents*: what is there now, and what was. *marked*: that an entry was marked since."""
        arms = (_arm("entry", *entries, marked), _arm("document", *documents, SQL("false")))
        return cls(VIEW, entries[0].schema, SQL("true"), SQL(" UNION ALL ").join(arms))

    def table(self) -> Composed:
        return SQL("({}) AS change").format(self.changed)


def earlier(sight: Sight, positions: Mapping[UUID, int]) -> Sight:
    """The same grounds at earlier positions; of who has been linked since then, nothing was there then."""
    others = tuple((one, min(positions.get(one, _NOTHING), at)) for one, at in sight.others)
    return replace(sight, position=min(positions.get(sight.patient, _NOTHING), sight.position), others=others)


def _arm(kind: str, now: Source, then: Source, marked: Composed) -> Composed:
    return SQL(
        f"SELECT '{kind}' AS of, id, coalesce(now.record_class, was.record_class) AS record_class,"
        f" CASE WHEN was.from_pos IS NULL THEN '{ChangeKind.APPEARED}'"
        f" WHEN now.from_pos IS NULL THEN '{ChangeKind.GONE}' ELSE '{ChangeKind.REPLACED}' END AS change,"
        " coalesce(now.registered_at, was.closed_at, was.registered_at) AS at,"
        " coalesce(now.sort_at, was.sort_at) AS sort_at"
        " FROM (SELECT {id} AS id, from_pos, record_class, registered_at, sort_at, {marked} AS marked FROM {table}"
        " WHERE {now}) AS now FULL JOIN"
        " (SELECT {id} AS id, from_pos, record_class, registered_at, sort_at, closed_at FROM {table} WHERE {was})"
        " AS was USING (id) WHERE now.from_pos IS DISTINCT FROM was.from_pos OR now.marked"
    ).format(
        id=Identifier(now.view.fields["id"]), marked=marked, table=now.table(), now=now.seen, was=then.seen
    )
