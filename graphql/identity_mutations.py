"""What an operator decides of identities: that a doubt is settled, and who is the same person as whom."""

from typing import Annotated

import strawberry
from strawberry.types import Info

from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.graphql.inputs import uuid_of
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
        ids = uuid_of(patient, "a patient"), uuid_of(identity, "an unmatched identity")
        event = await info.context.application.settle_identity(info.context.caller, *ids, _said(reason))
        return strawberry.ID(str(event))

    @strawberry.mutation(
        description="名寄せ: two patients are one person. Reads of either cover both, nothing moves. Returns the link.",
        permission_classes=allowed(Role.OPERATOR),
    )
    async def link_patients(
        self,
        info: Info[Context, None],
        survivor: Annotated[
            strawberry.ID, strawberry.argument(description="Who stands for both from here on.")
        ],
        other: strawberry.ID,
        reason: Annotated[str, strawberry.argument(description="Why; stands in the log.")],
    ) -> strawberry.ID:
        ids = uuid_of(survivor, "a patient"), uuid_of(other, "a patient")
        link = await info.context.application.link_patients(info.context.caller, *ids, _said(reason))
        return strawberry.ID(str(link))

    @strawberry.mutation(
        description="Undo a link: no read of one shows anything of the other any more. Returns the link.",
        permission_classes=allowed(Role.OPERATOR),
    )
    async def unlink_patients(
        self,
        info: Info[Context, None],
        patient: Annotated[strawberry.ID, strawberry.argument(description="One of those it links.")],
        link: strawberry.ID,
        reason: Annotated[str, strawberry.argument(description="Why; stands in the log.")],
    ) -> strawberry.ID:
        ids = uuid_of(patient, "a patient"), uuid_of(link, "a link")
        undone = await info.context.application.unlink_patients(info.context.caller, *ids, _said(reason))
        return strawberry.ID(str(undone))


def _said(reason: str) -> str:
    """Raises RequestRefused."""
    if not reason.strip():
        raise RequestRefused("BAD_INPUT", "say why: it stands in the log")
    return reason
