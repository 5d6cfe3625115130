"""The golden matrix: role × purpose × what happened × what became of it × scope → answer, for an auditor."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from pathlib import Path

from examples import HOSPITAL, SIX
from oracle.access import evaluate
from oracle.access_cases import (
    CALLERS,
    SCOPES,
    SITUATIONS,
    STATES,
    WORTHLESS,
    History,
    a_request,
    scopes_for,
)
from oracle.access_compared import Comparison, decided, folded, in_our_words
from tsuzuri.domain.access import Permitted, Refused
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass

GOLDEN = Path(__file__).with_name("golden_access_matrix.txt")
HEAD = """\
# Who may see what: made of our decision, in which an oracle written from the rules' text agrees line by line.
# Made by tests/domain/test_access_matrix.py: TSUZURI_WRITE_GOLDEN=1 writes it anew. Read the difference.
# An answer, and below it the cases that have it. A hospital that takes emergencies asks at one moment, by a doctor with
# the emergency right; "another" patient is a mother, the patient's proxy where one is named. A + B: both happened.
# all: a consent, something registered by the hospital, a widened emergency and an open disaster window.
# [marks]: an entry is shown if each of its marks is named there. The cases word by word: tests/oracle/access_cases.py.\
"""
STANDING: Mapping[tuple[str, PurposeOfUse], tuple[str, ...]] = {
    ("CLINICIAN", PurposeOfUse.TREAT): ("consent", "referrals", "one letter"),
    ("CLINICIAN", PurposeOfUse.ETREAT): ("emergency", "own facility + widened"),
    ("CLINICIAN", PurposeOfUse.DISASTER): ("disaster", "own facility + disaster"),
    ("PATIENT another", PurposeOfUse.FAMRQT): ("proxy",),
}
"""In which situations it is told what became of it."""
SCOPED: Mapping[tuple[str, PurposeOfUse], str] = {
    ("CLINICIAN", PurposeOfUse.TREAT): "consent + one letter",
    ("CLINICIAN", PurposeOfUse.ETREAT): "emergency",
    ("PATIENT herself", PurposeOfUse.PATRQT): "nothing",
}
EVERYTHING = SCOPES["*"]

Answers = Mapping[str, str]
"""What is told of each case."""


def _of(ground: Ground) -> str:
    if ground.classes == tuple(RecordClass):
        return "every class"
    if set(RecordClass) - set(ground.classes) == {RecordClass.REFERRAL}:
        return "all but referrals"
    rest = [str(one) for one in ground.classes if one not in SIX]
    return " ".join(["six informations", *rest] if set(SIX) <= set(ground.classes) else ground.classes)


def _where(ground: Ground) -> Iterator[str]:
    if ground.emergency_table:
        yield "in the emergency table"
    if ground.recipient == HOSPITAL:
        yield "in letters to it" if ground.document is None else "in one letter to it"
    if ground.sender == HOSPITAL:
        yield "that it registered"


def told(answer: Permitted | Refused) -> str:
    if isinstance(answer, Refused):
        return str(answer.reason)
    return "\n  + ".join(
        " ".join([f"{one.basis} of {_of(one)}", *_where(one), f"[{' '.join(one.flags)}]"])
        for one in answer.grounds
    )


class Matrix:
    """Asks both, and keeps where they differ."""

    def __init__(self) -> None:
        self.compared = Comparison()

    def answer(self, who: str, purpose: PurposeOfUse, history: History, claim: str = EVERYTHING) -> str:
        caller = CALLERS[who]
        request = a_request(caller, purpose, scopes_for(caller.role, claim), history.registered_here)
        ours = decided(in_our_words(request), folded(history, request))
        theirs = evaluate(request, history.patient, history.facilities, history.windows)
        self.compared.compare(f"{who}, {purpose}", ours, theirs)
        return told(ours)

    def situations(self, who: str, purpose: PurposeOfUse) -> Answers:
        return {name: self.answer(who, purpose, history) for name, history in SITUATIONS.items()}

    def lines(self) -> Iterator[str]:
        yield HEAD
        everywhere: dict[tuple[str, ...], Answers] = {
            (who, to): self.situations(who, to) for who in CALLERS for to in PurposeOfUse
        }
        yield "\n## Who may ask for what"
        asked: dict[tuple[str, ...], Answers] = {
            (who,): {str(to): the_one(everywhere[who, to]) for to in PurposeOfUse} for who in CALLERS
        }
        for askers, answers in together(asked).items():
            yield f"\n{askers}"
            yield from told_by_answer(answers)
        yield "\n\n## What happened, all of it in force, with every scope. A + B where it is neither A nor B alone"
        for askers, answers in together(everywhere).items():
            if len(set(answers.values())) > 1:
                yield f"\n{askers}"
                yield from told_by_answer(telling(answers))
        yield "\n\n## What became of it"
        for (who, to), situations in STANDING.items():
            for situation in situations:
                history = SITUATIONS[situation]
                yield f"\n{who} {to}: {situation}"
                yield from told_by_answer({s: self.answer(who, to, STATES[s](history)) for s in STATES})
        yield "\n\n## Scopes of the token ({0}: of the role's own context; {1}: of another)"
        for (who, to), situation in SCOPED.items():
            claims = [claim for name, claim in SCOPES.items() if name != "worthless ones"]
            yield f"\n{who} {to}: {situation}"
            yield from told_by_answer(
                {
                    claim or "none": self.answer(who, to, SITUATIONS[situation], claim)
                    for claim in (*claims, *WORTHLESS)
                }
            )


def the_one(answers: Answers) -> str:
    """The answer that is given whatever happened, or that it depends."""
    one, *others = set(answers.values())
    return "depends on what happened, see below" if others else one


def together(asked: Mapping[tuple[str, ...], Answers]) -> Mapping[str, Answers]:
    """Those who get the same answers in one."""
    askers: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    found: dict[tuple[str, ...], Answers] = {}
    for who, answers in asked.items():
        askers[tuple(answers.values())].append(" ".join(who))
        found[tuple(answers.values())] = answers
    return {", ".join(askers[key]): answers for key, answers in found.items()}


def telling(answers: Answers) -> Answers:
    """Without the pairs of which one does nothing."""
    return {
        case: answer
        for case, answer in answers.items()
        if answer not in [answers[one] for one in case.split(" + ") if one != case]
    }


def told_by_answer(answers: Answers) -> Iterator[str]:
    cases: defaultdict[str, list[str]] = defaultdict(list)
    for case, answer in answers.items():
        cases[answer].append(case)
    for answer, those in cases.items():
        yield f"    {answer}"
        yield from wrapped(those)


def wrapped(cases: Iterable[str], width: int = 118) -> list[str]:
    def put(lines: list[str], case: str) -> list[str]:
        if lines and len(lines[-1]) + len(case) + 4 <= width:
            return [*lines[:-1], f"{lines[-1]} · {case}"]
        return [*lines, f"          {case}"]

    return reduce(put, cases, [])


def test_the_access_matrix_is_the_one_that_was_agreed_on() -> None:
    matrix = Matrix()
    now = "\n".join(matrix.lines()) + "\n"
    if os.environ.get("TSUZURI_WRITE_GOLDEN") == "1":
        GOLDEN.write_text(now, "utf-8")

    assert matrix.compared.faults == []
    assert now == GOLDEN.read_text("utf-8")
