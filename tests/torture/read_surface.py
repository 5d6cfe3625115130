"""What the queries of a schema reach, and the ways from their root to each field: from the schema alone."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)

Holder = GraphQLObjectType | GraphQLInterfaceType


class Surface:
    """What a schema's queries reach: the ways from its root to each field."""

    def __init__(self, schema: GraphQLSchema):
        self.schema = schema
        assert schema.query_type is not None
        self.root = schema.query_type
        self._abstract = {
            one.name
            for kind in schema.type_map.values()
            if is_abstract_type(kind)
            for one in (kind, *self.members(kind))
        }
        self.distance = cache(self._distance)
        self.reached = cache(self._reached)

    def members(self, kind: GraphQLNamedType) -> Sequence[GraphQLObjectType]:
        """The types of objects that may stand where *kind* is told."""
        if isinstance(kind, GraphQLObjectType):
            return [kind]
        return list(self.schema.get_possible_types(kind))  # type: ignore[arg-type]  # it is abstract

    def family(self, kind: Holder) -> str:
        """Types whose objects may stand in one place share their keys: here all that may stand in any such place."""
        return "" if kind.name in self._abstract else kind.name

    def _distance(self, target: str) -> Mapping[str, int]:
        """From each type of objects, how many fields lead to *target* at least."""
        found = {target: 0}
        while True:
            nearer = {
                kind.name: 1 + min(near)
                for kind in self.schema.type_map.values()
                if isinstance(kind, GraphQLObjectType) and kind.name not in found
                if (near := [found[one] for one in self._next(kind) if one in found])
            }
            if not nearer:
                return found
            found |= nearer

    def _next(self, kind: GraphQLObjectType) -> Iterator[str]:
        for field in kind.fields.values():
            leads_to = get_named_type(field.type)
            if is_composite_type(leads_to):
                yield from (one.name for one in self.members(leads_to))

    def _reached(self, roots: frozenset[str]) -> Sequence[tuple[str, str, str]]:
        """Type, field and argument ("": the field itself) of all that these root fields lead to."""
        seen, waiting = {self.root.name}, [self.root]
        found: list[tuple[str, str, str]] = []
        while waiting:
            kind = waiting.pop()
            for name, field in kind.fields.items():
                if kind is self.root and name not in roots:
                    continue
                found += [(kind.name, name, argument) for argument in ("", *field.args)]
                leads_to = get_named_type(field.type)
                for one in self.members(leads_to) if is_composite_type(leads_to) else ():
                    if one.name not in seen:
                        seen.add(one.name)
                        waiting.append(one)
        return found


def coordinate(kind: str, field: str, argument: str = "") -> str:
    return f"{kind}.{field}({argument})" if argument else f"{kind}.{field}"
