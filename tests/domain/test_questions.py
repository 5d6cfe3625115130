"""The catalogue of saved questions: each can be asked, with what it needs, and with nothing else."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from tsuzuri.domain.answers import FINDINGS_MAX, Finding, answered
from tsuzuri.domain.questions import CATALOGUE, Asked, Parameter, Question, QuestionUnfit, checked
from tsuzuri.domain.vocabulary import Language

MOMENT = datetime(2026, 11, 23, tzinfo=UTC)
VALUES: dict[Parameter, tuple[str, Any]] = {
    Parameter.PATIENT: ("patient", UUID(int=1)),
    Parameter.PERSON: ("person", "dr-hamada"),
    Parameter.FACILITY: ("facility", "1311234567"),
    Parameter.DOCUMENT: ("document", UUID(int=2)),
    Parameter.FROM: ("since", MOMENT),
    Parameter.TO: ("until", MOMENT.replace(day=24)),
    Parameter.AT: ("at", MOMENT),
    Parameter.MINUTES: ("minutes", 3),
}
SAYS = {Language.EN: "It was so.", Language.JA: "そうでした。"}


def asking(question: Question, parameters: Any) -> Asked:
    return Asked(question=question, **dict(VALUES[one] for one in parameters))


def test_every_question_is_in_the_catalogue_and_has_words() -> None:
    assert list(CATALOGUE) == list(Question)
    for saved in CATALOGUE.values():
        assert set(saved.words) == set(Language) and all(saved.words.values())
        assert not set(saved.needs) & set(saved.takes)


@pytest.mark.parametrize("question", Question)
def test_a_question_is_asked_with_what_it_needs_and_takes_and_with_nothing_else(question: Question) -> None:
    saved = CATALOGUE[question]
    for parameters in (saved.needs, (*saved.needs, *saved.takes)):
        assert checked(asking(question, parameters)).given().keys() == set(parameters)
    for lacking in saved.needs:
        with pytest.raises(QuestionUnfit, match=lacking.lower()):
            checked(asking(question, [one for one in saved.needs if one is not lacking]))
    for beside in set(Parameter) - {*saved.needs, *saved.takes}:
        with pytest.raises(QuestionUnfit, match=beside.lower()):
            checked(asking(question, [*saved.needs, beside]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"question": Question.WITHOUT_BASIS, "since": MOMENT, "until": MOMENT},
        {"question": Question.SEEN_AT, "person": "dr-x", "at": MOMENT, "minutes": -1},
        {"question": Question.SEEN_AT, "person": "dr-x", "at": MOMENT, "minutes": 100_000},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(QuestionUnfit):
        checked(Asked(**wrong))


def found(number: int, **changes: Any) -> Finding:
    at = datetime.fromtimestamp(number, UTC)
    usual: dict[str, Any] = {"since": at, "until": at, "accesses": (UUID(int=number),), "says": SAYS}
    return Finding(**usual | changes)


def test_an_answer_holds_the_oldest_and_says_that_there_are_more() -> None:
    many = [found(number) for number in range(FINDINGS_MAX + 1, 0, -1)]

    answer = answered(many, MOMENT)

    assert answer.more and len(answer.findings) == FINDINGS_MAX
    assert answer.findings[0].accesses == (UUID(int=1),)
    assert not answered(many[1:], MOMENT).more


def test_whom_to_tell_is_one_of_each_facility_and_each_person_without_one() -> None:
    several = [
        found(1, facility="1319876543", person="dr-b"),
        found(2, facility="1319876543", person="dr-a"),
        found(3, facility="1319876543", person="dr-a"),
        found(4, facility="1311234567", person="dr-c"),
        found(5, person="daughter"),
        found(6, person="patient"),
    ]

    told = answered(several, MOMENT, notices=True).to_tell

    assert [(one.facility, one.persons, len(one.accesses)) for one in told] == [
        ("1311234567", ("dr-c",), 1),
        ("1319876543", ("dr-a", "dr-b"), 3),
        (None, ("daughter",), 1),
        (None, ("patient",), 1),
    ]
    assert (told[1].first, told[1].last) == (several[0].since, several[2].since)
    assert answered(several, MOMENT).to_tell == ()
