"""Given what was said, when it is asked why somebody may read, then each thing is told that the decision looked at."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from access_examples import A_MICROSECOND, given, histories
from examples import CLINIC, EVENT, HOSPITAL, NOON, PATIENT, SIX, STRANGER, a_request, granted, withdrawn
from said_examples import (
    AN_HOUR,
    HERE,
    NEWER,
    appointed,
    closed,
    declared,
    denied,
    explained,
    listed,
    right,
    said,
    states,
    taken,
    window,
)
from tsuzuri.domain.access import Permitted, Refused, decide
from tsuzuri.domain.events import (
    DenialLifted,
    EmergencyEnded,
    EmergencyWidened,
    Event,
    ProxyEnded,
)
from tsuzuri.domain.explanation_sentences import moment_in, opened_in, sentence
from tsuzuri.domain.explanation_steps import Rule, Step
from tsuzuri.domain.explanation_words import OPENED, PURPOSES, REASONS, ROLES, WORDS
from tsuzuri.domain.explanations import (
    explain_declaration,
    explain_own_referrals,
    noted,
)
from tsuzuri.domain.policies import Policies
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import (
    AccessBasis,
    Language,
    PurposeOfUse,
    RecordClass,
    RefusalReason,
    Role,
)

BTG: dict[str, Any] = {"purpose": PurposeOfUse.BTG}
IN_DISASTER: dict[str, Any] = {"purpose": PurposeOfUse.DISASTER}
HER: dict[str, Any] = {
    "person": "patient",
    "role": Role.PATIENT,
    "facility": None,
    "own_patient": PATIENT,
    "purpose": PurposeOfUse.PATRQT,
}
MOTHER: dict[str, Any] = HER | {
    "person": "mother",
    "own_patient": STRANGER,
    "purpose": PurposeOfUse.FAMRQT,
}
ONLY_REFERRALS: dict[str, Any] = {"readable": frozenset({RecordClass.REFERRAL})}


@dataclass(frozen=True)
class Case:
    """What was said and asked, and of which event a rule is told then."""

    told: tuple[Event, ...]
    asked: dict[str, Any]
    because: UUID | None = EVENT
    ended_by: UUID | None = None


def case(*told: Event, because: UUID | None = EVENT, ended_by: UUID | None = None, **asked: Any) -> Case:
    return Case(told, asked, because, ended_by)


CASES: dict[Rule, Case] = {
    Rule.ROLE_READS: case(because=None),
    Rule.ROLE_DOES_NOT_READ: case(because=None, role=Role.FACILITY_ADMIN),
    Rule.PURPOSE_OF_ROLE: case(because=None),
    Rule.PURPOSE_NOT_OF_ROLE: case(because=None, purpose=PurposeOfUse.HPAYMT),
    Rule.SCOPE_READS: case(because=None),
    Rule.SCOPE_READS_NOTHING: case(because=None, readable=frozenset()),
    Rule.SCOPE_LEAVES_OUT: case(granted(), **ONLY_REFERRALS),
    Rule.RIGHT_HELD: case(listed(), right(), **BTG),
    Rule.RIGHT_NOT_OF_ROLE: case(listed(), right(), because=None, role=Role.PHARMACIST, **BTG),
    Rule.RIGHT_NOT_OF_FACILITY: case(listed(emergency=False), right(), because=None, **BTG),
    Rule.RIGHT_MISSING: case(listed(), right(person="dr-sakai"), because=None, **BTG),
    Rule.RIGHT_NOT_YET: case(listed(), right(since=NOON + A_MICROSECOND), **BTG),
    Rule.RIGHT_OVER: case(listed(), right(until=NOON), **BTG),
    Rule.RIGHT_TAKEN: case(listed(), right(), taken(), ended_by=NEWER, **BTG),
    Rule.WINDOW_COUNTS: case(listed(), window(), **IN_DISASTER),
    Rule.WINDOW_MISSING: case(listed(), because=None, **IN_DISASTER),
    Rule.WINDOW_ELSEWHERE: case(listed(), window(municipalities=("17204",)), **IN_DISASTER),
    Rule.WINDOW_NOT_YET: case(listed(), window(since=NOON + A_MICROSECOND), **IN_DISASTER),
    Rule.WINDOW_OVER: case(listed(), window(until=NOON), **IN_DISASTER),
    Rule.WINDOW_CLOSED: case(
        listed(), window(municipalities=(HERE, "17204")), closed(HERE), ended_by=NEWER, **IN_DISASTER
    ),
    Rule.WINDOW_DENIED: case(listed(), window(), denied(), **IN_DISASTER),
    Rule.FACILITY_NOT_LISTED: case(window(), because=None, **IN_DISASTER),
    Rule.REGISTERED_HERE: case(because=None, registered_here=True),
    Rule.REGISTERED_HERE_NOT_ALONE: case(listed(), right(), because=None, registered_here=True, **BTG),
    Rule.NOT_REGISTERED_HERE: case(because=None),
    Rule.HERSELF: case(because=None, **HER),
    Rule.NOT_HERSELF: case(because=None, **HER | {"own_patient": STRANGER}),
    Rule.PROXY_COUNTS: case(appointed(), **MOTHER),
    Rule.PROXY_MISSING: case(because=None, **MOTHER),
    Rule.PROXY_OF_ANOTHER_PERSON: case(appointed(person="father"), **MOTHER),
    Rule.PROXY_NOT_YET: case(appointed(since=NOON + A_MICROSECOND), **MOTHER),
    Rule.PROXY_OVER: case(appointed(until=NOON), **MOTHER),
    Rule.PROXY_ENDED: case(
        appointed(), said(ProxyEnded, proxy=EVENT, event_id=NEWER), ended_by=NEWER, **MOTHER
    ),
    Rule.CONSENT_COUNTS: case(granted()),
    Rule.CONSENT_MISSING: case(because=None),
    Rule.CONSENT_TO_ANOTHER_FACILITY: case(granted(facility=CLINIC)),
    Rule.CONSENT_FOR_ANOTHER_PURPOSE: case(granted(purpose=PurposeOfUse.HPAYMT)),
    Rule.CONSENT_NOT_YET: case(granted(since=NOON + A_MICROSECOND)),
    Rule.CONSENT_OVER: case(granted(until=NOON)),
    Rule.CONSENT_WITHDRAWN: case(granted(), withdrawn(event_id=NEWER), ended_by=NEWER),
    Rule.CONSENT_REPLACED: case(granted(), granted(event_id=NEWER, since=NOON), ended_by=NEWER),
    Rule.CONSENT_DENIED: case(granted(), denied()),
    Rule.DENIAL_KEEPS: case(granted(), denied(), because=NEWER),
    Rule.DENIAL_TO_ANOTHER_FACILITY: case(denied(facility=CLINIC), because=NEWER),
    Rule.DENIAL_LIFTED: case(
        denied(), said(DenialLifted, denial=NEWER, event_id=STRANGER), because=NEWER, ended_by=STRANGER
    ),
    Rule.DENIAL_PASSED: case(listed(), right(), declared(), denied(), because=NEWER, **BTG),
    Rule.EMERGENCY_COUNTS: case(listed(), right(), declared(), **BTG),
    Rule.EMERGENCY_MISSING: case(listed(), right(), because=None, **BTG),
    Rule.EMERGENCY_OF_ANOTHER_PERSON: case(listed(), right(), declared(person="dr-sakai"), **BTG),
    Rule.EMERGENCY_AT_ANOTHER_FACILITY: case(listed(), right(), declared(facility=CLINIC), **BTG),
    Rule.EMERGENCY_NOT_YET: case(listed(), right(), declared(since=NOON + A_MICROSECOND), **BTG),
    Rule.EMERGENCY_OVER: case(listed(), right(), declared(until=NOON), **BTG),
    Rule.EMERGENCY_ENDED: case(
        listed(),
        right(),
        declared(),
        said(EmergencyEnded, emergency=EVENT, event_id=NEWER),
        ended_by=NEWER,
        **BTG,
    ),
    Rule.CONSENT_NOT_ASKED: case(granted(), **HER),
    Rule.DENIAL_NOT_ASKED: case(denied(), because=NEWER, **HER),
    Rule.PROXY_NOT_ASKED: case(appointed()),
    Rule.EMERGENCY_NOT_ASKED: case(declared()),
    Rule.PERMITTED: case(granted(), because=None),
    Rule.REFUSED: case(because=None),
}
"""Each rule of a read, and one history in which it is told."""

MET = {
    Rule.ROLE_READS,
    Rule.PURPOSE_OF_ROLE,
    Rule.SCOPE_READS,
    Rule.RIGHT_HELD,
    Rule.WINDOW_COUNTS,
    Rule.REGISTERED_HERE,
    Rule.HERSELF,
    Rule.PROXY_COUNTS,
    Rule.CONSENT_COUNTS,
    Rule.DENIAL_KEEPS,
    Rule.EMERGENCY_COUNTS,
    Rule.PERMITTED,
}
OF_THE_QUESTION = {
    Rule.PATIENT_UNKNOWN,
    Rule.CONSENTS_ERASED,
    Rule.RECORD_ERASED,
    Rule.MOMENT_OF_RECORDING,
    Rule.EVERY_SCOPE_ASSUMED,
}


@pytest.mark.parametrize("rule", CASES)
def test_each_rule_is_told_with_the_event_it_is_about(rule: Rule) -> None:
    asked = CASES[rule]

    explanation = explained(*asked.told, **asked.asked)

    (step,) = [step for step in explanation.steps if step.rule is rule]
    assert step.matched is (rule in MET)
    assert (step.because, step.ended_by) == (asked.because, asked.ended_by)


def test_every_rule_is_told_somewhere_and_has_words_in_both_languages() -> None:
    assert set(CASES) | OF_THE_QUESTION | {Rule.OWN_REFERRALS, Rule.CORRECTION_REQUESTS} == set(Rule)
    assert set(WORDS) == set(Rule)
    tables: Iterable[tuple[set[Any], dict[Any, tuple[str, str]]]] = (
        (set(AccessBasis), OPENED),
        (set(Role), ROLES),
        (set(PurposeOfUse), PURPOSES),
        (set(RefusalReason), REASONS),
    )
    for words, table in tables:
        assert set(table) == words
    for english, japanese in [*WORDS.values(), *OPENED.values(), *ROLES.values(), *PURPOSES.values()]:
        assert english.isascii() and not japanese.isascii()


@pytest.mark.parametrize("rule", CASES)
@pytest.mark.parametrize("language", Language)
def test_each_step_is_a_sentence_of_which_nothing_is_missing(rule: Rule, language: Language) -> None:
    explanation = explained(*CASES[rule].told, **CASES[rule].asked)

    for step in explanation.steps:
        told = sentence(step, explanation, language)
        assert "{" not in told and "None" not in told and "somebody unnamed" not in told, told
        assert "from  " not in told and "until ." not in told, told


def test_a_sentence_names_the_moment_in_japans_time() -> None:
    explanation = explained(granted(until=NOON))

    over = next(step for step in explanation.steps if step.rule is Rule.CONSENT_OVER)

    assert sentence(over, explanation, Language.EN) == (
        "This consent was over since 2026-11-22 12:00:00 +09:00."
    )
    assert sentence(over, explanation, Language.JA) == (
        "この同意は2026年11月22日 12:00:00（+09:00）に終了していました。"
    )
    assert moment_in(NOON - A_MICROSECOND, Language.EN) == "2026-11-22 11:59:59.999999 +09:00"


def test_a_withdrawal_of_one_class_is_told_beside_the_rest_that_counts() -> None:
    lab = (RecordClass.LAB_RESULT,)

    explanation = explained(granted(), withdrawn(event_id=NEWER, classes=lab))

    told = [(step.rule, step.classes) for step in explanation.steps if step.because == EVENT]
    assert told == [
        (Rule.CONSENT_COUNTS, tuple(one for one in SIX if one not in lab)),
        (Rule.CONSENT_WITHDRAWN, lab),
    ]


def test_a_consent_that_was_over_when_the_next_one_was_given_is_over_not_replaced() -> None:
    yesterday = granted(since=NOON - 25 * AN_HOUR, until=NOON - AN_HOUR)

    explanation = explained(yesterday, granted(event_id=NEWER))

    told = [(step.rule, step.because) for step in explanation.steps if step.because]
    assert told == [(Rule.CONSENT_COUNTS, NEWER), (Rule.CONSENT_OVER, EVENT)]


def test_a_denial_of_some_classes_leaves_the_consent_the_others() -> None:
    explanation = explained(granted(), denied(facility=None, classes=SIX[1:]))

    (counted,) = [step for step in explanation.steps if step.rule is Rule.CONSENT_COUNTS]
    (kept,) = [step for step in explanation.steps if step.rule is Rule.DENIAL_KEEPS]
    assert (counted.classes, kept.classes) == (SIX[:1], SIX[1:])
    assert "every facility" in sentence(kept, explanation, Language.EN)


def test_an_emergency_that_was_widened_is_one_that_counts_and_none_that_ended() -> None:
    widened = said(EmergencyWidened, emergency=EVENT, person="dr-hamada", reason="手術歴", event_id=NEWER)

    explanation = explained(listed(), right(), declared(), widened, **BTG)

    told = [step.rule for step in explanation.steps if step.because == EVENT]
    assert told == [Rule.RIGHT_HELD, Rule.EMERGENCY_COUNTS]


def test_what_is_behind_a_refusal_was_not_looked_at() -> None:
    explanation = explained(granted(), role=Role.OPERATOR)

    assert [step.rule for step in explanation.steps] == [Rule.ROLE_DOES_NOT_READ, Rule.REFUSED]


def test_the_look_at_ones_own_referrals_is_explained_by_its_own_decision() -> None:
    system = a_request(role=Role.SYSTEM)

    seen = explain_own_referrals(system, given())
    left_out = explain_own_referrals(replace(system, readable=frozenset({RecordClass.CONDITION})), given())
    nobody = explain_own_referrals(a_request(role=Role.PATIENT), given())

    assert [step.rule for step in seen.steps] == [Rule.OWN_REFERRALS, Rule.PERMITTED]
    assert isinstance(seen.decision, Permitted) and seen.steps[0].grounds == seen.decision.grounds
    assert [step.rule for step in left_out.steps] == [Rule.SCOPE_LEAVES_OUT, Rule.REFUSED]
    assert [step.rule for step in nobody.steps] == [Rule.ROLE_DOES_NOT_READ, Rule.REFUSED]


def test_an_emergency_for_nobody_is_refused_though_the_right_is_held() -> None:
    _, policies = states([listed(), right()])

    explanation = noted(
        explain_declaration(a_request(**BTG), given(), Policies(policies.facility)), Rule.PATIENT_UNKNOWN
    )

    assert explanation.decision == Refused(
        RefusalReason.NOT_AVAILABLE, 0, Policies(policies.facility).versions
    )
    rules = [step.rule for step in explanation.steps]
    assert rules[0] is Rule.PATIENT_UNKNOWN and rules[-2:] == [Rule.RIGHT_HELD, Rule.REFUSED]


@pytest.mark.parametrize("rule", sorted(OF_THE_QUESTION))
def test_what_is_known_of_the_question_stands_in_front(rule: Rule) -> None:
    explanation = noted(explained(granted()), rule)

    assert explanation.steps[0] == Step(rule=rule, matched=False)
    assert sentence(explanation.steps[0], explanation, Language.EN).endswith(".")


def test_the_patient_is_told_her_own_words_and_nobodys_name() -> None:
    told = AccessBasis.CONSENT, SIX[:1]

    assert opened_in(*told, Language.EN) == "You had let this facility see: condition."
    assert opened_in(*told, Language.JA) == ("あなたがこの医療機関に閲覧を同意した情報です: 傷病名。")


# --- whatever happened before

asked = st.fixed_dictionaries(
    {
        "role": st.sampled_from(Role),
        "purpose": st.sampled_from(PurposeOfUse),
        "facility": st.sampled_from([HOSPITAL, CLINIC]),
        "readable": st.frozensets(st.sampled_from(RecordClass)),
        "registered_here": st.booleans(),
        "own_patient": st.sampled_from([PATIENT, STRANGER]),
        "person": st.sampled_from(["dr-hamada", "mother"]),
    }
)
beside: list[Callable[[], Event]] = [denied, appointed, declared, listed, right, taken, window, closed]
OTHER_IDS = [UUID(int=number) for number in range(1, 40)]


@for_all(histories, st.lists(st.sampled_from(beside), max_size=8), asked)
def test_the_decision_is_that_of_decide_and_every_ground_is_cited_by_a_step_that_was_met(
    history: list[Any], more: list[Callable[[], Any]], question: dict[str, Any]
) -> None:
    told = [*history, *(replace(make(), event_id=name) for make, name in zip(more, OTHER_IDS, strict=False))]
    request: AccessRequest = a_request(**question)

    explanation = explained(*told, **question)

    assert explanation.decision == decide(request, *states(told))
    grounds = explanation.decision.grounds if isinstance(explanation.decision, Permitted) else ()
    cited = [ground for step in explanation.steps if step.matched for ground in step.grounds]
    assert sorted(map(repr, cited)) == sorted(map(repr, grounds))
    assert explanation.steps[-1].matched is isinstance(explanation.decision, Permitted)
    for language in Language:
        assert all(sentence(step, explanation, language) for step in explanation.steps)
