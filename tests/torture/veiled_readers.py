"""Who asks, in a torture of what nothing shows: what each kind of reader is to see, and what is veiled from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from examples import HOSPITAL, a_caller
from torture.veiled_facts import Sending
from torture.veiled_families import (
    SAID_FROM,
    SEEN_AT,
    UNTOLD,
    Eyes,
    Plan,
    Veil,
    begun,
    called_off,
    elsewhere,
    letter,
    linked_with,
    marked,
    marked_later,
    next_letter,
    read,
    refused,
    report,
    said_to_others,
    sent_again,
    set_of_diagnoses,
    too_old,
)
from torture.veiled_steps import (
    PROXY,
    Act,
    Lived,
    Step,
    appointed,
    denied,
    ended,
    granted,
    her,
    opened_letter,
    read_by,
    withdrawn,
)
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import DocumentKind, Flag, PurposeOfUse, RecordClass, Role

READER = "2710000000"
"""Stands in a plan for the facility that asks: in each world it is one of its own."""
THIRD = "1315555555"
_C = RecordClass
_UNDELIVERED = (Flag.UNDELIVERED,)


def clinician(lived: Lived) -> Caller:
    return a_caller(person="dr-yomu", role=Role.CLINICIAN, facility=lived.reader)


def pharmacist(lived: Lived) -> Caller:
    return a_caller(person="ph-yomu", role=Role.PHARMACIST, facility=lived.reader)


@dataclass(frozen=True)
class Reader:
    """One kind of reader. *seen*: what every world of its families has in common. *always*: veils that all have."""

    name: str
    caller: Callable[[Lived], Caller]
    purpose: PurposeOfUse
    eyes: Eyes
    seen: Callable[[Plan], Sequence[Sending | Act]]
    veils: tuple[Veil, ...] = ()
    always: tuple[Veil, ...] = ()
    instead: tuple[
        Callable[[Plan], Sequence[Step]], ...
    ] = ()  # whole lives, of which nothing at all is to be seen

    def family(self, seed: str, worlds: int) -> list[list[Step | None]]:
        """The steps of each world, by rounds. The first has no veil but those that all have."""
        if self.instead:
            lives = [self.instead[0], *Random(seed).sample(self.instead[1:], worlds - 1)]
            return [_placed(begun(Random(f"{seed}/{nth}")), life) for nth, life in enumerate(lives)]
        common = begun(Random(seed))
        _place(common, self.seen(common))
        made = []
        for nth in range(worlds):
            random = Random(f"{seed}/{nth}")
            plan = Plan(random, random.sample(common.moments, len(common.moments)), list(common.rounds))
            some = random.sample(self.veils, random.randint(1, 3)) if nth else []
            for veil in (*self.always, *some):
                veil(plan, self.eyes)
            made.append(plan.rounds)
        return made


def _place(plan: Plan, steps: Sequence[Sending | Act]) -> None:
    sendings = [step for step in steps if isinstance(step, Sending)]
    said = [step for step in steps if isinstance(step, Act)]
    for number, one in zip(SEEN_AT, sendings, strict=False):
        plan.rounds[number] = one
    for number, act in enumerate(said):
        plan.rounds[SAID_FROM + 2 * number] = act


def _placed(plan: Plan, life: Callable[[Plan], Sequence[Step]]) -> list[Step | None]:
    plan.put(*life(plan))
    return plan.rounds


def _to_clinician(plan: Plan) -> Sequence[Sending | Act]:
    first = set_of_diagnoses(plan)
    sent = [first, report(plan), letter(plan, HOSPITAL), sent_again(plan, first)]
    return [*sent, granted([_C.CONDITION, _C.LAB_RESULT])]


def _to_pharmacist(plan: Plan) -> Sequence[Sending | Act]:
    allergies = plan.sending(THIRD, "allergies", plan.facts([_C.DRUG_ALLERGY], 2))
    orders = plan.sending(THIRD, "orders", plan.facts([_C.PRESCRIPTION], 3))
    return [allergies, orders, sent_again(plan, orders), granted([_C.PRESCRIPTION, _C.DRUG_ALLERGY])]


def _to_herself(plan: Plan) -> Sequence[Sending | Act]:
    first, one = set_of_diagnoses(plan), letter(plan, THIRD)
    sent = [first, report(plan), one, next_letter(plan, one), sent_again(plan, first)]
    return [*sent, granted(tuple(_C), HOSPITAL), appointed(), read_by(HOSPITAL)]


def _to_recipient(plan: Plan) -> Sequence[Sending | Act]:
    one = letter(plan, READER, _C.CONDITION, _C.OTHER_ALLERGY, _C.LAB_RESULT)
    return [one, opened_letter(one)]


def _to_owner(plan: Plan) -> Sequence[Sending | Act]:
    own = plan.sending(
        READER, "letter", plan.facts([_C.CONDITION], 2), document=DocumentKind.REFERRAL, recipient=THIRD
    )
    return [set_of_diagnoses(plan, READER), report(plan, READER), own]


def _nobody(plan: Plan) -> Sequence[Step]:
    return []


def _no_consent(plan: Plan) -> Sequence[Step]:
    return [set_of_diagnoses(plan), letter(plan, HOSPITAL), report(plan)]


def _withdrawn(plan: Plan) -> Sequence[Step]:
    return [*_no_consent(plan), granted(tuple(_C)), withdrawn()]


def _denied(plan: Plan) -> Sequence[Step]:
    return [set_of_diagnoses(plan), granted([_C.CONDITION]), denied(None)]


def _to_others_only(plan: Plan) -> Sequence[Step]:
    return [*_no_consent(plan), granted(tuple(_C), HOSPITAL)]


def _letter_held(plan: Plan) -> Sequence[Step]:
    return [letter(plan, READER)]


def _ended(plan: Plan) -> Sequence[Step]:
    return [set_of_diagnoses(plan), appointed(), ended()]


def _others_stand(plan: Plan) -> Sequence[Step]:
    return [*_no_consent(plan), appointed("somebody")]


_CARE = (elsewhere, called_off, said_to_others, read, linked_with, too_old)
_HER_EYES = Eyes(tuple(_C), UNTOLD, in_documents=True)
_HER_VEILS = (marked, marked_later, elsewhere, called_off, refused, linked_with, too_old)
_LETTER_EYES = Eyes((), _UNDELIVERED, in_documents=True, all_facilities=False)

READERS = (
    Reader(
        "clinician",
        clinician,
        PurposeOfUse.TREAT,
        Eyes((_C.CONDITION, _C.LAB_RESULT), _UNDELIVERED),
        _to_clinician,
        (marked, *_CARE),
    ),
    Reader(
        "pharmacist",
        pharmacist,
        PurposeOfUse.TREAT,
        Eyes((_C.PRESCRIPTION, _C.DRUG_ALLERGY), _UNDELIVERED),
        _to_pharmacist,
        _CARE,
    ),
    Reader("herself", her, PurposeOfUse.PATRQT, _HER_EYES, _to_herself, _HER_VEILS),
    Reader("proxy", lambda _: PROXY, PurposeOfUse.FAMRQT, _HER_EYES, _to_herself, _HER_VEILS),
    Reader(
        "recipient",
        clinician,
        PurposeOfUse.TREAT,
        _LETTER_EYES,
        _to_recipient,
        (marked, elsewhere, said_to_others, read, refused, linked_with),
        always=(marked,),
    ),
    Reader(
        "sender",
        clinician,
        PurposeOfUse.TREAT,
        Eyes((), (), all_facilities=False),
        _to_owner,
        (elsewhere, said_to_others, read, refused, linked_with),
    ),
    Reader(
        "nobody let in",
        clinician,
        PurposeOfUse.TREAT,
        _LETTER_EYES,
        _to_owner,
        instead=(_nobody, _no_consent, _withdrawn, _denied, _to_others_only, _letter_held),
    ),
    Reader(
        "nobody's proxy",
        lambda _: PROXY,
        PurposeOfUse.FAMRQT,
        _HER_EYES,
        _to_herself,
        instead=(_nobody, _no_consent, _ended, _others_stand, _withdrawn),
    ),
)
