"""Ten thousand pairs of generated worlds that differ in nothing that the reader may see: every answer is the same.

A world is a patient, hundreds to a database; five worlds that look the same to one reader make ten pairs. Each is asked
every field and every filter of the schema, the pages behind, inboxes, nodes that it is shown and such as it is not, and
one question more of those that are drawn by the family's seed: a field with all that it leads to, a past moment,
another root field, what comes to nothing.
"""

import asyncio
import multiprocessing
import os
import re
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.conninfo import make_conninfo

from log_examples import copied_database, make_log
from torture.harness import Outcome, Torture
from torture.veiled_worlds import Compared, MakeApplication, compared, families, live, opened
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.embedded_postgres import EmbeddedPostgres
from tsuzuri.projections.fences import sees_whole
from tsuzuri.projections.sql import SQL, Composed, Identifier, Literal

PAIRS, WORLDS = 10_000, 5  # of a family
IN_A_DATABASE = 40  # families
CONTROLLED = 0.002  # of the pairs: the first two families, whose readers see counts
PROCESSES = os.cpu_count() or 1
_TEMPLATE = "veiled_template"
_COUNT = re.compile(r"SELECT count\(\*\) AS n FROM (\S+) WHERE .*?patient_id = '([0-9a-f]{32})'", re.DOTALL)


class LeakingCount(TsuzuriApplication):
    """Counts all rows of the patient, whoever asks: only the number is too large."""

    async def fetch(self, statement: Composed) -> list[dict[str, Any]]:
        counting = _COUNT.match(statement.as_string())
        if counting is None:
            return await super().fetch(statement)
        table, patient = counting[1].replace('"', "").split("."), UUID(counting[2])
        return await super().fetch(
            SQL("SELECT count(*) AS n FROM {} WHERE {} AND patient_id = {}").format(
                Identifier(*table), sees_whole([patient]), Literal(patient)
            )
        )


def _database(
    folder: Path, server: str, seed: str, make: MakeApplication, numbers: Sequence[int]
) -> Compared:
    """These families in a database of their own."""

    async def inside(dsn: str) -> Compared:
        async with opened(folder, dsn, make) as world:
            made = families(seed, numbers, WORLDS)
            middle = await live(world, made)
            return await compared(world, made, middle, more=1)

    with copied_database(server, _TEMPLATE, f"veiled_{numbers[0]}") as dsn:
        return asyncio.run(inside(dsn))


def tormented(folder: Path, share: float, make: MakeApplication) -> Outcome:
    seed = os.environ.get("TSUZURI_SEED") or str(Random().randrange(10**9))
    pairs_of_one = WORLDS * (WORLDS - 1) // 2
    numbers = range(max(2, round(PAIRS * share / pairs_of_one)))
    batches = [numbers[start : start + IN_A_DATABASE] for start in range(0, len(numbers), IN_A_DATABASE)]
    found = Compared()
    with EmbeddedPostgres(folder / "postgres") as server:
        with Connection.connect(server.dsn, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_TEMPLATE}".encode())
        make_log(make_conninfo(server.dsn, dbname=_TEMPLATE))
        spawned = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(PROCESSES, len(batches)), mp_context=spawned) as pool:
            for told in pool.map(partial(_database, folder, server.dsn, seed, make), batches):
                found.add(told)
    least = min(found.by_reader.values())
    done = (
        f"{found.pairs:,} pairs of {found.worlds:,} worlds (seed {seed}), {found.answers:,} answers to"
        f" {len(found.by_question)} questions, {len(found.by_reader)} kinds of reader, each in {least:,} pairs or more"
    )
    return Outcome(done, found.faults)


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, share, TsuzuriApplication)


def leaking_count(folder: Path, share: float) -> Outcome:
    return tormented(folder, CONTROLLED, LeakingCount)


TORTURE = Torture("non-interference", run, {"a count leaks": leaking_count})
