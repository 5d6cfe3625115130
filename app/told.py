"""What a caller can mend, in the code and the words that the edge gives it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tsuzuri.app.actions.explain_moment import MomentAhead
from tsuzuri.app.actions.refusals import Busy, NotPermitted
from tsuzuri.app.broken_rules import broken_rules
from tsuzuri.domain.answers import TooMuchAsked
from tsuzuri.domain.consents import NothingToWithdraw, UselessConsent
from tsuzuri.domain.correction_requests import (
    NoSuchSubject,
    NothingToAnswer,
    NothingToTakeBack,
    RequestedAlready,
    WordsUnfit,
)
from tsuzuri.domain.corrections import NothingToCancel, NothingToRestore
from tsuzuri.domain.denials import DeniedAlready, NothingToLift
from tsuzuri.domain.disasters import NoSuchWindow, UselessWindow
from tsuzuri.domain.emergencies import NoSuchEmergency, UselessEmergency, UselessReason
from tsuzuri.domain.emergency_rights import NothingToTake, UselessRight
from tsuzuri.domain.facilities import FacilityMalformed, NothingToClose
from tsuzuri.domain.fhir.bundle import BundleRejected
from tsuzuri.domain.fhir.consent_gaps import ConsentInexpressible
from tsuzuri.domain.identifiers import MalformedNumber
from tsuzuri.domain.links import CannotLink, NothingToUnlink
from tsuzuri.domain.opening_hours import HoursMalformed
from tsuzuri.domain.proxies import NothingToEnd, UselessProxy
from tsuzuri.domain.questions import QuestionUnfit
from tsuzuri.domain.referrals import NoSuchReferral
from tsuzuri.domain.replay_allowances import ContentNotAllowed, NoSuchAccess, OwnReplay
from tsuzuri.domain.reviews import NoSuchReview, OwnReview, ReviewClosedAlready, WordsMissing
from tsuzuri.domain.settlements import NothingToSettle
from tsuzuri.domain.staff_names import StaffMalformed
from tsuzuri.eventlog.access_lists import MapBroken
from tsuzuri.eventlog.appending import LogUnavailable
from tsuzuri.eventlog.proving import NotCovered, ProofNotMade
from tsuzuri.graphql.context import RequestRefused
from tsuzuri.projections.catalogue import UnknownProjection
from tsuzuri.projections.checkpoints import ProjectionOutdated
from tsuzuri.projections.generations import NotReady, ProjectionPaused, UnknownGeneration
from tsuzuri.projections.replaying import NotQuarantined

CODES: dict[type[Exception], str] = {
    NotPermitted: "FORBIDDEN",
    Busy: "BUSY",
    BundleRejected: "BUNDLE_REJECTED",
    NothingToCancel: "NOTHING_TO_CANCEL",
    NothingToRestore: "NOTHING_TO_RESTORE",
    NothingToWithdraw: "NOTHING_TO_WITHDRAW",
    DeniedAlready: "DENIED_ALREADY",
    NothingToLift: "NOTHING_TO_LIFT",
    UselessReason: "BAD_INPUT",
    UselessEmergency: "BAD_INPUT",
    NoSuchEmergency: "NO_SUCH_EMERGENCY",
    UselessRight: "USELESS_RIGHT",
    NothingToTake: "NOTHING_TO_TAKE",
    UselessWindow: "BAD_INPUT",
    NoSuchWindow: "NO_SUCH_WINDOW",
    UselessProxy: "USELESS_PROXY",
    NothingToEnd: "NOTHING_TO_END",
    UselessConsent: "USELESS_CONSENT",
    ConsentInexpressible: "CONSENT_INEXPRESSIBLE",
    NoSuchReferral: "NOT_AVAILABLE",
    NoSuchSubject: "NOT_AVAILABLE",
    RequestedAlready: "REQUESTED_ALREADY",
    NothingToTakeBack: "NOTHING_TO_TAKE_BACK",
    NothingToAnswer: "NOTHING_TO_ANSWER",
    WordsUnfit: "BAD_INPUT",
    MalformedNumber: "BAD_INPUT",
    MomentAhead: "BAD_INPUT",
    QuestionUnfit: "BAD_INPUT",
    TooMuchAsked: "TOO_COSTLY",
    FacilityMalformed: "BAD_INPUT",
    NothingToClose: "NOTHING_TO_CLOSE",
    HoursMalformed: "BAD_INPUT",
    StaffMalformed: "BAD_INPUT",
    NoSuchReview: "NO_SUCH_REVIEW",
    ReviewClosedAlready: "REVIEW_CLOSED_ALREADY",
    OwnReview: "OWN_REVIEW",
    WordsMissing: "BAD_INPUT",
    NothingToSettle: "NOTHING_TO_SETTLE",
    CannotLink: "CANNOT_LINK",
    NothingToUnlink: "NOTHING_TO_UNLINK",
    UnknownProjection: "UNKNOWN_PROJECTION",
    UnknownGeneration: "UNKNOWN_GENERATION",
    NotReady: "NOT_READY",
    ProjectionPaused: "PROJECTION_PAUSED",
    NotQuarantined: "NOT_QUARANTINED",
    ProjectionOutdated: "PROJECTION_OUTDATED",
    OwnReplay: "OWN_REPLAY",
    NoSuchAccess: "NO_SUCH_ACCESS",
    ContentNotAllowed: "CONTENT_NOT_ALLOWED",
    LogUnavailable: "LOG_UNAVAILABLE",
    NotCovered: "NOT_COVERED_YET",
    ProofNotMade: "LOG_NOT_AS_SIGNED",
    MapBroken: "LOG_NOT_AS_SIGNED",
}
"""What a caller can mend, and the code it is told under."""


@contextmanager
def told() -> Iterator[None]:
    """Turns the refusals of actions into RequestRefused, once."""
    try:
        yield
    except tuple(CODES) as error:
        code = next(code for refusal, code in CODES.items() if isinstance(error, refusal))
        raise RequestRefused(code, str(error), _details(error)) from None


def _details(error: Exception) -> dict[str, Any] | None:
    if isinstance(error, BundleRejected):
        return {"broken": broken_rules(error.broken)}
    if isinstance(error, ConsentInexpressible):
        return {"missing": [{"path": gap.path, "reason": gap.reason} for gap in error.gaps]}
    return None
