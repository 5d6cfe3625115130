"""A withdrawal against the access event of a reader who decided on the consent just before, many times over."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg_pool import AsyncConnectionPool

from examples import granted, withdrawn
from log_examples import an_owner, settings_at, trail_read
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from tsuzuri.app.services import Services, services
from tsuzuri.domain.events import Event, originator
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.appending import Beside, Guard, NarrowedMeanwhile

RACES, RUNNERS = 10_000, 12
CONTROL_ROUND, CONTROL_MOST = 100, 5_000
LET_THROUGH = "the access lies behind the withdrawal"
STEP_SECONDS, SCATTER_SECONDS, LEAD_MAX_SECONDS = 0.0002, 0.001, 0.02

# What the append function must not be: the guard looks with the eyes of before the wait for the part's head.
GUARD_AND_WRITE_IN_ONE = """
    WITH head AS (UPDATE part_head SET pos = pos + 1 WHERE part = %(part)s RETURNING part, pos)
    INSERT INTO event (part, pos, event_id, patient_id, stream, topic, key_id, state, recorded_at, hash)
    SELECT part, pos, %(event)s, %(patient)s, 3, 'access-permitted', gen_random_uuid(), '', clock_timestamp(), ''
    FROM head WHERE NOT EXISTS (
        SELECT FROM event newer
        WHERE newer.part = %(part)s AND newer.patient_id = %(patient)s AND newer.stream = 2 AND newer.pos > %(read)s)
"""

AppendAccess = Callable[[Event, Guard], Awaitable[None]]
"""Raises NarrowedMeanwhile."""


@dataclass(frozen=True)
class Race:
    """The two events that raced, and what those who appended them were told."""

    patient: UUID
    withdrawal: UUID
    access: UUID
    let_in: bool
    errors: list[BaseException]  # other than the refusal of the access


class Lead:
    """How much earlier the withdrawal starts. It follows the races, so that each side wins about half of them."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.rng = Random()

    def pauses(self) -> tuple[float, float]:
        """Before the withdrawal and before the access, in seconds."""
        lead = self.seconds + self.rng.uniform(-SCATTER_SECONDS, SCATTER_SECONDS)
        return max(0.0, -lead), max(0.0, lead)

    def follow(self, race: Race) -> None:
        self.seconds += STEP_SECONDS if race.let_in else -STEP_SECONDS
        self.seconds = min(LEAD_MAX_SECONDS, max(-LEAD_MAX_SECONDS, self.seconds))


async def race(opened: Services, patient: UUID, append_access: AppendAccess, lead: Lead) -> Race:
    """Consent is given, a reader decides on it; then a withdrawal and the access event start together."""
    stream = originator(patient, Stream.CONSENT)
    consent = granted(originator_id=stream, patient=patient, event_id=uuid4())
    withdrawal = withdrawn(originator_id=stream, patient=patient, event_id=uuid4())
    access = trail_read(patient)
    await opened.log.save(consent, beside=Beside(narrows=True, consents=b"given"))
    decided_on = Guard(patient, (await opened.log.head(patient)).guard_pos)

    async def withdraw(pause: float) -> None:
        await asyncio.sleep(pause)
        await opened.log.save(withdrawal, beside=Beside(narrows=True, consents=b"withdrawn"))

    async def read(pause: float) -> bool:
        await asyncio.sleep(pause)
        try:
            await append_access(access, decided_on)
        except NarrowedMeanwhile:
            return False
        return True

    before_withdrawal, before_access = lead.pauses()
    told = await asyncio.gather(withdraw(before_withdrawal), read(before_access), return_exceptions=True)
    errors = [answer for answer in told if isinstance(answer, BaseException)]
    over = Race(patient, withdrawal.event_id, access.event_id, told[1] is True, errors)
    lead.follow(over)
    return over


