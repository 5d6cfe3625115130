"""What a replay makes of a difference: each cause is named, and what no cause explains is told apart."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from examples import AUDITOR, NOON, OPERATOR
from tsuzuri.domain.replay_allowances import (
    ALLOWED_FOR,
    ContentNotAllowed,
    OwnReplay,
    allow_content,
    check_allowed,
)
from tsuzuri.domain.replay_words import HINDRANCES, VERDICTS, sentences
from tsuzuri.domain.replays import (
    BESIDE,
    PROGRAM,
    SCHEMA,
    Change,
    Erasure,
    Hindrance,
    Replay,
    Shown,
    Verdict,
    judge,
)
from tsuzuri.domain.vocabulary import Language, RecordClass

ACCESS, ALLOWANCE = UUID(int=1), UUID(int=2)
ASKED = (RecordClass.CONDITION,)


def shown(answer: str = "a", entries: str = "e", number: int = 2) -> Shown:
    return Shown(answer_sha256=answer, entries_sha256=entries, entries=number)


def changed(what: str) -> Change:
    return Change(what, "4", "5")


def erased(*classes: RecordClass, document: UUID | None = ACCESS) -> Erasure:
    return Erasure(event=ALLOWANCE, document=document, at=NOON, classes=frozenset(classes))


def verdict(now: Shown, **more: Any) -> Verdict:
    usual: dict[str, Any] = {"asked": ASKED, "changes": (), "erasures": (), "failed": False}
    return judge(shown(), now, **usual | more)


def test_the_same_digest_is_the_same_answer_whatever_has_changed() -> None:
    assert verdict(shown(), changes=[changed(SCHEMA)]) is Verdict.SAME_ANSWER


@pytest.mark.parametrize("now", [shown("other"), shown("other", "others"), shown("other", "others", 3)])
def test_a_difference_that_nothing_explains_rings_the_alarm(now: Shown) -> None:
    assert verdict(now) is Verdict.DIFFERENT


@pytest.mark.parametrize("what", [SCHEMA, PROGRAM, BESIDE, "identities", "record_index"])
def test_the_same_entries_written_otherwise_need_a_change_that_is_named(what: str) -> None:
    assert verdict(shown("other"), changes=[changed(what)]) is Verdict.SAME_ENTRIES


@pytest.mark.parametrize("what", [SCHEMA, "record_index", "patient_summary"])
def test_other_entries_are_explained_by_what_chooses_them(what: str) -> None:
    assert verdict(shown("other", "others"), changes=[changed(what)]) is Verdict.VERSION_CHANGED


@pytest.mark.parametrize("what", [PROGRAM, BESIDE, "identities", "audit_trail"])
def test_other_entries_are_not_explained_by_what_chooses_none(what: str) -> None:
    assert verdict(shown("other", "others"), changes=[changed(what)]) is Verdict.DIFFERENT


def test_what_was_erased_explains_only_what_it_may_have_held() -> None:
    fewer = shown("other", "others", 1)

    assert verdict(fewer, erasures=[erased(RecordClass.CONDITION)]) is Verdict.ERASED
    assert verdict(fewer, erasures=[erased(RecordClass.LAB_RESULT)]) is Verdict.DIFFERENT
    assert verdict(fewer, asked=(), erasures=[erased(document=None)]) is Verdict.ERASED
    assert (
        verdict(shown("other", "others", 3), erasures=[erased(RecordClass.CONDITION)]) is Verdict.DIFFERENT
    ), "an erasure brings nothing in"


def test_what_was_no_whole_answer_then_cannot_be_compared() -> None:
    assert verdict(shown("other", "others"), failed=True) is Verdict.NOT_COMPARABLE
    assert verdict(shown(), failed=True) is Verdict.SAME_ANSWER


def test_content_takes_two_and_lasts_an_hour() -> None:
    given = allow_content(ACCESS, to=AUDITOR.person, caller=OPERATOR, at=NOON, event_id=ALLOWANCE)

    check_allowed(given, ACCESS, AUDITOR, NOON + ALLOWED_FOR - timedelta(microseconds=1))
    for allowance, access, caller, at in (
        (given, ACCESS, AUDITOR, NOON + ALLOWED_FOR),
        (given, ALLOWANCE, AUDITOR, NOON),
        (given, ACCESS, OPERATOR, NOON),
        (None, ACCESS, AUDITOR, NOON),
    ):
        with pytest.raises(ContentNotAllowed):
            check_allowed(allowance, access, caller, at)


def test_nobody_lets_herself() -> None:
    with pytest.raises(OwnReplay):
        allow_content(ACCESS, to=OPERATOR.person, caller=OPERATOR, at=NOON, event_id=ALLOWANCE)


def test_every_verdict_and_every_hindrance_has_words_in_both_languages() -> None:
    assert (set(VERDICTS), set(HINDRANCES)) == (set(Verdict), set(Hindrance))
    hindered = Replay(access=ACCESS, verdict=Verdict.NOT_REPLAYABLE, hindrance=Hindrance.WATCH)

    assert all(all(both) for both in (*VERDICTS.values(), *HINDRANCES.values()))
    assert [len(sentences(hindered, one)) for one in Language] == [2, 2]
