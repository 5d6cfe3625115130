"""Hundreds of generated worlds in one database: lived round by round, then asked about, family by family."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import Connection

from examples import OPERATOR
from log_examples import settings_at
from torture.veiled_families import READ_FROM
from torture.veiled_questions import Asking
from torture.veiled_readers import READER, READERS, Reader
from torture.veiled_steps import Act, Lived, OfAnother, Step
from tsuzuri.app.actions.register_bundles import register_bundles
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.services import services
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.graphql.schema import build_schema, schema_sha256
from world import World

AT_ONCE = 8  # acts of different patients, which share commits
_QUESTION_MAX = 200  # characters of it in a fault
_MIDDLE = 12  # the round behind which the past is asked for
MakeApplication = Callable[..., TsuzuriApplication]


@dataclass
class Family:
    """Worlds that look the same to one reader."""

    reader: Reader
    seed: str
    lives: list[tuple[Lived, list[Step | None]]]


@dataclass
class Compared:
    """What was compared, and where two worlds of one family were told apart, one sentence each."""

    pairs: int = 0
    worlds: int = 0
    answers: int = 0
    by_reader: Counter[str] = field(default_factory=Counter)
    by_question: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Compared") -> None:
        self.pairs += other.pairs
        self.worlds += other.worlds
        self.answers += other.answers
        self.by_reader += other.by_reader
        self.by_question += other.by_question
        self.faults += other.faults


def families(seed: str, numbers: Sequence[int], worlds: int) -> list[Family]:
    """One of each kind of reader in turn. *numbers* are different in all of a database."""
    made = []
    for number in numbers:
        reader, named = READERS[number % len(READERS)], f"{seed}/{number}"
        lives = [
            (_lived(number * worlds + nth), steps) for nth, steps in enumerate(reader.family(named, worlds))
        ]
        made.append(Family(reader, named, lives))
    return made


def _lived(number: int) -> Lived:
    return Lived(f"00012345:覆:{2 * number}:01", f"271{number:07}", f"00012345:覆:{2 * number + 1}:01")


@asynccontextmanager
async def opened(folder: Path, dsn: str, make: MakeApplication = TsuzuriApplication) -> AsyncIterator[World]:
    with Connection.connect(dsn, autocommit=True) as connection:
        async with services(settings_at(folder / "home"), dsn) as under:
            yield World(make(under, schema_sha256(build_schema())), connection)


async def live(world: World, families: Sequence[Family]) -> datetime:
    """Everything happens, and is in the index; a moment in its middle (UTC)."""
    everybody = [life for family in families for life in family.lives]
    middle = datetime.now(UTC)
    for number, steps in enumerate(zip(*(steps for _, steps in everybody), strict=True)):
        if number == READ_FROM:
            world.project()
        here = [(lived, step) for (lived, _), step in zip(everybody, steps, strict=True) if step is not None]
        sent = [(lived, step) for lived, step in here if not isinstance(step, Act)]
        await _send(world, sent)
        acts = [(lived, step) for lived, step in here if isinstance(step, Act)]
        for start in range(0, len(acts), AT_ONCE):
            await asyncio.gather(*(_act(world, lived, act) for lived, act in acts[start : start + AT_ONCE]))
        if number == _MIDDLE:
            middle = datetime.now(UTC)
    world.project()
    return middle


async def _send(world: World, sent: Sequence[tuple[Lived, Any]]) -> None:
    bodies = []
    for lived, step in sent:
        body = (
            step.sending.body(lived.other_number) if isinstance(step, OfAnother) else step.body(lived.number)
        )
        bodies.append(body.replace(READER.encode(), lived.reader.encode()))
    told = await register_bundles(world.application.services, OPERATOR, bodies, on_behalf=True)
    for (lived, step), one in zip(sent, told, strict=True):
        assert isinstance(one, RegisteredBundle), one
        if isinstance(step, OfAnother):
            lived.other = one.patient
        else:
            lived.patient = one.patient
            lived.documents[step.local_id] = one.document


async def _act(world: World, lived: Lived, act: Act) -> None:
    told = await world.data(act.caller(lived), act.document, **act.variables(lived))
    if "appointProxy" in told:
        lived.proxy = told["appointProxy"]


async def compared(world: World, families: Sequence[Family], middle: datetime, more: int) -> Compared:
    """Each world's answers against those of its family's first: alike to it, all are alike to each other."""
    found = Compared()
    for family in families:
        told = [
            await Asking(world, family.reader, lived, family.seed, middle).answers(more)
            for lived, _ in family.lives
        ]
        worlds = len(told)
        found.worlds += worlds
        found.pairs += worlds * (worlds - 1) // 2
        found.by_reader[family.reader.name] += worlds * (worlds - 1) // 2
        found.answers += sum(map(len, told))
        found.by_question.update(told[0].keys())
        for nth, answers in enumerate(told[1:], start=1):
            found.faults += [
                f"{family.reader.name}, family {family.seed}, world {nth}: {_apart(told[0].get(question), answer)}"
                f" to {question[:_QUESTION_MAX]} …"
                for question, answer in answers.items()
                if answer != told[0].get(question)
            ]
    return found


def _apart(one: str | None, other: str) -> str:
    """Where two answers part."""
    if one is None:
        return "was asked for a page that the first has not"
    where = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    around = slice(max(0, where - 60), where + 60)
    return f"told {other[around]!r} and not {one[around]!r}"
