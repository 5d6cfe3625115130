"""Honest callers read a record at a modest pace; then one more sends fifty times what a caller's rate allows.

Each honest read is answered, and rightly, whether the abuser is there or not; the abuser gets no more than its
allowance, is told when to come again, and sees no fault of ours. At full size the others wait hardly longer for it:
rounds with the abuser and rounds without alternate, so that both have the machine as it is.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from examples import HOSPITAL, a_caller
from torture.edge_server import CONDITIONS, EdgeServer, edge_server
from torture.harness import Outcome, Torture
from torture.served import Asker, Received
from torture.slow_connections import p95
from tsuzuri.app.settings import Settings
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.preparing import prepare
from world import KEY, SCHEMA

ROUNDS, ROUND_SECONDS = 6, 15.0
BAR_RATIO = 1.5
TIMES = 50  # what the abuser sends, of what a caller's rate allows
HONEST, HONEST_PER_SECOND = 6, 2.0
CONNECTIONS = 8  # of the abuser
READS_PER_SECOND, READS_BURST = 3, 6  # what the rate allows each of them
_READ = f"""query Read {{ patientRecord(patient: {KEY}) {{ __typename
  ... on PatientRecord {{ entries {{ totalCount nodes {{ name }} }} }} }} }}"""
COST = prepare(SCHEMA, _READ).cost({})
HELD: Mapping[str, str] = {"TSUZURI_RATE": f"CLINICIAN={COST * READS_PER_SECOND}/{COST * READS_BURST}"}
FREE: Mapping[str, str] = {
    "TSUZURI_RATE": "off",
    "TSUZURI_OPERATIONS_MAX": "10000",
    "TSUZURI_OPERATIONS_EACH": "10000",
}


@dataclass
class Story:
    """What the callers saw: waits in ms, without the abuser and beside it; what the abuser was told, by code."""

    quiet: list[float] = field(default_factory=list)
    abused: list[float] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    abused_seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


async def paced(
    per_second: float, seconds: float, random: Random, send: Callable[[], Awaitable[None]]
) -> None:
    """One after the other at this pace, never faster: who is behind does not make up for it."""
    until = time.monotonic() + seconds
    due = time.monotonic() + random.random() / per_second
    while due < until:
        await asyncio.sleep(max(due - time.monotonic(), 0.0))
        await send()
        due = max(due + random.uniform(0.5, 1.5) / per_second, time.monotonic())


class Honest:
    """A clinician who asks for less than the rate allows."""

    def __init__(self, settings: Settings, port: int, number: int, story: Story) -> None:
        self._asker = Asker(settings, port, a_caller(f"honest-{number}", Role.CLINICIAN, HOSPITAL))
        self._story = story

    async def read(self, waits: list[float]) -> None:
        began = time.perf_counter()
        answer = await self._asker.ask(_READ)
        waits.append((time.perf_counter() - began) * 1000)
        if not answer.whole or answer.status != 200:
            self._story.faults.append(f"an honest caller was answered with status {answer.status}")
        elif not is_right(answer):
            self._story.faults.append("an honest caller was told something else than the record")

    def close(self) -> None:
        self._asker.close()


class Abuser:
    """One clinician with one token and several connections."""

    def __init__(self, settings: Settings, port: int, story: Story) -> None:
        caller = a_caller("abuser", Role.CLINICIAN, HOSPITAL)
        self._askers = [Asker(settings, port, caller) for _ in range(CONNECTIONS)]
        self._story = story

    async def abuse(self, seconds: float, random: Random) -> None:
        began, each = time.monotonic(), TIMES * READS_PER_SECOND / CONNECTIONS
        await asyncio.gather(
            *(paced(each, seconds, random, partial(self._send, asker)) for asker in self._askers)
        )
        self._story.abused_seconds += time.monotonic() - began

    async def _send(self, asker: Asker) -> None:
        answer = await asker.ask(_READ)
        self._story.told["READ" if answer.status == 200 else answer.code or str(answer.status)] += 1
        if answer.status == 200 and not is_right(answer):
            self._story.faults.append("the abuser was told something else than the record")
        elif answer.status == 429 and not (answer.header("Retry-After") or "").isdecimal():
            self._story.faults.append("the abuser was not told when to come again")
        elif answer.status not in (200, 429):
            self._story.faults.append(f"the abuser was answered with status {answer.status}")

    def close(self) -> None:
        for asker in self._askers:
            asker.close()


def is_right(answer: Received) -> bool:
    """Whether it holds the record, all of it and nothing else."""
    entries = answer.told.get("data", {}).get("patientRecord", {}).get("entries", {})
    names = sorted(entry["name"] for entry in entries.get("nodes", []))
    return names == sorted(CONDITIONS.values()) and entries["totalCount"] == len(CONDITIONS)


async def told_by_callers(server: EdgeServer, rounds: int, seconds: float) -> Story:
    """Rounds without the abuser and with it in turn, each of so many seconds."""
    story, random = Story(), Random(f"{rounds}/{seconds}")
    honest = [Honest(server.settings, server.port, number, story) for number in range(HONEST)]
    abuser = Abuser(server.settings, server.port, story)
    for one in honest:
        await one.read([])  # connected, and their tokens known
    for number in range(2 * rounds):
        waits = story.abused if number % 2 else story.quiet
        asking: list[Awaitable[None]] = [
            paced(HONEST_PER_SECOND, seconds, random, partial(one.read, waits)) for one in honest
        ]
        if number % 2:
            asking.append(abuser.abuse(seconds, random))
        await asyncio.gather(*asking)
    for one in honest:
        one.close()
    abuser.close()
    return story


def judged(story: Story, rounds: int, *, timed: bool) -> Outcome:
    """*timed*: whether it is a fault, too, that the others waited too long."""
    read, sent = story.told["READ"], story.told.total()
    allowed = rounds * READS_BURST + READS_PER_SECOND * story.abused_seconds
    faults = list(story.faults)
    if read > allowed:
        faults.append(f"the abuser read {read} times where its rate allows {allowed:.0f}")
    if read == sent:
        faults.append("the abuser was never refused")
    ratio = p95(story.abused) / p95(story.quiet)
    if timed and ratio > BAR_RATIO:
        faults.append(f"with the abuser the others' p95 was {ratio:.2f} times as long")
    return Outcome(
        f"the abuser sent {sent:,} at {sent / story.abused_seconds / READS_PER_SECOND:.0f} times its rate, of"
        f" which {read:,} were read; the others sent {len(story.quiet):,} without it and {len(story.abused):,}"
        f" beside it; others' p95: quiet {p95(story.quiet):.1f} ms, abused {p95(story.abused):.1f} ms, ratio"
        f" {ratio:.2f} (bar {BAR_RATIO})",
        faults,
    )


def tormented(folder: Path, share: float, changes: Mapping[str, str]) -> Outcome:
    rounds, seconds = max(1, round(ROUNDS * share)), max(2.0, min(ROUND_SECONDS, ROUND_SECONDS * 4 * share))
    with edge_server(folder, changes=changes) as server:
        story = asyncio.run(told_by_callers(server, rounds, seconds))
    return judged(story, rounds, timed=share == 1.0)


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, share, HELD)


def free(folder: Path, share: float) -> Outcome:
    return tormented(folder, min(share, 0.1), FREE)


TORTURE = Torture("one abuser", run, {"no rates and no turns": free})
