"""Consents withdrawn again and again while doctors watch the records and these change all the time.

A watch must end before the next event: nothing may be told that was decided behind a withdrawal. The log itself says
so, for what is told lies in the patient's part, in commit order with her consents. Half of the doctors watch over
WebSockets, half over Server-Sent Events.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from uuid import UUID

from psycopg import Connection

from examples import HOSPITAL_SYSTEM
from log_examples import a_ring, logins, settings_at
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from torture.revocations import GRANT, WITHDRAW
from torture.served import FORK, Asker, Kind, ServerProcess, build_api, opened
from torture.watched_records import (
    Record,
    change,
    consented_when_told,
    doctors_token,
    records,
    told_by_events,
    told_by_socket,
)
from tsuzuri.app.actions.record_watch import Recording
from tsuzuri.app.actions.watch_record import watch_record
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.ended_with import ended_with
from tsuzuri.app.projector import Projector
from tsuzuri.app.services import Services
from tsuzuri.app.settings import Settings
from tsuzuri.app.shared_looks import SharedLooks
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.vocabulary import PurposeOfUse
from tsuzuri.eventlog.log import EventLog, PatientHead
from tsuzuri.graphql.context import RecordChange
from tsuzuri.graphql.readings import Operation, Reading, RefusedReading

WITHDRAWALS, CONTROL_WITHDRAWALS = 2_000, 24
LANES = 8
PAUSE_SECONDS_MAX = 0.2  # between the second event and the withdrawal
CHANGES_SECONDS_MAX = 1.0
PATIENCE_SECONDS = 30.0  # for a watch to end


@dataclass
class Story:
    """What the clients saw."""

    withdrawals: int = 0
    told: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class Unguarded(Recording):
    async def recorded(self, decided: Reading | RefusedReading) -> bool:
        if isinstance(decided, Reading):
            decided.guards = ()
        return await super().recorded(decided)


class Slow(SharedLooks):
    async def heads(self, patient: UUID) -> list[PatientHead]:
        found = await super().heads(patient)
        await asyncio.sleep(0.05)
        return found


class Careless(TsuzuriApplication):
    """What must not be: what was decided some time ago is told, whatever came in between."""

    def follow(self, services: Services) -> None:
        super().follow(services)
        self.shared_looks = Slow(services)

    def watch_record(
        self, caller: Caller, key: PatientKey, purpose: PurposeOfUse, after: str | None, operation: Operation
    ) -> AsyncGenerator[RecordChange | RefusedReading, None]:
        recording = Unguarded(self.services, caller, operation, self.schema_sha256)
        return watch_record(
            self.services, self.record_wakes, self.shared_looks, recording, caller, key, purpose, after
        )


async def turn(
    settings: Settings, port: int, log: EventLog, asker: Asker, record: Record, story: Story
) -> None:
    """One consent, from its grant to its withdrawal, and a watch that begins under it."""
    random = Random()
    await _said(asker, GRANT, record)
    begun, again, kinds = asyncio.Event(), asyncio.Event(), []
    token = doctors_token(settings, random.randrange(1_000_000))
    by = random.choice((told_by_socket, told_by_events))

    async def watch() -> None:
        async for told in by(port, token, record):
            kinds.append(told["__typename"])
            again.set()
            if len(kinds) > 1:  # what changes is told by now
                begun.set()

    async def go_on_changing() -> None:
        """As soon as one is told the next: while the index is behind, what it lacks is left out, and nothing is new."""
        while True:
            await change(log, record, narrows=False)
            with suppress(TimeoutError):
                async with asyncio.timeout(CHANGES_SECONDS_MAX):
                    await again.wait()
            again.clear()

    watching, changing = asyncio.create_task(watch()), asyncio.create_task(go_on_changing())
    try:
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        await asyncio.sleep(random.uniform(0, PAUSE_SECONDS_MAX))
        await _said(asker, WITHDRAW, record)
        story.withdrawals += 1
        await asyncio.wait_for(watching, PATIENCE_SECONDS)
    except TimeoutError:
        story.faults.append("a watch went on after the withdrawal")
    finally:
        for task in (watching, changing):
            task.cancel()
        ended = await asyncio.gather(watching, changing, return_exceptions=True)
    story.faults += [repr(one) for one in ended if isinstance(one, Exception)]
    story.told.update(f"{kind} by {by.__name__.removeprefix('told_by_')}" for kind in kinds)
    if kinds[-1:] != ["AccessRefused"]:
        story.faults.append("a watch did not end with a refusal")


async def _said(asker: Asker, mutation: str, record: Record) -> None:
    """Until it is taken: a record that is changed all the time may be busy."""
    answer = await asker.ask(mutation, of=record.number)
    while answer.whole and answer.code == "BUSY":
        answer = await asker.ask(mutation, of=record.number)
    assert answer.whole and answer.code is None, answer.body


async def raced(settings: Settings, dsn: str, port: int, made: list[Record], withdrawals: int) -> Story:
    story = Story()

    async def lane(log: EventLog, number: int) -> None:
        asker = Asker(settings, port, HOSPITAL_SYSTEM)
        for count in range(withdrawals // LANES):
            record = made[number + LANES * (count % (len(made) // LANES))]
            await turn(settings, port, log, asker, record, story)
        asker.close()

    async with opened(settings, dsn) as world, asyncio.TaskGroup() as group:
        for number in range(LANES):
            group.create_task(lane(world.services.log, number))
    return story


def tormented(folder: Path, withdrawals: int, kind: Kind) -> Outcome:
    settings = settings_at(folder / "home")
    with fresh_log(folder) as dsn:
        patients = LANES * max(1, withdrawals // (LANES * 10))
        made = asyncio.run(records(settings, dsn, patients, granted=False))
        projector = FORK.Process(target=_project, args=(dsn,), daemon=True)
        projector.start()
        server = ServerProcess(build_api(settings, partial(opened, settings, dsn, kind)))
        try:
            story = asyncio.run(raced(settings, dsn, server.port, made, withdrawals))
        finally:
            projector.kill()
            server.kill()
        with Connection.connect(dsn, autocommit=True) as connection:
            late = consented_when_told(connection)
    told = ", ".join(f"{number:,} {kind}" for kind, number in sorted(story.told.items()))
    faults = story.faults + [f"{len(late)} events were told behind a withdrawal"] * bool(late)
    return Outcome(
        f"{story.withdrawals:,} withdrawals while records were watched and changed: {told}", faults
    )


def _project(dsn: str) -> None:
    projector, parent = Projector(logins(dsn), a_ring()), os.getppid()
    ended_with(parent, projector.stopping.set)  # should it outlive the process that is to kill it
    projector.run()


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, max(LANES, int(WITHDRAWALS * share)), TsuzuriApplication)


def careless(folder: Path, share: float) -> Outcome:
    return tormented(folder, CONTROL_WITHDRAWALS, Careless)


TORTURE = Torture("watchers", run, {"what was decided is told without a guard": careless})
