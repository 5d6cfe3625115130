"""What an operator decides of unmatched identities. Linking two patients is another decision."""

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.types import Info

from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.graphql.permissions import allowed


@strawberry.type
class IdentityMutation:
    @strawberry.mutation(
        description="Settle an unmatched identity: it leaves the queue. Returns the event's id.",
        permission_classes=allowed(Role.OPERATOR),
    )
    async def settle_identity(
        self,
        info: Info[Context, None],
        patient: strawberry.ID,
        identity: strawberry.ID,
        reason: Annotated[str, strawberry.argument(description="Why; stands in the log.")],
    ) -> strawberry.ID:
        if not reason.strip():
            raise RequestRefused("BAD_INPUT", "say why it is settled: it stands in the log")
        try:
            ids = UUID(patient), UUID(identity)
        except ValueError:
            raise RequestRefused("BAD_INPUT", "give the ids that unmatchedIdentities gives") from None
        event = await info.context.application.settle_identity(info.context.caller, *ids, reason)
        return strawberry.ID(str(event))
