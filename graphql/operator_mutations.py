"""What an operator may order of projections. Each order is in the log, with who, why and ticket, before it is done."""

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.types import Info

from tsuzuri.domain.orders import Why
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.graphql.operator_types import Projection, TriedAgain
from tsuzuri.graphql.permissions import allowed

OPERATORS = allowed(Role.OPERATOR)
Reason = Annotated[str | None, strawberry.argument(description="Why; stands in the log.")]
Ticket = Annotated[str | None, strawberry.argument(description="Of your own tracker; stands in the log.")]


@strawberry.type
class OperatorMutation:
    @strawberry.mutation(
        description="Begin a new generation beside the live one, or go on with it; the projectors fill it.",
        permission_classes=OPERATORS,
    )
    async def rebuild_projection(
        self, info: Info[Context, None], name: str, reason: Reason = None, ticket: Ticket = None
    ) -> Projection:
        context = info.context
        await context.application.begin_rebuild(context.caller, name, Why(reason, ticket))
        return await _standing(context, name)

    @strawberry.mutation(
        description="Let reads follow the generation that waits, or the one of this number.",
        permission_classes=OPERATORS,
    )
    async def promote_projection(
        self,
        info: Info[Context, None],
        name: str,
        generation: int | None = None,
        reason: Reason = None,
        ticket: Ticket = None,
    ) -> Projection:
        context = info.context
        await context.application.promote_projection(context.caller, name, generation, Why(reason, ticket))
        return await _standing(context, name)

    @strawberry.mutation(
        description="Let reads follow the generation they followed before.", permission_classes=OPERATORS
    )
    async def rollback_projection(
        self, info: Info[Context, None], name: str, reason: Reason = None, ticket: Ticket = None
    ) -> Projection:
        context = info.context
        await context.application.roll_back_projection(context.caller, name, Why(reason, ticket))
        return await _standing(context, name)

    @strawberry.mutation(
        description="Apply nothing more to any of its generations; reads go on and say how old they are.",
        permission_classes=OPERATORS,
    )
    async def pause_projection(
        self, info: Info[Context, None], name: str, reason: Reason = None, ticket: Ticket = None
    ) -> Projection:
        context = info.context
        await context.application.pause_projection(context.caller, name, Why(reason, ticket), paused=True)
        return await _standing(context, name)

    @strawberry.mutation(description="Go on where it was paused.", permission_classes=OPERATORS)
    async def resume_projection(
        self, info: Info[Context, None], name: str, reason: Reason = None, ticket: Ticket = None
    ) -> Projection:
        context = info.context
        await context.application.pause_projection(context.caller, name, Why(reason, ticket), paused=False)
        return await _standing(context, name)

    @strawberry.mutation(
        description="Apply what waits of one quarantined patient, or of all when none is named.",
        permission_classes=OPERATORS,
    )
    async def retry_quarantined(
        self,
        info: Info[Context, None],
        name: str,
        patient: strawberry.ID | None = None,
        reason: Reason = None,
        ticket: Ticket = None,
    ) -> TriedAgain:
        context = info.context
        tried = await context.application.retry_quarantined(
            context.caller, name, None if patient is None else _patient(patient), Why(reason, ticket)
        )
        return TriedAgain.of(tried)

    @strawberry.mutation(
        description="Leave out, for ever, the event at which a patient stopped, and apply what waits behind it.",
        permission_classes=OPERATORS,
    )
    async def skip_quarantined(
        self,
        info: Info[Context, None],
        name: str,
        patient: strawberry.ID,
        reason: Annotated[str, strawberry.argument(description="Why; stands in the log.")],
        ticket: Ticket = None,
    ) -> TriedAgain:
        context = info.context
        if not reason.strip():
            raise RequestRefused("BAD_INPUT", "say why the event is left out: it stands in the log")
        return TriedAgain.of(
            await context.application.skip_quarantined(
                context.caller, name, _patient(patient), reason, ticket
            )
        )


def _patient(given: strawberry.ID) -> UUID:
    try:
        return UUID(given)
    except ValueError:
        raise RequestRefused("BAD_INPUT", "patient is the id that quarantinedPatients gives") from None


async def _standing(context: Context, name: str) -> Projection:
    standings = await context.application.projection_standings()
    return next(Projection.of(one) for one in standings if one.name == name)
