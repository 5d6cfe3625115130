"""Checks a whole log, line by line: bounded memory, however long it is. The format: docs/PROOFS.md.

Every event is hashed again, every part's tree and map made again, and both held against the signed head. The first
thing that does not hold is named, as closely as what is at hand allows: a row that does not fit its own hash, or with
the published leaves beside it any row, by its place.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from tsuzuri.eventlog.proofs.access_map import map_key, map_value, subtree_of
from tsuzuri.eventlog.proofs.bundles import (
    FORMAT,
    Covered,
    countersigned,
    covered,
    part_heads,
    parts_of,
    stored_event,
)
from tsuzuri.eventlog.proofs.fields import Fields
from tsuzuri.eventlog.proofs.heads import Head, PartHead, accesses_leaf
from tsuzuri.eventlog.proofs.merkle import Frontier, ProofFails, root_of
from tsuzuri.eventlog.proofs.notes import Checkpoint, PublicKey, checked, decoded
from tsuzuri.eventlog.proofs.stored import ACCESS_TOPIC, StoredEvent

COLUMNS = (
    *("part", "pos", "eventId", "owner", "stream", "version", "recordedAt", "topic", "keyId", "state"),
    "hash",
)


@dataclass(frozen=True, kw_only=True)
class PublishedHead:
    """What was published of one head, checked already: with it, any event that was changed is named by its place."""

    root: bytes  # of the tree of heads up to it
    head: Head
    parts: Sequence[PartHead]
    leaves: Callable[[int, int, int], Iterator[bytes]]
    """Hashes of a part, from one position to another, both with it."""


@dataclass(frozen=True, kw_only=True)
class LogProven:
    """Every event under the head is as it was when it was signed, and none is missing."""

    covered: Covered
    events: int
    not_covered_yet: int  # events behind the head: the next checkpoint covers them


def verify_log(
    lines: Iterable[str],
    key: PublicKey,
    witnesses: Sequence[PublicKey] = (),
    *,
    published: Callable[[int], PublishedHead] | None = None,
    kept: Checkpoint | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> LogProven:
    """*published*: of a head, by number. *kept*: a checkpoint the reader had before; the log must be under that one.

    Raises ProofFails: names the first bad place.
    """
    each = iter(lines)
    given = Fields(_line(next(each, "")))
    if given.text("tsuzuri") != FORMAT or given.text("proves") != "log":
        raise ProofFails(f"this is no log in the format {FORMAT}")
    ends = _ends(given, key, witnesses, published)
    if kept is not None and (ends.checkpoint.size, ends.checkpoint.root) != (kept.size, kept.root):
        raise ProofFails(
            f"this log is under checkpoint {ends.checkpoint.size}, and not under the one that was kept ({kept.size}): "
            "ask for the log under that one"
        )
    if published is None:
        stood, leaves = part_heads(given, "partHeads", ends.head), None
    else:
        outside = published(ends.checkpoint.size)
        stood, leaves = list(outside.parts), outside.leaves
    parts = parts_of(given)
    if len(stood) != parts:
        raise ProofFails("there is a head for each part")
    check = _Check(stood, leaves, progress)
    for line in each:
        check.take(_line(line))
    maps = check.finished()
    if root_of([accesses_leaf(part, len(stood), one) for part, one in enumerate(maps)]) != ends.head.accesses:
        raise ProofFails("the events are those that were signed, but the map of accesses over them is not")
    return LogProven(covered=ends, events=check.events, not_covered_yet=check.behind)


def _ends(
    given: Fields,
    key: PublicKey,
    witnesses: Sequence[PublicKey],
    published: Callable[[int], PublishedHead] | None,
) -> Covered:
    """Of the file, nothing but its checkpoint is asked where the rest was published."""
    if published is None:
        return covered(given, key, witnesses)
    checkpoint = checked(given.text("checkpoint"), key)
    outside = published(checkpoint.size)
    if outside.root != checkpoint.root:
        raise ProofFails(
            f"checkpoint {checkpoint.size} is not the one that was published: there are two logs"
        )
    return Covered(
        checkpoint=checkpoint, head=outside.head, witnesses=countersigned(given.text("checkpoint"), witnesses)
    )


def _line(text: str) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        raise ProofFails("a line of the log is not JSON: it was cut off, or is not one") from None
    return value


_Leaves = Callable[[int, int, int], Iterator[bytes]]


class _Check:
    """One part after the other."""

    def __init__(
        self, stood: Sequence[PartHead], leaves: _Leaves | None, progress: Callable[[int, int], None]
    ) -> None:
        self._stood = stood
        self._leaves = leaves
        self._progress = progress
        self._maps: list[bytes] = []  # of the parts that are done
        self._done = 0
        self.events = sum(one.size for one in stood)
        self.behind = 0
        self._begin()

    def _begin(self) -> None:
        """The next part."""
        part = len(self._maps)
        self._tree = Frontier()
        self._lists: dict[UUID, Frontier] = {}
        self._published: Iterator[bytes] | None = None
        if self._leaves is not None and part < len(self._stood):
            self._published = self._leaves(part, 1, self._stood[part].size)

    def take(self, line: object) -> None:
        if not isinstance(line, list) or len(line) != len(COLUMNS):
            raise ProofFails("a line of the log is not an event")
        event = stored_event(Fields(dict(zip(COLUMNS, line, strict=True)), "an event"))
        if not len(self._maps) <= event.part < len(self._stood):
            raise ProofFails(f"part {event.part} comes out of its order")
        while event.part > len(self._maps):
            self._end()
        expected = self._tree.size + 1
        if self._tree.size == self._stood[event.part].size:
            self.behind += 1
            return
        where = f"part {event.part}, position {expected}"
        if event.pos != expected:
            raise ProofFails(f"{where}: the event is missing")
        self._tree.extend([self._leaf_of(event, decoded(str(line[-1])), where)])
        if event.topic == ACCESS_TOPIC:
            self._lists.setdefault(event.owner, Frontier()).extend([event.listed().hash()])
        self._done += 1
        if self._done % 1_000 == 0:
            self._progress(self._done, self.events)

    def _leaf_of(self, event: StoredEvent, beside: bytes, where: str) -> bytes:
        leaf = event.hash()
        if leaf != beside:
            raise ProofFails(f"{where}: the event was changed; it does not fit the hash beside it")
        if self._published is not None and next(self._published, None) != leaf:
            raise ProofFails(f"{where}: the event is not the one whose hash was published")
        return leaf

    def _end(self) -> None:
        """Of a part."""
        part = len(self._maps)
        size = self._stood[part].size
        if self._tree.size < size:
            raise ProofFails(
                f"part {part}, position {self._tree.size + 1}: the event is missing; the checkpoint covers {size}"
            )
        if self._tree.root() != self._stood[part].root:
            raise ProofFails(
                f"part {part}: its {size} events are not those that were signed, though each fits its own hash; "
                "with what was published beside it, the first of them is named"
            )
        entries = [(map_key(owner), map_value(tree.size, tree.root())) for owner, tree in self._lists.items()]
        self._maps.append(subtree_of(entries).hash)
        self._begin()

    def finished(self) -> list[bytes]:
        """The roots of all parts' maps."""
        while len(self._maps) < len(self._stood):
            self._end()
        self._progress(self.events, self.events)
        return self._maps
