"""Readers of records; beside them a process that rebuilds what they read, and one that promotes generations in turn."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import cycle
from uuid import UUID

import uvloop

from bench import ours
from bench.bundles import BUNDLES_A_PATIENT, ENTRIES
from bench.rounds import Measured, Slice
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.services import services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.scopes import scopes_of, usual_scopes
from tsuzuri.domain.vocabulary import PurposeOfUse, Role
from tsuzuri.graphql.readings import Reading
from tsuzuri.graphql.statements import guarded
from tsuzuri.projections import record_index
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.filling import fill, index_when_filled
from tsuzuri.projections.generations import begin_rebuild, cancel, drop, live_generation, promote
from tsuzuri.projections.rebuilding import rebuild

READERS, PAGE, PROMOTION_SECONDS = 4, 20, 0.5
_OF_ONE = BUNDLES_A_PATIENT * sum(ENTRIES.values())


@contextmanager
def reading_records(dsn: str) -> Iterator[Slice]:
    """Patients who each open their record and read a page of it: the decision, the first entries, their number."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = AsyncExitStack()
        opened = runner.run(stack.enter_async_context(services(ours.settings(), dsn)))
        application = TsuzuriApplication(opened, "0" * 64)

        async def patients() -> list[UUID]:
            async with opened.pool.connection() as connection:
                found = await connection.execute("SELECT DISTINCT patient_id FROM event WHERE stream = 1")
                return [patient for (patient,) in await found.fetchall()]

        turn = cycle(runner.run(patients()))

        async def readers(seconds: float) -> Measured:
            waits: list[float] = []
            wrong = 0
            began = time.monotonic()

            async def reader() -> None:
                nonlocal wrong
                while (before := time.monotonic()) < began + seconds:
                    wrong += not await _whole(application, next(turn))
                    waits.append(time.monotonic() - before)

            await asyncio.gather(*(reader() for _ in range(READERS)))
            return Measured(len(waits), began, time.monotonic(), waits, wrong=wrong)

        try:
            yield lambda seconds: runner.run(readers(seconds))
        finally:
            runner.run(stack.aclose())


async def _whole(application: TsuzuriApplication, patient: UUID) -> bool:
    """Whether a read shows all there is."""
    caller = Caller(
        person="patient", role=Role.PATIENT, patient=patient, scopes=scopes_of(usual_scopes(Role.PATIENT))
    )
    try:
        reading = await application.open_record(
            caller, patient, PurposeOfUse.PATRQT, as_of=None, min_position=None, path=("me",)
        )
        assert isinstance(reading, Reading), "a patient may read her own record"
        schema = PROJECTIONS[record_index.NAME].schema(reading.sight.generation)
        source = guarded(record_index.ENTRIES, schema, reading.sight)
        page, count = await asyncio.gather(
            application.fetch(source.page([], PAGE, None)), application.fetch(source.count([]))
        )
    except Exception as error:
        print(f"    a read failed: {error!r}")
        return False
    return not reading.incomplete and len(page) == PAGE + 1 and count[0]["n"] == _OF_ONE


@contextmanager
def rebuilding_on(dsn: str, name: str, share: float) -> Iterator[Slice]:
    """Rebuilds again and again until the time is up, and drops what it has filled."""
    projection = PROJECTIONS[name]
    with ours.opened_projector(dsn, share) as (connection, engine):

        def run(seconds: float) -> Measured:
            events = 0
            began = time.monotonic()
            while time.monotonic() < began + seconds:
                generation = begin_rebuild(connection, engine, projection)
                filled = fill(connection, engine, projection, generation)
                events += filled.events
                time.sleep(filled.rest)
                if not filled.more:
                    index_when_filled(connection, projection, generation)
                    cancel(connection, projection)
            ended = time.monotonic()
            if filled.more:
                cancel(connection, projection)
            return Measured(events, began, ended)

        yield run


@contextmanager
def promoting(dsn: str, name: str) -> Iterator[Slice]:
    """Promotes the generation that reads do not follow, every now and then; there are two of them."""
    projection = PROJECTIONS[name]
    with ours.opened_projector(dsn) as (connection, engine):
        engine.catch_up(connection, projection, live_generation(connection, name))
        rebuilt = rebuild(connection, engine, projection)
        assert rebuilt.promoted, "the same events gave other rows"
        other = rebuilt.live

        def run(seconds: float) -> Measured:
            nonlocal other
            waits = []
            began = before = time.monotonic()
            while before < began + seconds:
                other = promote(connection, engine, projection, other)
                waits.append(time.monotonic() - before)
                time.sleep(PROMOTION_SECONDS)
                before = time.monotonic()
            return Measured(len(waits), began, before, waits)

        try:
            yield run
        finally:
            drop(connection, projection, other)
