"""How long each class may be seen: the moment before and the moment after each boundary."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tsuzuri.domain.retention import RETENTION, ranked, visible_until
from tsuzuri.domain.vocabulary import Flag, RecordClass

JAPAN = timezone(timedelta(hours=9))
REGISTERED = datetime(2026, 11, 22, 10, 30, tzinfo=JAPAN)


@pytest.mark.parametrize(
    ("record_class", "end"),
    [
        (RecordClass.CONDITION, datetime(2031, 11, 22, 10, 30, tzinfo=JAPAN)),
        (RecordClass.DRUG_ALLERGY, datetime(2031, 11, 22, 10, 30, tzinfo=JAPAN)),
        (RecordClass.OTHER_ALLERGY, datetime(2031, 11, 22, 10, 30, tzinfo=JAPAN)),
        (RecordClass.INFECTION, datetime(2031, 11, 22, 10, 30, tzinfo=JAPAN)),
        (RecordClass.LAB_RESULT, datetime(2027, 11, 22, 10, 30, tzinfo=JAPAN)),
        (RecordClass.PRESCRIPTION, datetime(2027, 3, 2, 10, 30, tzinfo=JAPAN)),
        (RecordClass.REFERRAL, datetime(2027, 5, 22, 10, 30, tzinfo=JAPAN)),
        (RecordClass.DISCHARGE_SUMMARY, datetime(2031, 11, 22, 10, 30, tzinfo=JAPAN)),
        (RecordClass.CHECKUP_REPORT, datetime(2031, 11, 22, 10, 30, tzinfo=JAPAN)),
        (RecordClass.PATIENT_SUMMARY, datetime(2027, 5, 22, 10, 30, tzinfo=JAPAN)),
    ],
)
def test_each_class_ends_at_its_moment(record_class: RecordClass, end: datetime) -> None:
    assert visible_until(record_class, registered_at=REGISTERED) == end


def test_every_class_has_a_rule() -> None:
    assert RETENTION.keys() == set(RecordClass)


def test_results_and_orders_count_from_their_own_time_all_else_from_the_registration() -> None:
    long_ago = datetime(2026, 1, 5, tzinfo=UTC)

    lab = visible_until(RecordClass.LAB_RESULT, registered_at=REGISTERED, effective_at=long_ago)
    condition = visible_until(RecordClass.CONDITION, registered_at=REGISTERED, effective_at=long_ago)

    assert lab == datetime(2027, 1, 5, tzinfo=UTC)
    assert condition == datetime(2031, 11, 22, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "record_class",
    [RecordClass.CONDITION, RecordClass.INFECTION, RecordClass.LAB_RESULT, RecordClass.DRUG_ALLERGY],
)
def test_what_is_marked_for_long_keeping_has_no_end(record_class: RecordClass) -> None:
    assert visible_until(record_class, registered_at=REGISTERED, flags=(Flag.LTS,)) is None
    assert visible_until(record_class, registered_at=REGISTERED, flags=(Flag.UNINFORMED,)) is not None


def test_a_day_that_the_last_month_lacks_is_the_end_of_that_month_in_japan() -> None:
    leap = datetime(2028, 2, 29, 10, 30, tzinfo=JAPAN)
    august = datetime(2026, 8, 31, 10, 30, tzinfo=JAPAN)

    assert visible_until(RecordClass.CONDITION, registered_at=leap) == datetime(2033, 3, 1, tzinfo=JAPAN)
    assert visible_until(RecordClass.REFERRAL, registered_at=august) == datetime(2027, 3, 1, tzinfo=JAPAN)


def test_the_day_is_japans() -> None:
    evening = datetime(2026, 12, 31, 15, 0, tzinfo=UTC)  # the first of January in Japan

    assert visible_until(RecordClass.CHECKUP_REPORT, registered_at=evening) == datetime(
        2031, 12, 31, 15, tzinfo=UTC
    )


def test_what_would_end_beyond_the_calendar_has_no_end() -> None:
    late = datetime(9999, 6, 1, tzinfo=UTC)

    assert visible_until(RecordClass.LAB_RESULT, registered_at=REGISTERED, effective_at=late) is None


def test_the_last_of_each_count_for_results_and_orders_only() -> None:
    assert {one for one in RecordClass if ranked(one)} == {
        RecordClass.INFECTION,
        RecordClass.LAB_RESULT,
        RecordClass.PRESCRIPTION,
    }
