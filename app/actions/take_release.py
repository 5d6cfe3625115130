"""An operator takes up a release of the codes."""

from hashlib import sha256

from eventsourcing.persistence import IntegrityError

from tsuzuri.app.actions.refusals import ATTEMPTS, Busy, NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.code_files import ReleaseMalformed, canonical_bytes, release_sha256
from tsuzuri.domain.code_table import built_in
from tsuzuri.domain.codes import Release
from tsuzuri.domain.events import CodeReleaseTaken, originator
from tsuzuri.domain.owners import codes_owner
from tsuzuri.domain.vocabulary import Role, Stream
from tsuzuri.eventlog.appending import Beside, Payload
from tsuzuri.eventlog.data_keys import KeyUse


async def take_release(services: Services, caller: Caller, release: Release) -> bool:
    """Put a release in force for the generations made from now on; False when it is in force already.

    An earlier one can be taken up again. A name stays with its codes: another release needs another name.

    Raises:
        NotPermitted: the caller is not an operator.
        ReleaseMalformed: the name is another release's.
        Busy: try again.
    """
    if caller.role is not Role.OPERATOR:
        raise NotPermitted("only an operator takes up code releases")
    owner, body = codes_owner(), canonical_bytes(release)
    digest = sha256(body).hexdigest()
    for _ in range(ATTEMPTS):
        taken: list[CodeReleaseTaken] = await services.log.stream(owner, Stream.RECORD)
        named = {built_in().name: release_sha256(built_in())} | {one.release: one.sha256 for one in taken}
        if named.get(release.name, digest) != digest:
            raise ReleaseMalformed(
                f"{release.name} is the name of another release; give this one its own with --name"
            )
        if release.name == (taken[-1].release if taken else built_in().name):
            return False
        payload = Payload(services.new_id(), body, services.new_id(), KeyUse.DOCUMENT)
        event = CodeReleaseTaken(
            originator_id=originator(owner, Stream.RECORD),
            originator_version=len(taken) + 1,
            event_id=services.new_id(),
            release=release.name,
            sha256=digest,
            codes=len(release.entries),
            payload=payload.payload_id,
            recorded_by=caller.person,
        )
        try:
            await services.log.save(event, beside=Beside(payloads=[payload]))
            return True
        except IntegrityError:
            continue
    raise Busy("another release was being taken up; try again")
