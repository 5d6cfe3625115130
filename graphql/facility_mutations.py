"""The operator's events on the list of facilities."""

import strawberry
from strawberry.types import Info

from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.facility_types import FacilityInput
from tsuzuri.graphql.operator_mutations import Reason
from tsuzuri.graphql.permissions import allowed

OPERATORS = allowed(Role.OPERATOR)


@strawberry.type
class FacilityMutation:
    @strawberry.mutation(
        description="Enter a facility, change its entry, or open it again. False: the list says so already.",
        permission_classes=OPERATORS,
    )
    async def list_facility(self, info: Info[Context, None], facility: FacilityInput) -> bool:
        return await info.context.application.list_facility(info.context.caller, facility.entry())

    @strawberry.mutation(
        description="Close a facility: its entry stays, its emergency right ends. False: it is closed already.",
        permission_classes=OPERATORS,
    )
    async def close_facility(self, info: Info[Context, None], number: str, reason: Reason = None) -> bool:
        return await info.context.application.close_facility(info.context.caller, number, reason)
