"""Families of worlds that look the same to one reader: the same is to be seen in each, and what is veiled differs.

A world is one patient: what is sent, said and done about her, each in a round of its own. What is to be seen comes in
the same rounds and words in every world of a family; between them lies what the reader may not see, in each world
something else: marked, of other classes, from other facilities, cancelled, too old, said to others, linked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from examples import CLINIC, HOSPITAL
from fhir_examples import FACILITY
from torture.veiled_facts import BEGAN, Fact, Sending, moments_before
from torture.veiled_steps import (
    OfAnother,
    Step,
    appointed,
    cancelled,
    denied,
    granted,
    linked,
    read_by,
    read_by_herself,
)
from tsuzuri.domain.vocabulary import DocumentKind, Flag, RecordClass

ROUNDS = 26
SEEN_AT = (4, 7, 10, 13, 16)  # the rounds of the Bundles to be seen; what is said comes behind them
SAID_FROM = 18
READ_FROM = 22
"""Readers come last, when the index has everything."""
LABORATORY, ELSEWHERE, CLOSED, STRANGE = "1312222222", "1313333333", "1314444444", "1316666666"
MOMENTS = 400
UNTOLD = (Flag.UNINFORMED, Flag.UNDELIVERED)  # 未告知, 未提供: what herself does not see
_C = RecordClass


@dataclass
class Plan:
    """One world of a family, while it is being made."""

    random: Random
    moments: list[datetime]
    rounds: list[Step | None]

    def facts(
        self, classes: Sequence[RecordClass], number: int, *flags: Flag, name: str = ""
    ) -> tuple[Fact, ...]:
        return tuple(
            Fact(
                self.random.choice(classes),
                name or f"見本{self.random.randrange(10**6)}",
                self.moments.pop(),
                self.random.choice(flags) if flags else None,
            )
            for _ in range(number)
        )

    def sending(
        self, facility: str, local_id: str, facts: Sequence[Fact], **more: str | DocumentKind
    ) -> Sending:
        return Sending(facility, local_id, self.moments.pop(), tuple(facts), **more)  # type: ignore[arg-type]

    def put(self, *steps: Step, least: int = 0) -> None:
        """In this order, in rounds that are free, from *least* on; not at all when there are too few."""
        free = [number for number in range(least, ROUNDS) if self.rounds[number] is None]
        if len(free) < len(steps):
            return
        for number, step in zip(sorted(self.random.sample(free, len(steps))), steps, strict=True):
            self.rounds[number] = step

    def seen(self) -> list[tuple[int, Sending]]:
        return [(number, one) for number in SEEN_AT if isinstance(one := self.rounds[number], Sending)]

    def add(self, number: int, *facts: Fact) -> None:
        sending = self.rounds[number]
        assert isinstance(sending, Sending)
        self.rounds[number] = replace(sending, facts=(*sending.facts, *facts))


Veil = Callable[[Plan, "Eyes"], None]
"""Adds something to a world that its reader may not see."""


@dataclass(frozen=True)
class Eyes:
    """What a reader sees of what facilities send that are not its own, and where a hidden mark may lie."""

    classes: tuple[RecordClass, ...]
    untold: tuple[Flag, ...]  # marks that hide from it
    in_documents: bool = (
        False  # also in documents to be seen: for clinicians their page would tell that something is
    )
    all_facilities: bool = True  # else only what is sent to it or by it

    @property
    def unseen(self) -> tuple[RecordClass, ...]:
        six = (_C.CONDITION, _C.DRUG_ALLERGY, _C.OTHER_ALLERGY, _C.LAB_RESULT, _C.PRESCRIPTION)
        return tuple(one for one in six if one not in self.classes or not self.all_facilities)


def marked(plan: Plan, eyes: Eyes) -> None:
    """Diagnoses beside those to be seen, in the same Bundle."""
    for number, sending in plan.seen():
        holds = any(fact.record_class is _C.CONDITION for fact in sending.facts)
        if holds and (sending.document is None or eyes.in_documents):
            plan.add(number, *plan.facts([_C.CONDITION], plan.random.randint(1, 3), *eyes.untold))


def marked_later(plan: Plan, eyes: Eyes) -> None:
    """A diagnosis in one letter, which its sender marks in the next."""
    letters = [number for number, one in plan.seen() if one.document is not None]
    if len(letters) > 1:
        (fact,) = plan.facts([_C.CONDITION], 1)
        plan.add(letters[0], fact)
        plan.add(letters[1], replace(fact, flag=plan.random.choice(eyes.untold)))


def elsewhere(plan: Plan, eyes: Eyes) -> None:
    """Whole Bundles of which nothing is to be seen; one is sent again with more."""
    unseen = eyes.unseen
    carried = plan.random.choice([None, DocumentKind.REFERRAL, DocumentKind.DISCHARGE_SUMMARY])
    if not unseen or (carried is None and plan.random.random() < 0.5):
        name = plan.random.choice([fact.name for _, one in plan.seen() for fact in one.facts])
        facts = plan.facts([_C.CONDITION], 2, *eyes.untold) + plan.facts(
            [_C.CONDITION], 1, *eyes.untold, name=name
        )
        plan.put(plan.sending(ELSEWHERE, "veiled", facts))
        return
    one_class = [plan.random.choice(unseen)]
    more = {} if carried is None else {"document": carried}
    facts = plan.facts(unseen if carried else one_class, plan.random.randint(1, 3))
    first = plan.sending(ELSEWHERE, "veiled", facts, **more)
    again = plan.facts(one_class, 1)
    plan.put(first, replace(first, at=first.at + timedelta(minutes=1), facts=(*facts, *again)))


def called_off(plan: Plan, eyes: Eyes) -> None:
    """Of a class to be seen, but cancelled: at no moment there any more."""
    kinds = {
        _C.CONDITION: DocumentKind.CONDITIONS,
        _C.DRUG_ALLERGY: DocumentKind.ALLERGIES,
        _C.LAB_RESULT: DocumentKind.OBSERVATIONS,
        _C.PRESCRIPTION: DocumentKind.PRESCRIPTIONS,
    }
    one = plan.random.choice([record_class for record_class in eyes.classes if record_class in kinds])
    sending = plan.sending(CLOSED, "off", plan.facts([one], plan.random.randint(1, 3)))
    plan.put(sending, cancelled(sending, kinds[one]))


def too_old(plan: Plan, eyes: Eyes) -> None:
    """A result from years ago, where the last three are newer."""
    newer = [fact for _, one in plan.seen() for fact in one.facts if fact.record_class is _C.LAB_RESULT]
    if len(newer) >= 3 and _C.LAB_RESULT in eyes.classes:
        at = (BEGAN - timedelta(days=800, hours=plan.random.randrange(500))).replace(microsecond=0)
        plan.put(plan.sending(LABORATORY, "old", [Fact(_C.LAB_RESULT, "HbA1c", at)]))


def said_to_others(plan: Plan, eyes: Eyes) -> None:
    """Consents and denials that are about other facilities; who stands for her."""
    said = [granted(tuple(_C), HOSPITAL), denied(CLINIC), appointed(f"somebody-{plan.random.randrange(9)}")]
    plan.put(*plan.random.sample(said, plan.random.randint(1, 3)), least=SEEN_AT[0] + 1)


def read(plan: Plan, eyes: Eyes) -> None:
    """By others, and by herself."""
    plan.put(granted(tuple(_C), HOSPITAL), least=SEEN_AT[0] + 1)
    plan.put(read_by(HOSPITAL), read_by_herself(), least=READ_FROM)


def refused(plan: Plan, eyes: Eyes) -> None:
    """Who tried to read her and was not let."""
    plan.put(*[read_by(STRANGE)] * plan.random.randint(1, 2), least=READ_FROM)


def linked_with(plan: Plan, eyes: Eyes) -> None:
    """Somebody is the same person, of whom the reader sees nothing."""
    classes = eyes.unseen or (_C.CONDITION,)
    flags = () if eyes.unseen else eyes.untold
    facts = plan.facts([plan.random.choice(classes)], 2, *flags)
    plan.put(OfAnother(plan.sending(ELSEWHERE, "other", facts)), linked(), least=SEEN_AT[0] + 1)


def begun(random: Random) -> Plan:
    """A world in which nothing has happened yet."""
    numbers = list(range(MOMENTS))
    random.shuffle(numbers)
    return Plan(random, [moments_before(number) for number in numbers], [None] * ROUNDS)


def set_of_diagnoses(plan: Plan, facility: str = CLINIC) -> Sending:
    return plan.sending(facility, "set", plan.facts([_C.CONDITION], plan.random.randint(1, 3)))


def report(plan: Plan, facility: str = LABORATORY) -> Sending:
    """All of it recent: whether an old result is one of the last three depends on results that a reader may not see."""
    return plan.sending(facility, "report", plan.facts([_C.LAB_RESULT], 3))


def letter(plan: Plan, recipient: str, *classes: RecordClass) -> Sending:
    facts = plan.facts(classes or (_C.CONDITION,), plan.random.randint(1, 2))
    return plan.sending(FACILITY, "letter", facts, document=DocumentKind.REFERRAL, recipient=recipient)


def next_letter(plan: Plan, former: Sending) -> Sending:
    """By the same sender to the same recipient, newer."""
    at = former.at + timedelta(minutes=20)
    return replace(former, local_id="letter-2", at=at, facts=plan.facts([_C.CONDITION], 1))


def sent_again(plan: Plan, sending: Sending) -> Sending:
    """The same Bundle, newer and with one fact more."""
    more = plan.facts([sending.facts[0].record_class], 1)
    return replace(sending, at=sending.at + timedelta(minutes=30), facts=(*sending.facts, *more))
