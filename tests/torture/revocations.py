"""Consents given and withdrawn again and again, while readers at two server processes read on what they find.

Two things must hold, and the first alone would not prove the guard: no read that starts after the acknowledgement of a
withdrawal is permitted; and no stored access cites an older consent than the log held where the access lies. Every
other patient is linked, and what is read under her number rests on the consent of the one she is linked with, whose
stream lies in whatever part it does. The projectors stop half-way: no answer may depend on them.
"""

import asyncio
import itertools
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random, shuffle
from typing import Any
from uuid import UUID

from psycopg import Connection

from examples import CLINIC_SYSTEM, DOCTOR, HOSPITAL, HOSPITAL_SYSTEM, OPERATOR, a_bundle
from log_examples import a_ring, logins, settings_at
from projection_examples import catch_up
from torture.cited_consents import OLDER, older_than_held
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Run, Torture
from torture.served import FORK, Asker, Kind, ServerProcess, build_api, opened
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.ended_with import ended_with
from tsuzuri.app.projector import Projector
from tsuzuri.app.services import Services
from tsuzuri.app.settings import Settings
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.vocabulary import PurposeOfUse
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.graphql.readings import Operation, Reading, Readings, RefusedReading

WITHDRAWALS, CONTROL_WITHDRAWALS = 10_000, 30
SERVERS, LANES, READERS_OF_A_LANE = 2, 4, 2
TURNS = 10  # so often each patient's consent is withdrawn: her stream stays short
PATIENTS_LEAST = 3 * LANES
REMEMBERED_SECONDS = 0.5
PAUSE_SECONDS_MAX = 0.08  # between a grant and its withdrawal
EARLIER = 0.3  # the share of reads that ask for the patient of the turn before

LATE = "was permitted, though it started after the acknowledgement of the withdrawal"

GRANT = f"""mutation ($of: String!) {{
  grantConsent(patient: {{insuredPerson: $of}}, facility: "{HOSPITAL}", classes: [CONDITION]) }}"""
WITHDRAW = f"""mutation ($of: String!) {{
  withdrawConsent(patient: {{insuredPerson: $of}}, facility: "{HOSPITAL}") }}"""
READ = """query ($of: String!) { patientRecord(patient: {insuredPerson: $of}) { __typename
  ... on PatientRecord { accessId entries(first: 5) { nodes { name } } } ... on AccessRefused { reason } } }"""


@dataclass(eq=False)
class Read:
    """A patient's number to read by, the number her consent is given under, and where that stands.

    All clients live in one event loop: what stands when a request is sent, stood before it started.
    """

    number: str
    consents_under: str
    withdrawn: int | None = None  # the turn of the acknowledged withdrawal that no grant has followed
    under_way: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)  # a read, since the last grant


@dataclass
class Story:
    """What the clients saw."""

    withdrawals: int = 0
    raced: int = 0  # withdrawals that were sent while a read of the same patient was under way
    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    over: bool = False


class Unguarded(TsuzuriApplication):
    """What must not be: what was read is recorded, whatever came in between."""

    async def settle(
        self, caller: Caller, readings: Readings, operation: Operation, data: dict[str, Any] | None
    ) -> None:
        for reading in readings.permitted:
            reading.guards = ()
        await super().settle(caller, readings, operation, data)


class Remembering(Unguarded):
    """What must not be: a decision that permits holds for a while. With the guard on it would be decided again."""

    def __init__(self, services: Services, schema_sha256: str) -> None:
        super().__init__(services, schema_sha256)
        self._permitted: dict[PatientKey, tuple[float, Reading]] = {}

    async def open_record(
        self, caller: Caller, key: PatientKey, purpose: PurposeOfUse, **asked: Any
    ) -> Reading | RefusedReading:
        until, held = self._permitted.get(key, (0.0, None))
        if held is not None and time.monotonic() < until:
            return replace(held, access_id=self.new_id(), asked=set(), shown={}, volatile=set())
        decided = await super().open_record(caller, key, purpose, **asked)
        if isinstance(decided, Reading):
            self._permitted[key] = time.monotonic() + REMEMBERED_SECONDS, decided
        return decided


async def registered(settings: Settings, dsn: str, patients: int) -> list[Read]:
    """Patients with a diagnosis each; every other is linked, and her consent is said under the other's number."""
    numbers = (f"000{number:05}:き:{number}:01" for number in itertools.count(1))
    async with opened(settings, dsn) as world:

        async def register(number: str) -> UUID:
            bundle = a_bundle(number=number, local_id=number[:8]).replace(
                b'"P-1"', f'"{number[:8]}"'.encode()
            )
            return (await world.register_bundle(CLINIC_SYSTEM, bundle)).patient

        reads = []
        for place in range(patients):
            number = next(numbers)
            survivor = await register(number)
            reads.append(Read(number, number))
            if place % 2:
                other = next(numbers)
                await world.link_patients(OPERATOR, survivor, await register(other), "確認済")
                reads[-1].consents_under = other
    with logins(dsn).connect(LogRole.PROJECTOR) as connection:
        catch_up(connection)
    shuffle(reads)
    return reads


async def grant_and_withdraw(
    askers: Sequence[Asker], turns: Sequence[tuple[int, Read]], story: Story, lane: list[Read]
) -> None:
    """The writer of a lane. *lane*: the patient whose turn it is, and the one before."""
    random = Random()
    for turn, read in turns:
        read.withdrawn = None
        if not await _said(random.choice(askers), GRANT, read, story):
            continue
        read.begun.clear()
        lane[:] = [read, lane[0] if lane else read]
        await read.begun.wait()
        await asyncio.sleep(random.uniform(0, PAUSE_SECONDS_MAX))
        story.raced += read.under_way > 0
        if await _said(random.choice(askers), WITHDRAW, read, story):
            read.withdrawn = turn
            story.withdrawals += 1


