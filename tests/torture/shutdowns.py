"""`tsuzuri serve` told to end while many ask it: whoever it took a question from is answered, and nothing is lost.

A client keeps its connection until an answer says that it was the last, and asks on until nobody listens. In the end
the log holds the reads and the consents that were answered: each of them, and no other.
"""

import asyncio
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import UUID

import orjson
from psycopg import Connection

from examples import DOCTOR, HOSPITAL, HOSPITAL_SYSTEM
from log_examples import KEY_SETTINGS, LEAST_RULES
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from torture.revocations import registered
from torture.served import FORK, end_with, opened
from tsuzuri.app.commands.serve import serve
from tsuzuri.app.settings import Settings, read_settings
from tsuzuri.app.tokens import development_token
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import AccessPermitted, ConsentGranted
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass

CYCLES, PATIENTS, READERS, WRITERS = 100, 12, 6, 2
ANSWERS, LOAD_SECONDS_MAX = 40, 0.2  # so many answers, and a moment more, before the end
PAUSE_SECONDS_MAX = (
    0.01  # between an answer and the next question: some connections are idle when the end comes
)
END_SECONDS_MAX = 10.0
START_SECONDS_MAX = 60.0

READ = """query ($of: String!) { patientRecord(patient: {insuredPerson: $of}) {
  ... on PatientRecord { accessId entries(first: 5) { nodes { name } } } } }"""
GRANT = """mutation ($of: String!, $facility: String!) {
  grantConsent(patient: {insuredPerson: $of}, facility: $facility, classes: [CONDITION]) }"""
_ID = re.compile(rb'"(?:accessId|grantConsent)":"([0-9a-f-]{36})"')

DROPPED = "a question on a kept connection was not answered"


@dataclass
class Story:
    """What the clients saw."""

    answered: set[UUID] = field(default_factory=set)  # what was done for whom was answered
    turned_away: int = 0  # whose first question went to a connection that nobody had taken up yet
    slowest_seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


class Client:
    """Asks one thing again and again, and closes its connection when it is told to."""

    def __init__(self, settings: Settings, caller: Caller, story: Story) -> None:
        token = development_token(settings, role=caller.role, person=caller.person, facility=caller.facility)
        self._port = settings.port
        self._head = (
            "POST /graphql HTTP/1.1\r\nHost: tsuzuri\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: "
        )
        self._story = story
        self._random = Random()

    async def ask_on(self, query: str, variables: Callable[[], Mapping[str, str]]) -> None:
        """Until nobody listens any more."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                return
            kept = asked = False
            try:
                while not reader.at_eof():
                    body = orjson.dumps({"query": query, "variables": variables()})
                    asked = True
                    writer.write(f"{self._head}{len(body)}\r\n\r\n".encode() + body)
                    last = self._note(*await _answer(reader))
                    kept, asked = True, False
                    if last:
                        break
                    await asyncio.sleep(self._random.uniform(0, PAUSE_SECONDS_MAX))
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                broken = isinstance(error, asyncio.IncompleteReadError) and error.partial
                if broken or (asked and kept):
                    self._story.faults.append("an answer broke off" if broken else DROPPED)
                else:
                    self._story.turned_away += 1
            finally:
                writer.close()

    def _note(self, head: bytes, body: bytes) -> bool:
        """Whether it was the last answer of its connection."""
        done = _ID.findall(body)
        if not head.startswith(b"HTTP/1.1 200 ") or len(done) != 1:
            self._story.faults.append(f"an answer that shows nothing: {head[:12].decode()}")
        self._story.answered.update(UUID(one.decode()) for one in done)
        return b"\r\nconnection: close" in head.lower()


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Raises IncompleteReadError, ConnectionError."""
    async with asyncio.timeout(END_SECONDS_MAX * 2):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        assert length is not None
        try:
            return head, await reader.readexactly(int(length[1]))
        except asyncio.IncompleteReadError as error:
            raise asyncio.IncompleteReadError(head + error.partial, None) from None


