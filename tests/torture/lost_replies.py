"""Appends over a line that breaks on each of them: each comes back as the success it was, and is stored once."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

from psycopg import Connection

from log_examples import an_owner, listed, opened_log, save, settings_at, trail_read
from torture.cutting_line import Cut, CuttingLine, cutting_line
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from tsuzuri.app.services import services
from tsuzuri.domain.events import Event
from tsuzuri.eventlog.appending import Beside, Guard
from tsuzuri.eventlog.places import Place

APPENDS, AT_A_TIME = 1000, 8
TWICE_CUT = 0.02  # the share of appends whose second try is cut too
CONTROL_MOST = 100

DOUBLED = "are stored twice"


@dataclass(frozen=True)
class Appended:
    """The events of one owner who has no others, and what the log said to them."""

    events: Sequence[Event]
    places: Sequence[Place] = ()
    error: Exception | None = None


def some_events(owner: UUID) -> list[Event]:
    """One append: to the stream with versions, to the one without, or to both."""
    with_version: list[Event] = [listed(owner, version) for version in range(1, random.randint(1, 4))]
    return [*with_version, trail_read(owner)] if random.random() < 0.5 or not with_version else with_version


def to_be_cut(line: CuttingLine, events: Sequence[Event]) -> None:
    line.await_append(events[0].event_id, tries=2 if random.random() < TWICE_CUT else 1)


def saved_by_threads(line: CuttingLine, numbers: range) -> list[Appended]:
    """Through the library's application, each append of an owner of its own."""
    with opened_log(line.dsn, connections=AT_A_TIME) as log, ThreadPoolExecutor(AT_A_TIME) as threads:

        def one(number: int) -> Appended:
            events = some_events(an_owner(number))
            to_be_cut(line, events)
            try:
                return Appended(events, save(log, *events))
            except Exception as error:  # whatever it is: nothing was wrong but the line
                return Appended(events, error=error)

        return list(threads.map(one, numbers))


async def recorded_by_tasks(line: CuttingLine, folder: Path, numbers: range) -> list[Appended]:
    """Access events under a guard that holds, through the asynchronous log."""
    waiting = iter(numbers)
    async with services(settings_at(folder / "home"), line.dsn) as opened:

        async def one(number: int) -> Appended:
            owner = an_owner(number)
            events = [trail_read(owner) for _ in range(random.randint(1, 3))]
            to_be_cut(line, events)
            try:
                stored = await opened.log.append_access(events, Beside(guards=[Guard(owner, 0)]))
            except Exception as error:
                return Appended(events, error=error)
            return Appended(events, [event.place for event in stored])

        async def one_after_another() -> list[Appended]:
            return [await one(number) for number in waiting]

        done = await asyncio.gather(*(one_after_another() for _ in range(AT_A_TIME)))
    return [appended for task in done for appended in task]


def faults(dsn: str, done: Sequence[Appended]) -> list[str]:
    with Connection.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT patient_id, event_id, part, pos FROM event ORDER BY part, pos"
        ).fetchall()
        heads: dict[int, int] = dict(connection.execute("SELECT part, pos FROM part_head").fetchall())
    stored: defaultdict[str, dict[UUID, Place]] = defaultdict(dict)
    for owner, event, part, pos in rows:
        stored[str(owner)][event] = Place(part, pos)
    found = []
    for one in done:
        owner = one.events[0].originator_id.partition("/")[0]
        found += [f"events of {owner} {fault}" for fault in _faults(one, stored[owner])]
    for part, head in heads.items():
        if [pos for _, _, of, pos in rows if of == part] != list(range(1, head + 1)):
            found.append(f"the positions of part {part} are not 1 to its head")
    return found


def _faults(one: Appended, stored: Mapping[UUID, Place]) -> Iterator[str]:
    wanted = [event.event_id for event in one.events]
    if one.error is not None:
        yield f"were answered with {one.error!r} and are {'all' if list(stored) == wanted else 'not'} stored"
    elif len(stored) > len(wanted):
        yield DOUBLED
    elif list(stored) != wanted or list(stored.values()) != list(one.places):
        yield "are not stored as they were appended, or not where their caller was told"


def run(folder: Path, share: float) -> Outcome:
    half = round(APPENDS * share / 2)
    with fresh_log(folder) as dsn, cutting_line(dsn) as line:
        done = saved_by_threads(line, range(half))
        done += asyncio.run(recorded_by_tasks(line, folder, range(half, 2 * half)))
        found = faults(dsn, done)
        cuts = ", ".join(f"{line.cuts[cut]:,} {cut.value}" for cut in Cut)
        if line.cuts.total() < len(done):
            found.append(f"only {line.cuts.total()} appends were cut: the line does not know them")
    return Outcome(f"{len(done):,} appends, cut {cuts}", found)


def new_ids_at_each_try(folder: Path, share: float) -> Outcome:
    """An append that is done again with new event ids when its reply was lost, until one is found doubled."""
    done: list[Appended] = []
    found: list[str] = []
    with fresh_log(folder) as dsn, cutting_line(dsn) as line, opened_log(line.dsn) as log:
        while not found and len(done) < CONTROL_MOST:
            events = [trail_read(an_owner(len(done)))]
            line.await_append(events[0].event_id)
            places = save(log, *events)
            if line.lost_reply(events[0].event_id):
                events = [replace(event, event_id=uuid4()) for event in events]
                places = save(log, *events)
            done.append(Appended(events, places))
            found = [fault for fault in faults(dsn, done) if fault.endswith(DOUBLED)]
    return Outcome(f"{len(done)} appends", found)


TORTURE = Torture("replies lost after commit", run, {"new event ids at each try": new_ids_at_each_try})
