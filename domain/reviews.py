"""点検: a person looks at reads that were made without consent or that a rule noticed, and says what she finds."""

from enum import StrEnum
from uuid import UUID, uuid5

from tsuzuri.domain.callers import Caller
from tsuzuri.domain.events import ReviewClosed, ReviewOpened, originator
from tsuzuri.domain.owners import facility_owner
from tsuzuri.domain.unusual_found import UnusualAccess
from tsuzuri.domain.vocabulary import ReviewFinding, Stream

_WORDS_LONGEST = 2_000  # characters


class ReviewCause(StrEnum):
    """Why reads are reviewed: what they rested on, or the rule that noticed them."""

    EMERGENCY = "EMERGENCY"
    DISASTER = "DISASTER"
    MANY_PATIENTS = "MANY_PATIENTS"
    OWN_FAMILY_NAME = "OWN_FAMILY_NAME"
    OFF_HOURS = "OFF_HOURS"
    NO_ENCOUNTER = "NO_ENCOUNTER"


class ReviewState(StrEnum):
    """Whether somebody has looked."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"


class NoSuchReview(ValueError):
    """There is no such review, or the caller may not see it."""


class ReviewClosedAlready(ValueError):
    """Somebody has said already what she found."""


class OwnReview(ValueError):
    """Nobody reviews what she read herself."""


class WordsMissing(ValueError):
    """A finding without the words that say why."""


def review_of_emergency(emergency: UUID) -> UUID:
    """The review that the declaration opens."""
    return uuid5(emergency, "review")


def closing_of(review: UUID) -> UUID:
    """The event that closes a review: one id, so that it is closed once."""
    return uuid5(review, "closed")


def open_review(unusual: UnusualAccess) -> ReviewOpened:
    """In the access stream of the patient; of the facility, when several patients were read."""
    alone = len(unusual.patients) == 1
    owner = unusual.patients[0] if alone else facility_owner(unusual.facility)
    return ReviewOpened(
        originator_id=originator(owner, Stream.ACCESS),
        originator_version=0,
        event_id=unusual.id,
        rule=unusual.rule,
        rules=unusual.version,
        person=unusual.person,
        role=unusual.role,
        facility=unusual.facility,
        patients=unusual.patients,
        accesses=unusual.accesses,
        emergency=unusual.emergency,
        since=unusual.since,
        until=unusual.until,
        says=unusual.says,
        says_ja=unusual.says_ja,
    )


def close_review(
    review: UUID, *, owner: UUID, person: str, finding: ReviewFinding, words: str, caller: Caller
) -> ReviewClosed:
    """What *caller* finds of reads that *person* made.

    Raises OwnReview, WordsMissing.
    """
    if caller.person == person:
        raise OwnReview("what you read yourself is reviewed by somebody else")
    said = words.strip()
    if not said or len(said) > _WORDS_LONGEST or "\x00" in said:
        raise WordsMissing(f"say what you found, in 1 to {_WORDS_LONGEST} characters")
    return ReviewClosed(
        originator_id=originator(owner, Stream.ACCESS),
        originator_version=0,
        event_id=closing_of(review),
        review=review,
        finding=finding,
        words=said,
        closed_by=caller.person,
        role=caller.role,
    )
