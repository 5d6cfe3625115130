"""Merkle trees as RFC 9162 section 2.1 has them, over SHA-256: roots, and proofs of inclusion and of consistency."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


class ProofFails(ValueError):
    """What was claimed does not follow from what was signed. The message says what, and where."""


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that only grows, as its complete subtrees, the largest first: what its root and its next leaf need."""

    def __init__(self, size: int = 0, hashes: bytes = b"") -> None:
        """*hashes*: as `stored` gave them. Raises ProofFails: they are not those of a tree of this size."""
        if size < 0 or len(hashes) != size.bit_count() * HASH_BYTES:
            raise ProofFails(f"a tree of {size} leaves has {size.bit_count()} complete subtrees")
        self.size = size
        self._hashes = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]

    def append(self, leaf: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Take a leaf's hash. Gives each subtree that it completes: level, place among those of its level, hash."""
        place, level = self.size, 0
        while place & 1:
            leaf = node_hash(self._hashes.pop(), leaf)
            place >>= 1
            level += 1
            yield level, place, leaf
        self._hashes.append(leaf)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> None:
        for leaf in leaves:
            for _ in self.append(leaf):
                pass

    def root(self) -> bytes:
        return folded(self._hashes)

    def stored(self) -> bytes:
        return b"".join(self._hashes)


def folded(subtrees: Sequence[bytes]) -> bytes:
    """The root over complete subtrees, the largest first."""
    if not subtrees:
        return EMPTY_ROOT
    root = subtrees[-1]
    for left in subtrees[-2::-1]:
        root = node_hash(left, root)
    return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Of a tree with these leaf hashes."""
    tree = Frontier()
    tree.extend(leaves)
    return tree.root()


Range = tuple[int, int]
"""Leaves from the first number up to and without the second: one part of a proof is the root over them."""


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """What the proof that leaf *index* is among *size* is made of, in its order (PATH)."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    start, end = 0, size
    ranges: list[Range] = []
    while end - start > 1:
        split = start + _half(end - start)
        if index < split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    return ranges[::-1]


def consistency_ranges(first: int, size: int) -> list[Range]:
    """What the proof that the tree of *first* leaves is the beginning of that of *size* is made of (PROOF)."""
    if not 0 < first <= size:
        raise ValueError(f"no tree of {first} leaves is the beginning of one of {size}")
    start, end = 0, size
    ranges: list[Range] = []
    while first < end:
        split = start + _half(end - start)
        if first <= split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    return ([(start, end)] if start else []) + ranges[::-1]


def subtrees(leaves: Range) -> list[tuple[int, int]]:
    """The complete subtrees of such a range, the largest first, as level and place."""
    start, end = leaves
    found: list[tuple[int, int]] = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def _half(size: int) -> int:
    """The largest power of two below *size* (2 or more)."""
    return 1 << ((size - 1).bit_length() - 1)


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that follows from a leaf's hash, its index and its path (RFC 9162, 2.1.3.2). Raises ProofFails."""
    if not 0 <= index < size:
        raise ProofFails(f"a tree of {size} leaves has no leaf {index}")
    at, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofFails("the path is too long")
        if at & 1 or at == last:
            root = node_hash(sibling, root)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofFails("the path is too short")
    return root


def check_consistency(first: int, size: int, first_root: bytes, root: bytes, path: Sequence[bytes]) -> None:
    """That the tree with *root* began as that with *first_root* (RFC 9162, 2.1.4.2). Raises ProofFails."""
    if not 0 <= first <= size:
        raise ProofFails(f"a log of {size} leaves does not go on from one of {first}")
    if first in (0, size):
        if path or first_root != (root if first == size else EMPTY_ROOT) or (not size and root != EMPTY_ROOT):
            raise ProofFails("two roots for one size, or a path where there is nothing to prove")
        return
    at, last = first - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    rest = list(path)
    if first & (first - 1) == 0:
        rest.insert(0, first_root)
    if not rest:
        raise ProofFails("the path is too short")
    old = new = rest[0]
    for sibling in rest[1:]:
        if last == 0:
            raise ProofFails("the path is too long")
        if at & 1 or at == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    if last or old != first_root or new != root:
        raise ProofFails("the later root does not go on from the earlier one")
