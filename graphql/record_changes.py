"""What of a record is otherwise than at an earlier position, for whoever keeps a copy of what she was shown."""

from collections.abc import Sequence

import strawberry

from tsuzuri.graphql.changes import ChangeKind, earlier
from tsuzuri.graphql.context import RequestRefused
from tsuzuri.graphql.inputs import uuid_of
from tsuzuri.graphql.paging import ENTRIES_MAX, CountedConnection, Row, Stretch, page
from tsuzuri.graphql.positions import grounds_digest, opened_position
from tsuzuri.graphql.record_reader import RecordReader
from tsuzuri.graphql.record_types import TimelineItem, timeline_item
from tsuzuri.graphql.seals import SealBroken

strawberry.enum(
    ChangeKind,
    description="What became of an entry or a document: APPEARED, it was not there; REPLACED, it was said anew or "
    "marked; GONE, it was not said again.",
)


@strawberry.type(description="An entry or a document that is otherwise than it was.")
class RecordChange:
    id: strawberry.ID = strawberry.field(description="Of the entry or the document.")
    kind: ChangeKind = strawberry.field(description="What became of it.")
    item: TimelineItem | None = strawberry.field(description="As it is now; null when it is gone.")


@strawberry.type(description="What changed, what was recorded last first.")
class RecordChangeConnection(CountedConnection[RecordChange]):
    pass


async def changed_since(
    reader: RecordReader, position: str, wanted: Stretch
) -> RecordChangeConnection | None:
    """None: it was shown under other grounds then. Raises RequestRefused."""
    seals, reading = reader.application.seals, reader.reading
    if reading.as_of is not None:
        raise RequestRefused("BAD_INPUT", "changedSince tells what the record is now: ask it without asOf")
    try:
        then = opened_position(seals, reading.sight.patient, position)
    except SealBroken:
        raise RequestRefused("BAD_POSITION", "this position was not given out for this patient") from None
    if then.grounds != grounds_digest(reading.sight):
        return None
    found, count = await reader.changes(earlier(reading.sight, then.of_each), wanted)

    def node(row: Row) -> RecordChange | None:
        """None: it was taken back between the two looks."""
        kind, item = ChangeKind(row["change"]), row["item"]
        if item is None and kind is not ChangeKind.GONE:
            return None
        now = None if item is None else timeline_item(reader, row["of"], item)
        return RecordChange(id=strawberry.ID(str(row["id"])), kind=kind, item=now)

    edges, info = page(seals, reader.use("changes"), wanted, found, node)
    return RecordChangeConnection(edges=edges, page_info=info, count=count)


async def present(reader: RecordReader, ids: Sequence[strawberry.ID]) -> list[strawberry.ID]:
    """Those of the ids that are there, in their order. Raises RequestRefused."""
    if len(ids) > ENTRIES_MAX:
        raise RequestRefused("BAD_INPUT", f"ask for at most {ENTRIES_MAX} ids at once")
    asked = {one: uuid_of(one, "an entry or a document") for one in ids}
    there = await reader.present(list(set(asked.values())))
    return [one for one, uuid in asked.items() if uuid in there]
