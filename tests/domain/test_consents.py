"""Given what a patient has said about her consents, when she says more, then this is in force."""

from datetime import UTC, datetime, timedelta
from functools import reduce
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from examples import CLINIC, EVENT, HOSPITAL, NOON, PATIENT, SIX, granted, withdrawn
from tsuzuri.domain import consent_state
from tsuzuri.domain.consents import (
    CARD_READER,
    CARD_READER_PERIOD,
    Consents,
    Grant,
    NothingToWithdraw,
    UselessConsent,
    evolve,
    grant,
    withdraw,
)
from tsuzuri.domain.events import ConsentGranted, ConsentWithdrawn
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass

LATER = UUID(int=EVENT.int + 7)
TREAT = PurposeOfUse.TREAT


def given(*events: ConsentGranted | ConsentWithdrawn) -> Consents:
    return reduce(evolve, events, Consents(PATIENT))


def asked_to_grant(consents: Consents, **changes: object) -> ConsentGranted:
    usual: dict[str, object] = {
        "event_id": LATER,
        "facility": HOSPITAL,
        "classes": SIX,
        "purpose": TREAT,
        "since": NOON,
        "until": NOON + CARD_READER_PERIOD,
        "given": CARD_READER,
        "recorded_by": "reader-3",
    }
    return grant(consents, **usual | changes)  # type: ignore[arg-type]  # a test states what it changes


def asked_to_withdraw(
    consents: Consents, facility: str = HOSPITAL, classes: tuple[RecordClass, ...] = ()
) -> ConsentWithdrawn:
    return withdraw(consents, event_id=LATER, facility=facility, classes=classes, recorded_by="patient")


def classes_in_force(consents: Consents, facility: str = HOSPITAL) -> set[RecordClass]:
    held = [grant for grant in consents.grants if grant.facility == facility]
    return {record_class for grant in held for record_class in grant.classes}


# --- granting


def test_a_patient_never_seen_has_no_consents() -> None:
    assert given() == Consents(PATIENT, version=0, grants=())


def test_a_grant_covers_each_class_it_lists_and_no_other() -> None:
    consents = given(granted(classes=(RecordClass.CONDITION, RecordClass.LAB_RESULT)))

    assert classes_in_force(consents) == {RecordClass.CONDITION, RecordClass.LAB_RESULT}


def test_a_grant_is_in_force_for_exactly_its_facility_purpose_and_period() -> None:
    event = granted(classes=(RecordClass.CONDITION,))

    assert given(event).grants == (
        Grant(
            because=event.event_id,
            facility=HOSPITAL,
            purpose=TREAT,
            classes=(RecordClass.CONDITION,),
            since=event.since,
            until=event.until,
            given=CARD_READER,
        ),
    )


def test_the_event_of_a_grant_is_the_next_of_the_patients_consent_stream() -> None:
    event = asked_to_grant(given(granted(originator_version=1), withdrawn(originator_version=2)))

    assert event.originator_version == 3
    assert event.originator_id == f"{PATIENT}/consent"
    assert event.event_id == LATER


def test_the_event_of_a_grant_says_all_that_was_consented_to() -> None:
    event = asked_to_grant(
        given(),
        facility=CLINIC,
        classes=(RecordClass.REFERRAL,),
        purpose=PurposeOfUse.HPAYMT,
        given="oral",
        document=EVENT,
    )

    assert event == granted(
        event_id=LATER,
        facility=CLINIC,
        classes=(RecordClass.REFERRAL,),
        purpose=PurposeOfUse.HPAYMT,
        since=NOON,
        until=NOON + CARD_READER_PERIOD,
        given="oral",
        document=EVENT,
    )


def test_a_consent_for_one_referral_is_for_nothing_else() -> None:
    for classes in (SIX, (RecordClass.CONDITION, RecordClass.REFERRAL)):
        with pytest.raises(UselessConsent, match="^a consent for one referral lists REFERRAL, and nothing"):
            asked_to_grant(given(), classes=classes, document=EVENT)


def test_the_card_reader_lets_in_for_twenty_four_hours_and_not_a_microsecond_more() -> None:
    day = timedelta(hours=24)

    assert asked_to_grant(given(), until=NOON + day).until == NOON + day
    with pytest.raises(UselessConsent, match="^a consent given at the card reader lasts at most 24 hours$"):
        asked_to_grant(given(), until=NOON + day + timedelta(microseconds=1))


