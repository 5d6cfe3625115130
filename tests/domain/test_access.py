"""Given a patient's consents, when somebody asks to see her record, then this is the answer, and why."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta, timezone
from functools import reduce
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from examples import (
    CLINIC,
    EVENT,
    HOSPITAL,
    NOON,
    PATIENT,
    SIX,
    STRANGER,
    a_request,
    granted,
    withdrawn,
)
from tsuzuri.domain.access import AccessRequest, Permitted, Refused, decide
from tsuzuri.domain.consents import CARD_READER_PERIOD, Consents, evolve
from tsuzuri.domain.events import ConsentGranted, ConsentWithdrawn
from tsuzuri.domain.vocabulary import (
    AccessBasis,
    Flag,
    PurposeOfUse,
    RecordClass,
    RefusalReason,
    Role,
)

LATER = UUID(int=EVENT.int + 7)
A_MICROSECOND = timedelta(microseconds=1)
GOLDEN = Path(__file__).with_name("golden_access_matrix.txt")

ConsentEvent = ConsentGranted | ConsentWithdrawn


def given(*events: ConsentEvent) -> Consents:
    return reduce(evolve, events, Consents(PATIENT))


def permitted(answer: Permitted | Refused) -> Permitted:
    assert isinstance(answer, Permitted), answer
    return answer


def refusal(answer: Permitted | Refused) -> RefusalReason:
    assert isinstance(answer, Refused), answer
    return answer.reason


def all_but(*purposes: PurposeOfUse) -> list[PurposeOfUse]:
    return [purpose for purpose in PurposeOfUse if purpose not in purposes]


# --- the period


def test_a_consent_counts_from_its_first_moment_on() -> None:
    consents = given(granted(since=NOON))

    assert permitted(decide(a_request(at=NOON), consents)).classes == SIX
    assert refusal(decide(a_request(at=NOON - A_MICROSECOND), consents)) is RefusalReason.NOT_AVAILABLE


def test_a_consent_from_the_card_reader_ends_after_twenty_four_hours_to_the_microsecond() -> None:
    consents = given(granted(since=NOON, until=NOON + CARD_READER_PERIOD))
    last = NOON + CARD_READER_PERIOD - A_MICROSECOND

    assert permitted(decide(a_request(at=last), consents)).classes == SIX
    assert refusal(decide(a_request(at=last + A_MICROSECOND), consents)) is RefusalReason.NOT_AVAILABLE


def test_the_same_moment_told_in_japans_time_gets_the_same_answer() -> None:
    consents = given(granted(since=NOON, until=NOON + CARD_READER_PERIOD))
    japan = timezone(timedelta(hours=9))
    ends = (NOON + CARD_READER_PERIOD).astimezone(japan)

    assert permitted(decide(a_request(at=ends - A_MICROSECOND), consents))
    assert refusal(decide(a_request(at=ends), consents)) is RefusalReason.NOT_AVAILABLE


# --- classes


@pytest.mark.parametrize("missing", RecordClass)
def test_a_class_that_is_not_listed_is_never_covered(missing: RecordClass) -> None:
    listed = tuple(record_class for record_class in RecordClass if record_class is not missing)

    answer = permitted(decide(a_request(), given(granted(classes=listed))))

    assert answer.classes == listed


def test_the_withdrawal_refuses_the_very_next_read() -> None:
    consents = given(granted(originator_version=1), withdrawn(originator_version=2))

    answer = decide(a_request(), consents)

    assert answer == Refused(RefusalReason.NOT_AVAILABLE, consent_version=2)


def test_what_was_not_withdrawn_may_still_be_seen() -> None:
    consents = given(granted(), withdrawn(classes=(RecordClass.CONDITION,)))

    assert permitted(decide(a_request(), consents)).classes == SIX[1:]


# --- facility and purpose


def test_a_consent_to_another_facility_lets_nobody_else_in() -> None:
    answer = decide(a_request(facility=HOSPITAL), given(granted(facility=CLINIC)))

    assert refusal(answer) is RefusalReason.NOT_AVAILABLE


def test_a_consent_for_another_purpose_does_not_count() -> None:
    answer = decide(a_request(), given(granted(purpose=PurposeOfUse.HPAYMT)))

    assert refusal(answer) is RefusalReason.NOT_AVAILABLE


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.PHARMACIST])
@pytest.mark.parametrize("purpose", [PurposeOfUse.ETREAT, PurposeOfUse.BTG])
def test_the_emergency_door_says_that_it_is_not_there_whatever_the_patient_has_consented_to(
    role: Role, purpose: PurposeOfUse
) -> None:
    for consents in (given(), given(granted(purpose=purpose))):
        answer = decide(a_request(role=role, purpose=purpose), consents)
        assert refusal(answer) is RefusalReason.EMERGENCY_NOT_OFFERED


@pytest.mark.parametrize("role", [Role.FACILITY_ADMIN, Role.AUDITOR, Role.OPERATOR, Role.SYSTEM])
@pytest.mark.parametrize("purpose", PurposeOfUse)
def test_who_has_no_part_in_treatment_reads_no_record(role: Role, purpose: PurposeOfUse) -> None:
    answer = decide(a_request(role=role, purpose=purpose), given(granted(purpose=purpose)))

    assert refusal(answer) is RefusalReason.ROLE_NOT_PERMITTED


@pytest.mark.parametrize("purpose", all_but(PurposeOfUse.TREAT, PurposeOfUse.ETREAT, PurposeOfUse.BTG))
def test_a_clinician_reads_in_order_to_treat_and_for_nothing_else(purpose: PurposeOfUse) -> None:
    answer = decide(a_request(purpose=purpose), given(granted(purpose=purpose)))

    assert refusal(answer) is RefusalReason.PURPOSE_NOT_PERMITTED


def test_without_a_facility_no_consent_matches() -> None:
    assert refusal(decide(a_request(facility=None), given(granted()))) is RefusalReason.NOT_AVAILABLE


# --- grounds


def test_the_answer_cites_the_consent_it_rests_on() -> None:
    (ground,) = permitted(decide(a_request(), given(granted()))).grounds

    assert ground.basis is AccessBasis.CONSENT
    assert ground.because == EVENT
    assert ground.classes == SIX


def test_two_consents_in_force_are_two_grounds_in_the_order_in_which_they_were_given() -> None:
    reader = granted(originator_version=1, event_id=LATER, classes=(RecordClass.PRESCRIPTION,))
    hers = granted(originator_version=2, event_id=EVENT, classes=(RecordClass.CONDITION,), given="patient")

    answer = permitted(decide(a_request(), given(reader, hers)))

    assert [(ground.because, ground.classes) for ground in answer.grounds] == [
        (LATER, (RecordClass.PRESCRIPTION,)),
        (EVENT, (RecordClass.CONDITION,)),
    ]
    assert answer.classes == (RecordClass.CONDITION, RecordClass.PRESCRIPTION)
    assert answer.bases == (AccessBasis.CONSENT,)


def test_a_class_that_two_consents_cover_is_named_in_both_grounds_and_once_in_the_answer() -> None:
    hers = granted(originator_version=2, event_id=LATER, classes=(RecordClass.CONDITION,), given="patient")

    answer = permitted(decide(a_request(), given(granted(originator_version=1), hers)))

    assert [ground.because for ground in answer.grounds] == [EVENT, LATER]
    assert answer.classes == SIX


def test_a_newer_consent_given_in_the_same_way_is_the_only_ground() -> None:
    newer = granted(originator_version=2, event_id=LATER, classes=(RecordClass.CONDITION,))

    answer = permitted(decide(a_request(), given(granted(originator_version=1), newer)))

    assert [(ground.because, ground.classes) for ground in answer.grounds] == [
        (LATER, (RecordClass.CONDITION,))
    ]


def test_an_expired_consent_beside_one_in_force_is_no_ground() -> None:
    expired = granted(originator_version=1, until=NOON, classes=(RecordClass.CONDITION,))
    in_force = granted(
        originator_version=2,
        event_id=LATER,
        classes=(RecordClass.LAB_RESULT,),
        since=NOON - A_MICROSECOND,
        given="patient",
    )

    answer = permitted(decide(a_request(), given(expired, in_force)))

    assert [ground.because for ground in answer.grounds] == [LATER]


def test_permitted_or_refused_the_answer_tells_where_the_consents_stood() -> None:
    consents = given(granted(originator_version=41))

    assert decide(a_request(), consents).consent_version == 41
    assert decide(a_request(purpose=PurposeOfUse.BTG), consents).consent_version == 41
    assert decide(a_request(), Consents(PATIENT)).consent_version == 0


# --- the patient herself


def herself(**changes: object) -> AccessRequest:
    usual: dict[str, object] = {
        "person": "patient",
        "role": Role.PATIENT,
        "facility": None,
        "own_patient": PATIENT,
        "purpose": PurposeOfUse.PATRQT,
    }
    return a_request(**usual | changes)


def test_a_patient_sees_every_class_of_her_own_record_and_needs_nobodys_consent() -> None:
    answer = permitted(decide(herself(), given()))

    (ground,) = answer.grounds
    assert ground.basis is AccessBasis.SELF
    assert ground.because is None
    assert answer.classes == tuple(RecordClass)


@pytest.mark.parametrize("own", [STRANGER, None], ids=["another patient", "nobody"])
def test_a_patient_sees_nobody_elses_record(own: UUID | None) -> None:
    answer = decide(herself(own_patient=own), given(granted()))

    assert refusal(answer) is RefusalReason.NOT_AVAILABLE


def test_a_patient_does_not_borrow_a_facilitys_consent() -> None:
    answer = decide(
        herself(own_patient=STRANGER, facility=HOSPITAL), given(granted(purpose=PurposeOfUse.PATRQT))
    )

    assert refusal(answer) is RefusalReason.NOT_AVAILABLE


def test_a_clinician_who_is_also_a_patient_reads_her_own_record_in_that_role_only() -> None:
    answer = decide(a_request(own_patient=PATIENT), given())

    assert refusal(answer) is RefusalReason.NOT_AVAILABLE


@pytest.mark.parametrize("purpose", all_but(PurposeOfUse.PATRQT))
def test_a_patient_reads_at_her_own_request_and_for_nothing_else(purpose: PurposeOfUse) -> None:
    assert refusal(decide(herself(purpose=purpose), given())) is RefusalReason.PURPOSE_NOT_PERMITTED


def test_a_diagnosis_she_was_not_told_is_shown_to_clinicians_and_not_to_her() -> None:
    (hers,) = permitted(decide(herself(), given())).grounds
    (theirs,) = permitted(decide(a_request(), given(granted()))).grounds

    assert set(hers.flags) == {Flag.LTS}
    assert set(theirs.flags) == {Flag.LTS, Flag.UNINFORMED}


# --- whatever happened before

classes = st.lists(st.sampled_from(RecordClass), min_size=1, unique=True).map(tuple)
facilities = st.sampled_from([HOSPITAL, CLINIC])
grants = st.fixed_dictionaries(
    {
        "event_id": st.uuids(version=4),
        "facility": facilities,
        "classes": classes,
        "purpose": st.sampled_from([PurposeOfUse.TREAT, PurposeOfUse.HPAYMT]),
        "hours": st.integers(1, 40),
        "given": st.sampled_from(["card-reader", "patient"]),
    }
)
withdrawals = st.fixed_dictionaries({"facility": facilities, "classes": st.one_of(st.just(()), classes)})


def one_after_the_other(said: list[tuple[int, dict[str, Any]]]) -> list[ConsentEvent]:
    """As things happen: a consent counts from the moment it is given on, and none is given in the future."""
    history: list[ConsentEvent] = []
    for ago, words in sorted(said, key=lambda one: -one[0]):
        if "hours" not in words:
            history.append(withdrawn(**words))
            continue
        since = NOON - timedelta(hours=ago)
        until = since + timedelta(hours=words["hours"])
        rest = {name: value for name, value in words.items() if name != "hours"}
        history.append(granted(since=since, until=until, **rest))
    return history


histories = st.lists(st.tuples(st.integers(0, 60), st.one_of(grants, withdrawals)), max_size=12).map(
    one_after_the_other
)


def covers(history: list[ConsentEvent], wanted: RecordClass) -> bool:
    """The rule in other words: of each way to consent, the last word counts, unless it was withdrawn after."""
    heard = set()
    for event in reversed(history):
        if event.facility != HOSPITAL:
            continue
        if isinstance(event, ConsentWithdrawn):
            if wanted in event.classes or not event.classes:
                return False
        elif event.purpose is PurposeOfUse.TREAT and event.given not in heard:
            heard.add(event.given)
            if wanted in event.classes and event.since <= NOON < event.until:
                return True
    return False


@for_all(histories)
def test_whatever_was_said_before_the_last_word_in_each_way_counts(history: list[ConsentEvent]) -> None:
    answer = decide(a_request(at=NOON), given(*history))

    seen = set(answer.classes) if isinstance(answer, Permitted) else set()
    assert seen == {record_class for record_class in RecordClass if covers(history, record_class)}


@for_all(histories)
def test_every_ground_covers_something_and_cites_a_consent_of_this_facility(
    history: list[ConsentEvent],
) -> None:
    answer = decide(a_request(at=NOON), given(*history))

    theirs = {event.event_id for event in history if event.facility == HOSPITAL}
    for ground in answer.grounds if isinstance(answer, Permitted) else ():
        assert ground.classes
        assert ground.because in theirs


# --- the golden matrix: role × purpose × consent → answer


def consent_states(purpose: PurposeOfUse) -> dict[str, Consents]:
    """What the patient may have said to the hospital that asks, named as the matrix names it."""
    another = PurposeOfUse.HPAYMT if purpose is PurposeOfUse.TREAT else PurposeOfUse.TREAT
    grant = granted(purpose=purpose)
    lab = granted(purpose=purpose, event_id=LATER, classes=(RecordClass.LAB_RESULT,))
    return {
        "none": given(),
        "in force": given(grant),
        "two in force": given(grant, replace(lab, given="patient")),
        "given anew": given(grant, lab),
        "of every class": given(granted(purpose=purpose, classes=tuple(RecordClass))),
        "begins this moment": given(granted(purpose=purpose, since=NOON)),
        "begins later": given(granted(purpose=purpose, since=NOON + A_MICROSECOND)),
        "ends in a moment": given(granted(purpose=purpose, until=NOON + A_MICROSECOND)),
        "ends this moment": given(granted(purpose=purpose, until=NOON)),
        "withdrawn": given(grant, withdrawn()),
        "results withdrawn": given(grant, withdrawn(classes=(RecordClass.LAB_RESULT,))),
        "after withdrawal": given(grant, withdrawn(), lab),
        "for other purpose": given(granted(purpose=another)),
        "to other facility": given(granted(purpose=purpose, facility=CLINIC)),
    }


def callers(role: Role, purpose: PurposeOfUse) -> dict[str, AccessRequest]:
    if role is not Role.PATIENT:
        return {str(role): a_request(role=role, purpose=purpose)}
    return {
        "PATIENT herself": herself(purpose=purpose),
        "PATIENT another": herself(purpose=purpose, own_patient=STRANGER),
    }


def told(answer: Permitted | Refused) -> str:
    if isinstance(answer, Refused):
        return str(answer.reason)
    grounds = []
    for ground in answer.grounds:
        short = "the six informations" if ground.classes == SIX else " ".join(ground.classes)
        short = "every class" if ground.classes == tuple(RecordClass) else short
        grounds.append(f"{ground.basis} of {short} [{' '.join(ground.flags)}]")
    return " + ".join(grounds)


def matrix() -> Iterator[str]:
    """One line for each answer; one for all consents where none of them matters."""
    yield "# role × purpose × consent → answer, at one moment, asked by one hospital."
    yield "# Made by tests/domain/test_access.py: TSUZURI_WRITE_GOLDEN=1 writes it anew. Read the difference."
    for role in Role:
        yield ""
        for purpose in PurposeOfUse:
            for caller, request in callers(role, purpose).items():
                answers = {
                    state: told(decide(request, consents))
                    for state, consents in consent_states(purpose).items()
                }
                same = len(set(answers.values())) == 1
                shown = {"whatever it is": answers["none"]} if same else answers
                for state, answer in shown.items():
                    yield f"{caller:15}  {purpose:9}  {state:18}  {answer}"


def test_the_access_matrix_is_the_one_that_was_agreed_on() -> None:
    now = "\n".join(matrix()) + "\n"
    if os.environ.get("TSUZURI_WRITE_GOLDEN") == "1":
        GOLDEN.write_text(now, "utf-8")

    assert now == GOLDEN.read_text("utf-8")
