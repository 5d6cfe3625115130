"""The schema: types from one vocabulary, closed by default, with the limits that hold before anything runs."""

from hashlib import sha256

import strawberry
from graphql import GraphQLError
from strawberry.extensions import (
    AddValidationRules,
    MaxAliasesLimiter,
    MaxTokensLimiter,
    ParserCache,
    QueryDepthLimiter,
    ValidationCache,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, get_object_definition

from tsuzuri.graphql.limits import ALIASES_MAX, DEPTH_MAX, TOKENS_MAX
from tsuzuri.graphql.mutations import Mutation
from tsuzuri.graphql.permissions import RolePermission
from tsuzuri.graphql.queries import Query
from tsuzuri.graphql.subscriptions import Subscription

# The rules are made once: made for each request they would be new classes, and no validation would be cached.
_RULES = [
    *QueryDepthLimiter(max_depth=DEPTH_MAX).validation_rules,
    *MaxAliasesLimiter(max_alias_count=ALIASES_MAX).validation_rules,
]


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
    return QuietSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(disable_field_suggestions=True),
        extensions=[
            lambda: AddValidationRules(_RULES),
            lambda: MaxTokensLimiter(max_token_count=TOKENS_MAX),
            ParserCache,
            ValidationCache,
        ],
    )


def schema_sha256(schema: strawberry.Schema) -> str:
    """Names the schema an answer was made under (hex)."""
    return sha256(schema.as_str().encode()).hexdigest()
