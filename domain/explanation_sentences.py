"""An explanation's steps as sentences, in English or Japanese.

Times are told in Japan's time with its offset, `2026-11-23 12:00:00 +09:00`; microseconds where there are any.
"""

from collections.abc import Iterable
from datetime import datetime

from tsuzuri.domain.access import Refused
from tsuzuri.domain.explanation_steps import Step
from tsuzuri.domain.explanation_words import OPENED, PURPOSES, REASONS, ROLES, WORDS
from tsuzuri.domain.explanations import Explanation
from tsuzuri.domain.fhir.elements import JAPAN
from tsuzuri.domain.vocabulary import TERMS, AccessBasis, Language, RecordClass


def sentence(step: Step, explanation: Explanation, language: Language) -> str:
    """What a step says, for who audits: with the persons and facilities that it names."""
    request, decision = explanation.request, explanation.decision
    reason = _in(REASONS[decision.reason], language) if isinstance(decision, Refused) else ""
    nobody = _in(("somebody unnamed", "（不明）"), language)
    return _in(WORDS[step.rule], language).format(
        at=moment_in(request.at, language),
        role=_in(ROLES[request.role], language),
        reason=reason,
        purpose=_in(PURPOSES[step.purpose or request.purpose], language),
        person=step.person or nobody,
        facility=step.facility or nobody,
        to=_denied_to(step.facility, language),
        classes=classes_in(step.classes, language),
        since=moment_in(step.since, language),
        until=moment_in(step.until, language),
        ended_by=step.ended_by,
    )


def opened_in(basis: AccessBasis, classes: Iterable[RecordClass], language: Language) -> str:
    """What one basis of a read says to the patient: no person, and of classes those that she is told could be seen."""
    return _in(OPENED[basis], language).format(classes=classes_in(classes, language))


def moment_in(at: datetime | None, language: Language) -> str:
    """ "2026-11-23 12:00:00 +09:00", or "2026年11月23日 12:00:00（+09:00）", of an aware moment."""
    if at is None:
        return ""
    there = at.astimezone(JAPAN)
    clock = there.strftime("%H:%M:%S.%f" if there.microsecond else "%H:%M:%S")
    if language is Language.JA:
        return f"{there.year}年{there.month}月{there.day}日 {clock}（+09:00）"
    return f"{there.year:04}-{there:%m-%d} {clock} +09:00"


def classes_in(classes: Iterable[RecordClass], language: Language) -> str:
    """Their names, or "nothing"."""
    if language is Language.JA:
        return "、".join(TERMS[one] for one in classes) or "なし"
    return ", ".join(one.lower().replace("_", " ") for one in classes) or "nothing"


def _denied_to(facility: str | None, language: Language) -> str:
    if facility is None:
        return _in(("every facility", "すべての医療機関"), language)
    return _in((f"the facility {facility}", f"医療機関{facility}"), language)


def _in(words: tuple[str, str], language: Language) -> str:
    return words[language is Language.JA]
