"""A map from each owner of an access stream to how many accesses she has and the root over them.

A compressed sparse Merkle tree over 256 bits, the SHA-256 of the owner's id. A subtree with no entry is EMPTY; one with
a single entry is that entry, however high it stands; any other is the node over its halves, by the next bit. So an
owner has one place only, and a path proves as well that she has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from tsuzuri.eventlog.proofs.merkle import HASH_BYTES, ProofFails, leaf_hash, node_hash

EMPTY = b"\x00" * HASH_BYTES
KEY_BITS = HASH_BYTES * 8


def map_key(owner: UUID) -> bytes:
    return sha256(owner.bytes).digest()


def map_value(count: int, root: bytes) -> bytes:
    """Of an owner with *count* accesses (1 or more): a hash, so that a path past her tells nothing of her."""
    return leaf_hash(count.to_bytes(8, "big") + root)


def entry_hash(key: bytes, value: bytes) -> bytes:
    return leaf_hash(key + value)


def bit(key: bytes, depth: int) -> int:
    """Of a key, from the top."""
    return key[depth >> 3] >> (7 - (depth & 7)) & 1


@dataclass(frozen=True)
class Subtree:
    """A hash, and whether a single entry stands behind it."""

    hash: bytes = EMPTY
    entry: bool = False

    @property
    def empty(self) -> bool:
        return self.hash == EMPTY


NOTHING = Subtree()


def joined(left: Subtree, right: Subtree) -> Subtree:
    if right.empty and (left.empty or left.entry):
        return left
    if left.empty and right.entry:
        return right
    return Subtree(node_hash(left.hash, right.hash))


def subtree_of(entries: Sequence[tuple[bytes, bytes]], depth: int = 0) -> Subtree:
    """Over entries (key, value) with the same first *depth* bits."""
    if not entries:
        return NOTHING
    if len(entries) == 1:
        return Subtree(entry_hash(*entries[0]), entry=True)
    halves: tuple[list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]] = ([], [])
    for one in entries:
        halves[bit(one[0], depth)].append(one)
    return joined(subtree_of(halves[0], depth + 1), subtree_of(halves[1], depth + 1))


@dataclass(frozen=True)
class MapPath:
    """From an owner's place up to the root: what stands beside it at each step, the lowest first.

    *other*: who stands there instead of her, as key and value; only where she has no access.
    """

    siblings: tuple[bytes, ...]
    other: tuple[bytes, bytes] | None = None


def root_by_path(key: bytes, value: bytes | None, path: MapPath) -> bytes:
    """The map's root that follows. *value* None: she has no access. Raises ProofFails."""
    depth = len(path.siblings)
    if depth > KEY_BITS:
        raise ProofFails("the path through the map is too long")
    if value is not None:
        if path.other is not None:
            raise ProofFails("the map shows somebody else in her place")
        found = entry_hash(key, value)
    elif path.other is None:
        found = EMPTY
    else:
        other = path.other[0]
        if other == key or any(bit(other, at) != bit(key, at) for at in range(depth)):
            raise ProofFails("what stands in her place in the map does not belong there")
        found = entry_hash(*path.other)
    for at, sibling in zip(range(depth - 1, -1, -1), path.siblings, strict=True):
        found = node_hash(sibling, found) if bit(key, at) else node_hash(found, sibling)
    return found
