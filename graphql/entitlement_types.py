"""Who may use what no consent is asked for: emergency rights, and disaster windows."""

from datetime import datetime
from typing import Self

import strawberry
from strawberry.types import Info

from tsuzuri.domain import facilities, policies
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.permissions import allowed


@strawberry.type(description="Somebody may declare emergencies at your hospital.")
class EmergencyRight:
    id: strawberry.ID = strawberry.field(description="Its id.")
    person: str = strawberry.field(description="Whose it is, as her token names her.")
    since: datetime = strawberry.field(description="From when on.")
    until: datetime = strawberry.field(description="When it ends.")

    @classmethod
    def of(cls, right: facilities.EmergencyRight) -> Self:
        return cls(
            id=strawberry.ID(str(right.because)), person=right.person, since=right.since, until=right.until
        )


@strawberry.type(description="災害時の閲覧: the facilities of some municipalities may read without consent.")
class DisasterWindow:
    id: strawberry.ID = strawberry.field(description="Its id; the reads under it cite it.")
    municipalities: list[str] = strawberry.field(description="市区町村コード, 5 digits.")
    since: datetime = strawberry.field(description="From when on.")
    until: datetime = strawberry.field(description="When it ends.")

    @classmethod
    def of(cls, window: policies.Window) -> Self:
        return cls(
            id=strawberry.ID(str(window.because)),
            municipalities=list(window.municipalities),
            since=window.since,
            until=window.until,
        )


@strawberry.type
class EntitlementQuery:
    @strawberry.field(
        description="Who may declare emergencies at your hospital, now or later.",
        permission_classes=allowed(Role.FACILITY_ADMIN),
    )
    async def emergency_rights(self, info: Info[Context, None]) -> list[EmergencyRight]:
        held = await info.context.application.emergency_rights(info.context.caller)
        return [EmergencyRight.of(right) for right in held]

    @strawberry.field(
        description="The disaster windows that are open, or will be.", permission_classes=allowed(*Role)
    )
    async def disaster_windows(self, info: Info[Context, None]) -> list[DisasterWindow]:
        return [DisasterWindow.of(window) for window in await info.context.application.disaster_windows()]
