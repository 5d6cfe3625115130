"""The plans of the documents that were asked lately, by their text and by what decides about @skip and @include."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, OperationType
from graphql.execution.values import VariableValues
from strawberry import Schema

from tsuzuri.eventlog.recent import Recent
from tsuzuri.graphql.compile.collecting import Collecting, condition_names
from tsuzuri.graphql.compile.plans import Compiler, ObjectPlan, Unfit
from tsuzuri.graphql.compile.running import Run
from tsuzuri.graphql.compile.variables import Coercion
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.preparing import Prepared

PLANS_KEPT = 1_000

_Planned = tuple[ObjectPlan | None]
"""None: of this document no plan can be made."""
_Key = tuple[str, str | None, tuple[Any, ...]]


class Plans:
    """Of one schema."""

    def __init__(self, schema: Schema, kept: int = PLANS_KEPT) -> None:
        self._converter = schema
        self._schema = schema._schema
        self._plans: Recent[_Key, _Planned] = Recent(kept)
        self._conditions: Recent[str, tuple[str, ...]] = Recent(kept)
        self._coercions: Recent[tuple[str, str | None], Coercion] = Recent(kept)

    async def data(
        self, context: Context, prepared: Prepared, variables: Mapping[str, Any] | None
    ) -> dict[str, Any] | None:
        """What the answer has as `data`; None when ordinary execution must run the operation.

        Raises whatever a resolver raises, which ordinary execution then tells.
        """
        if prepared.kind is not OperationType.QUERY:
            return None
        values = self._coercion(prepared).values(variables or {})
        if values is None:
            return None
        plan = self._plan(prepared, values)
        return None if plan is None else await Run(values, context).data(plan)

    def _coercion(self, prepared: Prepared) -> Coercion:
        key = prepared.sha256, prepared.name
        coercion = self._coercions.get(key)
        if coercion is None:
            coercion = Coercion(self._schema, prepared.operation)
            self._coercions.put(key, coercion)
        return coercion

    def _plan(self, prepared: Prepared, values: VariableValues) -> ObjectPlan | None:
        decide = self._conditions.get(prepared.sha256)
        if decide is None:
            decide = condition_names(prepared.parsed)
            self._conditions.put(prepared.sha256, decide)
        conditions = {name: values.coerced.get(name) for name in decide}
        key = (prepared.sha256, prepared.name, tuple(conditions.values()))
        if (planned := self._plans.get(key)) is not None:
            return planned[0]
        collecting = Collecting(self._schema, prepared.parsed, conditions)
        try:
            plan = Compiler(self._converter, prepared.operation, collecting).plan()
        except (Unfit, GraphQLError):
            plan = None
        self._plans.put(key, (plan,))
        return plan
