"""Somebody who looked at reads says what she found: the operating body's auditor, or the facility's administrator."""

from uuid import UUID

from tsuzuri.app.actions.refusals import NotPermitted
from tsuzuri.app.services import Services
from tsuzuri.domain import reviews
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.reviews import NoSuchReview, ReviewClosedAlready
from tsuzuri.domain.vocabulary import ReviewFinding, Role
from tsuzuri.eventlog.appending import Beside
from tsuzuri.eventlog.stored_events import stored_event
from tsuzuri.projections.review_queue import review_of


async def close_review(
    services: Services, caller: Caller, review: UUID, finding: ReviewFinding, words: str
) -> UUID:
    """Once, and for ever; returns the event's id.

    Raises:
        NotPermitted; LogUnavailable: it is not known whether it was stored, and it may be sent again.
        tsuzuri.domain.reviews.NoSuchReview: also for one of another facility.
        tsuzuri.domain.reviews.ReviewClosedAlready, OwnReview, WordsMissing.
    """
    if caller.role not in (Role.AUDITOR, Role.FACILITY_ADMIN):
        raise NotPermitted("reviews are closed by auditors, and by administrators of the facility")
    row = await review_of(services.reads, review)
    if row is None or caller.role is Role.FACILITY_ADMIN and row.facility != caller.facility:
        raise NoSuchReview("no review of that id waits for you")
    closed = reviews.close_review(
        review, owner=row.owner_id, person=row.person, finding=finding, words=words, caller=caller
    )
    if await stored_event(services.log, row.owner_id, closed.event_id) is None:
        await services.log.append_access([closed], Beside())
    # Of two who close it at once one is first, and the append takes the other's for the same sent once more.
    if await stored_event(services.log, row.owner_id, closed.event_id) != closed:
        raise ReviewClosedAlready("somebody has closed this review already")
    return closed.event_id
