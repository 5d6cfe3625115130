"""The identities that a person must look at: whose, why and since when. Never names or numbers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import strawberry
from strawberry.types import Info

from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import UnmatchedReason
from tsuzuri.graphql.facility_types import Facility
from tsuzuri.graphql.paging import Connection, Stretch, find, page
from tsuzuri.graphql.statements import Source
from tsuzuri.projections import identities
from tsuzuri.projections.sql import SQL


@strawberry.type(description="A reason to look at whom a Bundle was taken to be about.")
class UnmatchedIdentity:
    id: strawberry.ID = strawberry.field(description="Settle it by this.")
    reason: UnmatchedReason = strawberry.field(description="Why.")
    patient: strawberry.ID = strawberry.field(description="Whom it was taken to be about.")
    other: strawberry.ID | None = strawberry.field(description="The other patient it may concern.")
    since: datetime = strawberry.field(description="When it was recorded.")
    facility_number: strawberry.Private[str]

    @strawberry.field(description="Who sent it.")
    async def facility(self, info: Info[Context, None]) -> Facility:
        return await info.context.facilities.load(self.facility_number)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(
            id=strawberry.ID(str(row["id"])),
            reason=UnmatchedReason(row["reason"]),
            patient=strawberry.ID(str(row["patient"])),
            other=None if row["other"] is None else strawberry.ID(str(row["other"])),
            since=row["since"],
            facility_number=row["facility"],
        )


@strawberry.type(description="Identities that wait for an operator, newest first.")
class UnmatchedIdentityConnection(Connection[UnmatchedIdentity]):
    pass


async def unmatched(context: Context, wanted: Stretch) -> UnmatchedIdentityConnection:
    """A page of what is not settled."""
    application, use = context.application, "unmatched"
    (schema,) = await application.live_schemas(identities.NAME)
    source = Source(identities.UNMATCHED, schema, SQL("settled_at IS NULL"))
    found = await find(application.fetch, source, [], application.seals, use, wanted)
    edges, page_info = page(application.seals, use, wanted, found, UnmatchedIdentity.of)
    return UnmatchedIdentityConnection(edges=edges, page_info=page_info)