async def races(opened: Services, numbers: range, append_access: AppendAccess) -> list[Race]:
    """One race for each number, RUNNERS of them at a time, each over a patient of its own."""
    waiting, lead = iter(numbers), Lead()

    async def one_after_another() -> list[Race]:
        return [await race(opened, an_owner(number), append_access, lead) for number in waiting]

    done = await asyncio.gather(*(one_after_another() for _ in range(RUNNERS)))
    return [one for runner in done for one in runner]


def outcome(dsn: str, done: Sequence[Race]) -> Outcome:
    """What the log holds of them, and what of that must not be."""
    with Connection.connect(dsn) as connection:
        positions: dict[UUID, int] = dict(connection.execute("SELECT event_id, pos FROM event").fetchall())
    let_in = sum(one.let_in for one in done)
    found = [f"patient {one.patient}: {fault}" for one in done for fault in _faults(one, positions)]
    through = sum(_is_behind(one, positions) for one in done)
    return Outcome(
        f"{len(done):,} races: {let_in - through:,} accesses came before the withdrawal,"
        f" {len(done) - let_in:,} were refused, {through:,} let through",
        found,
    )


def _faults(one: Race, positions: Mapping[UUID, int]) -> Iterator[str]:
    yield from map(repr, one.errors)
    if one.withdrawal not in positions:
        yield "the withdrawal is not stored"
    if one.let_in and one.access not in positions:
        yield "the access was acknowledged and is not stored"
    if not one.let_in and one.access in positions:
        yield "the access was not acknowledged and is stored"
    if _is_behind(one, positions):
        yield LET_THROUGH


def _is_behind(one: Race, positions: Mapping[UUID, int]) -> bool:
    return positions.get(one.access, 0) > positions.get(one.withdrawal, math.inf)


@asynccontextmanager
async def opened_services(folder: Path, dsn: str) -> AsyncIterator[Services]:
    async with services(settings_at(folder / "home"), dsn) as opened:
        yield opened


def run(folder: Path, share: float) -> Outcome:
    async def story(dsn: str) -> list[Race]:
        async with opened_services(folder, dsn) as opened:

            async def append_access(access: Event, decided_on: Guard) -> None:
                await opened.log.append_access([access], Beside(guards=[decided_on]))

            return await races(opened, range(round(RACES * share)), append_access)

    with fresh_log(folder) as dsn:
        done = asyncio.run(story(dsn))
        over = outcome(dsn, done)
    let_in = sum(one.let_in for one in done)
    if min(let_in, len(done) - let_in) < len(done) / 20:
        return replace(
            over, faults=[*over.faults, "the races were not tight: one side won nearly all of them"]
        )
    return over


def guard_and_write_in_one(folder: Path, share: float) -> Outcome:
    """Goes on until a withdrawn consent was let through."""

    async def story(dsn: str) -> Outcome:
        done: list[Race] = []
        async with (
            opened_services(folder, dsn) as opened,
            AsyncConnectionPool(dsn, min_size=RUNNERS, kwargs={"autocommit": True}, open=False) as pool,
        ):

            async def append_access(access: Event, decided_on: Guard) -> None:
                values = {
                    "part": opened.log.part_of(decided_on.patient),
                    "event": access.event_id,
                    "patient": decided_on.patient,
                    "read": decided_on.guard_pos,
                }
                async with pool.connection() as connection:
                    if (await connection.execute(GUARD_AND_WRITE_IN_ONE, values)).rowcount == 0:
                        raise NarrowedMeanwhile

            for start in range(0, CONTROL_MOST, CONTROL_ROUND):
                done += await races(opened, range(start, start + CONTROL_ROUND), append_access)
                over = outcome(dsn, done)
                let_through = [fault for fault in over.faults if fault.endswith(LET_THROUGH)]
                if let_through:
                    break
            return replace(over, faults=let_through)

    with fresh_log(folder) as dsn:
        return asyncio.run(story(dsn))


TORTURE = Torture(
    "withdrawal against read", run, {"guard and write in one statement": guard_and_write_in_one}
)
