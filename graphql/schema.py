"""The schema: types from one vocabulary, closed by default."""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256

import strawberry
from graphql import GraphQLError, GraphQLInputObjectType
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.types.base_scalars import DateTimeDefinition
from strawberry.types import ExecutionContext, get_object_definition

from tsuzuri.graphql.mutations import Mutation
from tsuzuri.graphql.permissions import RolePermission
from tsuzuri.graphql.preparing import PreparedDocuments
from tsuzuri.graphql.queries import Query
from tsuzuri.graphql.subscriptions import Subscription


def _written(moment: datetime) -> str:
    """As PostgreSQL writes a time in JSON (RFC 3339): a fraction without noughts at its end."""
    text = moment.isoformat()
    whole, point, fraction = text.partition(".")
    return text if not point else f"{whole}.{fraction[:6].rstrip('0')}{fraction[6:]}"


_MOMENT = replace(DateTimeDefinition, serialize=_written)


class OpenField(Exception):
    """A root field names no role: the schema is not built."""


class QuietSchema(strawberry.Schema):
    """Logs nothing: the library would log each error with its source and variables, which name patients."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Faults of ours are logged where the answer is made: see tsuzuri.graphql.execution."""


def build_schema() -> strawberry.Schema:
    """Raises OpenField."""
    for root in (Query, Mutation, Subscription):
        for field in get_object_definition(root, strict=True).fields:
            if not any(issubclass(permission, RolePermission) for permission in field.permission_classes):
                raise OpenField(f"{root.__name__}.{field.name} names no role: give it permission_classes")
    schema = QuietSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(disable_field_suggestions=True, scalar_map={datetime: _MOMENT}),
        extensions=[PreparedDocuments],
    )
    for kind in schema._schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):  # the library tells its own rule only
            kind.is_one_of = kind.extensions["strawberry-definition"].is_one_of
    return schema


def schema_sha256(schema: strawberry.Schema) -> str:
    """Names the schema an answer was made under (hex)."""
    return sha256(schema.as_str().encode()).hexdigest()