class Shutdowns:
    """One database, and a server that is started and ended over it again and again."""

    def __init__(self, folder: Path, dsn: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.environment = {
            "TSUZURI_HOME": str(folder / "home"),
            "TSUZURI_MODE": "development",
            "TSUZURI_DATABASE": dsn,
            "TSUZURI_PORT": str(port),
            "TSUZURI_REVIEW_HOURS": "0",
            "TSUZURI_RATE": "off",
            **LEAST_RULES,
            **KEY_SETTINGS,
        }
        self.settings = read_settings(self.environment)
        self.dsn = dsn
        self.seed = int.from_bytes(os.urandom(4))
        self.random = Random(self.seed)
        self.story = Story()

    def run(self, cycles: int, number: signal.Signals) -> Outcome:
        asyncio.run(self._prepare())
        before = self._stored()
        for _ in range(cycles):
            process = FORK.Process(target=_serve, args=(self.environment, os.getpid()))
            process.start()
            try:
                assert process.pid is not None
                asyncio.run(self._one(process.pid, number))
                process.join(END_SECONDS_MAX)
                if process.exitcode != 0:
                    self.story.faults.append(f"the server ended with {process.exitcode}")
            finally:
                process.kill()
                process.join()
        stored, answered = self._stored() - before, self.story.answered
        if lost := len(answered - stored):
            self.story.faults.append(f"{lost} were answered that are not in the log")
        if more := len(stored - answered):
            self.story.faults.append(f"{more} were done for somebody who was not answered")
        return Outcome(
            f"{cycles} ends by {number.name} (seed {self.seed}) under {READERS} readers and {WRITERS} writers:"
            f" {len(answered):,} answered, {self.story.turned_away} turned away before they were taken up,"
            f" {sum(fault == DROPPED for fault in self.story.faults)} dropped, {lost} lost, slowest end"
            f" {self.story.slowest_seconds:.1f} s of {END_SECONDS_MAX:.0f}",
            self.story.faults,
        )

    async def _prepare(self) -> None:
        """Patients whom the hospital may read, and whom the writers say that she may again."""
        self.reads = await registered(self.settings, self.dsn, PATIENTS)
        async with opened(self.settings, self.dsn) as application:
            for read in self.reads:
                key = InsuredPersonNumber.parse(read.consents_under)
                await application.grant_consent(
                    HOSPITAL_SYSTEM, key, HOSPITAL, [RecordClass.CONDITION], PurposeOfUse.TREAT, None, None
                )

    async def _one(self, pid: int, number: signal.Signals) -> None:
        await _listens(self.settings.port)
        asking = [Client(self.settings, DOCTOR, self.story).ask_on(READ, self._of) for _ in range(READERS)]
        asking += [
            Client(self.settings, HOSPITAL_SYSTEM, self.story).ask_on(GRANT, self._to) for _ in range(WRITERS)
        ]
        tasks = [asyncio.create_task(one) for one in asking]
        enough = len(self.story.answered) + ANSWERS
        while len(self.story.answered) < enough and not all(task.done() for task in tasks):
            await asyncio.sleep(0.01)
        await asyncio.sleep(self.random.uniform(0, LOAD_SECONDS_MAX))
        os.kill(pid, number)
        told = time.monotonic()
        await asyncio.gather(*tasks)
        while _runs(pid) and time.monotonic() < told + 2 * END_SECONDS_MAX:
            await asyncio.sleep(0.01)
        took = time.monotonic() - told
        self.story.slowest_seconds = max(self.story.slowest_seconds, took)
        if took > END_SECONDS_MAX:
            self.story.faults.append(f"the end took {took:.1f} s")

    def _of(self) -> Mapping[str, str]:
        return {"of": self.random.choice(self.reads).number}

    def _to(self) -> Mapping[str, str]:
        return {"of": self.random.choice(self.reads).consents_under, "facility": HOSPITAL}

    def _stored(self) -> set[UUID]:
        with Connection.connect(self.dsn) as connection:
            topics = [AccessPermitted.TOPIC, ConsentGranted.TOPIC]
            found = connection.execute("SELECT event_id FROM event WHERE topic = ANY (%s)", (topics,))
            return {event for (event,) in found}


async def _listens(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
    raise TimeoutError("the server did not start")


def _runs(pid: int) -> bool:
    """A process that has ended and that nobody has waited for has ended."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None


def _serve(environment: dict[str, str], parent: int) -> None:
    """As the command does it. The process is a fork: a fresh interpreter needs seconds for our imports alone."""
    end_with(parent)
    for name in [name for name in os.environ if name.startswith("TSUZURI_")]:
        del os.environ[name]
    os.environ |= environment
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    serve(projector=False)


def run(folder: Path, share: float) -> Outcome:
    with fresh_log(folder) as dsn:
        return Shutdowns(folder, dsn).run(max(3, round(CYCLES * share)), signal.SIGTERM)


def killed(folder: Path, _: float) -> Outcome:
    """Who is killed answers nobody."""
    with fresh_log(folder) as dsn:
        outcome = Shutdowns(folder, dsn).run(1, signal.SIGKILL)
    return Outcome(outcome.done, [fault for fault in outcome.faults if fault == DROPPED])


TORTURE = Torture("shutdowns", run, {"killed": killed})
