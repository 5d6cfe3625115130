"""An operator settles an unmatched identity: it leaves the queue, and the decision stays in the patient's record."""

from uuid import UUID

from eventsourcing.persistence import IntegrityError

from tsuzuri.app.actions.load_streams import load_record
from tsuzuri.app.actions.refusals import ATTEMPTS, Busy, NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.settlements import settle
from tsuzuri.domain.vocabulary import Role


async def settle_identity(
    services: Services, caller: Caller, patient: UUID, identity: UUID, *, reason: str
) -> UUID:
    """Returns the event's id.

    Raises:
        NotPermitted: the caller is not an operator.
        tsuzuri.domain.settlements.NothingToSettle: nothing of that id waits.
        Busy: try again.
    """
    if caller.role is not Role.OPERATOR:
        raise NotPermitted("only an operator settles unmatched identities")
    for _ in range(ATTEMPTS):
        event = settle(
            await load_record(services, patient),
            identity,
            reason=reason,
            settled_by=caller.person,
            event_id=services.new_id(),
        )
        try:
            await services.log.save(event)
            return event.event_id
        except IntegrityError:
            continue
    raise Busy("the patient's record was being changed; settle it again")
