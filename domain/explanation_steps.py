"""One thing that a decision looked at, and what came of it: what an explanation is made of."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, in_order


class Rule(StrEnum):
    """What can be said of one thing that was looked at. Each has words in `explanation_words`."""

    # what is known of the question itself
    PATIENT_UNKNOWN = "PATIENT_UNKNOWN"
    CONSENTS_ERASED = "CONSENTS_ERASED"
    RECORD_ERASED = "RECORD_ERASED"
    MOMENT_OF_RECORDING = "MOMENT_OF_RECORDING"
    EVERY_SCOPE_ASSUMED = "EVERY_SCOPE_ASSUMED"
    # the caller's own role, purpose, token and rights
    ROLE_READS = "ROLE_READS"
    ROLE_DOES_NOT_READ = "ROLE_DOES_NOT_READ"
    PURPOSE_OF_ROLE = "PURPOSE_OF_ROLE"
    PURPOSE_NOT_OF_ROLE = "PURPOSE_NOT_OF_ROLE"
    SCOPE_READS = "SCOPE_READS"
    SCOPE_READS_NOTHING = "SCOPE_READS_NOTHING"
    SCOPE_LEAVES_OUT = "SCOPE_LEAVES_OUT"
    RIGHT_HELD = "RIGHT_HELD"
    RIGHT_NOT_OF_ROLE = "RIGHT_NOT_OF_ROLE"
    RIGHT_NOT_OF_FACILITY = "RIGHT_NOT_OF_FACILITY"
    RIGHT_MISSING = "RIGHT_MISSING"
    RIGHT_NOT_YET = "RIGHT_NOT_YET"
    RIGHT_OVER = "RIGHT_OVER"
    RIGHT_TAKEN = "RIGHT_TAKEN"
    WINDOW_COUNTS = "WINDOW_COUNTS"
    WINDOW_MISSING = "WINDOW_MISSING"
    WINDOW_ELSEWHERE = "WINDOW_ELSEWHERE"
    WINDOW_NOT_YET = "WINDOW_NOT_YET"
    WINDOW_OVER = "WINDOW_OVER"
    WINDOW_CLOSED = "WINDOW_CLOSED"
    WINDOW_DENIED = "WINDOW_DENIED"
    FACILITY_NOT_LISTED = "FACILITY_NOT_LISTED"
    # what was said of the patient's record
    OWN_REFERRALS = "OWN_REFERRALS"
    CORRECTION_REQUESTS = "CORRECTION_REQUESTS"
    REGISTERED_HERE = "REGISTERED_HERE"
    REGISTERED_HERE_NOT_ALONE = "REGISTERED_HERE_NOT_ALONE"
    NOT_REGISTERED_HERE = "NOT_REGISTERED_HERE"
    HERSELF = "HERSELF"
    NOT_HERSELF = "NOT_HERSELF"
    PROXY_COUNTS = "PROXY_COUNTS"
    PROXY_MISSING = "PROXY_MISSING"
    PROXY_OF_ANOTHER_PERSON = "PROXY_OF_ANOTHER_PERSON"
    PROXY_NOT_YET = "PROXY_NOT_YET"
    PROXY_OVER = "PROXY_OVER"
    PROXY_ENDED = "PROXY_ENDED"
    CONSENT_COUNTS = "CONSENT_COUNTS"
    CONSENT_MISSING = "CONSENT_MISSING"
    CONSENT_TO_ANOTHER_FACILITY = "CONSENT_TO_ANOTHER_FACILITY"
    CONSENT_FOR_ANOTHER_PURPOSE = "CONSENT_FOR_ANOTHER_PURPOSE"
    CONSENT_NOT_YET = "CONSENT_NOT_YET"
    CONSENT_OVER = "CONSENT_OVER"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    CONSENT_REPLACED = "CONSENT_REPLACED"
    CONSENT_DENIED = "CONSENT_DENIED"
    DENIAL_KEEPS = "DENIAL_KEEPS"
    DENIAL_TO_ANOTHER_FACILITY = "DENIAL_TO_ANOTHER_FACILITY"
    DENIAL_LIFTED = "DENIAL_LIFTED"
    DENIAL_PASSED = "DENIAL_PASSED"
    EMERGENCY_COUNTS = "EMERGENCY_COUNTS"
    EMERGENCY_MISSING = "EMERGENCY_MISSING"
    EMERGENCY_OF_ANOTHER_PERSON = "EMERGENCY_OF_ANOTHER_PERSON"
    EMERGENCY_AT_ANOTHER_FACILITY = "EMERGENCY_AT_ANOTHER_FACILITY"
    EMERGENCY_NOT_YET = "EMERGENCY_NOT_YET"
    EMERGENCY_OVER = "EMERGENCY_OVER"
    EMERGENCY_ENDED = "EMERGENCY_ENDED"
    CONSENT_NOT_ASKED = "CONSENT_NOT_ASKED"
    DENIAL_NOT_ASKED = "DENIAL_NOT_ASKED"
    PROXY_NOT_ASKED = "PROXY_NOT_ASKED"
    EMERGENCY_NOT_ASKED = "EMERGENCY_NOT_ASKED"
    # the answer
    PERMITTED = "PERMITTED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, kw_only=True)
class Step:
    """A rule, whether it was met, and what it was asked of. Times are aware, UTC."""

    rule: Rule
    matched: bool
    because: UUID | None = None  # the event it is about
    ended_by: UUID | None = None  # the event that ended that before its time
    person: str | None = None
    facility: str | None = None  # 10 digits; None of a denial: every one
    purpose: PurposeOfUse | None = None
    classes: tuple[RecordClass, ...] = ()
    since: datetime | None = None  # inclusive
    until: datetime | None = None  # exclusive
    grounds: tuple[Ground, ...] = ()  # of the decision, which came of it


def met(rule: Rule, **about: Any) -> Step:
    return Step(rule=rule, matched=True, **about)


def unmet(rule: Rule, **about: Any) -> Step:
    return Step(rule=rule, matched=False, **about)


def classes_of(grounds: Iterable[Ground]) -> tuple[RecordClass, ...]:
    """Of which these let see something."""
    held = {record_class for ground in grounds for record_class in ground.classes}
    return in_order(held)


def grounds_from(decision: Permitted | Refused, because: UUID) -> tuple[Ground, ...]:
    """The grounds of a decision that cite this event."""
    held = decision.grounds if isinstance(decision, Permitted) else ()
    return tuple(ground for ground in held if ground.because == because)
