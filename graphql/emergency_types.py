"""救急時の閲覧, as the patient reads it: where and when, never why or who."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import strawberry
from strawberry.types import Info

from tsuzuri.graphql.context import Context
from tsuzuri.graphql.facility_types import Facility


@strawberry.type(description="救急: your record was opened without your consent. It is reviewed.")
class OwnEmergency:
    facility_number: strawberry.Private[str]

    id: strawberry.ID = strawberry.field(description="Quote this when you ask about it.")
    identified_by: str = strawberry.field(
        description="How you were found: ID, INSURED_PERSON, PUBLIC_ASSISTANCE, LOCAL (診察券), "
        "DEMOGRAPHICS (kana, birth date, sex)."
    )
    declared_at: datetime = strawberry.field(description="When it was recorded, UTC.")
    until: datetime = strawberry.field(description="When it ends, at the latest, UTC.")
    ended_at: datetime | None = strawberry.field(description="When it was ended before its time, UTC.")
    widened_at: datetime | None = strawberry.field(
        description="When more than the emergency table was opened, UTC."
    )
    in_force: bool = strawberry.field(description="It is not over.")

    @strawberry.field(description="Was more than the emergency table opened?")
    async def widened(self) -> bool:
        return self.widened_at is not None

    @strawberry.field(description="医療機関.")
    async def facility(self, info: Info[Context, None]) -> Facility:
        return await info.context.facilities.load(self.facility_number)

    @classmethod
    def of(cls, row: Mapping[str, Any], at: datetime) -> Self:
        """*at*: the moment of the reading, aware."""
        return cls(
            facility_number=row["facility"],
            id=strawberry.ID(str(row["id"])),
            identified_by=row["identifiedBy"],
            declared_at=row["declaredAt"],
            until=row["until"],
            ended_at=row["endedAt"],
            widened_at=row["widenedAt"],
            in_force=row["endedAt"] is None and row["since"] <= at < row["until"],
        )
