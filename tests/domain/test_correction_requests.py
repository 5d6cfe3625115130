"""訂正等請求・利用停止等請求: what may be asked, answered and taken back."""

from datetime import timedelta
from functools import reduce
from typing import Any
from uuid import UUID

import pytest

from correction_examples import WORDS, requested
from examples import CLINIC, EVENT, HOSPITAL, NOON, PATIENT
from tsuzuri.domain import correction_words
from tsuzuri.domain.correction_requests import (
    WORDS_MAX,
    CorrectionRequests,
    NothingToAnswer,
    NothingToTakeBack,
    RequestedAlready,
    Subject,
    WordsUnfit,
    answer_correction,
    evolve,
    request_correction,
    take_back,
    waited_days,
)
from tsuzuri.domain.events import (
    CorrectionAnswered,
    CorrectionRequested,
    CorrectionRequestTakenBack,
    Erased,
    Event,
)
from tsuzuri.domain.vocabulary import CorrectionKind, CorrectionOutcome

NEXT = UUID(int=EVENT.int + 1)


def given(*events: Event) -> CorrectionRequests:
    return reduce(evolve, events, CorrectionRequests(PATIENT))


def ask(held: CorrectionRequests, words: str = WORDS, **changes: Any) -> CorrectionRequested:
    usual: dict[str, Any] = {"kind": CorrectionKind.CORRECTION, "subject": Subject(CLINIC)}
    return request_correction(held, event_id=NEXT, words=words, recorded_by="patient", **usual | changes)


def answer(held: CorrectionRequests, **changes: Any) -> CorrectionAnswered:
    usual: dict[str, Any] = {"facility": CLINIC, "outcome": CorrectionOutcome.ACCEPTED, "words": None}
    return answer_correction(held, EVENT, event_id=NEXT, answered_by="admin-arai", **usual | changes)


def taken_back(held: CorrectionRequests) -> CorrectionRequestTakenBack:
    return take_back(held, EVENT, event_id=NEXT, recorded_by="patient")


def test_a_request_says_to_whom_it_is_what_it_is_about_and_what_she_asks() -> None:
    document, entry = UUID(int=1), UUID(int=2)

    asked = ask(given(requested()), f"  {WORDS}\n", subject=Subject(HOSPITAL, document, entry))

    assert (asked.facility, asked.document, asked.entry, asked.words) == (HOSPITAL, document, entry, WORDS)
    assert asked.originator_version == 2


@pytest.mark.parametrize(
    "words",
    ["", " \n", "字" * (WORDS_MAX + 1), "a\x00b", "a\ud800"],
    ids=["none", "space", "long", "nul", "half"],
)
def test_words_that_no_record_can_hold_are_refused_and_not_repeated(words: str) -> None:
    with pytest.raises(WordsUnfit) as refusal:
        ask(given(), words)

    assert not words.strip() or words not in str(refusal.value)


def test_the_same_request_waits_once() -> None:
    with pytest.raises(RequestedAlready):
        ask(given(requested()))

    for changed in (
        {"kind": CorrectionKind.STOP_USE},
        {"subject": Subject(HOSPITAL)},
        {"words": "他にもあります"},
    ):
        assert ask(given(requested()), **changed).originator_version == 2
    assert ask(given(requested(), answer(given(requested())))), "answered, it may be asked anew"


def test_a_facility_answers_once() -> None:
    held = given(requested())
    answered = answer(held)

    assert (answered.request, answered.outcome, answered.words) == (EVENT, CorrectionOutcome.ACCEPTED, None)
    with pytest.raises(NothingToAnswer, match="already"):
        answer(evolve(held, answered))


@pytest.mark.parametrize("outcome", [CorrectionOutcome.PARTLY, CorrectionOutcome.DECLINED])
def test_what_is_not_accepted_is_given_a_reason(outcome: CorrectionOutcome) -> None:
    for nothing in (None, "", "  "):
        with pytest.raises(WordsUnfit, match="reason"):
            answer(given(requested()), outcome=outcome, words=nothing)

    assert answer(given(requested()), outcome=outcome, words="診療時の記載のとおりです").outcome is outcome


def test_another_facility_is_told_the_same_as_of_a_request_that_there_is_not() -> None:
    messages = []
    for held, facility in ((given(requested()), HOSPITAL), (given(), CLINIC)):
        with pytest.raises(NothingToAnswer) as refusal:
            answer(held, facility=facility)
        messages.append(str(refusal.value))

    assert messages[0] == messages[1]


def test_what_was_taken_back_is_not_answered_and_what_was_answered_not_taken_back() -> None:
    held = given(requested())

    with pytest.raises(NothingToAnswer, match="taken this request back"):
        answer(evolve(held, taken_back(held)))
    for done in (answer(held), taken_back(held)):
        with pytest.raises(NothingToTakeBack):
            taken_back(evolve(held, done))


def test_with_the_record_the_requests_are_erased_and_nothing_waits() -> None:
    erased = [
        Erased(originator_id=one.originator_id, originator_version=1, event_id=one.event_id, topic=one.TOPIC)
        for one in (requested(),)
    ]
    held = given(*erased)

    assert (held.version, dict(held.requests)) == (1, {})
    assert given(*erased, answer(given(requested()))).requests == {}
    with pytest.raises(NothingToAnswer):
        answer(held)


def test_days_are_counted_whole_and_never_backwards() -> None:
    day = timedelta(days=1)

    assert waited_days(NOON, NOON + 30 * day) == 30
    assert waited_days(NOON, NOON + 30 * day - timedelta(microseconds=1)) == 29
    assert waited_days(NOON, NOON - timedelta(seconds=1)) == 0


def test_she_is_told_from_the_very_day_on_that_it_is_overdue() -> None:
    assert "待っています" in correction_words.waiting(29, 30)
    assert "回答がありません" in correction_words.waiting(30, 30)
    assert all(correction_words.answered(outcome) for outcome in CorrectionOutcome)
