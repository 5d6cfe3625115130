"""Many Bundles at once: the same decisions and the same events as one by one, in few transactions."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from eventsourcing.persistence import OperationalError

from tsuzuri.app.actions.decide_bundle import Decided, ReadBundle, decide_bundle, may_register
from tsuzuri.app.actions.match_patient import digests_of
from tsuzuri.app.actions.read_received import read_received
from tsuzuri.app.actions.refusals import Busy, NotPermitted
from tsuzuri.app.actions.register_bundle import store_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain import registrations
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.fhir.bundle import BundleRejected
from tsuzuri.domain.registrations import PatientRecord, RegisteredBundle
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog import known_numbers
from tsuzuri.eventlog.appending import LogUnavailable, Write
from tsuzuri.eventlog.bulk import BulkAppender, NotStored

Refused = BundleRejected | NotPermitted | Busy
"""Why one Bundle of many was not taken; the others are."""


async def register_bundles(
    services: Services, caller: Caller, bodies: Sequence[bytes], *, on_behalf: bool = False
) -> list[RegisteredBundle | Refused]:
    """Store Bundles in their order, each as `register_bundle` would; what became of each, or why it was refused.

    Each is decided on what the log holds and what those before it bring. A Bundle whose batch somebody else's write
    came between is decided anew, by itself.

    Raises:
        NotPermitted: the caller is no facility's system.
        LogUnavailable: some may be stored; send all of them again, which changes nothing about those.
    """
    may_register(caller, on_behalf=on_behalf)
    read = await asyncio.gather(*(_read(services, caller, body) for body in bodies))
    decisions = await _decide(services, caller, [one for one in read if isinstance(one, ReadBundle)])
    stored = iter(await _store(services, decisions))
    told: list[RegisteredBundle | Refused] = []
    for one in read:
        if not isinstance(one, ReadBundle):
            told.append(one)
        elif (registered := next(stored)) is not None:
            told.append(registered)
        else:
            try:
                told.append(await store_bundle(services, caller, one))
            except Busy as busy:
                told.append(busy)
    return told


async def _read(services: Services, caller: Caller, body: bytes) -> ReadBundle | Refused:
    try:
        return await read_received(services, caller, body)
    except (BundleRejected, NotPermitted) as refused:
        return refused


async def _decide(services: Services, caller: Caller, bundles: Sequence[ReadBundle]) -> list[Decided]:
    """Each decided as if those before it were stored already."""
    asked = {d for bundle in bundles for d in digests_of(services, bundle.reading.subject).all()}
    owners = await known_numbers.owners(services.pool, list(asked))
    records: dict[UUID, PatientRecord] = await services.log.fold_many(
        set(owners.values()), Stream.RECORD, registrations.evolve, PatientRecord
    )
    decisions: list[Decided] = []
    for bundle in bundles:
        decided = decide_bundle(services, caller, bundle, owners, records)
        owners |= {claim.digest: claim.patient for claim in decided.beside.claims}
        records[decided.record.patient] = decided.record
        decisions.append(decided)
    return decisions


async def _store(services: Services, decisions: Sequence[Decided]) -> list[RegisteredBundle | None]:
    """What the senders are told; None for what was not stored after all."""
    mapper = services.log.mapper
    storing = [decided for decided in decisions if decided.events]
    writes = [Write([mapper.to_stored_event(e) for e in one.events], one.beside) for one in storing]
    appender = BulkAppender(services.log.application.part_recorder)
    try:
        outcomes = iter(await asyncio.to_thread(appender.append, writes))
    except OperationalError as error:
        raise LogUnavailable("the log cannot be written now: send the Bundles again") from error
    missed: set[UUID] = set()
    told: list[RegisteredBundle | None] = []
    for decided in decisions:
        patient = decided.told.patient
        if decided.events and isinstance(next(outcomes), NotStored):
            missed.add(patient)
        # What rests on a Bundle that was not stored is decided anew with it, also when nothing was to be written.
        told.append(None if patient in missed else decided.told)
    return told
