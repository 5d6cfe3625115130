"""A patient, or who stands for her, is told who looks: each access that her own list shows, in its order, once.

An access is told when the trail is whole up to it: then none can come in before it any more, and the last one told is a
place to come back to.
"""

from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from tsuzuri.app.actions.look_again import look_again
from tsuzuri.app.actions.open_record import open_record
from tsuzuri.app.actions.read_trail import trail_complete_until
from tsuzuri.app.actions.record_watch import Recording
from tsuzuri.app.actions.refusals import Busy
from tsuzuri.app.actions.watch_record import AGAIN_SECONDS
from tsuzuri.app.services import Services
from tsuzuri.app.shared_looks import SharedLooks
from tsuzuri.app.wakes import Wakes
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import PurposeOfUse
from tsuzuri.graphql.context import NewAccess, RequestRefused
from tsuzuri.graphql.readings import Path, Reading, RefusedReading
from tsuzuri.graphql.seals import SealBroken, Seals
from tsuzuri.projections import audit_trail
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.freshness import served_generation

PAGE_ACCESSES = 100
LATER_SECONDS = 0.25  # until the trail is looked at again, when there is more than it is whole for
BAD_POSITION = ("BAD_POSITION", "this position was not given out for this patient's accesses")

ROOT: Path = ("accessed",)
Place = tuple[datetime, UUID]
"""In the order of the trail: when, and the access."""
_PLACE_BYTES = 96
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


async def watch_accesses(
    services: Services,
    wakes: Wakes,
    looks: SharedLooks,
    recording: Recording,
    caller: Caller,
    patient: UUID,
    after: str | None,
) -> AsyncGenerator[NewAccess | RefusedReading, None]:
    """From *after* on; else from this access, which begins it, on. Each is decided anew, and that it is told is durable
    in the trail before it comes; a refusal is the last.

    Raises RequestRefused.
    """

    async def opened() -> Reading | RefusedReading:
        purpose = PurposeOfUse.PATRQT if patient == caller.patient else PurposeOfUse.FAMRQT
        return await open_record(services, caller, patient, purpose, as_of=None, min_position=None, path=ROOT)

    use = f"accessed/{patient}"
    last = (await _clock(services), UUID(int=0)) if after is None else _opened(services.seals, use, after)
    began = await recording.begin(opened)
    if isinstance(began, RefusedReading):
        yield began
        return
    to_tell, of = deque[Mapping[str, Any]](), began.sight.patients
    with wakes.watching(of) as watcher:
        while True:
            looked = await look_again(services, looks, caller, began)
            if isinstance(looked, RefusedReading):
                await recording.recorded(looked)
                yield looked
                return
            if looked.sight.patients != of:
                to_tell, of = deque(), looked.sight.patients
                watcher.turn_to(of)
            more = False
            if not to_tell:
                to_tell, more = await _next(services, of, last)
            if not to_tell:
                await watcher.woken(LATER_SECONDS if more else AGAIN_SECONDS)
            elif await recording.recorded(looked):
                row = to_tell.popleft()
                last = row["at"], row["id"]
                yield NewAccess(row=row, position=services.seals.seal(use, last, length=_PLACE_BYTES))


def _opened(seals: Seals, use: str, after: str) -> Place:
    try:
        place: Place = seals.open(use, after, Place)  # type: ignore[arg-type]
    except SealBroken:
        raise RequestRefused(*BAD_POSITION) from None
    return place


async def _clock(services: Services) -> datetime:
    """The log's, by which accesses are ordered."""
    async with services.pool.connection() as connection:
        row = await (await connection.execute("SELECT clock_timestamp()")).fetchone()
    assert row is not None
    now: datetime = row[0]
    return now


async def _next(
    services: Services, patients: Sequence[UUID], after: Place
) -> tuple[deque[Mapping[str, Any]], bool]:
    """The next accesses that can be told, and whether there are any that cannot be yet."""
    rows = await _page(services, patients, after)
    try:
        whole = await trail_complete_until(services) if rows else _NEVER
    except Busy:
        whole = _NEVER
    return deque(row for row in rows if row["at"] < whole), bool(rows)


async def _page(services: Services, patients: Sequence[UUID], after: Place) -> list[dict[str, Any]]:
    fields = SQL(", ").join(
        SQL("{} AS {}").format(Identifier(column), Identifier(name))
        for name, column in audit_trail.VIEW.fields.items()
    )
    async with (
        services.pool.connection() as connection,
        connection.cursor(row_factory=dict_row, binary=True) as cursor,
    ):
        generation = await served_generation(services.reads, audit_trail.NAME)
        table = Identifier(PROJECTIONS[audit_trail.NAME].schema(generation), audit_trail.AccessRow.TABLE)
        await cursor.execute(
            SQL(
                "SELECT {} FROM {} WHERE (patient_id = ANY (%(hers)b) OR linked <> '{{}}' AND linked && %(hers)b)"
                " AND outcome = ANY (%(own)b) AND (at, access) > (%(at)b, %(access)b)"
                " ORDER BY at, access LIMIT %(most)b"
            ).format(fields, table),
            {
                "hers": list(patients),
                "own": list(audit_trail.OWN_OUTCOMES),
                "at": after[0],
                "access": after[1],
                "most": PAGE_ACCESSES,
            },
        )
        return await cursor.fetchall()
