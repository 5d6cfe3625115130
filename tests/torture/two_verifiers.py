"""The two implementations of docs/PROOFS.md behind one face, and some that are broken on purpose."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Protocol
from uuid import UUID

import second_notes
import second_trees
import second_verifier
from made_log import Bundle
from second_fields import Refused, of_base64
from second_trees import Entry, Path
from tsuzuri.eventlog.access_lists import Descent, path_to
from tsuzuri.eventlog.part_trees import TreeGrowth, blocks_of, roots_over
from tsuzuri.eventlog.proofs import access_map, bundles, merkle, notes

Leaves = Sequence[bytes]
Way = tuple[Path, Entry | None]
Listed = tuple[int, bytes]
"""Number of accesses, and the root over them."""
Lists = Mapping[UUID, Listed]


class Side(Protocol):
    """Roots and paths made, and what is claimed of them held against a root: does it follow?"""

    def leaf(self, data: bytes) -> bytes: ...
    def tree(self, leaves: Leaves) -> "SideTree": ...
    def included(self, hashed: bytes, at: int, size: int, path: Path, root: bytes) -> bool: ...
    def grown(self, sizes: tuple[int, int], old: bytes, new: bytes, path: Path) -> bool: ...
    def map(self, lists: Lists) -> "SideMap": ...
    def mapped(self, owner: UUID, listed: Listed | None, way: Way, root: bytes) -> bool: ...
    def signed(self, note: str, key: str) -> tuple[int, bytes] | None: ...
    def proven(self, bundle: Bundle, key: str) -> bool: ...


class SideTree(Protocol):
    def root(self, size: int) -> bytes: ...
    def inclusion(self, at: int, size: int) -> Path: ...
    def consistency(self, first: int, size: int) -> Path: ...


class SideMap(Protocol):
    def root(self) -> bytes: ...
    def way(self, owner: UUID) -> Way: ...


class HouseTree:
    """As it lies in the database: leaves, and the hash over each 256 of them and over each 256 of those."""

    def __init__(self, leaves: Leaves) -> None:
        growth = TreeGrowth(0, merkle.Frontier())
        growth.take(leaves)
        levels: dict[int, list[bytes]] = {0: list(leaves)}
        for _, level, place, hashed in growth.nodes:
            assert place == len(levels.setdefault(level, []))
            levels[level].append(hashed)
        self._leaves, self._levels = leaves, levels

    def root(self, size: int) -> bytes:
        return merkle.root_of(self._leaves[:size])

    def inclusion(self, at: int, size: int) -> Path:
        return self._over(merkle.inclusion_ranges(at, size))

    def consistency(self, first: int, size: int) -> Path:
        return self._over(merkle.consistency_ranges(first, size)) if first else []

    def _over(self, ranges: list[merkle.Range]) -> Path:
        blocks = {
            (level, block): b"".join(self._levels[level][256 * block : 256 * block + 256])
            for level, block in blocks_of(ranges)
        }
        return roots_over(ranges, blocks)


class HouseMap:
    def __init__(self, lists: Lists) -> None:
        self._entries = [
            (access_map.map_key(owner), access_map.map_value(*listed)) for owner, listed in lists.items()
        ]
        self._top = access_map.subtree_of(self._entries)

    def root(self) -> bytes:
        return self._top.hash

    def way(self, owner: UUID) -> Way:
        path = path_to(owner, Descent([], self._top), self._entries)
        return list(path.siblings), path.other


class SecondMap:
    def __init__(self, lists: Lists) -> None:
        key_of, value_of = second_trees.key_of, second_trees.value_of
        self._map = second_trees.SparseMap({key_of(one.bytes): value_of(*lists[one]) for one in lists})

    def root(self) -> bytes:
        return self._map.root()

    def way(self, owner: UUID) -> Way:
        return self._map.path(second_trees.key_of(owner.bytes))


class House:
    def leaf(self, data: bytes) -> bytes:
        return merkle.leaf_hash(data)

    def tree(self, leaves: Leaves) -> SideTree:
        return HouseTree(leaves)

    def included(self, hashed: bytes, at: int, size: int, path: Path, root: bytes) -> bool:
        return self._holds(lambda: merkle.root_by_inclusion(hashed, at, size, path) == root)

    def grown(self, sizes: tuple[int, int], old: bytes, new: bytes, path: Path) -> bool:
        try:
            merkle.check_consistency(*sizes, old, new, path)
        except merkle.ProofFails:
            return False
        return True

    def map(self, lists: Lists) -> SideMap:
        return HouseMap(lists)

    def mapped(self, owner: UUID, listed: Listed | None, way: Way, root: bytes) -> bool:
        path = access_map.MapPath(tuple(way[0]), way[1])
        value = None if listed is None else access_map.map_value(*listed)
        return self._holds(lambda: access_map.root_by_path(access_map.map_key(owner), value, path) == root)

    def signed(self, note: str, key: str) -> tuple[int, bytes] | None:
        try:
            checkpoint = notes.checked(note, notes.PublicKey.of(key))
        except merkle.ProofFails:
            return None
        return checkpoint.size, checkpoint.root

    def proven(self, bundle: Bundle, key: str) -> bool:
        return self._holds(lambda: bool(bundles.verify(bundle, notes.PublicKey.of(key))))

    def _holds(self, check: Callable[[], bool]) -> bool:
        try:
            return check()
        except merkle.ProofFails:
            return False


class Second:
    def leaf(self, data: bytes) -> bytes:
        return second_trees.leaf(data)

    def tree(self, leaves: Leaves) -> SideTree:
        return second_trees.Tree(leaves)

    def included(self, hashed: bytes, at: int, size: int, path: Path, root: bytes) -> bool:
        return self._holds(lambda: second_trees.follow(hashed, at, size, path) == root)

    def grown(self, sizes: tuple[int, int], old: bytes, new: bytes, path: Path) -> bool:
        try:
            second_trees.demand_growth(*sizes, old, new, path)
        except Refused:
            return False
        return True

    def map(self, lists: Lists) -> SideMap:
        return SecondMap(lists)

    def mapped(self, owner: UUID, listed: Listed | None, way: Way, root: bytes) -> bool:
        key, value = (
            second_trees.key_of(owner.bytes),
            None if listed is None else second_trees.value_of(*listed),
        )
        path, other = way
        end = second_trees.end_of_way
        return self._holds(lambda: second_trees.climb(end(key, value, other, len(path)), key, path) == root)

    def signed(self, note: str, key: str) -> tuple[int, bytes] | None:
        try:
            return second_notes.checkpoint(note, second_notes.Key.read(key))
        except Refused:
            return None

    def proven(self, bundle: Bundle, key: str) -> bool:
        return self._holds(lambda: bool(second_verifier.verify(bundle, key)))

    def _holds(self, check: Callable[[], bool]) -> bool:
        try:
            return check()
        except Refused:
            return False


class ForgetsThePrefix(Second):
    """A leaf is hashed as it is: a node could be shown as one."""

    def leaf(self, data: bytes) -> bytes:
        return sha256(data).digest()


class TakesLongPaths(Second):
    """What stands behind the end of a path is not looked at."""

    def included(self, hashed: bytes, at: int, size: int, path: Path, root: bytes) -> bool:
        return any(
            super(TakesLongPaths, self).included(hashed, at, size, path[:n], root)
            for n in range(len(path) + 1)
        )


class TakesAnybodysPlace(Second):
    """Another's entry ends the way of an owner wherever it lies, and be it her own."""

    def mapped(self, owner: UUID, listed: Listed | None, way: Way, root: bytes) -> bool:
        path, other = way
        if listed is None and other is not None:
            end = second_trees.entry(*other)
            return self._holds(lambda: second_trees.climb(end, other[0], path) == root)
        return super().mapped(owner, listed, way, root)


class BelievesTheSigner(Second):
    """That a note bears the name and id of the key is enough."""

    def signed(self, note: str, key: str) -> tuple[int, bytes] | None:
        try:
            text, _ = second_notes.signed_by(note, second_notes.Key.read(key))
        except Refused:
            return None
        lines = text.split("\n")
        return int(lines[1]), of_base64(lines[2])


class BelievesTheHead(Second):
    """A bundle's head is taken as it is given."""

    def proven(self, bundle: Bundle, key: str) -> bool:
        return True if "head" in bundle else super().proven(bundle, key)


BROKEN: Mapping[str, Callable[[], Side]] = {
    "forgets the leaf's prefix": ForgetsThePrefix,
    "takes paths that are too long": TakesLongPaths,
    "takes anybody's place in the map": TakesAnybodysPlace,
    "believes who signed": BelievesTheSigner,
    "believes the head": BelievesTheHead,
}
