"""The trees over the parts' events: taken on by what was appended, and read for proofs.

A subtree of 256, 65,536, … leaves is kept; what lies below is made again from the leaves when somebody asks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from psycopg import Connection

from tsuzuri.eventlog.proofs.merkle import HASH_BYTES, Frontier, Range, folded, node_hash, subtrees

HEADS = -1
"""In the place of a part: the tree of heads."""
_KEPT_LEVELS = 8
_BLOCK = 1 << _KEPT_LEVELS


class TreeGrowth:
    """Leaves taken on by one tree, to be stored in one go."""

    def __init__(self, part: int, tree: Frontier) -> None:
        self.part = part
        self.tree = tree
        self.nodes: list[tuple[int, int, int, bytes]] = []

    def take(self, leaves: Iterable[bytes]) -> None:
        for leaf in leaves:
            for level, place, node in self.tree.append(leaf):
                if level % _KEPT_LEVELS == 0:
                    self.nodes.append((self.part, level, place, node))


def trees(connection: Connection[Any]) -> dict[int, Frontier]:
    """All that were begun. Raises ProofFails: one is not what such a tree is."""
    rows = connection.execute("SELECT part, size, frontier FROM tree", binary=True).fetchall()
    return {part: Frontier(size, frontier) for part, size, frontier in rows}


def store(connection: Connection[Any], grown: Sequence[TreeGrowth]) -> None:
    nodes = [node for one in grown for node in one.nodes]
    connection.execute(
        """INSERT INTO tree_node (part, level, place, hash)
           SELECT * FROM unnest(%b::smallint[], %b::smallint[], %b::bigint[], %b::bytea[])""",
        [[node[column] for node in nodes] for column in range(4)],
    )
    connection.execute(
        """INSERT INTO tree AS t (part, size, frontier) SELECT * FROM unnest(%b::smallint[], %b::bigint[], %b::bytea[])
           ON CONFLICT (part) DO UPDATE SET size = excluded.size, frontier = excluded.frontier""",
        ([one.part for one in grown], [one.tree.size for one in grown], [one.tree.stored() for one in grown]),
    )


Block = tuple[int, int]
"""Level of what is kept (0: leaves), and which 256 of that level, from 0."""


def blocks_of(ranges: Iterable[Range]) -> set[Block]:
    """What has to be read to make the roots over these ranges."""
    return {_block(level, place) for one in ranges for level, place in subtrees(one)}


def roots_over(ranges: Sequence[Range], blocks: Mapping[Block, bytes]) -> list[bytes]:
    """*blocks*: what `blocks_of` named, each as its hashes in a row. Raises LookupError: one lacks some."""
    made = _Made(blocks)
    return [folded([made.node(level, place) for level, place in subtrees(one)]) for one in ranges]


def _block(level: int, place: int) -> Block:
    kept = level // _KEPT_LEVELS * _KEPT_LEVELS
    return kept, (place << (level - kept)) // _BLOCK


class _Made:
    def __init__(self, blocks: Mapping[Block, bytes]) -> None:
        self._blocks = blocks

    def node(self, level: int, place: int) -> bytes:
        kept, number = _block(level, place)
        width = 1 << (level - kept)
        first = (place * width) % _BLOCK
        block = self._blocks.get((kept, number), b"")
        hashes = [block[at * HASH_BYTES : (at + 1) * HASH_BYTES] for at in range(first, first + width)]
        if len(hashes[-1]) != HASH_BYTES:
            raise LookupError(f"level {kept}, block {number}")
        return _halved(hashes, node_hash)


def _halved(hashes: list[bytes], join: Callable[[bytes, bytes], bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [join(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


OF_EVENTS = """SELECT string_agg(hash, ''::bytea ORDER BY pos) FROM event
    WHERE part = %b AND pos > %b * 256 AND pos <= %b * 256 + 256"""
OF_HEADS = """SELECT string_agg(hash, ''::bytea ORDER BY number) FROM head_leaf
    WHERE number > %b * 256 AND number <= %b * 256 + 256"""
OF_NODES = """SELECT string_agg(hash, ''::bytea ORDER BY place) FROM tree_node
    WHERE part = %b AND level = %b AND place >= %b * 256 AND place < %b * 256 + 256"""
