"""Random valid documents over everything that can be read: made from the schema alone, by a seed.

It knows nothing of what answers them. Each document leads to one thing that few documents asked for so far, and takes
others along: aliases, fragments in fragments, inline fragments with and without a type, `@skip` and `@include`,
`__typename` anywhere, one key twice, several root fields, several operations.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_composite_type,
    is_leaf_type,
    is_required_argument,
)

from torture.random_values import Samples, Values
from torture.read_surface import Holder, Surface, coordinate

DEPTH_MAX = 11
ALIASES_MAX = 12
SELECTIONS = (8, 16, 32, 60)
ARGUMENT_GIVEN = 0.35  # of those that may be left out
MEANT = ("Me.preview(facility)", "Me.preview(classes)")
"""Arguments without which there is seldom an answer: they are left out now and then."""
PAGED = ("first", "after"), ("last", "before")
ALIASES = ("a", "b2", "name", "id", "nodes", "_1", "data", "別名".encode().hex(), f"long_{'x' * 70}")
"""Some are names of fields, and one is longer than an identifier of PostgreSQL."""


@dataclass(frozen=True)
class Asked:
    """A request as a client sends it."""

    document: str
    variables: Mapping[str, Any]
    operation_name: str | None


def random_document(
    surface: Surface, random: Random, roots: Collection[str], samples: Samples, asked: Counter[str]
) -> Asked:
    """*roots*: root fields that may be asked for. *asked*: by coordinate, in how many documents it was so far."""
    return _Document(surface, random, roots, samples, asked).whole()


@dataclass(frozen=True)
class _Fragment:
    kind: str
    text: str
    depth: int  # how many levels of fields stand in it at most
    aliases: int  # at most


class _Document:
    def __init__(
        self,
        surface: Surface,
        random: Random,
        roots: Collection[str],
        samples: Samples,
        asked: Counter[str],
    ):
        self.surface, self.random, self.asked = surface, random, asked
        self.roots = frozenset(roots)
        self.values = Values(random, samples)
        self.left = random.choice(SELECTIONS)
        self.aliases = 0
        self.fragments: dict[str, _Fragment] = {}
        self.keys: dict[tuple[str, str], tuple[str, str, str]] = {}
        """Family and key → field, arguments, type: within one family a key means one thing, wherever it stands."""
        self.said: defaultdict[tuple[str, str], list[str]] = defaultdict(
            list
        )  # of each field, as it was called
        reached = random.choices(surface.reached(self.roots), k=12)
        self.target = min(reached, key=lambda one: asked[coordinate(*one)])

    def whole(self) -> Asked:
        body = f"{{ {' '.join(self._root())} }}"
        declared = ", ".join(f"${name}: {kind}" for name, kind in self.values.declared.items())
        named, several = self.random.random() < 0.6, self.random.random() < 0.08
        name = "Q" if named or several else ""
        operation = f"query {name}{f'({declared})' if declared else ''} {body}"
        parts = [operation, *(f"fragment {one} on {it.kind} {it.text}" for one, it in self.fragments.items())]
        if several:
            parts.append("query Other { __typename }")
        self.random.shuffle(parts)
        said = name if several or (named and self.random.random() < 0.5) else None
        if not declared and not name and len(parts) == 1 and self.random.random() < 0.5:
            parts = [body]
        return Asked("\n".join(parts), self.values.given, said)

    def _root(self) -> list[str]:
        root = self.surface.root
        chosen = self._ways(root, DEPTH_MAX, self.roots)
        more = self.random.choices((0, 1, 2), (70, 22, 8))[0]
        others = self.random.choices(sorted(self.roots), k=more)
        found = [self._field(root, chosen, DEPTH_MAX, towards=True)]
        found += [self._field(root, other, DEPTH_MAX) for other in others]
        return self._grouped(root, self._with_typename(root, found), DEPTH_MAX, towards=True)

    def _ways(self, kind: Holder, depth: int, among: Collection[str]) -> str:
        """A field that leads towards the target within *depth*."""
        of, name, _ = self.target
        distance = self.surface.distance(of)
        if kind.name == of and name in among and self.random.random() < 0.8:
            return name
        near: dict[str, int] = {}
        for one in among:
            leads_to = get_named_type(kind.fields[one].type)
            if is_composite_type(leads_to):
                far = [
                    distance[member.name]
                    for member in self.surface.members(leads_to)
                    if member.name in distance
                ]
                if far and min(far) + 2 <= depth:
                    near[one] = min(far)
        if not near:
            return name if kind.name == of and name in among else self.random.choice(sorted(among))
        least = min(near.values())
        return self.random.choices(list(near), [4.0 if far == least else 1.0 for far in near.values()])[0]

    def _selections(self, kind: GraphQLNamedType, depth: int, *, towards: bool) -> str:
        """In braces. *depth*: how many levels of fields may stand here, at least one."""
        if isinstance(kind, GraphQLObjectType):
            return f"{{ {' '.join(self._inside(kind, depth, towards=towards))} }}"
        members = self.surface.members(kind)
        parts = [] if self.random.random() < 0.12 else ["__typename"]
        if isinstance(kind, GraphQLInterfaceType):
            parts += self._fields(kind, depth, towards=False)
        near = self.surface.distance(self.target[0]) if towards else {}
        wanted = min(members, key=lambda one: near.get(one.name, depth))
        for one in self.random.sample(members, len(members)):
            to_it = towards and one is wanted
            if to_it or self.random.random() < 0.75:
                inside = self._inside(one, depth, towards=to_it)
                directive = "" if to_it else self._directive()
                parts.append(self._spread(one, inside, depth, directive=directive, typed=True))
        return f"{{ {' '.join(parts or ['__typename'])} }}"

    def _inside(self, kind: GraphQLObjectType, depth: int, *, towards: bool) -> list[str]:
        found = self._with_typename(kind, self._fields(kind, depth, towards=towards))
        return self._grouped(kind, found, depth, towards=towards)

    def _fields(self, kind: Holder, depth: int, *, towards: bool) -> list[str]:
        found = []
        if towards:
            found.append(self._field(kind, self._ways(kind, depth, kind.fields), depth, towards=True))
        rare = {name: 1 / (1 + self.asked[coordinate(kind.name, name)]) for name in kind.fields}
        for _ in range(self.random.randint(0 if found else 1, 7)):
            if self.left <= 0 and found:
                break
            common = self.random.random() < 0.5
            weights = [1.0] * len(rare) if common else list(rare.values())
            name = self.random.choices(list(rare), weights)[0]
            leaf = is_leaf_type(get_named_type(kind.fields[name].type))
            if leaf or (depth > 1 and self.left > 0 and self.random.random() < 0.6):
                found.append(self._field(kind, name, depth))
        self.random.shuffle(found)
        return found or ["__typename"]

    def _field(self, kind: Holder, name: str, depth: int, *, towards: bool = False) -> str:
        """With its key, arguments and what it leads to."""
        self.left -= 1
        leads_to = get_named_type(kind.fields[name].type)
        composite, here = is_composite_type(leads_to), (kind.name, name) == self.target[:2]
        if composite and depth < 2:
            return "__typename"
        text = self._called(kind, name, self.target[2] if towards and here else "")
        text += "" if towards else self._directive()
        if composite:
            text += " " + self._selections(leads_to, depth - 1, towards=towards and not here)
        return text

    def _called(self, kind: Holder, name: str, wanted: str) -> str:
        """Under a key of its own, or under one that already means it, with the arguments said there."""
        field, family = kind.fields[name], self.surface.family(kind)
        free = self.aliases < ALIASES_MAX
        said = self.said[kind.name, name]
        if said and not wanted and (not free or self.random.random() < 0.5):
            return self.random.choice(said)
        arguments = self._arguments(kind, name, field, wanted)
        said.append(self._under(self._key(family, name, arguments, str(field.type)), name, arguments))
        return said[-1]

    def _under(self, key: str, name: str, arguments: str) -> str:
        return f"{name if key == name else f'{key}: {name}'}{arguments}"

    def _arguments(self, kind: Holder, name: str, field: GraphQLField, wanted: str) -> str:
        apart = self._other_direction(wanted)
        said = [
            f"{one}: {self.values.argument(coordinate(kind.name, name, one), one, argument)}"
            for one, argument in self.random.sample(list(field.args.items()), len(field.args))
            if one == wanted
            or is_required_argument(argument)
            or (one not in apart and self.random.random() < self._often(kind.name, name, one))
        ]
        return f"({', '.join(said)})" if said else ""

    def _often(self, kind: str, field: str, argument: str) -> float:
        return 0.95 if coordinate(kind, field, argument) in MEANT else ARGUMENT_GIVEN

    def _other_direction(self, wanted: str) -> Collection[str]:
        """A page goes forward or backward; seldom both are asked for."""
        if self.random.random() < 0.005:
            return ()
        forward, backward = PAGED
        return (
            backward
            if wanted in forward or (wanted not in backward and self.random.random() < 0.6)
            else forward
        )

    def _key(self, family: str, name: str, arguments: str, of: str) -> str:
        """One that means nothing else so far: the field's name, where it is free."""
        keys = [name, *(f"{name}{n}" for n in range(2, 99))]
        if self.aliases < ALIASES_MAX and self.random.random() < 0.06:
            keys.insert(0, self.random.choice(ALIASES))
        key = next(one for one in keys if self.keys.get((family, one)) in (None, (name, arguments, of)))
        self.keys[family, key] = (name, arguments, of)
        self.aliases += key != name
        return key

    def _with_typename(self, kind: Holder, found: list[str]) -> list[str]:
        if self.random.random() < 0.15:
            key = self._key(self.surface.family(kind), "__typename", "", "String!")
            found.insert(self.random.randint(0, len(found)), self._under(key, "__typename", ""))
        return found

    def _directive(self) -> str:
        how = self.random.random()
        if how > 0.1:
            return ""
        included = self.random.random() < 0.65
        skip = f" @skip(if: {self.values.condition(holds=not included)})" if how < 0.055 else ""
        return skip if how < 0.045 else f"{skip} @include(if: {self.values.condition(holds=included)})"

    def _grouped(self, kind: Holder, found: list[str], depth: int, *, towards: bool = False) -> list[str]:
        """Some of them in fragments, and what an earlier fragment asks of this type besides."""
        if self.random.random() < 0.18:
            start = self.random.randrange(len(found))
            end = self.random.randint(start + 1, len(found))
            found[start:end] = [
                self._spread(kind, found[start:end], depth, directive="" if towards else self._directive())
            ]
        again = [
            name
            for name, one in self.fragments.items()
            if one.kind == kind.name and one.depth <= depth and one.aliases + self.aliases <= ALIASES_MAX
        ]
        if again and self.random.random() < 0.3:
            name = self.random.choice(again)
            self.aliases += self.fragments[name].aliases
            found.insert(self.random.randint(0, len(found)), f"...{name}{self._directive()}")
        return found

    def _spread(
        self, kind: Holder, inside: list[str], depth: int, *, directive: str, typed: bool = False
    ) -> str:
        text = f"{{ {' '.join(inside)} }}"
        how = self.random.random()
        if how < 0.4:
            name = f"F{len(self.fragments)}"
            aliases = text.count(": ")
            self.fragments[name] = _Fragment(kind.name, text, depth, aliases)
            return f"...{name}{directive}"
        return f"...{f' on {kind.name}' if typed or how < 0.7 else ''}{directive} {text}"
