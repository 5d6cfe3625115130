"""Whether a database is an older copy of the log that was published, and what it lacks: asked after a restore."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from tsuzuri.eventlog.erasure_list import ErasureList, whole_again
from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proofs.notes import Checkpoint, PublicKey, checked
from tsuzuri.eventlog.proofs.stored import StoredEvent
from tsuzuri.eventlog.published import Published

RESTORED = "run: tsuzuri db restored"
_ROWS = 1_000


class OlderCopy(Exception):
    """This database is not the one whose log was published last: nothing may be served from it as it is."""


@dataclass(frozen=True)
class Missing:
    """What was published of a part, and lies no more in the database: all behind one position."""

    part: int
    after: int  # the last position that is there
    events: int


@dataclass(frozen=True)
class HeldAgainst:
    """A database whose events are those that were published, as far as they go."""

    events: int  # published, and there as they were
    newer: int  # behind what was published
    missing: tuple[Missing, ...]

    @property
    def lost(self) -> int:
        return sum(one.events for one in self.missing)


def refuse_older_copy(connection: Connection[Any], published: Published, key: PublicKey) -> None:
    """Raises OlderCopy: it stands behind what was published, or holds a key that was destroyed. As the reader.

    A quick look: whether each event is as it was published, `hold_against` finds.
    """
    row = connection.execute("SELECT number, note FROM log_head ORDER BY number DESC LIMIT 1").fetchone()
    number, note = row or (0, None)
    try:
        newest = published.checkpoint(key)
        if newest is None and number > 1:
            raise OlderCopy(
                f"{published.folder} holds no checkpoint, but {number} were signed, and keys that were destroyed may "
                f"be back: put the folder back, then {RESTORED}"
            )
        if newest is not None and number < newest.size:
            raise OlderCopy(
                f"the database stands at checkpoint {number}, published is {newest.size}: it is an older copy of the "
                f"log; {RESTORED}"
            )
        if newest is not None and number == newest.size and checked(note or "", key) != newest:
            raise OlderCopy(f"checkpoint {number} is another in the database than the one that is published")
        whole = whole_again(connection, ErasureList(published.folder).keys())
    except ProofFails as fault:
        raise OlderCopy(str(fault)) from None
    if whole:
        raise OlderCopy(f"{len(whole)} keys that were destroyed are whole in this database; {RESTORED}")


def hold_against(
    connection: Connection[Any],
    published: Published,
    checkpoint: Checkpoint,
    read: Callable[[int], None] = lambda _: None,
) -> HeldAgainst:
    """Hash every event again and compare it with what was published. As the reader; *read* is told on the way.

    Raises ProofFails, which names the first place that is not as it was published; events that are missing from the
    end of a part are no such place.
    """
    sizes = published.check(checkpoint).sizes
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        heads = dict(connection.execute("SELECT part, pos FROM part_head", binary=True).fetchall())
        ends = _read_through(connection, published, sizes, read)
    for part, pos in sorted(heads.items()):
        if ends.get(part, 0) != pos:
            raise ProofFails(f"part {part}, position {ends.get(part, 0) + 1}: the event is missing")
    if strange := sizes.keys() - heads.keys():
        raise ProofFails(f"part {min(strange)} was published, and this database has no such part")
    missing = [Missing(part, heads[part], size - heads[part]) for part, size in sorted(sizes.items())]
    lacking = tuple(one for one in missing if one.events > 0)
    there = sum(min(pos, sizes.get(part, 0)) for part, pos in heads.items())
    return HeldAgainst(there, sum(heads.values()) - there, lacking)


def _read_through(
    connection: Connection[Any], published: Published, sizes: Mapping[int, int], read: Callable[[int], None]
) -> dict[int, int]:
    """The last position of each part that has one. Raises ProofFails."""
    ends: dict[int, int] = {}
    leaves: Iterator[bytes] = iter(())
    with connection.cursor("log") as cursor:
        cursor.itersize = _ROWS
        cursor.execute(_EVENTS, binary=True)
        for done, (*row, beside) in enumerate(cursor, 1):
            event = StoredEvent(**dict(zip(_COLUMNS, row, strict=True)))
            where = f"part {event.part}, position {ends.get(event.part, 0) + 1}"
            if event.part not in ends:
                leaves = published.leaves(event.part, 1, sizes.get(event.part, 0))
            if event.pos != ends.setdefault(event.part, 0) + 1:
                raise ProofFails(f"{where}: the event is missing")
            leaf = event.hash()
            if leaf != beside:
                raise ProofFails(f"{where}: the event was changed; it does not fit the hash beside it")
            if next(leaves, leaf) != leaf:
                raise ProofFails(f"{where}: the event is not the one whose hash was published")
            ends[event.part] = event.pos
            if done % _ROWS == 0:
                read(done)
    return ends


_COLUMNS = (
    *("part", "pos", "event_id", "owner", "stream", "version", "recorded_at", "topic"),
    *("key_id", "state"),
)
_EVENTS = """SELECT part, pos, event_id, patient_id, stream, version, recorded_at, topic, key_id, state, hash
    FROM event ORDER BY part, pos"""


def begin_anew(connection: Connection[Any]) -> None:
    """Forget the heads, and that any destroyed key was listed: for a log that goes on under another name.

    As the account that migrates.
    """
    with connection.transaction():
        connection.execute("SET LOCAL ROLE tsuzuri_owner")
        connection.execute(
            "TRUNCATE log_head, part_head_at, tree, tree_node, head_leaf, access_list, access_page"
        )
        connection.execute("UPDATE destroyed_key SET listed = false WHERE listed")
