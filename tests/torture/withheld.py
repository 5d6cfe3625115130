"""Fail closed: whatever is killed, cut, full or gone between a decision and its answer, no data leaves unrecorded.

A server process is asked over HTTP by a few at a time; to one of them something happens at a named step. Every byte
that comes is kept, also of an answer that broke off. In the end the database is stopped at once and started again:
each access that an answer names must be in the log.
"""

import asyncio
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from psycopg import Connection

from examples import DOCTOR, HOSPITAL_SYSTEM
from log_examples import make_log, settings_at
from torture.harness import Outcome, Run, Torture
from torture.revocations import GRANT, registered
from torture.served import Asker, Received, ServerProcess, build_api
from torture.stopped_server import Server
from torture.troubles import (
    NEVER_ANSWERED,
    TROUBLES,
    Kind,
    Step,
    Trouble,
    Troubled,
    TroubledServer,
    let_it_refuse,
    opened_in_trouble,
)
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import AccessPermitted
from tsuzuri.eventlog.appending import LogUnavailable
from tsuzuri.graphql.readings import Operation, Readings

TIMES, PATIENTS, ASKERS = 500, 8, 4
TRIES = 3  # of a trouble that met nobody
HAPPENS_SECONDS_MAX = 20.0
LEFT_SECONDS = 1.0  # behind the trouble; who has no answer by then gets none
WORD = "上腹部痛"
"""Stands in every answer that shows a record, and behind its accessId."""

READ = """query ($one: String!, $other: String!) {
  one: patientRecord(patient: {insuredPerson: $one}) { ...seen }
  other: patientRecord(patient: {insuredPerson: $other}) { ...seen } }
fragment seen on PatientRecord { accessId entries(first: 5) { nodes { name } } }"""
ACCESS = re.compile(rb'"accessId":"([0-9a-f-]{36})"')

UNRECORDED = "an answer left whose access is not in the log"


class Hasty(Troubled):
    """What must not be: the answer leaves while its access is being recorded."""

    async def record(self, *what: Any) -> None:
        self._recording = asyncio.create_task(super().record(*what))
        self._recording.add_done_callback(lambda recorded: recorded.cancelled() or recorded.exception())


class Careless(Troubled):
    """What must not be: a log that cannot be written keeps nothing back."""

    async def record(
        self, caller: Caller, readings: Readings, operation: Operation, data: dict[str, Any] | None
    ) -> None:
        with suppress(LogUnavailable):
            await super().record(caller, readings, operation, data)


