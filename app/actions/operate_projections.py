"""Operators look at projections, rebuild them, let reads follow them, and set quarantined patients right.

Each order is an event before it is carried out: who, what, why, and the ticket it belongs to.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from eventsourcing.persistence import IntegrityError
from psycopg import Connection

from tsuzuri.app.actions.refusals import ATTEMPTS, Busy, NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import OperatorActed, originator
from tsuzuri.domain.orders import Why
from tsuzuri.domain.owners import projection_owner
from tsuzuri.domain.vocabulary import OperatorAct, Role, Stream
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.projections import generations, quarantine, replaying
from tsuzuri.projections.catalogue import Projection, projection
from tsuzuri.projections.comparing import Comparison
from tsuzuri.projections.engine import Engine
from tsuzuri.projections.generations import UnknownGeneration
from tsuzuri.projections.quarantine import Quarantined
from tsuzuri.projections.rebuilding import Rebuilt, check, rebuild
from tsuzuri.projections.replaying import NotQuarantined, Tried
from tsuzuri.projections.standings import FillProgress, Standing, standings

T = TypeVar("T")
Work = Callable[[Connection[Any], Engine, Projection], T]


def projection_standings(services: Services) -> list[Standing]:
    """Where each projection stands. Raises psycopg.OperationalError within seconds when nothing answers."""
    with services.logins.connect_to_look(LogRole.READER) as connection:
        return standings(connection)


def quarantined_patients(services: Services, name: str | None) -> list[Quarantined]:
    """Who is set aside, the longest first."""
    with services.logins.connect(LogRole.READER) as connection:
        return list(quarantine.quarantined(connection, projection(name).name if name else None))


async def rebuild_projection(
    services: Services,
    caller: Caller,
    name: str,
    why: Why,
    *,
    promote_if_equal: bool = True,
    on_progress: Callable[[FillProgress], None] = lambda _: None,
) -> Rebuilt:
    """Fill a new generation in this process, compare it, and let reads follow it when both are equal.

    Raises:
        NotPermitted: the caller is not an operator.
        tsuzuri.projections.catalogue.UnknownProjection.
        tsuzuri.projections.generations.ProjectionPaused.
    """

    def work(connection: Connection[Any], engine: Engine, wanted: Projection) -> Rebuilt:
        return rebuild(connection, engine, wanted, promote_if_equal=promote_if_equal, on_progress=on_progress)

    await _running(services, caller, name)
    await _ordered(services, caller, OperatorAct.REBUILD, name, why)
    return await _worked(services, name, work)


async def begin_rebuild(services: Services, caller: Caller, name: str, why: Why) -> int:
    """Make a new generation, which the projectors fill; its number. Raises as `rebuild_projection`."""
    await _running(services, caller, name)
    await _ordered(services, caller, OperatorAct.REBUILD, name, why)
    return await _worked(
        services,
        name,
        lambda connection, engine, wanted: generations.begin_rebuild(connection, engine, wanted),
    )


async def check_projection(services: Services, caller: Caller, name: str) -> Comparison | None:
    """The live generation against the one beside it; None when another version of the code filled the live one.

    Raises UnknownGeneration, NotReady; and as `rebuild_projection`.
    """
    _operator(caller)
    return await _worked(services, name, check)


async def promote_projection(
    services: Services, caller: Caller, name: str, why: Why, *, generation: int | None = None
) -> int:
    """Let reads follow the generation that waits, or the one of this number; its number.

    Raises UnknownGeneration, NotReady; and as `rebuild_projection`.
    """

    def wanted_one(connection: Connection[Any], _: Engine, wanted: Projection) -> int:
        waiting = generations.beside(connection, wanted.name)
        if generation is None and waiting is None:
            raise UnknownGeneration(f"projection {name} has no generation that waits to be promoted")
        return generations.ready(connection, wanted, generation or (waiting.generation if waiting else 0))

    number = await _worked(services, name, wanted_one)
    await _ordered(services, caller, OperatorAct.PROMOTE, name, why, generation=number)
    await _worked(
        services,
        name,
        lambda connection, engine, wanted: generations.promote(connection, engine, wanted, number),
    )
    return number


async def roll_back_projection(services: Services, caller: Caller, name: str, why: Why) -> int:
    """Let reads follow the generation they followed before; its number. Raises as `promote_projection`."""

    def before(connection: Connection[Any], _: Engine, wanted: Projection) -> int:
        return generations.previous_generation(connection, wanted.name)

    number = await _worked(services, name, before)
    await _ordered(services, caller, OperatorAct.ROLL_BACK, name, why, generation=number)
    await _worked(
        services,
        name,
        lambda connection, engine, wanted: generations.promote(connection, engine, wanted, number),
    )
    return number


async def pause_projection(services: Services, caller: Caller, name: str, why: Why, *, paused: bool) -> None:
    """Apply nothing to any generation of a projection after the batch under way; or go on."""
    await _ordered(services, caller, OperatorAct.PAUSE if paused else OperatorAct.RESUME, name, why)
    await _worked(services, name, lambda connection, *_: generations.set_paused(connection, name, paused))


async def cancel_rebuild(services: Services, caller: Caller, name: str, why: Why) -> int:
    """Drop the generation beside the live one; its number. Raises UnknownGeneration."""

    def begun(connection: Connection[Any], _: Engine, wanted: Projection) -> int:
        return generations.begun(connection, wanted.name).generation

    _operator(caller)
    await _worked(services, name, begun)
    await _ordered(services, caller, OperatorAct.CANCEL, name, why)
    return await _worked(services, name, lambda connection, _, wanted: generations.cancel(connection, wanted))


async def drop_generations(services: Services, caller: Caller, name: str, why: Why) -> list[int]:
    """Drop the generations that reads followed once; their numbers."""
    await _ordered(services, caller, OperatorAct.DROP, name, why)
    return await _worked(
        services, name, lambda connection, _, wanted: generations.drop_retired(connection, wanted)
    )


async def rebuild_one_patient(services: Services, caller: Caller, name: str, patient: UUID, why: Why) -> bool:
    """Make the rows of one patient anew in the generation that reads follow; whether she is current."""
    await _running(services, caller, name)
    await _ordered(services, caller, OperatorAct.REBUILD_PATIENT, name, why, patient=patient)

    def work(connection: Connection[Any], engine: Engine, wanted: Projection) -> bool:
        live = generations.live_generation(connection, name)
        return replaying.rebuild_patient(connection, engine, wanted, live, patient)

    return await _worked(services, name, work)


async def retry_quarantined(
    services: Services, caller: Caller, name: str, patient: UUID | None, why: Why
) -> Tried:
    """Apply what waits of one quarantined patient, or of all of them, in every generation that can be carried on."""
    await _running(services, caller, name)
    await _ordered(services, caller, OperatorAct.RETRY, name, why, patient=patient)
    return await _worked(
        services, name, lambda connection, engine, wanted: _retry(connection, engine, wanted, patient)
    )


async def skip_quarantined(
    services: Services, caller: Caller, name: str, patient: UUID, reason: str, ticket: str | None
) -> Tried:
    """Leave out the event at which a patient stopped, in every generation for ever, and apply what waits behind it.

    Raises NotQuarantined; and as `rebuild_projection`.
    """

    def stopped_at(connection: Connection[Any], *_: Any) -> UUID:
        for one in quarantine.quarantined(connection, name):
            if one.patient_id == patient:
                return one.event_id
        raise NotQuarantined(f"projection {name}: this patient is not quarantined")

    await _running(services, caller, name)
    event = await _worked(services, name, stopped_at)
    why = Why(reason, ticket)
    await _ordered(services, caller, OperatorAct.SKIP, name, why, patient=patient, skipped=event)

    def work(connection: Connection[Any], engine: Engine, wanted: Projection) -> Tried:
        quarantine.skip(connection, name, event)
        return _retry(connection, engine, wanted, patient)

    return await _worked(services, name, work)


def _retry(connection: Connection[Any], engine: Engine, wanted: Projection, patient: UUID | None) -> Tried:
    carried_on = {
        one.generation
        for one in generations.generations(connection, wanted.name)
        if one.version == wanted.version and one.state != "FILLING"
    }
    found = [
        replaying.retry(connection, engine, wanted, one.generation, one.patient_id)
        for one in quarantine.quarantined(connection, wanted.name, carried_on)
        if patient in (None, one.patient_id)
    ]
    return Tried(found.count(True), found.count(False))


def _operator(caller: Caller) -> None:
    if caller.role is not Role.OPERATOR:
        raise NotPermitted("only an operator works on projections")


async def _running(services: Services, caller: Caller, name: str) -> None:
    """Raises NotPermitted, UnknownProjection, ProjectionPaused."""
    _operator(caller)
    await _worked(services, name, lambda connection, *_: generations.check_running(connection, name))


async def _ordered(
    services: Services,
    caller: Caller,
    act: OperatorAct,
    name: str,
    why: Why,
    *,
    generation: int | None = None,
    patient: UUID | None = None,
    skipped: UUID | None = None,
) -> None:
    """Store the order. Raises NotPermitted, UnknownProjection, Busy."""
    _operator(caller)
    owner = projection_owner(projection(name).name)
    for _ in range(ATTEMPTS):
        before = await services.log.stream(owner, Stream.RECORD)
        event = OperatorActed(
            originator_id=originator(owner, Stream.RECORD),
            originator_version=len(before) + 1,
            event_id=services.new_id(),
            projection=name,
            act=act,
            generation=generation,
            patient=patient,
            skipped=skipped,
            reason=why.reason,
            ticket=why.ticket,
            recorded_by=caller.person,
        )
        try:
            await services.log.save(event)
            return
        except IntegrityError:
            continue
    raise Busy("others are working on this projection; try again")


async def _worked(services: Services, name: str, work: Work[T]) -> T:
    """Done in a thread, as the projector's role, over a connection of its own."""
    wanted = projection(name)

    def run() -> T:
        with services.logins.connect(LogRole.PROJECTOR) as connection:
            engine = Engine(services.log.mapper, services.ring, rebuild_share=services.rebuild_share)
            return work(connection, engine, wanted)

    return await asyncio.to_thread(run)
