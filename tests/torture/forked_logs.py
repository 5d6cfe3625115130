"""Logs rolled back or forked: a witness that signed the one must not sign for the other, and goes on with the one.

Two databases are copied from a third and go on differently, under one key, as whoever runs the log could do. The
control's witness keeps no state.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from checkpoint_examples import KEY, maker_at, some_accesses, some_events
from log_examples import copied_database, make_log
from torture.harness import Outcome, Torture
from tsuzuri.app.embedded_postgres import EmbeddedPostgres
from tsuzuri.eventlog.proofs.heads import Head, PartHead
from tsuzuri.eventlog.proofs.merkle import EMPTY_ROOT, Frontier, ProofFails, root_of
from tsuzuri.eventlog.proofs.notes import Checkpoint, SigningKey, signed
from tsuzuri.eventlog.published import HeadLine, Published
from tsuzuri.eventlog.witness import Witness, WitnessRefuses

CASES = 100
WITNESS = SigningKey("witness.example/one", 4, b"\x09" * 32)


@dataclass
class Log:
    """A database, and what it published."""

    dsn: str
    folder: Path

    @property
    def published(self) -> Published:
        return Published(self.folder)

    def go_on(self, random: Random, heads: int) -> None:
        for _ in range(heads):
            some_events(self.dsn, random.randint(1, 6))
            some_accesses(self.dsn, random.randint(0, 3))
            made = maker_at(self.dsn, self.folder).make()
            assert made is not None and made.whole

    def size(self) -> int:
        newest = self.published.checkpoint(KEY.public)
        assert newest is not None
        return newest.size


def rolled_back(first: Log, second: Log, random: Random) -> None:
    """It shows again what it was."""


def shorter(first: Log, second: Log, random: Random) -> None:
    second.go_on(random, 1)


def as_long(first: Log, second: Log, random: Random) -> None:
    second.go_on(random, first.size() - second.size())


def longer(first: Log, second: Log, random: Random) -> None:
    second.go_on(random, first.size() - second.size() + random.randint(1, 3))


def grafted(first: Log, second: Log, random: Random) -> None:
    """Its heads go on from the first log's, and its events do not: whoever has the key can sign that."""
    second.go_on(random, 3)
    standing = second.published.check(_newest(second))
    heads = first.published.standing(_newest(first)).heads
    shutil.copy(first.folder / "heads.ndjson", second.folder / "heads.ndjson")
    _sign(second, standing.sizes, heads)


def rewritten(first: Log, second: Log, random: Random) -> None:
    """The first log with one old leaf changed, and everything above it signed anew."""
    shutil.rmtree(second.folder)
    shutil.copytree(first.folder, second.folder)
    standing = first.published.standing(_newest(first))
    part = random.choice([part for part, size in standing.sizes.items() if size])
    with open(second.folder / "leaves" / f"{part:04}", "r+b") as file:
        file.write(random.randbytes(32))
    _sign(second, standing.sizes, standing.heads)


KINDS = (rolled_back, shorter, as_long, longer, grafted, rewritten)


def _newest(log: Log) -> Checkpoint:
    newest = log.published.checkpoint(KEY.public)
    assert newest is not None
    return newest


def _sign(log: Log, sizes: Mapping[int, int], heads: Frontier) -> None:
    """One more head over the leaves that lie in the folder."""
    parts = [
        PartHead(part, size, root_of([*log.published.leaves(part, 1, size)]), b"")
        for part, size in sorted(sizes.items())
    ]
    line = next(iter(log.published.lines(1)))
    head = Head(line.head.at, root_of([one.events_leaf() for one in parts]), EMPTY_ROOT)
    heads.extend([head.leaf()])
    note = signed(Checkpoint(KEY.public.name, heads.size, heads.root()), KEY)
    log.published.add_head(HeadLine(heads.size, head, sizes), note)


@contextmanager
def _two(server: str, template: str, before: Path, folder: Path) -> Iterator[tuple[Log, Log]]:
    with (
        copied_database(server, template, "first") as first,
        copied_database(server, template, "second") as second,
    ):
        for name in ("first", "second"):
            shutil.copytree(before, folder / name)
        yield Log(first, folder / "first"), Log(second, folder / "second")


def _one(first: Log, second: Log, state: Path, forget: bool, kind: str, random: Random) -> Iterator[str]:
    """What was done wrong by a witness that signed for the first log and is shown the second."""

    def look(log: Log, at: int, *, new: bool = False) -> bool:
        kept = Path(tempfile.mkdtemp(dir=state)) if forget else state / "kept"
        try:
            Witness(kept, WITNESS, KEY.public).look(log.published, at, first=new or forget)
        except (WitnessRefuses, ProofFails):
            return False
        return True

    if not look(first, 1, new=True):
        yield f"{kind}: the first log was not signed"
    if look(second, 2):
        yield f"{kind}: both logs were signed"
    first.go_on(random, 1)
    if not look(first, 3):
        yield f"{kind}: the first log was not signed any more, though it goes on"


def _run(folder: Path, cases: int, *, forget: bool) -> Outcome:
    seed = int.from_bytes(os.urandom(4))
    random = Random(seed)
    faults: list[str] = []
    with EmbeddedPostgres(folder / "postgres") as server:
        _begin(server.dsn, folder / "before", random)
        for number in range(cases):
            kind = KINDS[number % len(KINDS)]
            own = folder / str(number)
            own.mkdir()
            with _two(server.dsn, "origin", folder / "before", own) as (first, second):
                first.go_on(random, random.randint(3, 5))
                kind(first, second, random)
                faults += _one(first, second, own, forget, kind.__name__, random)
    return Outcome(f"{cases} rollbacks and forks of {len(KINDS)} kinds (seed {seed})", faults)


def _begin(server: str, published: Path, random: Random) -> None:
    with Connection.connect(server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier("origin")))
    dsn = make_conninfo(server, dbname="origin")
    make_log(dsn)
    Log(dsn, published).go_on(random, 3)


def run(folder: Path, share: float) -> Outcome:
    return _run(folder, max(len(KINDS), round(CASES * share)), forget=False)


def forgetting(folder: Path, _: float) -> Outcome:
    """Of the first two kinds: what is rolled back is believed by who does not remember."""
    return _run(folder, 2, forget=True)


TORTURE = Torture("forked logs", run, {"a witness that keeps no state": forgetting})
