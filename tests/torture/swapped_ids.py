"""Ids, cursors and positions given back where they were not given out, whole and damaged: never a row, never a fault.

In a world in which everything has happened, readers of every kind collect what answers give out. Then each text goes,
as it is, changed by a letter, cut or mixed with another, into any place that takes one, asked by anybody about anybody.
Where it was not given out for that place, reader and patient, the answer is that to a text which never was one, to the
byte; where it was, nothing is told that this reader was not told before.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import orjson

from alike_examples import VOLATILE
from torture.document_askers import askers
from torture.fresh_log import fresh_log
from torture.given_texts import (
    NEVER_ONE,
    Asking,
    Given,
    Seat,
    ask,
    codes_of,
    collected,
    is_uuid,
    known_besides,
    plain,
    texts_under,
    under,
)
from torture.harness import Outcome, Run, Torture
from torture.read_world import Inhabited, inhabited
from torture.swapped_places import PLACES, WATCHED, Place
from torture.veiled_worlds import MakeApplication, opened
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.seals import LENGTH, Seals
from world import World

TIMES = 10_000
EACH_MIN = 50  # times that each place is asked at full size
MOSTLY, OF_ITS_KIND, DAMAGED = 0.95, 0.5, 0.33
BLIND = "nothing was found by what belongs: the harness is blind"
_TOLD_MAX = 200  # characters of an answer in a fault
_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


def damaged(random: Random, text: str, other: str) -> str:
    """One letter another, a part gone or too much, halves exchanged, or mixed with another text.

    Something is left: that a text is empty may be told, and is, where a patient is named by one of several keys.
    """
    at, half = random.randrange(1, len(text)), len(text) // 2
    return random.choice(
        [
            text[:at] + random.choice(_ALPHABET.replace(text[at], "")) + text[at + 1 :],
            text[:-1] + random.choice(_ALPHABET.replace(text[-1], "")),
            text[:at],
            text[at:],
            text[half:] + text[:half],
            text[:half] + other[len(other) // 2 :],
            text + random.choice(_ALPHABET + "="),
            text[:at] + random.choice("\n =!.") + text[at:],
        ]
    )


class Swapping:
    """Gives texts to places, and notes each answer that is not as it must be. *seed*: of what is drawn."""

    def __init__(self, world: World, given: Given, seed: str) -> None:
        self.world, self.given, self.random, self.seed = world, given, Random(seed), seed
        self.of_kind: dict[str, list[str]] = {}
        for text in sorted(given.texts):
            for kind in sorted({name for name, _ in given.texts[text]}):
                self.of_kind.setdefault(kind, []).append(text)
        self.kinds = sorted(self.of_kind)
        self.faults: list[str] = []
        self.times: Counter[str] = Counter()
        self.found = 0  # times that something was found by what belongs where it was given
        self._never: dict[tuple[str, Seat, bool], bytes] = {}

    async def swap(self, times: int) -> None:
        places = [*PLACES, *WATCHED]
        while self.times.total() < times:
            place = self.random.choice(places)
            await self.one(place, self._seat(place), self._text(place))

    async def one(self, place: Place, seat: Seat, text: str) -> None:
        belongs = self.given.belongs(text, place.takes, seat)
        if belongs and place in WATCHED:
            return
        self.times[place.name] += 1
        answer = await ask(self.world, seat, place, text)
        told = [*texts_under(answer, "id"), *(one for ids in under(answer, "present") for one in ids)]
        self.found += belongs and bool(told)
        fault = None
        if not codes_of(answer).isdisjoint(("INTERNAL", None)):
            fault = "met a fault of ours"
        elif not belongs and (shown := _comparable(answer)) != await self._to_never_one(place, seat, text):
            fault = f"was told {shown[:_TOLD_MAX].decode()}"
        elif not all(self.given.belongs(one, place.tells, seat) for one in told):
            fault = "was told of what it is not told otherwise"
        if fault is not None:
            kinds = ", ".join(sorted({kind for kind, _ in self.given.texts.get(plain(text), ())}))
            what = kinds or "a damaged text"
            self.faults.append(f"{seat} in {place.name} by {what} {fault} (seed {self.seed})")

    async def _to_never_one(self, place: Place, seat: Seat, text: str) -> bytes:
        """What is answered here to a text of the same form that was never given out."""
        key = place.name, seat, is_uuid(text)
        if key not in self._never:
            never = str(uuid4()) if is_uuid(text) else NEVER_ONE
            self._never[key] = _comparable(await ask(self.world, seat, place, never))
        return self._never[key]

    def _seat(self, place: Place) -> Seat:
        """Mostly one who may ask there."""
        let_in = self.given.opens.get(place.name, self.given.seats)
        some = let_in if self.random.random() < MOSTLY else self.given.seats
        return self.random.choice(some)

    def _text(self, place: Place) -> str:
        """Often of the kind that the place takes, whomever it belongs to."""
        own = place.takes.name in self.of_kind and self.random.random() < OF_ITS_KIND
        text = self.random.choice(self.of_kind[place.takes.name if own else self.random.choice(self.kinds)])
        if self.random.random() >= DAMAGED:
            return text
        return damaged(self.random, text, self.random.choice(self.of_kind[self.random.choice(self.kinds)]))


def _comparable(answer: dict[str, Any]) -> bytes:
    """Without what two looks never have in common."""

    def blanked(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: "…" if key in VOLATILE else blanked(inner) for key, inner in value.items()}
        return [blanked(inner) for inner in value] if isinstance(value, list) else value

    return orjson.dumps(blanked(answer))


# --- what must not be


class ForAnyUse(Seals):
    """Binds to nothing."""

    def seal_text(self, use: bytes, plain: bytes, *, length: int = LENGTH) -> str:
        return super().seal_text(b"", plain, length=length)

    def open(self, use: str, token: str, type: type[Any] = list) -> Any:
        return super().open("", token, type)


class ForAnyPatient(Seals):
    """Binds to the list, and not to whose it is."""

    def seal_text(self, use: bytes, plain: bytes, *, length: int = LENGTH) -> str:
        return super().seal_text(use.partition(b"/")[0], plain, length=length)

    def open(self, use: str, token: str, type: type[Any] = list) -> Any:
        return super().open(use.partition("/")[0], token, type)


def sealing(kind: type[Seals]) -> MakeApplication:
    def make(under: Services, schema: str) -> TsuzuriApplication:
        return TsuzuriApplication(replace(under, seals=kind(b"\0" * 32)), schema)

    return make


class ForAnyReader(TsuzuriApplication):
    """From when there is a *first*, every clinician reads as that one."""

    first: Caller | None = None

    async def open_record(self, caller: Caller, *rest: Any, **more: Any) -> Any:
        reads = self.first if self.first is not None and caller.role is Role.CLINICIAN else caller
        return await super().open_record(reads, *rest, **more)


async def swapped(world: World, asking: list[Asking], seed: str, times: int) -> Swapping:
    given = await collected(world, asking)
    everybody = {caller: None for caller, _, _ in asking}
    patients = {(name, patient): None for _, name, patient in asking}
    await known_besides(world, given, ((caller, *one) for caller in everybody for one in patients))
    if isinstance(world.application, ForAnyReader):
        let_in = (seat.caller for seat in given.seats if seat.whose is not None)
        world.application.first = next(caller for caller in let_in if caller.role is Role.CLINICIAN)
    swapping = Swapping(world, given, seed)
    await swapping.swap(times)
    return swapping


def _asking(found: Inhabited) -> Iterator[Asking]:
    for asker in askers(found):
        name = asker.name.rpartition(", ")[2]
        yield asker.caller, name, found.patients[name]


def tormented(make: MakeApplication, folder: Path, share: float) -> Outcome:
    seed = os.environ.get("TSUZURI_SEED") or str(Random().randrange(10**9))

    async def inside(dsn: str) -> Swapping:
        async with opened(folder, dsn, make) as world:
            asking = list(_asking(await inhabited(world)))
            return await swapped(world, asking, seed, round(TIMES * share))

    with fresh_log(folder) as dsn:
        done = asyncio.run(inside(dsn))
    seldom = min((*PLACES, *WATCHED), key=lambda place: done.times[place.name]).name
    faults = list(done.faults)
    if share >= 1 and done.times[seldom] < EACH_MIN:
        faults.append(f"{seldom} was asked {done.times[seldom]} times only")
    if not done.found:
        faults.append(BLIND)
    return Outcome(
        f"{done.times.total():,} swaps (seed {seed}) of {len(done.given.texts):,} texts of {len(done.kinds)} kinds by"
        f" {len(done.given.seats)} readers of patients, in {len(done.times)} places, each {done.times[seldom]} times or"
        f" more; {done.found:,} belonged there and found something",
        faults,
    )


def _control(make: MakeApplication, times: int) -> Run:
    """*times*: as many as it takes to notice, whatever the seed."""

    def run_control(folder: Path, _: float) -> Outcome:
        outcome = tormented(make, folder, times / TIMES)
        return Outcome(outcome.done, [fault for fault in outcome.faults if fault != BLIND])

    return run_control


TORTURE = Torture(
    "swapped ids",
    partial(tormented, TsuzuriApplication),
    {
        "a seal for any use": _control(sealing(ForAnyUse), 100),
        "a seal for any patient": _control(sealing(ForAnyPatient), 200),
        "a record for any reader": _control(ForAnyReader, 1_000),
    },
)
