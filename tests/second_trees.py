"""Trees and the map of docs/PROOFS.md, a second time: the recursive definitions (RFC 9162, 2.1) as they stand."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from hashlib import sha256

from second_fields import demand

EMPTY = bytes(32)
NO_LEAVES = sha256().digest()
BITS = 256

Path = list[bytes]
Entry = tuple[bytes, bytes]


def leaf(data: bytes) -> bytes:
    return sha256(b"\0" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def half(n: int) -> int:
    """The largest power of two smaller than n."""
    return int("1" + "0" * (len(f"{n - 1:b}") - 1), 2)


class Tree:
    """Over the hashes of leaves; each root of a run of leaves is made once."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves = leaves
        self.made: dict[tuple[int, int], bytes] = {}

    def root(self, size: int) -> bytes:
        return self.mth(0, size) if size else NO_LEAVES

    def mth(self, start: int, end: int) -> bytes:
        if end - start == 1:
            return self.leaves[start]
        if (start, end) not in self.made:
            k = start + half(end - start)
            self.made[start, end] = node(self.mth(start, k), self.mth(k, end))
        return self.made[start, end]

    def inclusion(self, m: int, size: int) -> Path:
        """PATH(m, D[size]), 2.1.3.1."""

        def path(start: int, end: int) -> Path:
            if end - start == 1:
                return []
            k = start + half(end - start)
            return [*path(start, k), self.mth(k, end)] if m < k else [*path(k, end), self.mth(start, k)]

        return path(0, size)

    def consistency(self, m: int, size: int) -> Path:
        """PROOF(m, D[size]), 2.1.4.1; nothing to show between no leaves and some."""

        def subproof(start: int, end: int, known: bool) -> Path:
            if m == end:
                return [] if known else [self.mth(start, end)]
            k = start + half(end - start)
            if m <= k:
                return [*subproof(start, k, known), self.mth(k, end)]
            return [*subproof(k, end, False), self.mth(start, k)]

        return subproof(0, size, True) if m else []


def follow(hashed: bytes, m: int, size: int, path: Path) -> bytes:
    """The root that the path leads to from leaf m of a tree of so many."""
    demand(0 <= m < size, "no such leaf")
    if size == 1:
        demand(not path, "a path is too long")
        return hashed
    demand(bool(path), "a path is too short")
    *below, beside = path
    k = half(size)
    if m < k:
        return node(follow(hashed, m, k, below), beside)
    return node(beside, follow(hashed, m - k, size - k, below))


def demand_growth(m: int, size: int, old: bytes, new: bytes, path: Path) -> None:
    """That the path leads to both roots: of the first m leaves, and of all."""
    demand(0 <= m <= size, "a tree does not shrink")
    if m == 0:
        demand(not path and old == NO_LEAVES, "nothing leads from a tree without leaves")
        demand(size > 0 or new == NO_LEAVES, "no leaves have another root")
        return

    def both(m: int, size: int, known: bool, path: Path) -> tuple[bytes, bytes]:
        if m == size:
            demand(len(path) == (0 if known else 1), "a path has another length")
            here = old if known else path[0]
            return here, here
        demand(bool(path), "a path is too short")
        *below, beside = path
        k = half(size)
        if m <= k:
            before, after = both(m, k, known, below)
            return before, node(after, beside)
        before, after = both(m - k, size - k, False, below)
        return node(beside, before), node(beside, after)

    demand(both(m, size, True, path) == (old, new), "the later tree does not begin with the earlier")


def key_of(owner: bytes) -> bytes:
    return sha256(owner).digest()


def value_of(number: int, root: bytes) -> bytes:
    return sha256(b"\0" + number.to_bytes(8) + root).digest()


def entry(key: bytes, value: bytes) -> bytes:
    return sha256(b"\0" + key + value).digest()


def bits(key: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in key)


class SparseMap:
    """Subtrees are named by the bits that lead to them."""

    def __init__(self, values: Mapping[bytes, bytes]) -> None:
        self.entries = {bits(key): (key, value) for key, value in values.items()}
        self.ways = sorted(self.entries)
        self.made: dict[str, bytes] = {}

    def root(self, way: str = "") -> bytes:
        if way not in self.made:
            inside = self.inside(way)
            if not inside:
                self.made[way] = EMPTY
            elif len(inside) == 1:
                self.made[way] = entry(*inside[0])
            else:
                self.made[way] = node(self.root(way + "0"), self.root(way + "1"))
        return self.made[way]

    def inside(self, way: str) -> list[Entry]:
        first, end = bisect_left(self.ways, way), bisect_left(self.ways, f"{way}2")
        return [self.entries[each] for each in self.ways[first:end]]

    def path(self, key: bytes) -> tuple[Path, Entry | None]:
        """What stands beside the way of the key, and another's entry where the way ends at one."""

        def down(way: str) -> tuple[Path, Entry | None]:
            inside = self.inside(way)
            if len(inside) < 2:
                return [], next((one for one in inside if one[0] != key), None)
            turn = bits(key)[len(way)]
            path, other = down(way + turn)
            return [*path, self.root(way + ("1" if turn == "0" else "0"))], other

        return down("")


def climb(end: bytes, key: bytes, path: Path) -> bytes:
    """The root of the map whose way of the key ends so deep, at this hash."""
    demand(len(path) <= BITS, "a path is longer than a key")
    turns = bits(key)

    def at(depth: int, path: Path) -> bytes:
        if not path:
            return end
        *below, beside = path
        inner = at(depth + 1, below)
        return node(inner, beside) if turns[depth] == "0" else node(beside, inner)

    return at(0, path)


def end_of_way(key: bytes, value: bytes | None, other: Entry | None, depth: int) -> bytes:
    """What stands at the end of the way: her entry, another's (she has none), or nothing."""
    if value is not None:
        demand(other is None, "an owner with accesses stands in nobody else's place")
        return entry(key, value)
    if other is None:
        return EMPTY
    demand(other[0] != key, "an owner's own entry is called another's")
    demand(bits(other[0])[:depth] == bits(key)[:depth], "another's entry does not lie on her way")
    return entry(*other)