class Siege:
    """A database and a server process, each started again when something ended it."""

    def __init__(self, folder: Path, kind: type[Troubled]) -> None:
        self.database = Server(folder / "postgres")
        self.notes = folder / "postgres" / "notes"
        self.settings = settings_at(folder / "home")
        self.kind = kind
        self.seed = int.from_bytes(os.urandom(4))
        self.random = Random(self.seed)
        self.received: list[Received] = []
        self.met: Counter[Trouble] = Counter()
        self.faults: list[str] = []

    def endure(self, troubles: Sequence[Trouble]) -> None:
        with self.database:
            dsn = self.database.life.dsn
            make_log(dsn)
            reads = asyncio.run(registered(self.settings, dsn, PATIENTS))
            self.numbers = [read.number for read in reads]
            let_it_refuse(dsn)
            self._serve()
            try:
                asyncio.run(self._consent([read.consents_under for read in reads]))
                for trouble in troubles:
                    self._one(trouble)
            finally:
                self.server.kill()
            self.database.end(signal.SIGQUIT)
            self.database.start()
            with Connection.connect(self.database.life.dsn) as connection:
                rows = connection.execute(
                    "SELECT event_id FROM event WHERE topic = %s", (AccessPermitted.TOPIC,)
                )
                self.stored: set[UUID] = {event for (event,) in rows}

    def outcome(self) -> Outcome:
        whole = [one for one in self.received if one.whole and _shows(one)]
        parts = [one for one in self.received if not one.whole and _shows(one)]
        withheld = Counter(one.code for one in self.received if one.whole and not _shows(one))
        named = {UUID(access.decode()) for one in self.received for access in ACCESS.findall(one.body)}
        found = [fault for one in self.received for fault in _faults(one.body, self.stored)]
        if not whole or not parts:
            found.append("nobody was answered, or no answer broke off: the harness is blind")
        told = ", ".join(f"{number} {code}" for code, number in sorted(withheld.items(), key=str))
        return Outcome(
            f"{self.met.total()} troubles of {len(self.met)} kinds, of each {min(self.met.values(), default=0)} or more"
            f" (seed {self.seed}): {len(self.received)} asked, {len(whole)} whole answers with data and {len(parts)} in"
            f" part, withheld {told}; {len(named):,} accesses named, {len(self.stored):,} stored,"
            f" {len(named - self.stored)} answers without",
            [*self.faults, *found],
        )

    def _serve(self) -> None:
        dsn, home = self.database.life.dsn, self.database.home
        api = build_api(self.settings, partial(opened_in_trouble, self.settings, dsn, home, self.kind))
        self.server = ServerProcess(TroubledServer(api, self.notes))

    def _one(self, trouble: Trouble) -> None:
        """Tried a few times: who is killed or cut off in the midst of others may have been done before it met them."""
        for _ in range(TRIES):
            if self._met(trouble):
                self.met[trouble] += 1
                return
        self.faults.append(f"it did not happen: {trouble}")

    def _met(self, trouble: Trouble) -> bool:
        self.notes.write_text("")
        asyncio.run(self._ask(trouble))
        if trouble.kind in (Kind.KILL, Kind.STOP) or self.server.exitcode is not None:
            self.server.kill()  # also before a database starts anew, whose lock it has inherited
            if trouble.kind is Kind.STOP:
                self.database.life.stop()
                self.database.start()
            self._serve()
        return self.notes.read_text() == f"{trouble}\n"

    async def _ask(self, trouble: Trouble) -> None:
        askers = [Asker(self.settings, self.server.port, DOCTOR) for _ in range(ASKERS)]
        asking = []
        for asker, header in zip(askers, [trouble.header, *[""] * (ASKERS - 1)], strict=True):
            one, other = self.random.sample(self.numbers, 2)
            asking.append(asyncio.create_task(asker.ask(READ, header, one=one, other=other)))
        waiting = set(asking)
        deadline = time.monotonic() + HAPPENS_SECONDS_MAX
        while waiting and not self.notes.read_text() and time.monotonic() < deadline:
            _, waiting = await asyncio.wait(waiting, timeout=0.02)
        if waiting:
            _, waiting = await asyncio.wait(waiting, timeout=LEFT_SECONDS)
        if waiting:
            self.server.kill()
        received = await asyncio.gather(*asking)
        if trouble.kind in NEVER_ANSWERED and _shows(received[0]):
            self.faults.append(f"it was answered all the same: {trouble}")
        self.received += received
        for asker in askers:
            asker.close()

    async def _consent(self, numbers: Sequence[str]) -> None:
        asker = Asker(self.settings, self.server.port, HOSPITAL_SYSTEM)
        for number in numbers:
            granted = await asker.ask(GRANT, of=number)
            assert granted.code is None, granted.told
        asker.close()


def _shows(received: Received) -> bool:
    """Anything of a record."""
    return WORD.encode() in received.body


def _faults(body: bytes, stored: set[UUID]) -> list[str]:
    """Of one answer, as far as it came."""
    before, *shown = body.split(b'"accessId":')
    found = [UNRECORDED for access in ACCESS.findall(body) if UUID(access.decode()) not in stored]
    if WORD.encode() in before or len(ACCESS.findall(body)) < sum(WORD.encode() in one for one in shown):
        found.append("an answer shows a record and names no access")
    return found


def run(folder: Path, share: float) -> Outcome:
    siege = Siege(folder, Troubled)
    times = max(1, round(TIMES * share / len(TROUBLES)))
    siege.endure(siege.random.sample(TROUBLES * times, len(TROUBLES) * times))
    return siege.outcome()


def _control(kind: type[Troubled], *troubles: Trouble) -> Run:
    def run_control(folder: Path, _: float) -> Outcome:
        siege = Siege(folder, kind)
        siege.endure(troubles)
        outcome = siege.outcome()
        return Outcome(outcome.done, [fault for fault in outcome.faults if fault == UNRECORDED])

    return run_control


TORTURE = Torture(
    "fail closed",
    run,
    {
        "answers before it settles": _control(
            Hasty, Trouble(Step.SENT, Kind.KILL), Trouble(Step.APPENDING, Kind.NOT_COMMITTED)
        ),
        "answers although the log is unavailable": _control(Careless, Trouble(Step.APPENDING, Kind.FULL)),
    },
)
