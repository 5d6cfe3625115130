"""A witness: on another machine, with a key and a memory of its own, it countersigns checkpoints that go on.

It keeps, outside of the database, how far each tree had come when it last signed. Whoever rolls the log back, or shows
it two, gets no further signature from it. What it cannot see is who looked at whom: that the map of accesses follows
from the events is found by whoever checks the whole log.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tsuzuri.eventlog.proofs.fields import Fields
from tsuzuri.eventlog.proofs.heads import PartHead
from tsuzuri.eventlog.proofs.merkle import Frontier, ProofFails, root_of
from tsuzuri.eventlog.proofs.notes import Checkpoint, Note, PublicKey, SigningKey, checked, encoded
from tsuzuri.eventlog.published import Published, write_whole


class WitnessRefuses(Exception):
    """What is published does not go on from what this witness signed. It signs nothing, and a person must look."""


class NothingKept(Exception):
    """The witness has no memory of this log: whether it ever signed anything of it cannot be known."""


@dataclass
class Kept:
    """What a witness remembers of a log: the newest checkpoint that it signed, and how far each tree had come."""

    checkpoint: Checkpoint
    heads: Frontier = field(default_factory=Frontier)
    parts: dict[int, Frontier] = field(default_factory=dict)

    def text(self) -> str:
        parts = {str(part): _stored(tree) for part, tree in sorted(self.parts.items())}
        kept = {"checkpoint": self.checkpoint.text(), "heads": _stored(self.heads), "parts": parts}
        return json.dumps(kept) + "\n"

    @classmethod
    def of(cls, text: str) -> "Kept":
        """Raises ProofFails."""
        try:
            read = json.loads(text)
            parts = {int(part): _tree(Fields(tree)) for part, tree in read["parts"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ProofFails("this is not what a witness keeps") from None
        kept = cls(Checkpoint.of(Fields(read).text("checkpoint")), _tree(Fields(read).part("heads")), parts)
        if (kept.heads.size, kept.heads.root()) != (kept.checkpoint.size, kept.checkpoint.root):
            raise ProofFails("the checkpoint that was kept is not that of the heads that were kept")
        return kept


@dataclass(frozen=True)
class Looked:
    """A checkpoint that was found to go on, and the signature for it."""

    before: int  # heads under the one that was signed before; 0: this was the first
    checkpoint: Checkpoint
    events: int  # under it, in all parts
    note: str = field(repr=False)  # the log's signature, and this witness'


class Witness:
    """Of one log. Its memory is a file of its own, named by the log's key."""

    def __init__(self, state: Path, key: SigningKey, log: PublicKey) -> None:
        self._state = state / f"{log.id.hex()}.json"
        self._key = key
        self._log = log

    def look(self, published: Published, at_seconds: int, *, first: bool = False) -> Looked:
        """Check what is published and countersign it. *at_seconds*: Unix time. *first*: nothing was signed before.

        What is signed is kept, on disk, before the signature exists. So of one size it signs one root, and none of a
        smaller size after a larger one, however often it is ended in between.

        Raises:
            WitnessRefuses: it does not go on from what was signed before.
            ProofFails: what is published is not whole, or not signed.
            NothingKept: nothing is kept, and *first* was not said.
        """
        with self._alone():
            before = self._kept(first)
            note = published.note()
            if note is None:
                raise ProofFails(f"{published.folder} holds no checkpoint")
            checkpoint = checked(note, self._log)
            size = 0 if before is None else before.checkpoint.size
            after = _gone_on(before, checkpoint, published)
            write_whole(self._state, after.text())
        body = Note.of(note).body
        events = sum(tree.size for tree in after.parts.values())
        return Looked(size, checkpoint, events, note + self._key.signature(body, at_seconds))

    def _kept(self, first: bool) -> Kept | None:
        try:
            text = self._state.read_text("utf-8")
        except FileNotFoundError:
            if first:
                return None
            raise NothingKept(
                f"{self._state} is not there: put it back. If this witness never signed for {self._log.name}, say so "
                "(--first); if its memory is lost, give it a new key under a new name"
            ) from None
        try:
            return Kept.of(text)
        except ProofFails as fault:
            raise ProofFails(f"{self._state}: {fault}: put it back from its copy") from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Of two that look at once, the second sees what the first has kept."""
        self._state.parent.mkdir(parents=True, exist_ok=True)
        with open(self._state.with_suffix(".lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _gone_on(before: Kept | None, checkpoint: Checkpoint, published: Published) -> Kept:
    """What to keep, when *checkpoint* goes on from what was kept."""
    if before is None:
        return _followed(Kept(checkpoint), checkpoint, published)
    was = before.checkpoint
    if checkpoint.size < was.size:
        raise WitnessRefuses(
            f"rolled back: checkpoint {checkpoint.size} is published, and {was.size} was countersigned before"
        )
    if checkpoint.size == was.size:
        if checkpoint.root != was.root:
            raise WitnessRefuses(f"forked: checkpoint {was.size} was countersigned with another root")
        return before
    try:
        return _followed(before, checkpoint, published)
    except ProofFails as fault:
        raise WitnessRefuses(
            f"checkpoint {checkpoint.size} does not go on from {was.size}, which was countersigned: {fault}"
        ) from None


def _followed(kept: Kept, checkpoint: Checkpoint, published: Published) -> Kept:
    """Each head, one after the other, is that of the leaves that are published for it. Raises ProofFails."""
    for line in published.lines(checkpoint.size, after=kept.heads.size):
        for part, size in line.sizes.items():
            tree = kept.parts.setdefault(part, Frontier())
            if size < tree.size:
                raise ProofFails(f"part {part} has {size} events at head {line.number}, and had {tree.size}")
            for leaf in published.leaves(part, tree.size + 1, size):
                tree.extend([leaf])
        stood = [PartHead(part, tree.size, tree.root(), b"") for part, tree in sorted(kept.parts.items())]
        if root_of([one.events_leaf() for one in stood]) != line.head.events:
            raise ProofFails(f"the published leaves are not those of head {line.number}: forked or changed")
        kept.heads.extend([line.head.leaf()])
    if kept.heads.root() != checkpoint.root:
        raise ProofFails(f"the published heads are not those under checkpoint {checkpoint.size}: forked")
    return Kept(checkpoint, kept.heads, kept.parts)


def _stored(tree: Frontier) -> dict[str, object]:
    return {"size": tree.size, "frontier": encoded(tree.stored())}


def _tree(stored: Fields) -> Frontier:
    return Frontier(stored.number("size"), stored.binary("frontier"))
