"""Makes proofs from what the checkpoint maker stored: the files of docs/PROOFS.md, without the keys they may disclose.

One snapshot is read for each: what a maker does meanwhile is not seen.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import tuple_row

from tsuzuri.eventlog.access_lists import Page, descend, entries_of, pages_to, path_to
from tsuzuri.eventlog.log import AsyncPool
from tsuzuri.eventlog.part_trees import HEADS, OF_EVENTS, OF_HEADS, OF_NODES, blocks_of, roots_over
from tsuzuri.eventlog.places import part_of
from tsuzuri.eventlog.proofs.access_map import EMPTY
from tsuzuri.eventlog.proofs.bundles import FORMAT
from tsuzuri.eventlog.proofs.heads import Head, PartHead, moment_text
from tsuzuri.eventlog.proofs.merkle import (
    EMPTY_ROOT,
    Range,
    consistency_ranges,
    folded,
    inclusion_ranges,
    root_of,
    subtrees,
)
from tsuzuri.eventlog.proofs.notes import encoded
from tsuzuri.eventlog.proofs.stored import ACCESS_TOPIC, StoredEvent

_EVENT = "part, pos, event_id, patient_id, stream, version, recorded_at, topic, key_id, state"
_ACCESS_STREAM = 3
_ROWS = 1_000


class NotCovered(Exception):
    """No checkpoint covers this yet; the next one will, within seconds."""


class ProofNotMade(Exception):
    """The trees in the database lack something: they were changed, or the maker has not got there."""


@dataclass(frozen=True)
class LogHead:
    """A head, signed, and all parts as they stood."""

    number: int
    head: Head
    note: str
    parts: Sequence[PartHead]


class Prover:
    """On one snapshot. Raises NotCovered and ProofNotMade."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection

    async def newest(self) -> LogHead:
        row = await self._one("SELECT max(number) FROM log_head")
        if row[0] is None:
            raise NotCovered("no checkpoint has been made yet")
        return await self.head(row[0])

    async def head(self, number: int) -> LogHead:
        row = await self._one(
            "SELECT at, events_root, accesses_root, note FROM log_head WHERE number = %b", number
        )
        if row is None:
            raise NotCovered(f"there is no head {number}")
        cursor = await self._connection.execute(
            """SELECT p.part, s.size, s.root, s.accesses_root FROM part_head p LEFT JOIN LATERAL (
                   SELECT * FROM part_head_at a WHERE a.part = p.part AND a.head <= %b ORDER BY a.head DESC LIMIT 1
               ) AS s ON true ORDER BY p.part""",
            (number,),
            binary=True,
        )
        parts = [
            PartHead(part, size or 0, root or EMPTY_ROOT, accesses or EMPTY)
            for part, size, root, accesses in await cursor.fetchall()
        ]
        at, events, accesses_root, note = row
        return LogHead(number, Head(at, events, accesses_root), note, parts)

    async def event(self, part: int, pos: int, number: int | None = None) -> dict[str, Any]:
        """That an event stands in the log; under head *number*, or the newest."""
        head = await (self.newest() if number is None else self.head(number))
        stood = head.parts[part]
        if pos > stood.size:
            raise NotCovered(
                f"checkpoint {head.number} does not cover this; a later one does, within seconds"
            )
        stored = await self.stored(part, pos)
        leaves = [one.events_leaf() for one in head.parts]
        return {
            **await self._covered("event", head),
            "event": _event_fields(stored),
            "size": stood.size,
            "path": _hashes(await self._roots(part, inclusion_ranges(pos - 1, stood.size))),
            "partPath": _hashes(_over(leaves, inclusion_ranges(part, len(leaves)))),
        }

    async def stored(self, part: int, pos: int) -> StoredEvent:
        row = await self._one(f"SELECT {_EVENT} FROM event WHERE part = %b AND pos = %b", part, pos)
        if row is None:
            raise ProofNotMade(f"part {part} has no event at position {pos}")
        return StoredEvent(**dict(zip(_COLUMNS, row, strict=True)))

    async def wrapped_keys(self, part: int, keys: Sequence[UUID]) -> list[Any]:
        """Rows of data_key, as WrappedKey takes them, on the same snapshot."""
        cursor = await self._connection.execute(
            "SELECT key_id, patient_id, use, epoch, wrapped FROM data_key WHERE part = %b AND key_id = ANY (%b)",
            (part, list(keys)),
            binary=True,
        )
        return await cursor.fetchall()

    async def accesses(self, owners: Sequence[UUID]) -> dict[str, Any]:
        """That these are all accesses to whoever these are (one patient, and who is the same person)."""
        newest = await self.newest()
        leaves = [one.accesses_leaf(len(newest.parts)) for one in newest.parts]
        lists = []
        for owner in owners:
            part = part_of(owner, len(newest.parts))
            found = [one.listed() for one in await self._accesses_of(owner, newest.parts[part])]
            pages = await self._pages(part, owner)
            descent = descend(owner, pages)
            cursor = await self._connection.execute(
                """SELECT patient_id, size, frontier FROM access_list
                   WHERE part = %b AND bucket >= %b AND bucket <= %b""",
                (part, *descent.buckets(owner)),
                binary=True,
            )
            path = path_to(owner, descent, entries_of(await cursor.fetchall()))
            other = path.other and {"key": encoded(path.other[0]), "value": encoded(path.other[1])}
            lists.append(
                {
                    "owner": str(owner),
                    "part": part,
                    "accesses": [
                        {
                            "eventId": str(one.event_id),
                            "recordedAt": moment_text(one.recorded_at),
                            "keyId": str(one.key_id),
                            "sections": one.sections,
                            "told": encoded(one.told),
                            "apart": encoded(one.apart),
                            "key": None,
                        }
                        for one in found
                    ],
                    "path": _hashes(path.siblings),
                    "other": other,
                    "partPath": _hashes(_over(leaves, inclusion_ranges(part, len(leaves)))),
                }
            )
        return {**await self._covered("accesses", newest), "lists": lists}

    async def consistency(self, first: int, second: int) -> dict[str, Any]:
        """That the log at head *second* goes on from what it was at *first*."""
        earlier, later = await self.head(first), await self.head(second)
        paths = []
        for was, now in zip(earlier.parts, later.parts, strict=True):
            ranges = consistency_ranges(was.size, now.size) if was.size else []
            paths.append(_hashes(await self._roots(now.part, ranges)))
        both = {
            name: {
                "checkpoint": one.note,
                "head": await self._head_fields(one),
                "parts": [{"size": part.size, "root": encoded(part.root)} for part in one.parts],
            }
            for name, one in (("from", earlier), ("to", later))
        }
        return {
            "tsuzuri": FORMAT,
            "proves": "consistency",
            "parts": len(later.parts),
            **both,
            "path": _hashes(await self._roots(HEADS, consistency_ranges(first, second))),
            "partPaths": paths,
        }

    async def log(self, number: int | None = None) -> AsyncIterator[str]:
        """The lines of the whole log under head *number*, or the newest, and what came behind it."""
        head = await (self.newest() if number is None else self.head(number))
        first = await self._covered("log", head)
        first["partHeads"] = [{"size": one.size, "root": encoded(one.root)} for one in head.parts]
        yield json.dumps(first)
        async with self._connection.cursor("log", row_factory=tuple_row) as cursor:
            cursor.itersize = _ROWS
            await cursor.execute(f"SELECT {_EVENT}, hash FROM event ORDER BY part, pos".encode(), binary=True)
            async for *row, leaf in cursor:
                stored = StoredEvent(**dict(zip(_COLUMNS, row, strict=True)))
                yield json.dumps([*_event_fields(stored).values(), encoded(leaf)])

    async def _covered(self, proves: str, head: LogHead) -> dict[str, Any]:
        return {
            "tsuzuri": FORMAT,
            "proves": proves,
            "parts": len(head.parts),
            "checkpoint": head.note,
            "head": await self._head_fields(head),
        }

    async def _head_fields(self, head: LogHead) -> dict[str, Any]:
        path = await self._roots(HEADS, inclusion_ranges(head.number - 1, head.number))
        return {
            "at": head.head.moment(),
            "events": encoded(head.head.events),
            "accesses": encoded(head.head.accesses),
            "path": _hashes(path),
        }

    async def _accesses_of(self, owner: UUID, stood: PartHead) -> list[StoredEvent]:
        cursor = await self._connection.execute(
            f"""SELECT {_EVENT} FROM event WHERE part = %b AND patient_id = %b AND stream = %b
                AND topic = %b AND pos <= %b ORDER BY pos""".encode(),
            (stood.part, owner, _ACCESS_STREAM, ACCESS_TOPIC, stood.size),
            binary=True,
        )
        return [StoredEvent(**dict(zip(_COLUMNS, row, strict=True))) for row in await cursor.fetchall()]

    async def _pages(self, part: int, owner: UUID) -> Mapping[int, Page]:
        numbers = pages_to(owner)
        cursor = await self._connection.execute(
            "SELECT page, slots FROM access_page WHERE part = %b AND page = ANY (%b::smallint[])",
            (part, list(numbers)),
            binary=True,
        )
        return {number: Page() for number in numbers} | {
            number: Page.of(slots) for number, slots in await cursor.fetchall()
        }

    async def _roots(self, part: int, ranges: Sequence[Range]) -> list[bytes]:
        blocks = {}
        for level, number in sorted(blocks_of(ranges)):
            if level:
                row = await self._one(OF_NODES, part, level, number, number)
            elif part == HEADS:
                row = await self._one(OF_HEADS, number, number)
            else:
                row = await self._one(OF_EVENTS, part, number, number)
            blocks[level, number] = row[0] or b""
        try:
            return roots_over(ranges, blocks)
        except LookupError as lacking:
            raise ProofNotMade(f"the tree of part {part} lacks {lacking}") from None

    async def _one(self, statement: str, *values: Any) -> Any:
        cursor = await self._connection.execute(statement.encode(), values, binary=True)
        return await cursor.fetchone()


_COLUMNS = (
    *("part", "pos", "event_id", "owner", "stream", "version", "recorded_at", "topic"),
    *("key_id", "state"),
)


@asynccontextmanager
async def prover(pool: AsyncPool) -> AsyncIterator[Prover]:
    """On a snapshot of its own."""
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield Prover(connection)


def _over(leaves: Sequence[bytes], ranges: Sequence[Range]) -> list[bytes]:
    """Of a tree that is small enough to be made again."""
    return [
        folded([root_of(leaves[place << level : (place + 1) << level]) for level, place in subtrees(one)])
        for one in ranges
    ]


def _hashes(hashes: Sequence[bytes]) -> list[str]:
    return [encoded(one) for one in hashes]


def _event_fields(event: StoredEvent) -> dict[str, Any]:
    return {
        "part": event.part,
        "pos": event.pos,
        "eventId": str(event.event_id),
        "owner": str(event.owner),
        "stream": event.stream,
        "version": event.version,
        "recordedAt": moment_text(event.recorded_at),
        "topic": event.topic,
        "keyId": str(event.key_id),
        "state": encoded(event.state),
    }
