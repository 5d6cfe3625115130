"""The map of who looked at whom: taken on by the accesses that were appended, and read for proofs.

Each part has a map (proofs/access_map.py) of up to some ten thousand owners. Its upper 12 bits lie in pages, so that an
access changes two of them and one bucket of a few owners; whatever is used is first held against the root above it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection

from tsuzuri.eventlog.proofs.access_map import (
    NOTHING,
    MapPath,
    Subtree,
    bit,
    joined,
    map_key,
    map_value,
    subtree_of,
)
from tsuzuri.eventlog.proofs.merkle import HASH_BYTES, Frontier

PAGE_BITS = 6
_SLOTS = 1 << PAGE_BITS
_SLOT_BYTES = 1 + HASH_BYTES
_BUCKET_BITS = 2 * PAGE_BITS


class MapBroken(Exception):
    """What lies in the database does not lead to the root that was signed: it was changed."""


def bucket_of(owner: UUID) -> int:
    return int.from_bytes(map_key(owner)[:2], "big") >> (16 - _BUCKET_BITS)


class Page:
    """64 subtrees of the map, and what they add up to."""

    def __init__(self, slots: Sequence[Subtree] = (NOTHING,) * _SLOTS) -> None:
        self.slots = list(slots)

    @classmethod
    def of(cls, stored: bytes) -> "Page":
        starts = range(0, _SLOTS * _SLOT_BYTES, _SLOT_BYTES)
        return cls([Subtree(stored[at + 1 : at + _SLOT_BYTES], stored[at] == 1) for at in starts])

    def stored(self) -> bytes:
        return b"".join([(b"\x01" if one.entry else b"\x00") + one.hash for one in self.slots])

    def levels(self) -> list[list[Subtree]]:
        """From the slots up to the one above all."""
        levels = [self.slots]
        while len(levels[-1]) > 1:
            below = levels[-1]
            levels.append([joined(below[at], below[at + 1]) for at in range(0, len(below), 2)])
        return levels

    def top(self) -> Subtree:
        return self.levels()[-1][0]


Entry = tuple[bytes, bytes]
"""Key and value, as the map has them."""


def entries_of(rows: Iterable[tuple[UUID, int, bytes]]) -> list[Entry]:
    """Of owners with size and frontier of their lists."""
    return [(map_key(owner), map_value(size, Frontier(size, tree).root())) for owner, size, tree in rows]


def grown(
    connection: Connection[Any], part: int, accesses: Iterable[tuple[UUID, bytes]], root: bytes
) -> bytes:
    """Take on the leaves of new accesses, in the order of the log, and give the map's new root.

    *root*: what the map's was. Raises MapBroken.
    """
    new: defaultdict[UUID, list[bytes]] = defaultdict(list)
    for owner, leaf in accesses:
        new[owner].append(leaf)
    if not new:
        return root
    buckets = sorted({bucket_of(owner) for owner in new})
    pages = _pages(connection, part, {0, *(1 + (bucket >> PAGE_BITS) for bucket in buckets)})
    lists = _lists(connection, part, buckets)
    _check(pages, lists, buckets, root)
    changed: list[tuple[UUID, int, Frontier]] = []
    for owner, leaves in new.items():
        bucket = bucket_of(owner)
        size, stored = lists[bucket].get(owner, (0, b""))
        tree = Frontier(size, stored)
        tree.extend(leaves)
        lists[bucket][owner] = tree.size, tree.stored()
        changed.append((owner, bucket, tree))
    for bucket in buckets:
        pages[1 + (bucket >> PAGE_BITS)].slots[bucket % _SLOTS] = _subtree(lists[bucket])
    for number in pages.keys() - {0}:
        pages[0].slots[number - 1] = pages[number].top()
    _store(connection, part, pages, changed)
    return pages[0].top().hash


_Lists = Mapping[int, dict[UUID, tuple[int, bytes]]]


def _subtree(owners: Mapping[UUID, tuple[int, bytes]]) -> Subtree:
    return subtree_of(entries_of((owner, size, tree) for owner, (size, tree) in owners.items()), _BUCKET_BITS)


def _check(pages: Mapping[int, Page], lists: _Lists, buckets: Sequence[int], root: bytes) -> None:
    holds = pages[0].top().hash == root
    holds &= all(pages[0].slots[number - 1] == page.top() for number, page in pages.items() if number)
    holds &= all(
        pages[1 + (bucket >> PAGE_BITS)].slots[bucket % _SLOTS] == _subtree(lists[bucket])
        for bucket in buckets
    )
    if not holds:
        raise MapBroken("the map of accesses is not the one that was signed")


def _pages(connection: Connection[Any], part: int, numbers: Iterable[int]) -> dict[int, Page]:
    asked = sorted(numbers)
    rows = connection.execute(
        "SELECT page, slots FROM access_page WHERE part = %b AND page = ANY (%b::smallint[])",
        (part, asked),
        binary=True,
    ).fetchall()
    return {number: Page() for number in asked} | {number: Page.of(slots) for number, slots in rows}


def _lists(connection: Connection[Any], part: int, buckets: Sequence[int]) -> _Lists:
    lists: dict[int, dict[UUID, tuple[int, bytes]]] = {bucket: {} for bucket in buckets}
    rows = connection.execute(
        """SELECT bucket, patient_id, size, frontier FROM access_list
           WHERE part = %b AND bucket = ANY (%b::smallint[])""",
        (part, buckets),
        binary=True,
    )
    for bucket, owner, size, frontier in rows:
        lists[bucket][owner] = size, frontier
    return lists


def _store(
    connection: Connection[Any],
    part: int,
    pages: Mapping[int, Page],
    changed: Sequence[tuple[UUID, int, Frontier]],
) -> None:
    connection.execute(
        """INSERT INTO access_list AS l (part, patient_id, bucket, size, frontier)
           SELECT %b::smallint, * FROM unnest(%b::uuid[], %b::smallint[], %b::bigint[], %b::bytea[])
           ON CONFLICT (part, patient_id) DO UPDATE SET size = excluded.size, frontier = excluded.frontier""",
        (
            part,
            [owner for owner, _, _ in changed],
            [bucket for _, bucket, _ in changed],
            [tree.size for _, _, tree in changed],
            [tree.stored() for _, _, tree in changed],
        ),
    )
    connection.execute(
        """INSERT INTO access_page AS p (part, page, slots)
           SELECT %b::smallint, * FROM unnest(%b::smallint[], %b::bytea[])
           ON CONFLICT (part, page) DO UPDATE SET slots = excluded.slots""",
        (part, list(pages), [page.stored() for page in pages.values()]),
    )


@dataclass(frozen=True)
class Descent:
    """How far down the pages of a map lead to an owner: what stands beside the way, and what is there."""

    beside: list[Subtree]  # from the top down
    there: Subtree

    def buckets(self, owner: UUID) -> tuple[int, int]:
        """The first and the last bucket of what is there: all of its entries lie in them."""
        spread = _BUCKET_BITS - len(self.beside)
        first = bucket_of(owner) >> spread << spread
        return first, first + (1 << spread) - 1


def pages_to(owner: UUID) -> tuple[int, int]:
    """The numbers of the pages on her way."""
    return 0, 1 + (bucket_of(owner) >> PAGE_BITS)


def descend(owner: UUID, pages: Mapping[int, Page]) -> Descent:
    """Through *pages*, those of `pages_to`; it ends above the buckets where nothing or a single entry is left."""
    beside: list[Subtree] = []
    bucket = bucket_of(owner)
    there = pages[0].top()
    for number, place in zip(pages_to(owner), (bucket >> PAGE_BITS, bucket % _SLOTS), strict=True):
        levels = pages[number].levels()
        for level in range(PAGE_BITS - 1, -1, -1):
            if there.empty or there.entry:
                return Descent(beside, there)
            beside.append(levels[level][place >> level ^ 1])
            there = levels[level][place >> level]
    return Descent(beside, there)


def path_to(owner: UUID, descent: Descent, entries: Sequence[Entry]) -> MapPath:
    """*entries*: all of the buckets where the descent ended. Raises MapBroken."""
    key, found, beside = map_key(owner), list(entries), list(descent.beside)
    if subtree_of(found, len(beside)) != descent.there:
        raise MapBroken("the map of accesses is not the one that was signed")
    while len(found) > 1:
        depth = len(beside)
        halves = [[one for one in found if bit(one[0], depth) == side] for side in (0, 1)]
        side = bit(key, depth)
        beside.append(subtree_of(halves[1 - side], depth + 1))
        found = halves[side]
    other = found[0] if found and found[0][0] != key else None
    return MapPath(tuple([one.hash for one in reversed(beside)]), other)
