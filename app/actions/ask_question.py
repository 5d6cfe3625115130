"""Answer one of the saved questions. What is answered is recorded by whoever shows it, before it leaves."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from tsuzuri.app.actions.explain_moment import MomentAhead
from tsuzuri.app.actions.read_trail import trail_complete_until
from tsuzuri.app.questions.accesses import seen_at, who_saw
from tsuzuri.app.questions.bundles import bundles_not_kept
from tsuzuri.app.questions.shown_versions import superseded_seen, uninformed_seen
from tsuzuri.app.questions.unusual import RULES, unusual
from tsuzuri.app.questions.without_basis import without_basis
from tsuzuri.app.services import Services
from tsuzuri.domain.answers import Answered
from tsuzuri.domain.identifiers import facility_number
from tsuzuri.domain.questions import Asked, Question, checked

_Answer = Callable[[Services, Asked, datetime], Awaitable[Answered]]

ANSWERS: Mapping[Question, _Answer] = {
    Question.WHO_SAW: who_saw,
    Question.WITHOUT_BASIS: without_basis,
    Question.UNINFORMED_SEEN: uninformed_seen,
    Question.BUNDLES_NOT_KEPT: bundles_not_kept,
    Question.SEEN_AT: seen_at,
    Question.SUPERSEDED_SEEN: superseded_seen,
    **dict.fromkeys(RULES, unusual),
}


async def ask_question(services: Services, asked: Asked) -> Answered:
    """Of what was recorded before the answer's `complete_until`.

    Raises:
        QuestionUnfit, TooMuchAsked, MomentAhead; tsuzuri.domain.identifiers.MalformedNumber.
        Busy; tsuzuri.projections.checkpoints.ProjectionOutdated.
    """
    wanted = checked(asked)
    if wanted.at is not None and wanted.at > services.now():
        raise MomentAhead("this moment has not been yet: ask of one that has")
    if wanted.facility is not None:
        facility_number(wanted.facility)
    return await ANSWERS[wanted.question](services, wanted, await trail_complete_until(services))