def test_the_patient_herself_may_let_in_for_longer() -> None:
    event = asked_to_grant(given(), given="patient", until=NOON + timedelta(days=365))

    assert event.until - event.since == timedelta(days=365)


def test_classes_given_twice_or_in_any_order_make_the_same_event() -> None:
    two = (RecordClass.INFECTION, RecordClass.OTHER_ALLERGY, RecordClass.INFECTION)

    event = asked_to_grant(given(), classes=two)

    assert event.classes == (RecordClass.OTHER_ALLERGY, RecordClass.INFECTION)


def test_a_consent_without_a_class_is_refused() -> None:
    with pytest.raises(UselessConsent, match="^a consent lists at least one class$"):
        asked_to_grant(given(), classes=())


@pytest.mark.parametrize("length", [timedelta(0), timedelta(microseconds=-1), timedelta(days=-400)])
def test_a_consent_that_ends_before_it_has_lasted_is_refused(length: timedelta) -> None:
    with pytest.raises(UselessConsent, match="^a consent ends after it begins$"):
        asked_to_grant(given(), until=NOON + length)


def test_a_consent_of_one_microsecond_is_a_consent() -> None:
    event = asked_to_grant(given(), until=NOON + timedelta(microseconds=1))

    assert event.until - event.since == timedelta(microseconds=1)


def test_a_later_grant_takes_the_place_of_the_older_one_even_when_it_is_shorter_and_covers_less() -> None:
    until = NOON + timedelta(minutes=5)
    less = granted(originator_version=2, event_id=LATER, classes=(RecordClass.CONDITION,), until=until)

    consents = given(granted(originator_version=1), less)

    assert classes_in_force(consents) == {RecordClass.CONDITION}
    assert [(held.because, held.until) for held in consents.grants] == [(LATER, until)]


def test_a_grant_at_the_card_reader_leaves_alone_what_the_patient_has_set_herself() -> None:
    hers = granted(originator_version=1, given="patient", until=NOON + timedelta(days=30))
    reader = granted(originator_version=2, event_id=LATER, classes=(RecordClass.CONDITION,))

    consents = given(hers, reader)

    assert [(held.because, held.given) for held in consents.grants] == [
        (EVENT, "patient"),
        (LATER, CARD_READER),
    ]


@pytest.mark.parametrize(
    "other", [{"facility": CLINIC}, {"purpose": PurposeOfUse.HPAYMT}], ids=["facility", "purpose"]
)
def test_consents_to_another_facility_or_purpose_stand_side_by_side(other: dict[str, object]) -> None:
    consents = given(granted(originator_version=1), granted(originator_version=2, event_id=LATER, **other))

    assert [held.because for held in consents.grants] == [EVENT, LATER]


def test_what_is_over_when_a_new_consent_begins_is_forgotten_and_not_a_microsecond_sooner() -> None:
    over = granted(facility=CLINIC, until=NOON)
    nearly_over = granted(facility=CLINIC, until=NOON + timedelta(microseconds=1))
    new = granted(originator_version=2, event_id=LATER, since=NOON)

    assert [held.because for held in given(over, new).grants] == [LATER]
    assert [held.because for held in given(nearly_over, new).grants] == [EVENT, LATER]


# --- withdrawing


def test_withdrawing_without_naming_classes_takes_back_all_of_them_for_every_purpose() -> None:
    consents = given(
        granted(originator_version=1),
        granted(originator_version=2, purpose=PurposeOfUse.HPAYMT),
        withdrawn(originator_version=3),
    )

    assert consents == Consents(PATIENT, version=3, grants=())


def test_withdrawing_some_classes_leaves_the_others_in_force() -> None:
    consents = given(granted(), withdrawn(classes=(RecordClass.LAB_RESULT, RecordClass.INFECTION)))

    assert classes_in_force(consents) == set(SIX) - {RecordClass.LAB_RESULT, RecordClass.INFECTION}


def test_withdrawing_from_one_facility_leaves_the_others_alone() -> None:
    consents = given(
        granted(originator_version=1),
        granted(originator_version=2, facility=CLINIC),
        withdrawn(originator_version=3, facility=HOSPITAL),
    )

    assert classes_in_force(consents, HOSPITAL) == set()
    assert classes_in_force(consents, CLINIC) == set(SIX)


def test_a_consent_can_be_given_again_after_it_was_withdrawn() -> None:
    consents = given(
        granted(originator_version=1),
        withdrawn(originator_version=2),
        granted(originator_version=3, event_id=LATER),
    )

    assert classes_in_force(consents) == set(SIX)
    assert [held.because for held in consents.grants] == [LATER]


