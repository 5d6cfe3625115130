"""名寄せ: an operator says that two patients are one person, or takes that back. Nothing of their records moves."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

from eventsourcing.persistence import IntegrityError, OperationalError

from tsuzuri.app.actions.load_streams import load_records
from tsuzuri.app.actions.refusals import ATTEMPTS, Busy, NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain import links
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import LinksChanged
from tsuzuri.domain.links import Change
from tsuzuri.domain.registrations import PatientRecord
from tsuzuri.domain.vocabulary import Role
from tsuzuri.eventlog.appending import Beside, LogUnavailable, Write
from tsuzuri.eventlog.key_keeping import KeyKeeper

Decide = Callable[[dict[UUID, PatientRecord], Change], Sequence[LinksChanged]]


async def link_patients(
    services: Services, caller: Caller, survivor: UUID, other: UUID, *, reason: str
) -> UUID:
    """From here on a read of either covers both; returns the link's id, by which it is undone.

    Raises:
        NotPermitted: the caller is not an operator.
        tsuzuri.domain.links.CannotLink: they are not two known patients, or linked already.
        Busy, LogUnavailable: try again.
    """
    return await _changed(
        services,
        caller,
        (survivor, other),
        lambda records, change: links.link(records, survivor, other, change),
        reason,
    )


async def unlink_patients(
    services: Services, caller: Caller, patient: UUID, link: UUID, *, reason: str
) -> UUID:
    """Undo a link of the patient's set: from the acknowledgement on no read of one shows anything of the other.

    Raises as `link_patients`, and tsuzuri.domain.links.NothingToUnlink.
    """
    return await _changed(
        services,
        caller,
        (patient,),
        lambda records, change: links.unlink(records, patient, link, change),
        reason,
    )


async def _changed(
    services: Services, caller: Caller, named: Sequence[UUID], decide: Decide, reason: str
) -> UUID:
    if caller.role is not Role.OPERATOR:
        raise NotPermitted("only an operator links patients, or unlinks them")
    keeper = KeyKeeper(services.logins, services.ring, services.log.parts)
    for _ in range(ATTEMPTS):
        records = await load_records(services, named)
        events = decide(records, Change(reason, caller.person, services.new_id))
        mapped = [services.log.mapper.to_stored_event(event) for event in events]
        try:
            await asyncio.to_thread(keeper.link, Write(mapped, Beside(narrows=True)), links.sets_of(events))
        except IntegrityError:
            continue
        except OperationalError as error:
            raise LogUnavailable("the log cannot be written now: try again") from error
        return events[0].changed.link
    raise Busy("the record of one of them was being changed; try again")
