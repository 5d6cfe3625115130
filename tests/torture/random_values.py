"""Random values for the arguments of a random document: as literals, and as variables with and without defaults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNonNull,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)

IN_A_VARIABLE = 0.35  # of all places of a value
FIELD_GIVEN = 0.4  # of the fields of an input object that may be left out
ITEMS_MAX = 3
FILLED = ("Query.patientRecords(patients)", "Query.nodes(ids)", "Me.preview(classes)")
"""Lists that must hold something, and seldom hold nothing."""
MISUSED = 0.01  # null for what must not be null, which only a variable can say


class Samples:
    """Values that mean something, by coordinate ("Query.access(id)", "PatientKey.id"), else by name, else by type.

    The first table that knows the coordinate is asked, then the first that knows the name.
    """

    def __init__(self, *tables: Mapping[str, Sequence[Any]]):
        self.tables = tables

    def of(self, coordinate: str, name: str, kind: str) -> Sequence[Any]:
        """None at all: there is no sample, and the type says what can be said."""
        found = (table[key] for key in (coordinate, name, kind) for table in self.tables if table.get(key))
        return next(found, ())


@dataclass
class Values:
    """The values of one document, and the variables they are in."""

    random: Random
    samples: Samples
    declared: dict[str, str] = field(default_factory=dict)  # by name: the type, with its default
    given: dict[str, Any] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)  # coordinates of input fields that were used
    _again: dict[tuple[str, str], str] = field(default_factory=dict)

    def argument(self, coordinate: str, name: str, argument: GraphQLArgument) -> str:
        """What stands behind the colon."""
        return self._place(argument, coordinate, name)

    def condition(self, *, holds: bool) -> str:
        """What stands in `@skip(if:)` and `@include(if:)`."""
        how, word = self.random.random(), str(holds).lower()
        if how < 0.5:
            return word
        if how < 0.75:
            return self._variable("Boolean!", holds)
        kind = self.random.choice(["Boolean", "Boolean!"])
        if self.random.random() < 0.5:
            return self._variable(f"{kind} = {word}")
        return self._variable(f"{kind} = {str(not holds).lower()}", holds)

    def _place(self, place: GraphQLArgument | GraphQLInputField, coordinate: str, name: str) -> str:
        kind, has_default = place.type, place.default_value is not Undefined
        if self.random.random() >= IN_A_VARIABLE:
            return self._literal(kind, coordinate, name)
        key = (coordinate, str(kind))
        if key in self._again and self.random.random() < 0.3:
            return self._again[key]
        self._again[key] = self._somehow_given(kind, coordinate, name, has_default)
        return self._again[key]

    def _somehow_given(self, kind: GraphQLInputType, coordinate: str, name: str, has_default: bool) -> str:
        random, bare = self.random, get_nullable_type(kind)
        value = self._value(kind, coordinate, name)
        must = is_non_null_type(kind)
        how = random.random()
        if how < 0.35 or value is None:
            return self._variable(str(kind) if must or value is None else f"{bare}!", value)
        if how < 0.6:  # with a default: given, or left out
            default = printed(self._value(_certain(bare), coordinate, name), bare)
            left_out = random.random() < 0.5
            return self._variable(f"{bare} = {default}", *([] if left_out else [value]))
        if must and not has_default:
            return self._variable(str(kind), value)
        if how < 0.75:
            return self._variable(str(bare))  # absent: as if the argument were not there
        if how < 0.85 and (not must or random.random() < MISUSED):
            return self._variable(str(bare), None)
        return self._variable(str(bare), value)

    def _variable(self, declaration: str, *given: Any) -> str:
        name = f"v{len(self.declared)}"
        self.declared[name] = declaration
        if given:
            self.given[name] = given[0]
        return f"${name}"

    def _literal(self, kind: GraphQLInputType, coordinate: str, name: str) -> str:
        """With variables within it, where it has a within."""
        bare = get_nullable_type(kind)
        if not is_non_null_type(kind) and self.random.random() < 0.04:
            return "null"
        if self._known(kind, coordinate, name):
            return printed(self._value(_certain(bare), coordinate, name), bare)
        if is_list_type(bare):
            if self.random.random() < 0.2:  # one value stands for a list of it
                return self._literal(_certain(bare.of_type), coordinate, name)
            items = (self._item(bare.of_type, coordinate, name) for _ in range(self._items(coordinate)))
            return f"[{', '.join(items)}]"
        if is_input_object_type(bare):
            said = (f"{one}: {self._within(bare, one, inner)}" for one, inner in self._chosen(bare))
            return f"{{ {', '.join(said)} }}"
        return printed(self._value(_certain(bare), coordinate, name), bare)

    def _item(self, kind: GraphQLInputType, coordinate: str, name: str) -> str:
        if self.random.random() < 0.1:
            return self._variable(str(kind), self._value(kind, coordinate, name))
        return self._literal(kind, coordinate, name)

    def _within(self, holder: GraphQLInputObjectType, name: str, inner: GraphQLInputField) -> str:
        coordinate = f"{holder.name}.{name}"
        if not holder.is_one_of:
            return self._place(inner, coordinate, name)
        certain = _certain(inner.type)
        if self.random.random() < IN_A_VARIABLE:
            return self._variable(str(certain), self._value(certain, coordinate, name))
        return self._literal(certain, coordinate, name)

    def _chosen(self, holder: GraphQLInputObjectType) -> Sequence[tuple[str, GraphQLInputField]]:
        fields = list(holder.fields.items())
        if holder.is_one_of:
            known = [60 if self.samples.of(f"{holder.name}.{name}", "", "") else 1 for name, _ in fields]
            fields = self.random.choices(fields, known)
        else:
            fields = [
                (name, one)
                for name, one in self.random.sample(fields, len(fields))
                if (is_non_null_type(one.type) and one.default_value is Undefined)
                or self.random.random() < FIELD_GIVEN
            ]
        self.named += [f"{holder.name}.{name}" for name, _ in fields]
        return fields

    def _value(self, kind: GraphQLInputType, coordinate: str, name: str) -> Any:
        """As it stands in the JSON of variables."""
        random, bare = self.random, get_nullable_type(kind)
        if not is_non_null_type(kind) and random.random() < 0.1:
            return None
        if known := self._known(kind, coordinate, name):
            if is_list_type(bare):
                return [random.choice(known) for _ in range(self._items(coordinate))]
            return random.choice(known)
        if is_list_type(bare):
            return [self._value(bare.of_type, coordinate, name) for _ in range(self._items(coordinate))]
        if isinstance(bare, GraphQLInputObjectType):
            return {
                one: self._value(
                    _certain(inner.type) if bare.is_one_of else inner.type,
                    f"{bare.name}.{one}",
                    one,
                )
                for one, inner in self._chosen(bare)
            }
        if isinstance(bare, GraphQLEnumType):
            return random.choice(list(bare.values))
        raise LookupError(f"there is no sample for {coordinate}, which is a {bare}: name one")

    def _known(self, kind: GraphQLInputType, coordinate: str, name: str) -> Sequence[Any]:
        """Samples are of leaves: what holds them is made by its type."""
        of = get_named_type(kind)
        return () if is_input_object_type(of) else self.samples.of(coordinate, name, of.name)

    def _items(self, coordinate: str) -> int:
        none = 0.02 if coordinate in FILLED else 1
        return self.random.choices(range(ITEMS_MAX + 1), [none, 4, 3, 2])[0]


def _certain(kind: Any) -> GraphQLInputType:
    """The same, and never null."""
    return kind if is_non_null_type(kind) else GraphQLNonNull(kind)


def printed(value: Any, kind: Any) -> str:
    """A value of variables as a literal of a document."""
    bare = get_nullable_type(kind)
    if value is None:
        return "null"
    if is_list_type(bare):
        if not isinstance(value, list):
            return printed(value, bare.of_type)
        return f"[{', '.join(printed(one, bare.of_type) for one in value)}]"
    if isinstance(bare, GraphQLInputObjectType):
        said = (f"{name}: {printed(one, bare.fields[name].type)}" for name, one in value.items())
        return f"{{ {', '.join(said)} }}"
    if isinstance(bare, GraphQLEnumType):
        return str(value)
    return orjson.dumps(value).decode()
