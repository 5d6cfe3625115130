"""The checkpoint maker: takes the trees on by what was appended, signs what they add up to, and publishes it.

Before it signs anything new it holds what lies in the database against what was published: who changed a row, put back
an older database, or let two logs come of one, gets no further signature.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from tsuzuri.eventlog import access_lists, part_trees
from tsuzuri.eventlog.connecting import Logins, LogRole
from tsuzuri.eventlog.cosignatures import take_over
from tsuzuri.eventlog.erasure_list import ErasureList, list_destroyed
from tsuzuri.eventlog.part_trees import HEADS, TreeGrowth
from tsuzuri.eventlog.proofs.access_map import EMPTY
from tsuzuri.eventlog.proofs.heads import Head, PartHead
from tsuzuri.eventlog.proofs.merkle import EMPTY_ROOT, Frontier, ProofFails
from tsuzuri.eventlog.proofs.notes import Checkpoint, PublicKey, SigningKey, checked, signed
from tsuzuri.eventlog.proofs.stored import ACCESS_TOPIC
from tsuzuri.eventlog.published import HeadLine, Published

EVENTS_MAX = 50_000
"""Of one head: a maker that begins late signs several, one after the other."""
_LOCK = 7411_2027  # any number, the same in every process


class LogNotAsPublished(Exception):
    """The database does not hold what was published of it. Nothing is signed until somebody has looked."""


@dataclass(frozen=True)
class Made:
    """One more head."""

    number: int
    events: int  # that it took on
    whole: bool  # whether it covers all that had been appended when it was begun
    note: str = field(repr=False)


class CheckpointMaker:
    """One of all processes makes; the others wait to take over."""

    def __init__(
        self, logins: Logins, key: SigningKey, published: Published, witnesses: Sequence[PublicKey] = ()
    ) -> None:
        """*witnesses*: whose countersignatures are taken over."""
        self._logins = logins
        self._key = key
        self._published = published
        self._witnesses = witnesses
        self._erasures = ErasureList(published.folder)

    def make(self, *, events_max: int = EVENTS_MAX) -> Made | None:
        """Sign one head. None: another process is at it.

        Raises:
            LogNotAsPublished.
            psycopg.Error: try again.
        """
        with self._alone() as connection:
            if connection is None:
                return None
            list_destroyed(connection, self._erasures, self._key)
            made = self._make(connection, events_max)
            take_over(connection, self._published.folder, self._witnesses)
            return made

    def follow(self) -> int:
        """Make the heads again that were published after those of this database, which is an older copy; how many.

        Each must follow from the events that lie here as it followed then: the same number, moment and roots. Nothing
        is signed that was not signed before.

        Raises LogNotAsPublished: an event is missing or another, or the heads here are not the published ones.
        """
        with self._alone() as connection:
            if connection is None:
                raise LogNotAsPublished("another process makes checkpoints just now: stop it")
            published = self._published.checkpoint(self._key.public)
            if published is None:
                return 0
            self._published.check(published)
            before, heads = _Before.read(connection), Frontier()
            stood = before.trees.get(HEADS, Frontier())
            size, root = stood.size, stood.root()
            for line in self._published.lines(published.size):
                heads.extend([line.head.leaf()])
                if line.number == size and heads.root() != root:
                    raise ProofFails("the heads in the database are not those that were published")
                if line.number > size:
                    before = self._repeat(connection, before, line)
            return max(0, published.size - size)

    @contextmanager
    def _alone(self) -> Iterator[Connection[Any] | None]:
        with self._logins.connect(LogRole.CHECKPOINTER) as connection, _alone(connection) as alone:
            connection.execute("SET lock_timeout = '5s'")  # who appends must not wait for one who waits
            try:
                yield connection if alone else None
            except (ProofFails, access_lists.MapBroken) as fault:
                raise LogNotAsPublished(str(fault)) from None

    def _repeat(self, connection: Connection[Any], before: "_Before", line: HeadLine) -> "_Before":
        with connection.transaction():
            taken = _take_up_to(connection, before, line.sizes)
            if Head.over(line.head.at, [*taken.parts.values()]) != line.head:
                raise ProofFails(f"head {line.number} does not follow from the events in the database")
            _, _, heads, _ = self._signed(connection, before, taken, line.head)
        grown = {one.part: one.tree for one in (*taken.grown, heads)}
        return _Before({**before.trees, **grown}, taken.parts)

    def _make(self, connection: Connection[Any], events_max: int) -> Made:
        before = _Before.read(connection)
        self._hold_against(connection, before)
        moment = _moment(connection)
        with connection.transaction():
            taken = _take_on(connection, before, events_max)
            at = min([moment, *taken.left_since])
            head = Head.over(at, [*taken.parts.values()])
            number, note, _, changed = self._signed(connection, before, taken, head)
            for one in taken.grown:
                self._published.add_leaves(
                    one.part, before.parts[one.part].size, b"".join(taken.leaves[one.part])
                )
        self._published.add_head(HeadLine(number, head, {one.part: one.size for one in changed}), note)
        return Made(number, sum(map(len, taken.leaves.values())), not taken.left_since, note)

    def _signed(
        self, connection: Connection[Any], before: "_Before", taken: "_Taken", head: Head
    ) -> tuple[int, str, TreeGrowth, list[PartHead]]:
        """Number and note of the head, which is stored; the tree of heads, and the parts that had changed."""
        heads = TreeGrowth(HEADS, before.trees.get(HEADS, Frontier()))
        heads.take([head.leaf()])
        number = heads.tree.size
        note = signed(Checkpoint(self._key.public.name, number, heads.tree.root()), self._key)
        part_trees.store(connection, [*taken.grown, heads])
        changed = [one for one in taken.parts.values() if number == 1 or one != before.parts[one.part]]
        _store(connection, number, head, note, changed)
        return number, note, heads, changed

    def _hold_against(self, connection: Connection[Any], before: "_Before") -> None:
        """What the database says was signed is what was published; else it was changed, or is an older one.

        A head that a maker stored and was cut off before it published it is published now.
        """
        heads = before.trees.get(HEADS, Frontier())
        published = self._published.checkpoint(self._key.public)
        size = 0 if published is None else published.size
        if published is None and heads.size > 1:
            raise ProofFails(
                f"{self._published.folder} holds no checkpoint, but {heads.size} were signed: put the folder back"
            )
        if size == heads.size - 1:
            line, note = _stored_line(connection, heads.size)
            checked(note, self._key.public)
            if size == 0 or self._goes_on(published, line, heads):
                self._published.add_head(line, note)
                size += 1
        elif size != heads.size:
            raise ProofFails(
                f"the database stands at head {heads.size}, published is {size}: is it an older copy of the log?"
            )
        elif published is not None and published.root != heads.root():
            raise ProofFails("the heads in the database are not those that were published")
        if size:
            before.check(connection, size, self._published)

    def _goes_on(self, published: Checkpoint | None, line: HeadLine, heads: Frontier) -> bool:
        assert published is not None
        tree = self._published.standing(published).heads
        tree.extend([line.head.leaf()])
        if tree.root() != heads.root():
            raise ProofFails("the newest head in the database does not go on from what was published")
        return True


@dataclass
class _Before:
    """Where the trees stand in the database."""

    trees: Mapping[int, Frontier]
    parts: dict[int, PartHead]  # all parts, as they stood at the newest head

    @classmethod
    def read(cls, connection: Connection[Any]) -> "_Before":
        rows = connection.execute("SELECT part FROM part_head ORDER BY part", binary=True).fetchall()
        parts = {part: PartHead(part, 0, EMPTY_ROOT, EMPTY) for (part,) in rows}
        stood = connection.execute(
            """SELECT n.part, s.size, s.root, s.accesses_root FROM part_head AS n, LATERAL (
                   SELECT * FROM part_head_at a WHERE a.part = n.part ORDER BY a.head DESC LIMIT 1) AS s""",
            binary=True,
        )
        parts |= {part: PartHead(part, size, root, accesses) for part, size, root, accesses in stood}
        return cls(part_trees.trees(connection), parts)

    def check(self, connection: Connection[Any], number: int, published: Published) -> None:
        """The newest head follows from the parts as they stood, and the trees' frontiers from them."""
        line, _ = _stored_line(connection, number)
        if Head.over(line.head.at, [*self.parts.values()]) != line.head:
            raise ProofFails(f"the parts in the database are not those of head {number}")
        for part, stood in self.parts.items():
            tree = self.trees.get(part, Frontier())
            if (tree.size, tree.root()) != (stood.size, stood.root):
                raise ProofFails(f"the tree of part {part} is not the one of head {number}")


