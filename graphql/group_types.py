"""The same diagnosis or allergy across facilities, as a reader weighs it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import msgspec
import strawberry
from strawberry.types import Info

from tsuzuri.domain import grouping, record
from tsuzuri.domain.grouping import Statement, confirmed, group
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import RecordClass
from tsuzuri.graphql.facility_types import Facility
from tsuzuri.graphql.record_reader import RecordReader, as_moment
from tsuzuri.graphql.record_types import Coding, Entry

Row = Mapping[str, Any]


@strawberry.type(
    description="What is current of one diagnosis or allergy, from all facilities that state it."
)
class EntryGroup:
    last_sender_number: strawberry.Private[str]

    record_class: RecordClass = strawberry.field(description="情報の種類.")
    name: str = strawberry.field(description="As its newest entry names it.")
    codes: list[Coding] = strawberry.field(description="All codes under which it is stated, each once.")
    entries: list[Entry] = strawberry.field(description="The current entries, the one confirmed last first.")
    last_confirmed_at: datetime = strawberry.field(
        description="When the newest Bundle that carries it was made, as far as it had come by then, UTC. "
        "The same bytes again confirm nothing."
    )
    stale: bool = strawberry.field(
        description="Nobody has confirmed it for long: 1 year for a diagnosis, 2 years for an allergy."
    )

    @strawberry.field(description="医療機関: who registered that Bundle.")
    async def last_confirmed_by(self, info: Info[Context, None]) -> Facility:
        return await info.context.facilities.load(self.last_sender_number)

    @classmethod
    def of(cls, reader: RecordReader, found: grouping.Group[Row]) -> Self:
        return cls(
            last_sender_number=found.last.sender,
            record_class=found.record_class,
            name=found.name,
            codes=[Coding(system=c.system, code=c.code, display=c.display) for c in found.codes],
            entries=[Entry.of(reader, statement.entry) for statement in found.statements],
            last_confirmed_at=found.last.confirmed_at,
            stale=found.is_stale(reader.reading.request.at),
        )


async def entry_groups(reader: RecordReader, rows: Sequence[Row]) -> list[EntryGroup]:
    """Of rows that the reading may show, the group confirmed last first."""
    made_at = await reader.made_at({row["documentId"] for row in rows})
    statements = [_statement(row, made_at.get(row["documentId"])) for row in rows]
    return [EntryGroup.of(reader, found) for found in group(statements)]


def _statement(row: Row, made_at: datetime | None) -> Statement[Row]:
    codings: Sequence[record.Coding] = msgspec.json.decode(row["codings"], type=list[record.Coding])
    return Statement(
        record_class=RecordClass(row["recordClass"]),
        name=row["name"],
        codings=codings,
        sender=row["sender"],
        confirmed_at=confirmed(as_moment(row["registeredAt"]), made_at),
        entry=row,
    )
