"""A superuser changes the log under a checkpoint and covers the tracks as far as SQL goes.

Each time it is found without the database, and the first bad place is named; and what nobody changed raises no alarm.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.sql import SQL

from checkpoint_examples import KEY, maker_at, some_accesses, some_events
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from tsuzuri.eventlog.proofs.bundles import stored_event, verify
from tsuzuri.eventlog.proofs.fields import Fields
from tsuzuri.eventlog.proofs.merkle import ProofFails
from tsuzuri.eventlog.proofs.notes import decoded
from tsuzuri.eventlog.proofs.whole_log import COLUMNS, verify_log
from tsuzuri.eventlog.proving import Prover
from tsuzuri.eventlog.published import Published

TIMES = 1_000
EVENTS, ACCESSES, NEWER = 120, 180, 9
_HASH = "leaf_hash(part, pos, event_id, patient_id, stream, version, topic, key_id, state, recorded_at)"
_CHANGED = {
    "state": "set_byte(state, 7, get_byte(state, 7) # 1)",
    "recorded_at": "recorded_at - interval '3 hours'",
    "patient_id": "'11111111-1111-4111-8111-111111111111'",
    "event_id": "'22222222-2222-4222-8222-222222222222'",
    "topic": "topic || '-x'",
    "key_id": "'33333333-3333-4333-8333-333333333333'",
    "version": "coalesce(version, 0) + 7000",
    "stream": "stream %% 3 + 1",
}
Place = tuple[int, int]
Connect = AsyncConnection[Any]


class Tampering:
    """One change of a log, undone again; and where it is to be found."""

    def __init__(self, connection: Connect, random: Random, sizes: dict[int, int]) -> None:
        self._connection = connection
        self._random = random
        self._sizes = sizes
        self._rehash = random.random() < 0.7

    async def edit(self) -> Place:
        part, pos = self._any()
        column = self._random.choice(sorted(_CHANGED))
        await self._run(
            f"UPDATE event SET {column} = {_CHANGED[column]} WHERE part = %s AND pos = %s", part, pos
        )
        return await self._rehashed(part, pos)

    async def backdate(self) -> Place:
        part, pos = self._any()
        days = self._random.randrange(1, 400)
        await self._run(
            "UPDATE event SET recorded_at = recorded_at - %s * interval '1 day' WHERE part = %s AND pos = %s",
            *(days, part, pos),
        )
        return await self._rehashed(part, pos)

    async def delete(self) -> Place:
        part, pos = self._any()
        await self._run("DELETE FROM event WHERE part = %s AND pos = %s", part, pos)
        if self._random.random() < 0.6:
            await self._shift(part, pos, -1)
        return await self._rehashed(part, pos)

    async def truncate(self) -> Place:
        part, pos = self._any()
        await self._run("DELETE FROM event WHERE part = %s AND pos >= %s", part, pos)
        await self._run("UPDATE part_head SET pos = %s WHERE part = %s", pos - 1, part)
        return part, pos

    async def swap(self) -> Place:
        part, _ = self._any()
        one, other = sorted(self._random.sample(range(1, self._sizes[part] + 1), 2))
        for old, new in ((one, -1), (other, one), (-1, other)):
            await self._run("UPDATE event SET pos = %s WHERE part = %s AND pos = %s", new, part, old)
        return await self._rehashed(part, one)

    async def insert(self) -> Place:
        part, pos = self._any()
        await self._shift(part, pos - 1, 1)
        copied = self._random.randrange(1, self._sizes[part] + 1)
        copied += copied >= pos
        await self._run(
            """INSERT INTO event SELECT part, %s, %s, patient_id, 3, NULL, topic, key_id, state, recorded_at, hash
                FROM event WHERE part = %s AND pos = %s""",
            *(pos, UUID(int=self._random.getrandbits(128)), part, copied),
        )
        return await self._rehashed(part, pos)

    async def _rehashed(self, part: int, pos: int) -> Place:
        """The leaf hashes are made to fit again, as anybody with the database can."""
        if self._rehash:
            await self._run(f"UPDATE event SET hash = {_HASH} WHERE part = %s AND pos >= %s", part, pos)
        return part, pos

    async def _shift(self, part: int, behind: int, by: int) -> None:
        await self._run("UPDATE event SET pos = -pos WHERE part = %s AND pos > %s", part, behind)
        await self._run("UPDATE event SET pos = -pos + %s WHERE part = %s AND pos < 0", by, part)
        await self._run("UPDATE part_head SET pos = pos + %s WHERE part = %s", by, part)

    def _any(self) -> Place:
        """Of what the checkpoint covers."""
        part = self._random.choice([part for part, size in self._sizes.items() if size > 1])
        return part, self._random.randrange(1, self._sizes[part] + 1)

    async def _run(self, statement: str, *values: Any) -> None:
        await self._connection.execute(SQL(statement), values)  # type: ignore[arg-type]


KINDS: Sequence[Callable[[Tampering], Awaitable[Place]]] = (
    Tampering.edit,
    Tampering.backdate,
    Tampering.delete,
    Tampering.truncate,
    Tampering.swap,
    Tampering.insert,
)
Check = Callable[[list[str], Published], None]


def as_an_auditor(lines: list[str], published: Published) -> None:
    """Raises ProofFails."""
    verify_log(lines, KEY.public, published=published.head)


def by_the_hashes_beside(lines: list[str], published: Published) -> None:
    """A check that is content when each row fits the hash that lies beside it. Raises ProofFails."""
    del published
    for line in lines[1:]:
        row = dict(zip(COLUMNS, json.loads(line), strict=True))
        if stored_event(Fields(row)).hash() != decoded(row["hash"]):
            raise ProofFails(f"part {row['part']}, position {row['pos']}: the event was changed")


async def tampered(dsn: str, published: Published, times: int, seed: str, check: Check) -> list[str]:
    """What was not found, or not named by its place."""
    random, faults, done = Random(seed), list[str](), Counter[str]()
    async with await AsyncConnection.connect(dsn) as connection:
        await connection.execute("SET session_replication_role = replica")
        cursor = await connection.execute("SELECT part, max(pos) FROM event GROUP BY part")
        sizes = {part: size - await _newer(connection, part) for part, size in await cursor.fetchall()}
        await connection.commit()
        for number in range(times):
            kind = KINDS[number % len(KINDS)]
            tampering = Tampering(connection, random, sizes)
            part, pos = await kind(tampering)
            try:
                check([line async for line in Prover(connection).log(1)], published)
                faults.append(f"{kind.__name__} of part {part}, position {pos} was not found")
            except ProofFails as fault:
                if not str(fault).startswith(f"part {part}, position {pos}:"):
                    faults.append(f"{kind.__name__} of part {part}, position {pos} was told as: {fault}")
                done[kind.__name__] += 1
            await connection.rollback()
    return faults


async def _newer(connection: Connect, part: int) -> int:
    """Events of a part that came behind the checkpoint."""
    cursor = await connection.execute(
        """SELECT h.pos - s.size FROM part_head h JOIN part_head_at s ON s.part = h.part AND s.head = 1
           WHERE h.part = %s""",
        (part,),
    )
    row = await cursor.fetchone()
    assert row is not None
    newer: int = row[0]
    return newer


async def untouched(dsn: str, published: Published, times: int, seed: str) -> list[str]:
    """False alarms, of proofs of every kind over a log that nobody changed."""
    random, faults, made = Random(seed), list[str](), list[Any]()
    async with await AsyncConnection.connect(dsn) as connection:
        prover = Prover(connection)
        cursor = await connection.execute(
            "SELECT e.part, e.pos, e.patient_id FROM event e JOIN part_head_at s USING (part) WHERE e.pos <= s.size"
        )
        for part, pos, owner in await cursor.fetchall():
            made.append(await prover.event(part, pos))
            made.append(await prover.accesses([owner]))
        lines = [line async for line in prover.log(1)]
    for number in range(times):
        try:
            if number % 100:
                verify(random.choice(made), KEY.public)
            else:
                verify_log(lines, KEY.public, published=published.head if number % 200 else None)
        except ProofFails as fault:
            faults.append(f"a false alarm: {fault}")
    return faults


def tormented(check: Check, folder: Path, share: float) -> Outcome:
    seed = os.environ.get("TSUZURI_SEED") or str(Random().randrange(10**9))
    times, published = max(len(KINDS) * 3, round(TIMES * share)), Published(folder / "published")
    with fresh_log(folder) as dsn:
        some_events(dsn, EVENTS)
        some_accesses(dsn, ACCESSES)
        maker_at(dsn, folder / "published").make()
        some_accesses(dsn, NEWER)
        faults = asyncio.run(tampered(dsn, published, times, seed, check))
        alarms = asyncio.run(untouched(dsn, published, times * 10, seed))
    return Outcome(
        f"{times:,} changes of six kinds under one checkpoint, {times - len(faults):,} found and named by their place "
        f"(seed {seed}); {times * 10:,} checks of what nobody changed, {len(alarms)} false alarms",
        [*faults, *alarms],
    )


TORTURE = Torture(
    "tampered logs",
    partial(tormented, as_an_auditor),
    {
        "the hashes beside the rows are believed": lambda folder, _: tormented(
            by_the_hashes_beside, folder, 0.02
        )
    },
)