@dataclass
class _Taken:
    parts: dict[int, PartHead]
    grown: list[TreeGrowth] = field(default_factory=list)
    leaves: dict[int, list[bytes]] = field(default_factory=dict)
    left_since: list[datetime] = field(default_factory=list)  # since when a part lacks what was too much


def _take_on(connection: Connection[Any], before: _Before, events_max: int) -> _Taken:
    """The events behind the newest head, as many as one head takes."""
    positions = _positions(connection, before)
    upto: dict[int, int] = {}
    left_since: list[datetime] = []
    room = events_max
    for part, stood in before.parts.items():
        upto[part] = min(positions[part], stood.size + room)
        room -= upto[part] - stood.size
        if upto[part] < positions[part]:
            left_since.append(_recorded_at(connection, part, upto[part] + 1))
    taken = _take_up_to(connection, before, upto)
    taken.left_since = left_since
    return taken


def _positions(connection: Connection[Any], before: "_Before") -> dict[int, int]:
    """Where each part ends. Raises ProofFails: before what the newest head covers."""
    positions = dict(connection.execute("SELECT part, pos FROM part_head", binary=True).fetchall())
    for part, stood in before.parts.items():
        if positions[part] < stood.size:
            raise ProofFails(
                f"part {part} ends at position {positions[part]}; head {before.trees[HEADS].size} covers {stood.size}"
            )
    return positions


