"""Destroy again what was destroyed before, in a database that was put back from a backup: with events, as then."""

from collections.abc import Sequence
from itertools import groupby
from uuid import UUID

from tsuzuri.app.actions.erase import erase_stream, lift_hold, store_erasure
from tsuzuri.app.actions.load_streams import load_record
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import PayloadErased, originator
from tsuzuri.domain.registrations import classes_of
from tsuzuri.domain.vocabulary import RecordClass, Stream
from tsuzuri.eventlog.data_keys import STREAM_USES
from tsuzuri.eventlog.erasure_list import WholeKey

REASON = "erased before; again after a restore"
_NO_DOCUMENT = UUID(int=0)
_STREAMS = {str(use): stream for stream, use in STREAM_USES.items()}


async def erase_again(services: Services, caller: Caller, whole: Sequence[WholeKey]) -> int:
    """How many owners' keys were destroyed. It may be broken off, and repeated with what is whole by then.

    A hold that stands in the backup had been lifted when the key was destroyed: it is lifted first.

    Raises:
        NotPermitted: the caller is not an operator.
        Busy, LogUnavailable: try again.
    """
    owners = 0
    for owner, each in groupby(sorted(whole, key=lambda one: one.owner), key=lambda one: one.owner):
        keys = list(each)
        for hold in (await load_record(services, owner)).holds:
            await lift_hold(services, caller, owner, hold, reason=REASON)
        streams = {_STREAMS[key.use] for key in keys if key.use in _STREAMS}
        for stream in sorted(streams - {Stream.RECORD}):
            await erase_stream(services, caller, owner, stream, reason=REASON)
        if Stream.RECORD in streams:
            await erase_stream(services, caller, owner, Stream.RECORD, reason=REASON)
        else:
            await _erase_payloads(services, caller, owner, [key for key in keys if key.use not in _STREAMS])
        owners += 1
    return owners


async def _erase_payloads(services: Services, caller: Caller, owner: UUID, keys: Sequence[WholeKey]) -> None:
    payloads = await _payloads_of(services, services.log.part_of(owner), [key.key_id for key in keys])
    record = await load_record(services, owner)
    for document, known in record.documents.items():
        if found := payloads & {*known.bodies, *known.units}:
            touches = classes_of(known.accepted)
            await _erased(services, caller, owner, document, found, touches)
            payloads -= found
    if payloads:  # their erasure stands in this log, and somebody put their keys back
        await _erased(services, caller, owner, _NO_DOCUMENT, payloads, ())


async def _payloads_of(services: Services, part: int, keys: Sequence[UUID]) -> set[UUID]:
    async with services.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT payload_id FROM payload WHERE part = %b AND key_id = ANY (%b)", (part, list(keys))
        )
        return {payload for (payload,) in await cursor.fetchall()}


async def _erased(
    services: Services,
    caller: Caller,
    owner: UUID,
    document: UUID,
    payloads: set[UUID],
    touches: tuple[RecordClass, ...],
) -> None:
    event = PayloadErased(
        originator_id=originator(owner, Stream.RECORD),
        originator_version=(await load_record(services, owner)).version + 1,
        event_id=services.new_id(),
        patient=owner,
        document=document,
        payloads=tuple(sorted(payloads)),
        reason=REASON,
        erased_by=caller.person,
        touches=touches,
    )
    await store_erasure(services, event)
