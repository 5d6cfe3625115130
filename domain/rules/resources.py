"""A resource and where it stands: alone, in a Bundle, or contained in another one."""

from collections.abc import Callable, Iterator, KeysView
from functools import cache, cached_property

from tsuzuri.domain.rules.datatypes import RESOURCE_TYPES
from tsuzuri.domain.rules.part import Part, choices
from tsuzuri.domain.rules.slices import finder


class Resource:
    """A resource and where it stands: alone, in a Bundle, or contained in another one."""

    def __init__(
        self,
        part: Part,
        *,
        bundle: "Resource | None" = None,
        contained: bool = False,
        size_bytes: int | None = None,
        depth: int | None = None,
    ) -> None:
        self.part = part
        self.bundle = bundle  # whose entry it is, or the resource that contains it
        self.contained = contained
        self.size_bytes = size_bytes  # as received; None when nobody knows
        self.depth = depth  # levels of objects and lists; None where nobody counted
        named = part.text("resourceType")
        self.type = named if named in RESOURCE_TYPES else None  # None too for what FHIR does not know
        self._found: dict[str, list[Part]] = {"": [part]}  # by path
        self.names: KeysView[str] = (part.value if isinstance(part.value, dict) else {}).keys()

    @property
    def place(self) -> str:
        return self.part.place

    @property
    def is_inside(self) -> bool:
        """Whether it stands in a Bundle or in another resource."""
        return self.bundle is not None

    def all(self, path: str) -> list[Part]:
        """Every part at a path such as "code.coding" or "identifier:resourceIdentifier.value"."""
        found = self._found.get(path)
        if found is None:
            above, find, first = _way(path)
            if first in self.names or first.endswith("[x]"):
                found = [part for parent in self.all(above) for part in find(parent)]
            else:
                found = []  # most of what rules ask for is not there
            self._found[path] = found
        return found

    def among(self, paths: tuple[str, ...]) -> Iterator[Part]:
        """Every part at any of many paths, most of which are not there."""
        for path, first in _first_names(paths):
            if first in self.names:
                yield from self.all(path)

    def profiles(self) -> Iterator[str]:
        """The last names of the profiles it claims, without a version: the guides moved them from root to root."""
        for profile in self.all("meta.profile"):
            if isinstance(profile.value, str) and profile.value.startswith("http://jpfhir.jp/"):
                yield profile.value.partition("|")[0].rpartition("/")[2]

    @cached_property
    def entries(self) -> list[tuple[Part, Part | None]]:
        """Of a Bundle: each entry and its resource."""
        return [(entry, entry.child("resource")) for entry in self.all("entry")]

    @cached_property
    def contained_ids(self) -> frozenset[str]:
        """What a reference that begins with # may name: from a contained resource, its container's too."""
        holder = self.bundle if self.contained and self.bundle else self
        if holder is not self:
            return holder.contained_ids
        return frozenset(named for inner in self.all("contained") if (named := inner.text("id")))


def elements(*paths: str) -> frozenset[str]:
    """The elements of a resource, one of which is there if anything is at one of these paths."""
    firsts = [_way(path)[2] for path in paths]
    inside = (choices(first) for first in firsts if first.endswith("[x]"))
    return frozenset(firsts).union(*inside)


@cache  # asked with paths of the rules only
def _first_names(paths: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(path, _way(path)[2]) for path in paths]


@cache  # asked with paths of the rules only
def _way(path: str) -> tuple[str, Callable[[Part], list[Part]], str]:
    """The path without its last step, what finds that step, and the name that the first step looks for."""
    above, _, step = path.rpartition(".")
    return above, finder(step), path.partition(".")[0].partition(":")[0]
