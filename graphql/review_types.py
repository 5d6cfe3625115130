"""点検: the reads that a person must look at, as auditors and administrators see them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import strawberry
from strawberry.types import Info

from tsuzuri.domain import vocabulary
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.enums import RecordClass, ReviewCause, ReviewFinding, ReviewState, Role
from tsuzuri.graphql.facility_types import Facility
from tsuzuri.graphql.paging import (
    After,
    Before,
    CountedConnection,
    First,
    Last,
    counted,
    find,
    page,
    stretch,
)
from tsuzuri.graphql.permissions import allowed
from tsuzuri.graphql.readings import TrailReading
from tsuzuri.graphql.statements import Source, equal
from tsuzuri.projections import access_reviews
from tsuzuri.projections.sql import SQL, Composed


@strawberry.type(description="Reads by one person that somebody else must look at.")
class AccessReview:
    facility_number: strawberry.Private[str]

    id: strawberry.ID = strawberry.field(description="Close it by this.")
    opened_at: datetime = strawberry.field(description="When it was opened, UTC.")
    cause: ReviewCause = strawberry.field(description="Why they are reviewed.")
    rules: str | None = strawberry.field(description="The version of the rules that noticed them.")
    says: str | None = strawberry.field(description="What the rule noticed.")
    says_ja: str | None = strawberry.field(description="The same in Japanese.")
    person: str = strawberry.field(description="Who read, as the token said.")
    role: Role = strawberry.field(description="What the reader is.")
    patients: list[strawberry.ID] = strawberry.field(description="Whose records.")
    because: strawberry.ID | None = strawberry.field(description="The emergency or the disaster window.")
    reason: str | None = strawberry.field(description="What was said when the emergency was declared.")
    widened_at: datetime | None = strawberry.field(description="When the emergency was widened, if it was.")
    widened_because: str | None = strawberry.field(description="What was said then.")
    reads: int = strawberry.field(description="How many reads there were; none of an emergency not used.")
    accesses: list[strawberry.ID] = strawberry.field(
        description="The reads, the oldest first: an auditor asks for each."
    )
    last_read_at: datetime | None = strawberry.field(description="The last of them.")
    classes: list[RecordClass] = strawberry.field(
        description="What could be seen, in emergencies and disasters."
    )
    closed_at: datetime | None = strawberry.field(description="When it was closed; null: it is open.")
    finding: ReviewFinding | None = strawberry.field(description="What was found.")
    words: str | None = strawberry.field(description="Why, in the reviewer's words.")
    closed_by: str | None = strawberry.field(description="Who closed it.")

    @strawberry.field(description="医療機関: where they were made.")
    async def facility(self, info: Info[Context, None]) -> Facility:
        return await info.context.facilities.load(self.facility_number)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(
            facility_number=row["facility"],
            id=strawberry.ID(str(row["id"])),
            opened_at=row["openedAt"],
            cause=ReviewCause(row["cause"]),
            rules=row["rules"],
            says=row["says"],
            says_ja=row["saysJa"],
            person=row["person"],
            role=Role(row["role"]),
            patients=[strawberry.ID(str(one)) for one in row["patients"]],
            because=None if row["because"] is None else strawberry.ID(str(row["because"])),
            reason=row["reason"],
            widened_at=row["widenedAt"],
            widened_because=row["widenedBecause"],
            reads=len(row["accesses"]),
            accesses=[strawberry.ID(str(one)) for one in row["accesses"]],
            last_read_at=row["lastReadAt"],
            classes=[RecordClass(one) for one in row["classes"]],
            closed_at=row["closedAt"],
            finding=None if row["finding"] is None else ReviewFinding(row["finding"]),
            words=row["words"],
            closed_by=row["closedBy"],
        )


@strawberry.type(description="Reviews, newest first. Looking is in the audit trail too.")
class AccessReviewConnection(CountedConnection[AccessReview]):
    pass


@strawberry.type
class ReviewQuery:
    @strawberry.field(
        description="点検: emergencies, disasters and unusual access; of your facility, or for an auditor all.",
        permission_classes=allowed(vocabulary.Role.AUDITOR, vocabulary.Role.FACILITY_ADMIN),
    )
    async def access_reviews(
        self,
        info: Info[Context, None],
        state: ReviewState | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AccessReviewConnection:
        context, wanted = info.context, stretch(first, after, last, before)
        application, use = context.application, f"reviews/{context.caller.facility or ''}"
        (schema,) = await application.live_schemas(access_reviews.NAME)
        source = Source(access_reviews.VIEW, schema, _seen(context))
        where = [] if state is None else [_OF_STATE[state]]
        found = await find(application.fetch, source, where, application.seals, use, wanted)
        edges, page_info = page(application.seals, use, wanted, found, AccessReview.of)
        look = TrailReading(access_id=application.new_id(), patient=None, shown=len(edges))
        context.readings.trail.append(look)
        count = counted(application.fetch, source, where)
        return AccessReviewConnection(edges=edges, page_info=page_info, count=count)


_OF_STATE: dict[ReviewState, Composed] = {
    ReviewState.OPEN: SQL("closed_at IS NULL"),
    ReviewState.CLOSED: SQL("closed_at IS NOT NULL"),
}


def _seen(context: Context) -> Composed:
    """All of them for an auditor; for anybody else only those of the own facility."""
    if context.caller.role is vocabulary.Role.AUDITOR:
        return SQL("true")
    return equal("facility", context.caller.facility or "")
