"""Runs a plan: the same resolvers as in ordinary execution, and for pages of rows JSON that the database wrote.

Any error ends the run; ordinary execution then says what it means.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import CoroutineType
from typing import Any

from graphql import GraphQLResolveInfo
from graphql.execution.values import VariableValues
from graphql.pyutils import Path

from tsuzuri.graphql.compile.plans import FieldPlan, ObjectPlan, Shape
from tsuzuri.graphql.compile.writing import write
from tsuzuri.graphql.context import Context
from tsuzuri.graphql.listing import Listed, ListedConnection


class NotAsPlanned(Exception):
    """A value does not fit where it stands: ordinary execution tells the client what is wrong."""


@dataclass(frozen=True, eq=False)
class Page:
    """A page that stands where it belongs, and whose rows the database is still to write."""

    connection: Any
    listed: Listed[Any]
    plan: ObjectPlan
    path: Path | None


_UNFINISHED = frozenset({CoroutineType, Page})


@dataclass(frozen=True, eq=False)
class Run:
    """One run of a plan, for one request."""

    variables: VariableValues
    context: Context

    async def data(self, plan: ObjectPlan) -> dict[str, Any]:
        """What the answer has as `data`. Raises NotAsPlanned, and whatever a resolver raises."""
        found = self._object(plan, None, None)
        values: dict[str, Any] = await found if type(found) is CoroutineType else found
        return values

    def _object(
        self,
        plan: ObjectPlan,
        source: Any,
        path: Path | None,
        written: Mapping[str, Any] | None = None,
    ) -> Any:
        """The values of its fields by name, or a coroutine that finds them. *written*: what is known of them."""
        values: dict[str, Any] = {}
        unfinished: list[str] = []
        try:
            for key, field in plan.fields:
                if field is None:
                    values[key] = plan.type_name
                elif written is not None and key in written:
                    values[key] = written[key]
                else:
                    values[key] = value = self._field(field, source, Path(path, key, plan.type_name))
                    if type(value) in _UNFINISHED:
                        unfinished.append(key)
        except BaseException:
            _close(values.values())
            raise
        return self._finished(values, unfinished) if unfinished else values

    async def _finished(self, values: dict[str, Any], unfinished: list[str]) -> dict[str, Any]:
        """All that has to be waited for is waited for together; the pages among it are one statement."""
        waiting = [key for key in unfinished if not isinstance(values[key], Page)]
        if len(waiting) == 1:
            values[waiting[0]] = await values[waiting[0]]
        elif waiting:
            found = await _together([values[key] for key in waiting])
            values.update(zip(waiting, found, strict=True))
        pages = {key: values[key] for key in unfinished if isinstance(values[key], Page)}
        if pages:
            await write(
                self.context, [(page.listed, page.plan.rows) for page in pages.values() if page.plan.rows]
            )
            for key, page in pages.items():
                whole = self._object(page.plan, page.connection, page.path, page.listed.written)
                values[key] = await whole if type(whole) is CoroutineType else whole
        return values

    def _field(self, field: FieldPlan, source: Any, path: Path) -> Any:
        if field.attribute is not None:
            return self._value(field.shape, getattr(source, field.attribute), path, field)
        assert field.resolver is not None
        value = field.resolver(source, self._info(field, path), self.variables)
        if type(value) is CoroutineType:
            return self._awaited(value, field, path)
        return self._value(field.shape, value, path, field)

    async def _awaited(self, value: Coroutine[Any, Any, Any], field: FieldPlan, path: Path) -> Any:
        found = self._value(field.shape, await value, path, field)
        return await found if type(found) is CoroutineType else found

    def _value(self, shape: Shape, value: Any, path: Path, field: FieldPlan) -> Any:
        """What a value becomes, or a coroutine, or a page. Raises NotAsPlanned."""
        if value is None:
            if not shape.nullable:
                raise NotAsPlanned
            return None
        if shape.serialize is not None:
            return shape.serialize(value)
        if shape.items is not None:
            return self._list(shape.items, value, path, field)
        plan = self._plan(shape, value, path, field)
        if plan.rows is not None and isinstance(value, ListedConnection) and value.listed.linking is not None:
            return Page(value, value.listed, plan, path)
        return self._object(plan, value, path)

    def _list(self, items: Shape, value: Any, path: Path, field: FieldPlan) -> Any:
        values: list[Any] = []
        try:
            for place, one in enumerate(value):
                values.append(self._value(items, one, Path(path, place, None), field))
        except BaseException:
            _close(values)
            raise
        waiting = [place for place, one in enumerate(values) if type(one) is CoroutineType]
        return self._finished_list(values, waiting) if waiting else values

    async def _finished_list(self, values: list[Any], waiting: list[int]) -> list[Any]:
        found = await _together([values[place] for place in waiting])
        for place, one in zip(waiting, found, strict=True):
            values[place] = one
        return values

    def _plan(self, shape: Shape, value: Any, path: Path, field: FieldPlan) -> ObjectPlan:
        assert shape.objects is not None
        if shape.abstract is None:
            (plan,) = shape.objects.values()
            return plan
        if (known := shape.classes.get(type(value))) is not None:
            return known
        assert shape.abstract.resolve_type is not None
        name = shape.abstract.resolve_type(value, self._info(field, path), shape.abstract)
        if not isinstance(name, str):
            raise NotAsPlanned
        return shape.objects[name]

    def _info(self, field: FieldPlan, path: Path) -> GraphQLResolveInfo[Any]:
        return field.info._replace(path=path, variable_values=self.variables, context=self.context)


async def _together(waiting: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """What each of them makes; when one fails the others end, too."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in waiting]
    return [task.result() for task in tasks]


def _close(values: Iterable[Any]) -> None:
    """Nobody will wait for these."""
    for value in values:
        if type(value) is CoroutineType:
            value.close()
