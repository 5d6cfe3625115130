"""What the checkpoint maker puts outside of the database, where no administrator of it can change it unseen.

    checkpoint           the newest signed note, replaced whole
    heads.ndjson         a line for each head: its number, moment, roots, and the sizes of the parts that had grown
    leaves/0003          of part 3, the hashes of its events, 32 bytes each
    cosignatures/        notes that witnesses countersigned; their signatures are taken over into the database
    erasures.ndjson      the keys that were destroyed: see erasure_list.py

All of it may be read by everybody who audits; copied elsewhere, it still holds. A line or a leaf that nothing signed
yet is from a maker that was cut off, and is taken away by the next.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO

from tsuzuri.eventlog.proofs.heads import Head, PartHead
from tsuzuri.eventlog.proofs.merkle import HASH_BYTES, Frontier, ProofFails, root_of
from tsuzuri.eventlog.proofs.notes import Checkpoint, PublicKey, checked, decoded, encoded
from tsuzuri.eventlog.proofs.whole_log import PublishedHead


@dataclass(frozen=True)
class HeadLine:
    """One line of heads.ndjson."""

    number: int
    head: Head
    sizes: Mapping[int, int]  # of the parts that had grown since the line before; of all, in the first

    def text(self) -> str:
        return (
            json.dumps(
                {
                    "number": self.number,
                    "at": self.head.moment(),
                    "events": encoded(self.head.events),
                    "accesses": encoded(self.head.accesses),
                    "sizes": {str(part): size for part, size in sorted(self.sizes.items())},
                }
            )
            + "\n"
        )

    @classmethod
    def of(cls, line: str) -> "HeadLine":
        """Raises ProofFails."""
        try:
            read = json.loads(line)
            head = Head(
                datetime.fromisoformat(read["at"]), decoded(read["events"]), decoded(read["accesses"])
            )
            return cls(read["number"], head, {int(part): size for part, size in read["sizes"].items()})
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ProofFails("a line of heads.ndjson is not one") from None


@dataclass(frozen=True)
class Standing:
    """How far something published has come."""

    heads: Frontier = field(default_factory=Frontier)
    sizes: Mapping[int, int] = field(default_factory=dict)
    newest: Head | None = None


class Published:
    """The folder. One maker writes at a time; whoever reads sees whole heads only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._heads = folder / "heads.ndjson"

    def note(self) -> str | None:
        """The newest signed note; None: nothing was published here."""
        try:
            return (self.folder / "checkpoint").read_text("utf-8")
        except FileNotFoundError:
            return None

    def checkpoint(self, key: PublicKey) -> Checkpoint | None:
        """Raises ProofFails."""
        note = self.note()
        return None if note is None else checked(note, key)

    def lines(self, count: int, *, after: int = 0) -> Iterator[HeadLine]:
        """Up to head *count*, from behind head *after*. Raises ProofFails: some are missing, or one is not the next."""
        number = after
        with _opened(self._heads) as file:
            for _ in range(after):
                file.readline()
            while number < count:
                line = HeadLine.of(file.readline().decode("utf-8", "replace"))
                number += 1
                if line.number != number:
                    raise ProofFails(f"heads.ndjson has head {line.number} in the place of {number}")
                yield line

    def standing(self, checkpoint: Checkpoint) -> Standing:
        """What all heads under *checkpoint* add up to. Raises ProofFails: they are not those that it signs."""
        standing = self._standing(checkpoint.size)
        if standing.heads.root() != checkpoint.root:
            raise ProofFails(f"the heads in {self._heads} are not those that were signed")
        return standing

    def _standing(self, number: int) -> Standing:
        heads, sizes, newest = Frontier(), dict[int, int](), None
        for line in self.lines(number):
            heads.extend([line.head.leaf()])
            sizes.update(line.sizes)
            newest = line.head
        return Standing(heads, sizes, newest)

    def head(self, number: int) -> PublishedHead:
        """What was published of a head, held against its own roots. Raises ProofFails.

        Whether its tree of heads is the one that was signed says `root`, which the reader holds against a checkpoint.
        """
        standing = self._standing(number)
        if standing.newest is None:
            raise ProofFails(f"{self.folder} holds no head {number}")
        parts = []
        for part, size in sorted(standing.sizes.items()):
            tree = Frontier()
            tree.extend(self.leaves(part, 1, size))
            parts.append(PartHead(part, size, tree.root(), b""))
        if root_of([one.events_leaf() for one in parts]) != standing.newest.events:
            raise ProofFails(f"the leaves in {self.folder} are not those of its head {number}")
        return PublishedHead(
            root=standing.heads.root(), head=standing.newest, parts=parts, leaves=self.leaves
        )

    def check(self, checkpoint: Checkpoint) -> Standing:
        """All that was published under *checkpoint*, held against its signature. Raises ProofFails."""
        standing = self.standing(checkpoint)
        if checkpoint.size:
            self.head(checkpoint.size)
        return standing

    def leaves(self, part: int, first: int, last: int) -> Iterator[bytes]:
        """Of a part, the hashes from position *first* to *last*, both with it. Raises ProofFails: some are missing."""
        path = self._leaves(part)
        if first > last:
            return
        with _opened(path) as file:
            file.seek((first - 1) * HASH_BYTES)
            for _ in range(first, last + 1):
                leaf = file.read(HASH_BYTES)
                if len(leaf) != HASH_BYTES:
                    raise ProofFails(f"{path} ends too early")
                yield leaf

    def add_leaves(self, part: int, size: int, leaves: bytes) -> None:
        """Behind the first *size*, which were signed; on disk when this returns."""
        path = self._leaves(part)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "r+b" if path.exists() else "w+b") as file:
            file.truncate(size * HASH_BYTES)
            file.seek(0, os.SEEK_END)
            if file.tell() != size * HASH_BYTES:
                raise ProofFails(f"{path} ends too early: put it back from its copy")
            file.write(leaves)
            to_disk(file)

    def add_head(self, line: HeadLine, note: str) -> None:
        """The line first, then the note that signs it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self._heads, "a+", encoding="utf-8") as file:
            if line.number == 1:
                file.truncate(0)
            else:
                self._cut_behind(line.number - 1)
            file.write(line.text())
            to_disk(file)
        write_whole(self.folder / "checkpoint", note)

    def _cut_behind(self, number: int) -> None:
        """Take away a line that nothing signed. Only the last can be one."""
        with open(self._heads, "r+b") as file:
            end = file.seek(0, os.SEEK_END)
            start = max(0, end - _LINE_BYTES_MAX)
            file.seek(start)
            tail = file.read()
            while tail:
                last = tail[:-1].rfind(b"\n") + 1
                if tail.endswith(b"\n") and _number(tail[last:]) <= number:
                    break
                tail = tail[:last]
            file.truncate(start + len(tail))

    def _leaves(self, part: int) -> Path:
        return self.folder / "leaves" / f"{part:04}"


_LINE_BYTES_MAX = 1 << 18


def _number(line: bytes) -> int:
    return HeadLine.of(line.decode("utf-8", "replace")).number


def _opened(path: Path) -> BinaryIO:
    """Raises ProofFails: it is not there."""
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise ProofFails(f"{path} is missing") from None


def write_whole(path: Path, text: str) -> None:
    """In the place of what was there, whole or not at all; on disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    with open(draft, "w", encoding="utf-8") as file:
        file.write(text)
        to_disk(file)
    draft.replace(path)
    opened = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def to_disk(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())
