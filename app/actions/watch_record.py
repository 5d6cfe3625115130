"""Somebody is told that a record has changed, each time something has that she may see: that it has, and no more.

What she may see is taken as one number (projections/seen.py), and she is told when it is another than she was told of
last. So what is hidden from her tells nothing by its coming or going, a consent that opens or closes more tells as much
as an entry, and whoever comes back with the position of the last event has missed nothing.
"""

from collections.abc import AsyncGenerator
from hashlib import sha256

from tsuzuri.app.actions.look_again import look_again
from tsuzuri.app.actions.open_record import open_record
from tsuzuri.app.actions.record_watch import Recording
from tsuzuri.app.services import Services
from tsuzuri.app.shared_looks import SharedLooks
from tsuzuri.app.wakes import Wakes
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.identifiers import PatientKey
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import PurposeOfUse
from tsuzuri.graphql.context import RecordChange
from tsuzuri.graphql.positions import opened_position, sealed_position
from tsuzuri.graphql.readings import Path, Reading, RefusedReading

AGAIN_SECONDS = 60.0
"""So often it is decided anew while nothing happens: a consent that ends by its time is noticed within this."""

ROOT: Path = ("recordChanged",)


async def watch_record(
    services: Services,
    wakes: Wakes,
    looks: SharedLooks,
    recording: Recording,
    caller: Caller,
    key: PatientKey,
    purpose: PurposeOfUse,
    after: str | None,
) -> AsyncGenerator[RecordChange | RefusedReading, None]:
    """The first at once, unless nothing changed since *after*. Each is decided anew, and durable in the trail before
    it comes; a refusal is the last. Whoever takes long to ask for the next is told the newest, and nothing twice.

    Raises RequestRefused.
    """

    async def opened() -> Reading | RefusedReading:
        decided = await open_record(services, caller, key, purpose, as_of=None, min_position=after, path=ROOT)
        if isinstance(decided, Reading):
            decided.ask(decided.decision.classes)
        return decided

    began = await recording.begin(opened)
    if isinstance(began, RefusedReading):
        yield began
        return
    last = None if after is None else opened_position(services.seals, began.request.patient, after).told
    with wakes.watching(began.sight.patients) as watcher:
        while True:
            looked = await look_again(services, looks, caller, began)
            if isinstance(looked, RefusedReading):
                await recording.recorded(looked)
                yield looked
                return
            watcher.turn_to(looked.sight.patients)
            looked.ask(looked.decision.classes)
            seen = _mark(looked.request, await looks.seen(looked.sight))
            if seen != last:
                if not await recording.recorded(looked):
                    continue  # something that narrows came in between: decided again, at once
                last = seen
                position = sealed_position(services.seals, looked.sight, told=seen)
                yield RecordChange(access=looked.access_id, position=position)
            await watcher.woken(AGAIN_SECONDS)


def _mark(request: AccessRequest, seen: int) -> str:
    """What this caller may see: who is not her cannot learn from her position whether he sees the same."""
    who = f"{request.person}/{request.role}/{request.facility}/{request.purpose}/{seen}"
    return sha256(who.encode()).hexdigest()[:16]
