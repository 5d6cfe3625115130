"""What each step of a request has in common: fold the patient's requests, decide, and store the event."""

from collections.abc import Callable, Sequence
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from tsuzuri.app.actions.refusals import ATTEMPTS, Busy
from tsuzuri.app.services import Services
from tsuzuri.domain.correction_requests import CorrectionRequests, evolve
from tsuzuri.domain.events import CorrectionAnswered, CorrectionRequested, CorrectionRequestTakenBack
from tsuzuri.domain.vocabulary import Stream
from tsuzuri.eventlog.appending import Beside

Step = CorrectionRequested | CorrectionAnswered | CorrectionRequestTakenBack


async def change_correction(
    services: Services,
    patients: Sequence[UUID],
    decide: Callable[[CorrectionRequests], Step],
    *,
    request: UUID | None = None,
    beside: Beside | None = None,
) -> UUID:
    """Store what *decide* makes of the requests of her who made *request*, else of the first; returns the event's id.

    *patients*: all who are one person.

    Raises:
        Busy: try again; tsuzuri.eventlog.appending.NarrowedMeanwhile; and whatever *decide* raises.
    """
    for _ in range(ATTEMPTS):
        held = await services.log.fold_many(patients, Stream.RECORD, evolve, CorrectionRequests)
        holders = (one for one in patients if request in held[one].requests)
        event = decide(held[next(holders, patients[0])])
        try:
            await services.log.save(event, beside=beside)
            return event.event_id
        except IntegrityError:
            continue
    raise Busy("the patient's record was being changed; try again")
