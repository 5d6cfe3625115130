"""Erase what is past its time, or say what would go. Candidates come from the record index; the log decides.

Patient by patient, and Bundle by Bundle in a transaction of its own: it may be broken off anywhere, repeated, and
done by two at once.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from eventsourcing.persistence import IntegrityError, MapperDeserialisationError
from psycopg.errors import UndefinedTable

from tsuzuri.app.actions.erase import store_erasure
from tsuzuri.app.actions.load_streams import load_record
from tsuzuri.app.actions.refusals import ATTEMPTS, Busy, NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.erasures import ErasureHeld, erase_expired
from tsuzuri.domain.expiry import Expired, Indexed, expired
from tsuzuri.domain.registrations import PatientRecord, evolve
from tsuzuri.domain.vocabulary import RecordClass, Role
from tsuzuri.eventlog.sealing import SealBroken
from tsuzuri.projections.freshness import freshness, served_generation
from tsuzuri.projections.record_index import NAME
from tsuzuri.projections.sight_ends import FIRST, past_their_time, patients_behind, sight_ends

_PAGE_PATIENTS = 200
_CLOCKS_APART_MAX = timedelta(minutes=1)

Tell = Callable[[UUID, Expired], None]
"""Is told of each Bundle, with its patient, as soon as it is erased or would be."""


class ClockAhead(Exception):
    """This machine's clock cannot be trusted to say what is past its time."""


@dataclass
class Account:
    """What a run erased, or would; and how many patients it passed over."""

    bundles: int = 0
    classes: Counter[RecordClass] = field(default_factory=Counter)  # in how many Bundles
    patients: int = 0
    held: int = 0  # a hold stands
    behind: int = 0  # the index lacks something of them, or their record was being changed
    unreadable: int = 0  # an event of theirs cannot be decoded
    more: bool = False  # there is more than the limit allowed

    def add(self, one: Expired) -> None:
        self.bundles += 1
        self.classes.update(one.classes)


async def moment_to_erase_by(services: Services) -> datetime:
    """Now, as reads count it.

    Raises ClockAhead: what is erased too early is lost, so two clocks must agree that it is late enough.
    """
    async with services.pool.connection() as connection:
        cursor = await connection.execute("SELECT clock_timestamp()")
        row = await cursor.fetchone()
    assert row is not None
    now = services.now()
    if now > row[0] + _CLOCKS_APART_MAX:
        raise ClockAhead(
            "the clock of this machine is more than a minute ahead of the database's: nothing is erased; set it right"
        )
    return now


async def plan_retention(
    services: Services, caller: Caller, at: datetime, *, limit: int, tell: Tell
) -> Account:
    """What `run_retention` would erase at a moment (aware), of at most *limit* Bundles, if nothing else happens.

    Raises:
        NotPermitted: the caller is not an operator.
        tsuzuri.projections.checkpoints.ProjectionOutdated, Busy.
    """

    async def leave(record: PatientRecord, _: Expired) -> PatientRecord:
        return record

    return await _through(services, caller, at, leave, limit, tell)


async def run_retention(
    services: Services, caller: Caller, at: datetime, *, limit: int, tell: Tell
) -> Account:
    """Erase what is past its time at a moment (aware), of at most *limit* Bundles.

    Raises as `plan_retention`, and LogUnavailable: what was told of by then is erased.
    """

    async def erase(record: PatientRecord, one: Expired) -> PatientRecord:
        event = erase_expired(record, one, erased_by=caller.person, event_id=services.new_id())
        await store_erasure(services, event)
        return evolve(record, event)

    return await _through(services, caller, at, erase, limit, tell)


async def _through(
    services: Services,
    caller: Caller,
    at: datetime,
    take: Callable[[PatientRecord, Expired], Awaitable[PatientRecord]],
    limit: int,
    tell: Tell,
) -> Account:
    if caller.role is not Role.OPERATOR:
        raise NotPermitted("only an operator erases")
    account = Account()
    async for patient in _candidates(services, at):
        try:
            record = await load_record(services, patient)
        except (SealBroken, MapperDeserialisationError):
            account.unreadable += 1
            continue
        indexed = await _indexed(services, patient)
        if indexed is None:
            account.behind += 1
            continue
        found = expired(record, indexed, at)
        if found and record.holds:
            account.held += 1
            continue
        before = account.bundles
        for one in found:
            if account.bundles == limit:
                account.more = True
                break
            try:
                record = await take(record, one)
            except IntegrityError:
                account.behind += 1
                break
            except ErasureHeld:
                account.held += 1
                break
            account.add(one)
            tell(patient, one)
        account.patients += account.bundles > before
        if account.more:
            break
    return account


async def _candidates(services: Services, at: datetime) -> AsyncIterator[UUID]:
    """Patients of whom the index has something that is seen no more, in the order of their ids, page by page."""
    after: UUID | None = FIRST
    while after is not None:
        found, after = await _page(services, after, at)
        for patient in found:
            yield patient


async def _page(services: Services, after: UUID, at: datetime) -> tuple[list[UUID], UUID | None]:
    """Candidates, and behind whom the next page begins; None: there is none."""
    for _ in range(ATTEMPTS):
        async with services.pool.connection() as connection:
            generation = await served_generation(services.reads, NAME)
            try:
                patients = await patients_behind(connection, generation, after, _PAGE_PATIENTS)
                found = await past_their_time(connection, generation, patients, at)
            except UndefinedTable:
                continue  # another generation was promoted, and this one dropped
        return found, patients[-1] if len(patients) == _PAGE_PATIENTS else None
    raise Busy("the record index is being rebuilt again and again: try again")


async def _indexed(services: Services, patient: UUID) -> dict[UUID, Indexed] | None:
    """What the index has of a patient whose record was folded before; None when it lacks something of her.

    Should it have more than was folded, the record has moved on, and its next version is taken.
    """
    stands = await freshness(services.reads, NAME, services.log.part_of(patient), patient)
    if await services.log.record_events_behind(patient, stands.position):
        return None
    async with services.pool.connection() as connection:
        try:
            return await sight_ends(connection, stands.generation, patient)
        except UndefinedTable:
            return None
