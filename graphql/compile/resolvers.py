"""A resolver with all that the schema says of it: who may use it, what it takes, and in which form."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLField, GraphQLResolveInfo
from graphql.execution.values import VariableValues, get_argument_values
from strawberry import Schema
from strawberry.permission import BasePermission, PermissionExtension
from strawberry.types import Info
from strawberry.types.field import StrawberryField

from tsuzuri.graphql.compile.arguments import Arguments, NotMadeHere, arguments_of


@dataclass(frozen=True, eq=False)
class Resolver:
    """Of one field of a document. Called as the library would call it, without finding out anew how."""

    field: StrawberryField
    function: Callable[..., Any]
    takes_source: bool
    info_name: str | None
    permissions: tuple[BasePermission, ...]
    arguments: Arguments

    def __call__(self, source: Any, info: GraphQLResolveInfo[Any], variables: VariableValues) -> Any:
        """A value, or a coroutine that finds it. Raises what the resolver raises, and who may not use it."""
        given = self.arguments.values(variables.coerced)
        told: Info[Any, Any] | None = None
        if self.info_name is not None or self.permissions:
            told = Info(_raw_info=info, _field=self.field)
        if self.info_name is not None:
            given[self.info_name] = told
        if self.permissions:
            return self._permitted(source, told, given)
        return self.function(source, **given) if self.takes_source else self.function(**given)

    async def _permitted(self, source: Any, info: Any, given: dict[str, Any]) -> Any:
        for permission in self.permissions:
            if await permission.has_permission(source, info) is not True:  # type: ignore[misc]
                raise PermissionError("not for this caller")
        found = self.function(source, **given) if self.takes_source else self.function(**given)
        return await found if isinstance(found, Coroutine) else found


@dataclass(frozen=True, eq=False)
class LibraryResolver:
    """As ordinary execution calls it."""

    field: GraphQLField
    node: FieldNode

    def __call__(self, source: Any, info: GraphQLResolveInfo[Any], variables: VariableValues) -> Any:
        assert self.field.resolve is not None
        return self.field.resolve(source, info, **get_argument_values(self.field, self.node, variables))


def resolver_of(
    schema: Schema, field: GraphQLField, ours: StrawberryField, node: FieldNode
) -> Resolver | LibraryResolver:
    """The quick one where the field is of a form that is known here."""
    base = ours.base_resolver
    plain = base is not None and base.root_parameter is None and base.parent_parameter is None
    if base is None or not plain or not all(isinstance(one, PermissionExtension) for one in ours.extensions):
        return LibraryResolver(field, node)
    try:
        arguments = arguments_of(schema, field, ours, node)
    except NotMadeHere:
        return LibraryResolver(field, node)
    return Resolver(
        field=ours,
        function=base.wrapped_func,  # type: ignore[arg-type]
        takes_source=base.self_parameter is not None,
        info_name=base.info_parameter.name if base.info_parameter else None,
        permissions=tuple(permission() for permission in ours.permission_classes),
        arguments=arguments,
    )
