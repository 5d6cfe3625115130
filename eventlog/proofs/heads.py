"""A head: what the whole log was at one moment. The heads are the leaves of the tree that a checkpoint signs.

Under a head lie two trees, each with a leaf for every part: what was recorded (`events`), and who looked at whom
(`accesses`). A proof of the second tells nothing of the first but its root, which nobody can guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tsuzuri.eventlog.proofs.merkle import HASH_BYTES, ProofFails, leaf_hash, root_of
from tsuzuri.eventlog.proofs.notes import encoded


@dataclass(frozen=True)
class PartHead:
    """What one part was: its tree of events, and its map of accesses."""

    part: int
    size: int  # events
    root: bytes  # of the tree over their hashes
    accesses: bytes  # root of the map

    def events_leaf(self) -> bytes:
        return leaf_hash(self.part.to_bytes(2, "big") + self.size.to_bytes(8, "big") + self.root)

    def accesses_leaf(self, parts: int) -> bytes:
        return accesses_leaf(self.part, parts, self.accesses)


def accesses_leaf(part: int, parts: int, root: bytes) -> bytes:
    """Of a part's map of accesses. *parts*: how many the log has; who claims another number, and with it another
    part for an owner, finds no path."""
    return leaf_hash(part.to_bytes(2, "big") + parts.to_bytes(2, "big") + root)


@dataclass(frozen=True)
class Head:
    """Every event that was recorded before the moment is under it."""

    at: datetime  # aware, UTC
    events: bytes
    accesses: bytes

    @classmethod
    def over(cls, at: datetime, parts: Sequence[PartHead]) -> "Head":
        """*parts*: all of them, by number."""
        if [one.part for one in parts] != list(range(len(parts))):
            raise ProofFails("a head is over all parts, in their order")
        events = root_of([one.events_leaf() for one in parts])
        return cls(at, events, root_of([one.accesses_leaf(len(parts)) for one in parts]))

    def moment(self) -> str:
        return moment_text(self.at)

    def leaf(self) -> bytes:
        """Its hash among the heads."""
        if len(self.events) != HASH_BYTES or len(self.accesses) != HASH_BYTES:
            raise ProofFails("a root has 32 bytes")
        lines = ("tsuzuri head", self.moment(), encoded(self.events), encoded(self.accesses), "")
        return leaf_hash("\n".join(lines).encode())


def moment_text(at: datetime) -> str:
    """With microseconds, in UTC: 2026-11-23T03:04:05.678901Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