def test_a_withdrawal_of_everything_lists_no_class_so_that_it_covers_whatever_comes_to_light() -> None:
    event = asked_to_withdraw(given(granted()))

    assert event.classes == ()
    assert (event.originator_version, event.facility, event.recorded_by) == (2, HOSPITAL, "patient")


def test_the_event_of_a_withdrawal_says_what_is_taken_back_however_it_was_given() -> None:
    held = given(granted(originator_version=4, given="oral", document=EVENT))

    event = withdraw(
        held,
        event_id=LATER,
        facility=HOSPITAL,
        classes=(RecordClass.CONDITION,),
        recorded_by="clerk",
        given="oral",
        document=EVENT,
    )

    assert event == withdrawn(
        originator_version=5,
        event_id=LATER,
        classes=(RecordClass.CONDITION,),
        recorded_by="clerk",
        given="oral",
        document=EVENT,
    )


def test_an_expired_consent_can_still_be_withdrawn() -> None:
    long_ago = granted(since=NOON - timedelta(days=9), until=NOON - timedelta(days=8))

    assert asked_to_withdraw(given(long_ago)).facility == HOSPITAL


def test_one_of_the_named_classes_is_enough_to_withdraw() -> None:
    held = given(granted(classes=(RecordClass.CONDITION,)))

    event = asked_to_withdraw(held, classes=(RecordClass.CONDITION, RecordClass.LAB_RESULT))

    assert classes_in_force(evolve(held, event)) == set()


@pytest.mark.parametrize(
    ("events", "facility", "classes"),
    [
        ([], HOSPITAL, ()),
        ([granted()], CLINIC, ()),
        ([granted(classes=(RecordClass.CONDITION,))], HOSPITAL, (RecordClass.LAB_RESULT,)),
        ([granted(), withdrawn()], HOSPITAL, ()),
    ],
    ids=["never granted", "another facility", "a class that was not granted", "withdrawn already"],
)
def test_there_may_be_nothing_to_withdraw(
    events: list[ConsentGranted | ConsentWithdrawn], facility: str, classes: tuple[RecordClass, ...]
) -> None:
    with pytest.raises(NothingToWithdraw, match="^the facility holds no consent of this patient for these"):
        asked_to_withdraw(given(*events), facility, classes)


def test_folding_an_event_leaves_what_was_folded_before_as_it_was() -> None:
    before = given(granted())

    evolve(before, withdrawn())

    assert classes_in_force(before) == set(SIX)


# --- as bytes in the patient's head row

moments = st.datetimes(
    datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC), allow_imaginary=False
)
grants = st.builds(
    Grant,
    because=st.uuids(),
    facility=st.from_regex(r"[0-4][0-9]{9}", fullmatch=True),
    purpose=st.sampled_from(PurposeOfUse),
    classes=st.lists(st.sampled_from(RecordClass), min_size=1, unique=True).map(tuple),
    since=moments,
    until=moments,
    given=st.sampled_from([CARD_READER, "oral", "patient"]),
)
held_consents = st.builds(
    Consents,
    patient=st.uuids(),
    version=st.integers(0, 2**53),
    grants=st.lists(grants, max_size=4).map(tuple),
)


@for_all(held_consents)
def test_consents_come_back_from_their_bytes_to_the_microsecond(consents: Consents) -> None:
    assert consent_state.load(consents.patient, consent_state.dump(consents)) == consents


@for_all(held_consents)
def test_the_same_consents_make_the_same_bytes(consents: Consents) -> None:
    again = consent_state.load(consents.patient, consent_state.dump(consents))

    assert consent_state.dump(again) == consent_state.dump(consents)


def test_a_patient_without_a_head_row_has_no_consents() -> None:
    assert consent_state.load(PATIENT, None) == Consents(PATIENT)


def test_stored_bytes_are_read_for_ever() -> None:
    stored = (
        b'{"version":1,"grants":[{"because":"eeeeeeee-0000-4000-8000-000000000001","facility":"1319876543",'
        b'"purpose":"TREAT","classes":["CONDITION"],"since":"2026-11-22T02:00:00Z",'
        b'"until":"2026-11-23T02:00:00Z","given":"card-reader"}]}'
    )

    assert consent_state.load(PATIENT, stored) == given(granted(classes=(RecordClass.CONDITION,)))