async def _said(asker: Asker, mutation: str, read: Read, story: Story) -> bool:
    answer = await asker.ask(mutation, of=read.consents_under)
    if answer.whole and answer.code is None:
        return True
    story.faults.append(
        f"a change of a consent was answered with {answer.code if answer.whole else 'nothing'}"
    )
    return False


async def read_on(asker: Asker, story: Story, lane: list[Read]) -> None:
    """A reader, from its lane's first turn until the writers are done."""
    random = Random()
    while not lane:
        await asyncio.sleep(0.01)
    while not story.over:
        read = lane[random.random() < EARLIER]
        withdrawn = read.withdrawn
        read.under_way += 1
        read.begun.set()
        answer = await asker.ask(READ, of=read.number)
        read.under_way -= 1
        kind = _kind(answer.told) if answer.whole else "nothing"
        if withdrawn is not None and withdrawn == read.withdrawn:
            kind += " after a withdrawal"
            if kind.startswith("permitted"):
                story.faults.append(f"a read {LATE}")
        story.answers[kind] += 1


def _kind(told: Mapping[str, Any]) -> str:
    if "errors" in told:
        return str(told["errors"][0]["extensions"]["code"])
    return "permitted" if told["data"]["patientRecord"]["__typename"] == "PatientRecord" else "refused"


async def raced(
    settings: Settings, ports: Sequence[int], reads: Sequence[Read], turns: int, at_half: Callable[[], None]
) -> Story:
    """So many turns of all patients; each lane has a writer and readers, of whom each server has its share."""
    story = Story()
    lanes: list[list[Read]] = [[] for _ in range(LANES)]
    patients = [reads[number::LANES] for number in range(LANES)]
    changing = [[Asker(settings, port, HOSPITAL_SYSTEM) for port in ports] for _ in lanes]
    reading = [
        (Asker(settings, ports[number % len(ports)], DOCTOR), lane)
        for lane in lanes
        for number in range(READERS_OF_A_LANE)
    ]

    async def write(turns: range) -> None:
        """Each lane its turns; the number of a turn, and of a patient in it, tells withdrawals apart."""
        await asyncio.gather(
            *(
                grant_and_withdraw(askers, [(turn, read) for turn in turns for read in own], story, lane)
                for askers, own, lane in zip(changing, patients, lanes, strict=True)
            )
        )

    async with asyncio.TaskGroup() as group:  # a reader that fails ends them all
        for asker, lane in reading:
            group.create_task(read_on(asker, story, lane))
        await write(range(turns // 2))
        at_half()
        await write(range(turns // 2, turns))
        story.over = True
    for asker in itertools.chain(*changing, (asker for asker, _ in reading)):
        asker.close()
    return story


def tormented(folder: Path, withdrawals: int, kind: Kind) -> Outcome:
    turns = min(TURNS, max(1, withdrawals // PATIENTS_LEAST))
    settings = settings_at(folder / "home")
    with fresh_log(folder) as dsn:
        reads = asyncio.run(registered(settings, dsn, patients=max(PATIENTS_LEAST, withdrawals // turns)))
        api = build_api(settings, partial(opened, settings, dsn, kind))
        projector = FORK.Process(target=_project, args=(dsn,), daemon=True)
        projector.start()
        servers = [ServerProcess(api) for _ in range(SERVERS)]
        ports = [server.port for server in servers]
        try:
            story = asyncio.run(raced(settings, ports, reads, turns, projector.kill))
        finally:
            projector.kill()
            for server in servers:
                server.kill()
        with Connection.connect(dsn, autocommit=True) as connection:
            stored, linked, older = older_than_held(connection)
    told = ", ".join(f"{number:,} {kind}" for kind, number in sorted(story.answers.items()))
    done = (
        f"{story.withdrawals:,} withdrawals, {story.raced:,} of them raced by a read,"
        f" by {LANES * READERS_OF_A_LANE} readers at {SERVERS} servers: {told};"
        f" {stored:,} accesses stored, {linked:,} of linked patients, {len(older)} cite an older consent"
    )
    found = [*story.faults, *older]
    if story.raced < story.withdrawals / 2:
        found.append("the races were not tight: too few withdrawals met a read")
    if min(story.answers["permitted"], story.answers["refused"]) < story.withdrawals / 20:
        found.append("the races were not tight: one side won nearly all of them")
    return Outcome(done, found)


def _project(dsn: str) -> None:
    projector, parent = Projector(logins(dsn), a_ring()), os.getppid()
    ended_with(parent, projector.stopping.set)  # should it outlive the process that is to kill it
    projector.run()


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, round(WITHDRAWALS * share), TsuzuriApplication)


def _control(kind: Kind, wanted: str) -> Run:
    """Only what the one check finds counts: answers for themselves, the log for itself."""

    def run_control(folder: Path, _: float) -> Outcome:
        outcome = tormented(folder, CONTROL_WITHDRAWALS, kind)
        return replace(outcome, faults=[fault for fault in outcome.faults if wanted in fault])

    return run_control


TORTURE = Torture(
    "read your revocation",
    run,
    {
        "the guard off, in the log": _control(Unguarded, OLDER),
        "decisions remembered, in the answers": _control(Remembering, LATE),
    },
)
