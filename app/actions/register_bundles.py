"""Many Bundles at once: the same decisions and the same events as one by one, in few transactions.

In two steps, so that the next many can be read while these are stored.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from eventsourcing.persistence import OperationalError

from tsuzuri.app.actions.decide_bundle import Decided, ReadBundle, decide_bundle, may_register
from tsuzuri.app.actions.known_bundles import InForce, KnownBundle, in_force, known_bundles
from tsuzuri.app.actions.load_streams import load_records
from tsuzuri.app.actions.read_received import read_received
from tsuzuri.app.actions.refusals import Busy, NotPermitted
from tsuzuri.app.actions.register_bundle import store_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.fhir.bundle import BundleRejected
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.eventlog import known_numbers
from tsuzuri.eventlog.appending import LogUnavailable, Write
from tsuzuri.eventlog.bulk import BulkAppender, NotStored

Refused = BundleRejected | NotPermitted | Busy
"""Why one Bundle of many was not taken; the others are."""
Read = ReadBundle | KnownBundle | Refused


async def register_bundles(
    services: Services, caller: Caller, bodies: Sequence[bytes], *, on_behalf: bool = False
) -> list[RegisteredBundle | InForce | Refused]:
    """Store Bundles in their order, each as `register_bundle` would; what became of each, or why it was refused.

    Raises as `store_bundles` does; NotPermitted: the caller is no facility's system.
    """
    may_register(caller, on_behalf=on_behalf)
    return await store_bundles(services, caller, await read_bundles(services, caller, bodies))


async def read_bundles(
    services: Services, caller: Caller, bodies: Sequence[bytes], *, known: bool = False
) -> list[Read]:
    """Each as it is read, or why not. *known*: what the log holds already is not read again."""
    found = await known_bundles(services, bodies) if known else [None] * len(bodies)
    return await asyncio.gather(
        *(_read(services, caller, body, one) for body, one in zip(bodies, found, strict=True))
    )


async def _read(services: Services, caller: Caller, body: bytes, known: KnownBundle | None = None) -> Read:
    try:
        return known or await read_received(services, caller, body)
    except (BundleRejected, NotPermitted) as refused:
        return refused


async def store_bundles(
    services: Services, caller: Caller, read: Sequence[Read]
) -> list[RegisteredBundle | InForce | Refused]:
    """Store in their order what was read, by a caller who may.

    Each is decided on what the log holds and what those before it bring. A Bundle whose batch somebody else's write
    came between is decided anew, by itself.

    Raises:
        LogUnavailable: some may be stored; send all of them again, which changes nothing about those.
    """
    bundles = [one for one in read if isinstance(one, (ReadBundle, KnownBundle))]
    stored = iter(await _store(services, await _decide(services, caller, bundles)))
    told: list[RegisteredBundle | InForce | Refused] = []
    for one in read:
        if not isinstance(one, (ReadBundle, KnownBundle)):
            told.append(one)
        elif (registered := next(stored)) is not None:
            told.append(registered)
        else:
            told.append(await _stored_alone(services, caller, one))
    return told


async def _stored_alone(
    services: Services, caller: Caller, bundle: ReadBundle | KnownBundle
) -> RegisteredBundle | Refused:
    read = bundle if isinstance(bundle, ReadBundle) else await _read(services, caller, bundle.received)
    if not isinstance(read, ReadBundle):
        assert not isinstance(read, KnownBundle)
        return read
    try:
        return await store_bundle(services, caller, read)
    except Busy as busy:
        return busy


async def _decide(
    services: Services, caller: Caller, bundles: Sequence[ReadBundle | KnownBundle]
) -> list[Decided | InForce | None]:
    """Each decided as if those before it were stored already; None for what must be read first."""
    asked = {digest for bundle in bundles for digest in bundle.digests.all()}
    owners = await known_numbers.owners(services.pool, list(asked))
    records = await load_records(services, owners.values())
    codes = await services.codes_in_force.name()
    decisions: list[Decided | InForce | None] = []
    for bundle in bundles:
        if isinstance(bundle, KnownBundle):
            decisions.append(in_force(services, bundle, owners, records))
            continue
        decided = decide_bundle(services, caller, bundle, owners, records, codes)
        owners |= {claim.digest: claim.patient for claim in decided.beside.claims}
        records[decided.record.patient] = decided.record
        decisions.append(decided)
    return decisions


async def _store(
    services: Services, decisions: Sequence[Decided | InForce | None]
) -> list[RegisteredBundle | InForce | None]:
    """What the senders are told; None for what was not stored after all."""
    mapper = services.log.mapper
    storing = [decided for decided in decisions if isinstance(decided, Decided) and decided.events]
    appender = BulkAppender(services.log.application.part_recorder)

    def append() -> list[NotStored | None]:
        writes = [Write([mapper.to_stored_event(e) for e in one.events], one.beside) for one in storing]
        return appender.append(writes)

    try:
        outcomes = iter(await asyncio.to_thread(append))
    except OperationalError as error:
        raise LogUnavailable("the log cannot be written now: send the Bundles again") from error
    missed: set[UUID] = set()
    told: list[RegisteredBundle | InForce | None] = []
    for decided in decisions:
        if not isinstance(decided, Decided):
            told.append(None if decided is None or decided.patient in missed else decided)
            continue
        patient = decided.told.patient
        if decided.events and isinstance(next(outcomes), NotStored):
            missed.add(patient)
        # What rests on a Bundle that was not stored is decided anew with it, also when nothing was to be written.
        told.append(None if patient in missed else decided.told)
    return told
