"""Which consents count at a moment, for which classes, and which of them the answer cites as its grounds."""

from datetime import timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given as for_all

from access_examples import A_MICROSECOND, LATER, ConsentEvent, given, histories, permitted, refusal
from examples import EVENT, HOSPITAL, NOON, PATIENT, SIX, a_request, granted, withdrawn
from tsuzuri.domain.access import Permitted, Refused, decide
from tsuzuri.domain.consents import CARD_READER_PERIOD, Consents
from tsuzuri.domain.events import ConsentWithdrawn
from tsuzuri.domain.grounds import CLINICIAN_FLAGS, LETTER_CLASSES
from tsuzuri.domain.vocabulary import AccessBasis, PurposeOfUse, RecordClass, RefusalReason

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


def test_a_consent_for_one_referral_opens_that_letter_and_nothing_it_lists_beside() -> None:
    letter = granted(classes=(RecordClass.CONDITION, RecordClass.REFERRAL), document=LATER)

    (ground,) = permitted(decide(a_request(), given(letter))).grounds

    assert (ground.basis, ground.document) == (AccessBasis.REFERRAL, LATER)


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


# --- whatever happened before


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


def test_a_consent_for_one_letter_lets_see_all_that_it_holds_marked_as_clinicians_see_it() -> None:
    letter = UUID(int=9)
    (ground,) = permitted(
        decide(a_request(), given(granted(classes=(RecordClass.REFERRAL,), document=letter)))
    ).grounds

    assert ground.classes == LETTER_CLASSES
    assert ground.flags == CLINICIAN_FLAGS
    assert (ground.document, ground.recipient) == (letter, HOSPITAL)
