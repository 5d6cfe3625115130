"""Which role may use which root field, under which scopes. A field that names no role is closed to everybody."""

from typing import Any

from strawberry.permission import BasePermission
from strawberry.types import Info

from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.context import Context, RequestRefused
from tsuzuri.graphql.needed_scopes import lacking_scope

CODE = "FORBIDDEN"


class RolePermission(BasePermission):
    """Base of what `allowed` makes; `roles` is read by the schema's own check."""

    roles: frozenset[Role] = frozenset()

    async def has_permission(self, source: Any, info: Info[Context, None], **_: Any) -> bool:
        caller = info.context.caller
        if caller.role not in self.roles:
            raise RequestRefused(CODE, "your role may not use this field")
        if (lacking := lacking_scope(caller, info.operation.operation, info.field_name)) is not None:
            raise RequestRefused(CODE, f"your token's scope does not cover this field: it needs {lacking}")
        return True


def allowed(*roles: Role) -> list[type[BasePermission]]:
    """For `permission_classes`: only these roles get in."""
    return [type("RoleAllowed", (RolePermission,), {"roles": frozenset(roles)})]
