"""Make something of a patient unreadable for ever, by destroying its keys; or hold that up."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from eventsourcing.persistence import IntegrityError, OperationalError

from tsuzuri.app.actions.load_streams import load_record
from tsuzuri.app.actions.refusals import ATTEMPTS, Busy, NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain import erasures
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.erasures import ErasureHeld
from tsuzuri.domain.events import Event, PayloadErased
from tsuzuri.domain.registrations import PatientRecord
from tsuzuri.domain.vocabulary import Role, Stream
from tsuzuri.eventlog.appending import Beside, HoldStands, LogUnavailable, Write
from tsuzuri.eventlog.data_keys import STREAM_USES, KeyUse
from tsuzuri.eventlog.key_keeping import KeyKeeper, keys_of_owner, keys_of_payloads

E = TypeVar("E", bound=Event)
_RECORD_USES = (KeyUse.RECORD, KeyUse.DOCUMENT, KeyUse.UNIT)


async def erase_document(
    services: Services, caller: Caller, patient: UUID, document: UUID, *, units: bool, reason: str
) -> UUID:
    """Erase a document, with or without the 6情報 taken out of it; returns the event's id.

    Raises:
        NotPermitted: the caller is not an operator.
        tsuzuri.domain.erasures.NothingToErase, ErasureHeld.
        Busy, LogUnavailable: try again.
    """
    _operator(caller)

    def decide(record: PatientRecord) -> Event:
        return erasures.erase_document(
            record, document, units=units, reason=reason, erased_by=caller.person, event_id=services.new_id()
        )

    return await _decided(services, patient, decide, _destroy_payloads(services, patient))


async def store_erasure(services: Services, event: PayloadErased) -> None:
    """Destroy the keys of an event's payloads and store the event, which was decided on her record's last version.

    Raises:
        IntegrityError: the record has moved on.
        tsuzuri.domain.erasures.ErasureHeld.
        LogUnavailable: try again.
    """
    await _stored(services, event, _destroy_payloads(services, event.patient))


async def erase_stream(
    services: Services, caller: Caller, patient: UUID, stream: Stream, *, reason: str
) -> UUID:
    """Erase what one stream of a patient holds until now. Raises as `erase_document`."""
    _operator(caller)
    uses = _RECORD_USES if stream is Stream.RECORD else (STREAM_USES[stream],)

    def decide(record: PatientRecord) -> Event:
        return erasures.erase_stream(
            record, stream, reason=reason, erased_by=caller.person, event_id=services.new_id()
        )

    def store(keeper: KeyKeeper, write: Write, event: Any) -> None:
        keeper.destroy(write, keys_of_owner(services.log.part_of(patient), patient, uses))

    return await _decided(services, patient, decide, store)


async def place_hold(services: Services, caller: Caller, patient: UUID, *, reason: str) -> UUID:
    """Nothing of the patient is erased from now on; returns the hold's id.

    Raises:
        NotPermitted: the caller is neither auditor nor operator.
        Busy, LogUnavailable: try again.
    """
    _auditor_or_operator(caller)

    def decide(record: PatientRecord) -> Event:
        return erasures.place_hold(record, reason=reason, placed_by=caller.person, event_id=services.new_id())

    def store(keeper: KeyKeeper, write: Write, event: Any) -> None:
        keeper.hold(write, event.event_id, standing=True)

    return await _decided(services, patient, decide, store)


async def lift_hold(services: Services, caller: Caller, patient: UUID, hold: UUID, *, reason: str) -> UUID:
    """End a hold. Raises as `place_hold`, and tsuzuri.domain.erasures.NothingToLift."""
    _auditor_or_operator(caller)

    def decide(record: PatientRecord) -> Event:
        return erasures.lift_hold(
            record, hold, reason=reason, lifted_by=caller.person, event_id=services.new_id()
        )

    def store(keeper: KeyKeeper, write: Write, event: Any) -> None:
        keeper.hold(write, hold, standing=False)

    return await _decided(services, patient, decide, store)


def _destroy_payloads(services: Services, patient: UUID) -> Callable[[KeyKeeper, Write, Any], None]:
    part = services.log.part_of(patient)
    return lambda keeper, write, event: keeper.destroy(write, keys_of_payloads(part, event.payloads))


async def _decided(
    services: Services,
    patient: UUID,
    decide: Callable[[PatientRecord], Event],
    store: Callable[[KeyKeeper, Write, Event], None],
) -> UUID:
    for _ in range(ATTEMPTS):
        event = decide(await load_record(services, patient))
        try:
            await _stored(services, event, store)
            return event.event_id
        except IntegrityError:
            continue
    raise Busy("the patient's record was being changed; try again")


async def _stored(services: Services, event: E, store: Callable[[KeyKeeper, Write, E], None]) -> None:
    """Raises IntegrityError, ErasureHeld, LogUnavailable."""
    keeper = KeyKeeper(services.logins, services.ring, services.log.parts)
    write = Write([services.log.mapper.to_stored_event(event)], Beside(narrows=True))
    try:
        await asyncio.to_thread(store, keeper, write, event)
    except HoldStands as held:
        raise ErasureHeld(str(held)) from None
    except OperationalError as error:
        raise LogUnavailable("the log cannot be written now: try again") from error


def _operator(caller: Caller) -> None:
    if caller.role is not Role.OPERATOR:
        raise NotPermitted("only an operator erases")


def _auditor_or_operator(caller: Caller) -> None:
    if caller.role not in (Role.AUDITOR, Role.OPERATOR):
        raise NotPermitted("a hold is placed and lifted by an auditor or an operator")
