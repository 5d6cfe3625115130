"""A facility's Bundle goes in: read, matched to its patient, and stored as events; or nothing is stored."""

from eventsourcing.persistence import IntegrityError

from tsuzuri.app.actions.decide_bundle import ReadBundle, decide_bundle, may_register
from tsuzuri.app.actions.load_streams import load_records
from tsuzuri.app.actions.oral_consent import with_oral_consent
from tsuzuri.app.actions.read_received import read_received
from tsuzuri.app.actions.refusals import ATTEMPTS, Busy
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.registrations import RegisteredBundle
from tsuzuri.eventlog import known_numbers
from tsuzuri.eventlog.appending import ClaimedElsewhere, NarrowedMeanwhile


async def register_bundle(
    services: Services,
    caller: Caller,
    received: bytes,
    *,
    on_behalf: bool = False,
    oral_consent: bool = False,
) -> RegisteredBundle:
    """Store a Bundle and what it says; the bytes are kept exactly as they came.

    *on_behalf*: an operator who stands at the machine may bring in any facility's Bundles. *oral_consent*: the patient
    told the sender that the recipient of this referral may read it (閲覧可).

    Raises:
        NotPermitted: the caller is no facility's system, the Bundle names another facility as its sender, or the
            token's scopes do not cover what it is.
        tsuzuri.domain.fhir.bundle.BundleRejected: it cannot be taken; place and reason are for the sender.
        Busy: try again.
    """
    may_register(caller, on_behalf=on_behalf)
    bundle = await read_received(services, caller, received)
    return await store_bundle(services, caller, bundle, oral_consent=oral_consent)


async def store_bundle(
    services: Services, caller: Caller, bundle: ReadBundle, *, oral_consent: bool = False
) -> RegisteredBundle:
    """Decide and save, until nobody else was faster. Raises Busy."""
    for _ in range(ATTEMPTS):
        owners = await known_numbers.owners(services.pool, bundle.digests.all())
        records = await load_records(services, owners.values())
        codes = await services.codes_in_force.name()
        decided = decide_bundle(services, caller, bundle, owners, records, codes)
        if oral_consent:
            decided = await with_oral_consent(services, caller, decided)
        try:
            if decided.events:
                await services.log.save(*decided.events, beside=decided.beside)
        except (IntegrityError, ClaimedElsewhere, NarrowedMeanwhile):
            continue  # somebody else was faster: look again
        return decided.told
    raise Busy("the patient's record was being changed; send the Bundle again")
