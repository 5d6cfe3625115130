"""The root of all watching. Every field names the roles that may use it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry
from strawberry.types import Info

from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.operator_types import ProjectionProgress
from tsuzuri.graphql.permissions import allowed


@strawberry.type(description="Everything that can be watched. Ask with Accept: text/event-stream.")
class Subscription:
    @strawberry.subscription(
        description="""How far a projection has come: at once, then each second in which something changed.
Of the generation beside the live one, until it was promoted, cancelled or dropped, which is told last; of the live one
for as long as there is none beside it.""",
        permission_classes=allowed(Role.OPERATOR),
    )
    async def projection_progress(
        self, info: Info[Context, None], name: str
    ) -> AsyncGenerator[ProjectionProgress, None]:
        async with aclosing(info.context.application.watch_projection(name)) as watched:
            async for progress in watched:
                yield ProjectionProgress.of(progress)