def _take_up_to(connection: Connection[Any], before: "_Before", upto: Mapping[int, int]) -> "_Taken":
    """The events of each part that is named, up to a position."""
    taken = _Taken(dict(before.parts))
    for part, last in upto.items():
        stood = before.parts[part]
        if last == stood.size:
            continue
        leaves, accesses = _read(connection, part, stood.size, last)
        growth = TreeGrowth(part, before.trees.get(part, Frontier()))
        growth.take(leaves)
        taken.grown.append(growth)
        taken.leaves[part] = leaves
        accesses_root = access_lists.grown(connection, part, accesses, stood.accesses)
        taken.parts[part] = PartHead(part, last, growth.tree.root(), accesses_root)
    return taken


def _read(
    connection: Connection[Any], part: int, after: int, upto: int
) -> tuple[list[bytes], list[tuple[UUID, bytes]]]:
    """The hashes of a part's events; owner and leaf of the accesses among them. Raises ProofFails: one is missing."""
    rows = connection.execute(
        """SELECT pos, hash, CASE WHEN topic = %b THEN patient_id END,
               CASE WHEN topic = %b THEN access_leaf(event_id, patient_id, recorded_at, key_id, state) END
           FROM event WHERE part = %b AND pos > %b AND pos <= %b ORDER BY pos""",
        (ACCESS_TOPIC, ACCESS_TOPIC, part, after, upto),
        binary=True,
    ).fetchall()
    for expected, row in enumerate(rows, after + 1):
        if row[0] != expected:
            raise ProofFails(f"part {part} has no event at position {expected}")
    if len(rows) != upto - after:
        raise ProofFails(f"part {part} has no event at position {after + len(rows) + 1}")
    return [row[1] for row in rows], [(row[2], row[3]) for row in rows if row[2] is not None]


def _recorded_at(connection: Connection[Any], part: int, pos: int) -> datetime:
    row = connection.execute(
        "SELECT recorded_at FROM event WHERE part = %b AND pos = %b", (part, pos)
    ).fetchone()
    if row is None:
        raise ProofFails(f"part {part} has no event at position {pos}")
    recorded_at: datetime = row[0]
    return recorded_at


def _moment(connection: Connection[Any]) -> datetime:
    """Whatever is appended from now on is recorded later than this; whatever began before has been waited for."""
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    for (part,) in connection.execute("SELECT part FROM part_head ORDER BY part").fetchall():
        connection.execute("SELECT await_appends(%b::smallint)", (part,), prepare=True)
    moment: datetime = row[0]
    return moment


def _store(connection: Connection[Any], number: int, head: Head, note: str, changed: list[PartHead]) -> None:
    connection.execute("INSERT INTO head_leaf (number, hash) VALUES (%b, %b)", (number, head.leaf()))
    connection.execute(
        "INSERT INTO log_head (number, at, events_root, accesses_root, note) VALUES (%b, %b, %b, %b, %s)",
        (number, head.at, head.events, head.accesses, note),
    )
    connection.execute(
        """INSERT INTO part_head_at (part, head, size, root, accesses_root)
           SELECT part, %b, size, root, accesses
           FROM unnest(%b::smallint[], %b::bigint[], %b::bytea[], %b::bytea[]) AS n (part, size, root, accesses)""",
        (
            number,
            [one.part for one in changed],
            [one.size for one in changed],
            [one.root for one in changed],
            [one.accesses for one in changed],
        ),
    )


def _stored_line(connection: Connection[Any], number: int) -> tuple[HeadLine, str]:
    row = connection.execute(
        "SELECT at, events_root, accesses_root, note FROM log_head WHERE number = %b", (number,), binary=True
    ).fetchone()
    if row is None:
        raise ProofFails(f"the database has no head {number}")
    sizes = dict(
        connection.execute(
            "SELECT part, size FROM part_head_at WHERE head = %b", (number,), binary=True
        ).fetchall()
    )
    at, events, accesses, note = row
    return HeadLine(number, Head(at, events, accesses), sizes), note


@contextmanager
def _alone(connection: Connection[Any]) -> Iterator[bool]:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    assert row is not None
    yield row[0]  # let go when the connection closes


def newest_head_age(connection: Connection[Any]) -> float | None:
    """In seconds. None: no head was made yet."""
    row = connection.execute(
        "SELECT extract(epoch FROM clock_timestamp() - at)::float8 FROM log_head ORDER BY number DESC LIMIT 1"
    ).fetchone()
    return None if row is None else row[0]
