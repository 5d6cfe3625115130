"""Given a hospital that takes emergencies and a doctor with the right, what may she open, how far and how long?"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from access_examples import A_MICROSECOND, given, permitted, refusal
from examples import CLINIC, HOSPITAL, NOON, NUMBER, PATIENT, STRANGER, a_request, granted
from policy_examples import (
    AN_HOUR,
    EMERGENCY,
    NEXT,
    RIGHT,
    declared,
    entry,
    listed,
    policies,
    right_given,
    widened,
)
from tsuzuri.domain import consents as said
from tsuzuri.domain.access import Permitted, Refused, decide
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.consents import Consents, Emergency
from tsuzuri.domain.emergencies import (
    NoSuchEmergency,
    UselessEmergency,
    UselessReason,
    declare,
    end,
    readable_reason,
    widen,
)
from tsuzuri.domain.events import EmergencyDeclared, EmergencyEnded, EmergencyWidened
from tsuzuri.domain.grounds import EMERGENCY_TABLE, WITHOUT_CONSENT
from tsuzuri.domain.identifiers import (
    DemographicKey,
    InsuredPersonNumber,
    LocalNumber,
    PatientKey,
    PublicAssistanceNumber,
)
from tsuzuri.domain.policies import NO_POLICIES, Policies
from tsuzuri.domain.requests import AccessRequest
from tsuzuri.domain.vocabulary import AccessBasis, Flag, PurposeOfUse, RecordClass, RefusalReason, Role

ETREAT, BTG = PurposeOfUse.ETREAT, PurposeOfUse.BTG


def asked(**changes: Any) -> AccessRequest:
    return a_request(**{"purpose": BTG} | changes)


def answered(consents: Consents, known: Policies | None = None, **changes: Any) -> Permitted | Refused:
    return decide(asked(**changes), consents, policies() if known is None else known)


def asked_to_declare(consents: Consents | None = None, **changes: Any) -> EmergencyDeclared:
    usual: dict[str, Any] = {
        "event_id": NEXT,
        "person": "dr-hamada",
        "facility": HOSPITAL,
        "reason": "意識なし",
        "key": PATIENT,
        "since": NOON,
        "until": NOON + AN_HOUR,
        "shows_undelivered": False,
    }
    return declare(given() if consents is None else consents, **usual | changes)


def asked_to_widen(consents: Consents, **changes: Any) -> EmergencyWidened:
    usual: dict[str, Any] = {
        "event_id": NEXT,
        "person": "dr-hamada",
        "facility": HOSPITAL,
        "reason": "手術の予定",
        "at": NOON,
    }
    return widen(consents, EMERGENCY, **usual | changes)


def asked_to_end(consents: Consents, **changes: Any) -> EmergencyEnded:
    usual: dict[str, Any] = {"event_id": NEXT, "person": "dr-hamada", "facility": HOSPITAL, "at": NOON}
    return end(consents, EMERGENCY, **usual | changes)


# --- what it opens


@pytest.mark.parametrize("purpose", [ETREAT, BTG])
def test_a_declared_emergency_opens_the_table_and_cites_its_declaration(purpose: PurposeOfUse) -> None:
    answer = permitted(answered(given(declared(originator_version=7)), purpose=purpose))

    assert answer.grounds == (
        Ground(
            basis=AccessBasis.EMERGENCY,
            classes=EMERGENCY_TABLE,
            flags=(Flag.LTS, Flag.UNINFORMED),
            because=EMERGENCY,
            emergency_table=True,
        ),
    )
    assert answer.consent_version == 7


def test_widened_it_opens_all_that_is_seen_without_consent() -> None:
    (ground,) = permitted(answered(given(declared(), widened()))).grounds

    assert (ground.classes, ground.because, ground.emergency_table) == (WITHOUT_CONSENT, EMERGENCY, False)
    assert RecordClass.REFERRAL not in ground.classes


def test_widening_one_emergency_leaves_the_others_at_the_table() -> None:
    other = declared(event_id=NEXT, originator_version=2)

    answer = permitted(answered(given(declared(), other, widened())))

    assert [(one.because, one.emergency_table) for one in answer.grounds] == [
        (EMERGENCY, False),
        (NEXT, True),
    ]


def test_what_is_not_given_out_is_shown_where_the_installation_was_set_so() -> None:
    (ground,) = permitted(answered(given(declared(shows_undelivered=True)))).grounds

    assert set(ground.flags) == {Flag.LTS, Flag.UNINFORMED, Flag.UNDELIVERED}


def test_what_the_hospital_registered_itself_comes_with_it() -> None:
    answer = permitted(answered(given(declared()), registered_here=True))

    assert set(answer.bases) == {AccessBasis.OWN_FACILITY, AccessBasis.EMERGENCY}


def test_a_consent_is_no_emergency_and_an_emergency_is_no_consent() -> None:
    assert permitted(answered(given(declared(), granted(purpose=BTG)))).bases == (AccessBasis.EMERGENCY,)
    assert refusal(answered(given(declared()), purpose=PurposeOfUse.TREAT)) is RefusalReason.NOT_AVAILABLE


def test_the_answer_tells_where_the_hospitals_entry_stood() -> None:
    hospital = entry(listed(), right_given(originator_version=2))

    for consents in (given(declared()), given()):
        answer = answered(consents, policies(hospital=hospital))
        assert answer.policies == {hospital.owner: 2}


# --- whose it is, and when


@pytest.mark.parametrize(
    "other",
    [{"person": "dr-kudo"}, {"facility": CLINIC}],
    ids=["another person", "at another facility"],
)
@pytest.mark.parametrize("registered_here", [False, True])
def test_an_emergency_is_one_persons_at_one_facility(other: dict[str, str], registered_here: bool) -> None:
    answer = answered(given(declared(**other)), registered_here=registered_here)

    assert refusal(answer) is RefusalReason.EMERGENCY_NOT_DECLARED


@pytest.mark.parametrize(
    ("at", "open_then"),
    [
        (NOON - AN_HOUR / 2 - A_MICROSECOND, False),
        (NOON - AN_HOUR / 2, True),
        (NOON + AN_HOUR / 2 - A_MICROSECOND, True),
        (NOON + AN_HOUR / 2, False),
    ],
)
def test_it_begins_and_ends_to_the_microsecond(at: datetime, open_then: bool) -> None:
    assert isinstance(answered(given(declared()), at=at), Permitted) is open_then


def test_ended_it_opens_nothing_and_others_go_on() -> None:
    other = declared(event_id=NEXT, originator_version=2)
    ended = asked_to_end(given(declared(), other))

    assert refusal(answered(given(declared(), ended))) is RefusalReason.EMERGENCY_NOT_DECLARED
    assert [one.because for one in permitted(answered(given(declared(), other, ended))).grounds] == [NEXT]


@pytest.mark.parametrize(
    "hospital",
    [
        entry(),
        entry(listed()),
        entry(listed(emergency=False), right_given()),
        entry(listed(kind="CLINIC"), right_given()),
        entry(right_given()),
        entry(listed(), right_given(person="dr-kudo")),
        entry(listed(), right_given(since=NOON + A_MICROSECOND)),
        entry(listed(), right_given(until=NOON)),
    ],
    ids=[
        "not listed",
        "nobody named",
        "no emergencies",
        "a clinic",
        "a right but no entry",
        "another named",
        "right begins later",
        "right is over",
    ],
)
def test_without_a_right_a_declared_emergency_opens_nothing(hospital: Any) -> None:
    answer = answered(given(declared()), policies(hospital=hospital))

    assert refusal(answer) is RefusalReason.EMERGENCY_NOT_PERMITTED


def test_a_right_counts_from_its_first_moment_to_its_last() -> None:
    for right in (right_given(since=NOON), right_given(until=NOON + A_MICROSECOND)):
        answer = answered(given(declared()), policies(hospital=entry(listed(), right)))
        assert isinstance(answer, Permitted)


def test_of_several_rights_the_one_that_counts_now_is_found() -> None:
    over = right_given(since=NOON - 2 * AN_HOUR, until=NOON)
    now = right_given(event_id=NEXT, originator_version=3, since=NOON - A_MICROSECOND)
    hospital = entry(listed(), over, now)

    right = policies(hospital=hospital).emergency_right("dr-hamada", NOON)

    assert right is not None and right.because == NEXT
    assert policies(hospital=hospital).emergency_right("dr-kudo", NOON) is None


def test_what_was_not_loaded_permits_nothing() -> None:
    assert refusal(answered(given(declared()), NO_POLICIES)) is RefusalReason.EMERGENCY_NOT_PERMITTED


def test_a_pharmacist_declares_no_emergency_even_with_a_right() -> None:
    answer = answered(given(declared()), role=Role.PHARMACIST)

    assert refusal(answer) is RefusalReason.EMERGENCY_NOT_PERMITTED


# --- declaring


def test_the_declaration_says_who_opened_what_where_why_and_until_when() -> None:
    event = asked_to_declare(Consents(PATIENT, version=4), shows_undelivered=True, reason="  意識なし ")

    assert event == declared(
        originator_version=5, event_id=NEXT, since=NOON, until=NOON + AN_HOUR, shows_undelivered=True
    )


@pytest.mark.parametrize(
    ("key", "said_as"),
    [
        (PATIENT, "ID"),
        (InsuredPersonNumber.parse(NUMBER), "INSURED_PERSON"),
        (PublicAssistanceNumber("12138000::1234567:"), "PUBLIC_ASSISTANCE"),
        (LocalNumber(HOSPITAL, "P-1"), "LOCAL"),
        (DemographicKey("シケン ハナコ", "1970-01-02", "female"), "DEMOGRAPHICS"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_reviewer_learns_how_the_patient_was_found_and_not_by_which_number(
    key: PatientKey, said_as: str
) -> None:
    assert asked_to_declare(key=key).identified_by == said_as


@pytest.mark.parametrize("period", [A_MICROSECOND, timedelta(minutes=60)])
def test_it_lasts_up_to_sixty_minutes(period: timedelta) -> None:
    assert asked_to_declare(until=NOON + period).until == NOON + period


@pytest.mark.parametrize("period", [timedelta(), -A_MICROSECOND, timedelta(minutes=60) + A_MICROSECOND])
def test_it_lasts_neither_no_time_nor_longer(period: timedelta) -> None:
    with pytest.raises(UselessEmergency, match="^an emergency lasts from 1 to 60 minutes$"):
        asked_to_declare(until=NOON + period)


@pytest.mark.parametrize(
    "reason", ["", "  \n", "a" * 501, "意識なし\n搬送"], ids=["none", "blank", "long", "lines"]
)
def test_a_reason_that_nobody_could_review_is_refused(reason: str) -> None:
    for ask in (
        lambda: asked_to_declare(reason=reason),
        lambda: asked_to_widen(given(declared()), reason=reason),
    ):
        with pytest.raises(UselessReason, match="^say why, in 1 to 500 characters and one line"):
            ask()


def test_a_reason_may_fill_what_there_is() -> None:
    assert readable_reason(" " + "あ" * 500 + " ") == "あ" * 500
    assert readable_reason("a") == "a"


def test_those_that_are_over_are_forgotten_and_not_a_microsecond_sooner() -> None:
    over = declared(until=NOON)
    nearly = declared(until=NOON + A_MICROSECOND)
    new = declared(event_id=NEXT, originator_version=2, since=NOON)

    assert [held.because for held in given(over, new).emergencies] == [NEXT]
    assert [held.because for held in given(nearly, new).emergencies] == [EMERGENCY, NEXT]


def test_what_is_held_of_it_is_what_was_declared() -> None:
    event = declared(shows_undelivered=True)

    held = Emergency(EMERGENCY, "dr-hamada", HOSPITAL, event.since, event.until, shows_undelivered=True)
    assert given(event) == Consents(PATIENT, version=1, emergencies=(held,))


# --- the second step, and the end


def test_the_second_step_names_the_declaration_and_has_a_reason_of_its_own() -> None:
    event = asked_to_widen(given(declared(originator_version=4)), reason=" 手術の予定 ")

    assert event == widened(originator_version=5)


def test_the_end_names_the_declaration_and_who_ended_it() -> None:
    event = asked_to_end(given(declared(originator_version=4)))

    assert event == EmergencyEnded(
        originator_id=f"{PATIENT}/consent",
        originator_version=5,
        event_id=NEXT,
        patient=PATIENT,
        emergency=EMERGENCY,
        recorded_by="dr-hamada",
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"person": "dr-kudo"},
        {"facility": CLINIC},
        {"at": NOON - AN_HOUR / 2 - A_MICROSECOND},
        {"at": NOON + AN_HOUR / 2},
    ],
    ids=["another person", "another facility", "not begun", "over"],
)
def test_nobody_else_and_not_when_it_is_over_goes_further_or_ends_it(changed: dict[str, Any]) -> None:
    for ask in (asked_to_widen, asked_to_end):
        with pytest.raises(
            NoSuchEmergency, match="^no emergency of yours of that id is in force.*declare one$"
        ):
            ask(given(declared()), **changed)


def test_an_emergency_that_was_never_declared_is_not_widened() -> None:
    with pytest.raises(NoSuchEmergency):
        asked_to_widen(given(declared(event_id=RIGHT)))


@pytest.mark.parametrize("at", [NOON - AN_HOUR / 2, NOON + AN_HOUR / 2 - A_MICROSECOND])
def test_from_its_first_moment_to_its_last_it_may_be_widened(at: datetime) -> None:
    assert asked_to_widen(given(declared()), at=at).emergency == EMERGENCY


def test_of_patients_who_are_one_person_an_emergency_for_either_counts() -> None:
    other = Consents(STRANGER, version=9, emergencies=given(declared()).emergencies)

    answer = permitted(answered(said.together([Consents(PATIENT, version=3), other])))

    assert [ground.because for ground in answer.grounds] == [EMERGENCY]
    assert answer.consent_version == 3
