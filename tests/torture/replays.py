"""A thousand random documents asked while the record changes, and each access replayed afterwards: every digest equal.

A hundred more are replayed under another schema, a hundred were answered by a projection with a bug that was fixed
since: each replay names the version. Whoever reads of an index that was tampered with is told otherwise than the log
says, and a replay that stands on the present finds nothing again.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

from graphql import GraphQLObjectType, build_schema
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from examples import AUDITOR
from projection_examples import an_engine, catch_up
from torture.document_askers import Asker, askers
from torture.document_coverage import Covered
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from torture.planted_bug import buggy, mark_forgotten, title_lost
from torture.random_documents import random_document
from torture.read_surface import Surface
from torture.read_world import Inhabited, inhabited
from torture.replayed_changes import Changes, projecting, while_changing
from torture.veiled_worlds import opened
from tsuzuri.app.actions import run_again, settle_readings
from tsuzuri.app.actions.replay_access import replay_access
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.replays import SCHEMA as SCHEMA_CHANGED
from tsuzuri.domain.replays import Hindrance, Replay, Verdict
from tsuzuri.graphql import schema as schemas
from tsuzuri.graphql.execution import execute
from tsuzuri.graphql.preparing import DocumentRefused, prepare
from tsuzuri.graphql.readings import Operation, Readings
from tsuzuri.graphql.repeating import REPEATABLE
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.generations import live_generation, promote
from tsuzuri.projections.past_sight import PastTables
from tsuzuri.projections.rebuilding import rebuild
from tsuzuri.projections.record_rows import EntryRow
from world import PLANS, SCHEMA, World

READS, OF_A_SCHEMA, OF_A_BUG = 1_000, 100, 100
READS_LEAST, CONTROLLED = 40, 0.05
EXPLAINED = {Verdict.SAME_ANSWER, Verdict.SAME_ENTRIES, Verdict.VERSION_CHANGED}
AT_ONCE = 4
NOTHING = sha256(b"null").hexdigest()
MOSTLY = "mixed"  # the patient to whom most happens
READ = build_schema(SCHEMA.as_str())
SURFACE = Surface(READ)
NAMED_OTHERS = {Hindrance.DOCUMENT_NOT_KEPT, Hindrance.VARIABLES_NOT_KEPT}
"""Of a document that names several patients in its text nothing is kept but its digest."""


@dataclass
class Found:
    """What came of the replays."""

    asked: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class Counting(TsuzuriApplication):
    """Counts the reads that can be replayed."""

    reads = 0

    async def settle(
        self, caller: Caller, readings: Readings, operation: Operation, data: dict[str, Any] | None
    ) -> None:
        await super().settle(caller, readings, operation, data)
        if not readings.several_named or (operation.names_nobody and operation.patient_keys is not None):
            self.reads += len(readings.permitted)


class Replaying:
    """Random documents over one world, and the accesses that they made."""

    def __init__(self, world: World, inhabited: Inhabited, seed: str) -> None:
        self.world, self.inhabited, self.seed = world, inhabited, seed
        self.random = Random(seed)
        everybody = [one for one in askers(inhabited) if REPEATABLE.intersection(one.roots)]
        self.askers = everybody + [one for one in everybody if one.name.endswith(MOSTLY)] * 3
        self.asked: Counter[str] = Counter()
        self.found = Found()

    async def ask(self, reads: int) -> None:
        """By several at a time, until so many reads are recorded that can be replayed."""
        application = self.world.application
        assert isinstance(application, Counting)
        enough = application.reads + reads

        async def one_after_the_other() -> None:
            while application.reads < enough:
                await self._ask_one(self.random.choice(self.askers))

        await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))

    async def _ask_one(self, asker: Asker) -> None:
        roots = [root for root in asker.roots if root in REPEATABLE]
        one = random_document(SURFACE, self.random, roots, asker.samples, self.asked)
        application, plans = self.world.application, self.random.choice((PLANS, None))
        answer = await execute(
            SCHEMA, application, asker.caller, one.document, one.variables, one.operation_name, plans=plans
        )
        self.found.asked += 1
        try:
            prepared = prepare(SCHEMA, one.document, one.operation_name)
        except DocumentRefused:
            return
        covered = Covered(READ, prepared.parsed, prepared.operation, one.variables)
        self.asked.update(covered.asked())
        for value in covered.told(answer.get("data")):
            asker.gather(value)

    def accesses(self, outcome: str = "PERMITTED") -> list[UUID]:
        """All that the trail has by now."""
        name = "audit_trail"
        schema = PROJECTIONS[name].schema(live_generation(self.world.connection, name))
        found = self.world.connection.execute(
            SQL("SELECT access FROM {} WHERE outcome = %s ORDER BY at").format(Identifier(schema, "access")),
            (outcome,),
        )
        return [access for (access,) in found.fetchall()]

    async def replay(
        self, accesses: Sequence[UUID], judge: Callable[[Replay], str], schema: Any = SCHEMA
    ) -> Counter[str]:
        """*judge*: says what is wrong with a replay; empty: nothing."""
        verdicts: Counter[str] = Counter()
        for access in accesses:
            told = await replay_access(self.world.application.services, schema, AUDITOR, access)
            assert told is not None, "the trail has it"
            if told.hindrance in NAMED_OTHERS:
                verdicts["of several named in the text"] += 1
                continue
            verdicts[told.verdict] += 1
            if wrong := judge(told):
                self.found.faults.append(f"seed {self.seed}: {wrong}: {self._described(told)}")
        self.found.verdicts += verdicts
        return verdicts

    def _described(self, told: Replay) -> str:
        changes = [one.what for one in told.changes]
        return f"{told.access} {told.verdict} {told.hindrance} {changes} {told.then} {told.now}"


def never_left(told: Replay) -> bool:
    """Where another field of the same operation failed, all of the answer was null."""
    assert told.then is not None or told.hindrance is not None
    nothing = told.then is not None and told.then.answer_sha256 == NOTHING
    return told.verdict is Verdict.NOT_COMPARABLE and nothing


def same(told: Replay) -> str:
    return "" if told.verdict is Verdict.SAME_ANSWER or never_left(told) else "an answer was not found again"


def named(what: str) -> Callable[[Replay], str]:
    """It names what changed, and takes it for the cause of whatever differs."""

    def wrong(told: Replay) -> str:
        if what not in [one.what for one in told.changes]:
            return f"{what} is of another version, and nobody says so"
        return "" if told.verdict in EXPLAINED or never_left(told) else "a change of version explains nothing"

    return wrong


def newer_schema() -> Any:
    """One that has lost a field and says another differently."""
    newer = schemas.build_schema()
    kind = newer._schema.type_map["Entry"]
    assert isinstance(kind, GraphQLObjectType)
    del kind.fields["detail"]
    kind.fields["resourceType"].resolve = lambda source, _info, **_: f"FHIR {source.resource_type}"
    return newer


@contextmanager
def a_bug(connection: Connection[Any], patients: Sequence[UUID], version: int) -> Iterator[None]:
    """The index was filled by an earlier version of its projection, with bugs; afterwards it is filled rightly."""
    right, engine = PROJECTIONS["record_index"], an_engine()
    wrong = buggy(buggy(right, mark_forgotten, frozenset(patients)), title_lost, frozenset(patients))
    catch_up(connection)
    filled = rebuild(connection, engine, wrong, promote_if_equal=False)
    promote(connection, engine, wrong, filled.generation)
    versions = settle_readings._VERSIONS | {right.name: version}
    with patch.object(settle_readings, "_VERSIONS", versions):
        yield
    catch_up(connection)
    fixed = rebuild(connection, engine, right, promote_if_equal=False).generation
    promote(connection, engine, right, fixed)


def tamper(connection: Connection[Any], patients: Sequence[UUID]) -> None:
    """Somebody who may do everything changes what the rows of the index say, and leaves their ids."""
    name = "record_index"
    table = Identifier(PROJECTIONS[name].schema(live_generation(connection, name)), EntryRow.TABLE)
    connection.execute(
        SQL(
            "UPDATE {} SET name = '異常なし', codings = '[]', detail = NULL, status = NULL,"
            " registered_at = registered_at - interval '1 day', sort_at = sort_at - interval '1 day'"
            " WHERE patient_id = ANY (%s)"
        ).format(table),
        (list(patients),),
    )


async def tormented(
    folder: Path,
    dsn: str,
    share: float,
    *,
    tampered: bool,
    versions: bool,
    standing_on: AbstractContextManager[Any],
) -> Outcome:
    seed = os.environ.get("TSUZURI_SEED") or str(Random().randrange(10**9))
    async with opened(folder, dsn, Counting) as world:
        found = await inhabited(world)
        random = Random(f"{seed}/changes")
        patients = list(found.patients.values())
        replaying, changes = Replaying(world, found, seed), Changes(world, found, random)
        before = set(replaying.accesses())
        if tampered:
            tamper(world.connection, patients)
            await replaying.ask(max(READS_LEAST, round(READS * share)))
        else:
            with projecting(world.connection, random):
                asking = asyncio.ensure_future(replaying.ask(max(READS_LEAST, round(READS * share))))
                await while_changing(changes, asking, lambda: replaying.found.asked)
        world.project()
        made = [one for one in replaying.accesses() if one not in before]
        with standing_on:
            verdicts = await replaying.replay(made, same)
        done = [f"{replaying.found.asked:,} documents and {changes.made:,} changes, {_told(verdicts)}"]
        if versions:
            done += await _of_versions(replaying, patients, share)
    return Outcome(f"{'; '.join(done)} (seed {seed})", replaying.found.faults)


async def _of_versions(replaying: Replaying, patients: Sequence[UUID], share: float) -> list[str]:
    world, found = replaying.world, replaying.found
    before = set(replaying.accesses())
    await replaying.ask(max(10, round(OF_A_SCHEMA * share)))
    world.project()
    made = [one for one in replaying.accesses() if one not in before]
    schema = await replaying.replay(made, named(SCHEMA_CHANGED), newer_schema())
    before |= set(made)
    right = PROJECTIONS["record_index"]
    with a_bug(world.connection, patients, right.version - 1):
        await replaying.ask(max(10, round(OF_A_BUG * share)))
    world.project()
    made = [one for one in replaying.accesses() if one not in before]
    bug = await replaying.replay(made, named(right.name))
    if share >= 1:
        for what, verdicts in (("another schema", schema), ("a bug", bug)):
            if not verdicts.keys() & {Verdict.SAME_ENTRIES, Verdict.VERSION_CHANGED}:
                found.faults.append(f"{what} changed no answer: the harness is blind for it")
    return [f"under another schema {_told(schema)}", f"behind a bug {_told(bug)}"]


def _told(verdicts: Counter[str]) -> str:
    return ", ".join(f"{number:,} {verdict}" for verdict, number in verdicts.most_common())


def _run(
    folder: Path,
    share: float,
    *,
    tampered: bool = False,
    versions: bool = True,
    standing_on: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> Outcome:
    with fresh_log(folder) as dsn:
        told = tormented(folder, dsn, share, tampered=tampered, versions=versions, standing_on=standing_on())
        return asyncio.run(told)


def on_the_present() -> AbstractContextManager[Any]:
    """A replay that folds all there is."""

    def now(*, positions: dict[UUID, int], **more: Any) -> PastTables:
        return PastTables(positions=dict.fromkeys(positions, 2**62), **more)

    return patch.object(run_again, "PastTables", now)


def tampered(folder: Path, share: float) -> Outcome:
    return _run(folder, min(share, CONTROLLED), tampered=True, versions=False)


def present(folder: Path, share: float) -> Outcome:
    return _run(folder, min(share, CONTROLLED), versions=False, standing_on=on_the_present)


TORTURE = Torture(
    "replays",
    _run,
    {"an index that was tampered with": tampered, "a replay that stands on the present": present},
)
