"""From received bytes to what they say. That a Bundle was not taken is kept, without anything of what it held."""

from hashlib import sha256

from tsuzuri.app.actions.decide_bundle import ReadBundle, may_send
from tsuzuri.app.actions.match_patient import digests_of
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import BundleRefused, originator
from tsuzuri.domain.fhir.bundle import BundleRejected
from tsuzuri.domain.owners import facility_owner, person_owner
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.appending import Beside


async def read_received(services: Services, caller: Caller, received: bytes) -> ReadBundle:
    """Raises BundleRejected, NotPermitted; LogUnavailable when a rejection could not be kept."""
    digest = sha256(received).hexdigest()
    try:
        reading = await services.bundle_reader.read(received)
    except BundleRejected as rejected:
        if not rejected.not_a_bundle:
            await _keep(services, caller, digest, len(received), rejected)
        raise
    may_send(caller, reading)
    return ReadBundle(received, digest, reading, digests_of(services, reading.subject))


async def _keep(services: Services, caller: Caller, digest: str, size: int, rejected: BundleRejected) -> None:
    owner = facility_owner(caller.facility) if caller.facility else person_owner(caller.person)
    refused = BundleRefused(
        originator_id=originator(owner, Stream.ACCESS),
        originator_version=0,
        event_id=services.new_id(),
        facility=caller.facility,
        sender=caller.person,
        received_sha256=digest,
        received_bytes=size,
        place=rejected.place,
        rules=services.rules,
        broken=rejected.rules,
        session=caller.session,
    )
    await services.log.append_access([refused], Beside())
