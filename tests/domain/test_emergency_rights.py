"""Whom an administrator may name, where, and how the right is taken again."""

from datetime import timedelta
from typing import Any

import pytest

from examples import HOSPITAL, NOON
from policy_examples import AN_HOUR, NEXT, RIGHT, closed, entry, listed, right_given
from tsuzuri.domain.emergency_rights import NothingToTake, UselessRight, give, take
from tsuzuri.domain.events import EmergencyRightGiven, EmergencyRightTaken, originator
from tsuzuri.domain.facilities import FacilityEntry
from tsuzuri.domain.owners import facility_owner
from tsuzuri.domain.policies import Policies
from tsuzuri.domain.vocabulary import FacilityKind, Stream

STREAM = originator(facility_owner(HOSPITAL), Stream.RECORD)


def asked_to_give(hospital: FacilityEntry, **changes: Any) -> EmergencyRightGiven:
    usual: dict[str, Any] = {
        "event_id": RIGHT,
        "person": "dr-hamada",
        "since": NOON - AN_HOUR,
        "until": NOON + AN_HOUR,
        "recorded_by": "admin-aoki",
    }
    return give(hospital, **usual | changes)


def test_a_right_is_one_persons_for_a_time_at_one_hospital() -> None:
    assert asked_to_give(entry(listed(originator_version=8))) == right_given(originator_version=9)


@pytest.mark.parametrize(
    "hospital",
    [
        entry(),
        entry(listed(emergency=False)),
        entry(listed(kind=FacilityKind.CLINIC)),
        entry(listed(kind=FacilityKind.PHARMACY)),
        entry(listed(), closed()),
    ],
    ids=["not listed", "takes no emergencies", "a clinic", "a pharmacy", "closed"],
)
def test_only_a_hospital_that_takes_emergencies_names_anybody(hospital: FacilityEntry) -> None:
    with pytest.raises(
        UselessRight, match="^the facility is not listed as a hospital that takes emergencies$"
    ):
        asked_to_give(hospital)


@pytest.mark.parametrize("period", [timedelta(), timedelta(microseconds=-1)])
def test_a_right_that_lasts_no_time_is_refused(period: timedelta) -> None:
    with pytest.raises(UselessRight, match="^a right ends after it begins$"):
        asked_to_give(entry(listed()), until=NOON - AN_HOUR + period)


def test_a_hospital_that_closes_has_no_rights_left() -> None:
    right = Policies(entry(listed(), right_given())).emergency_right("dr-hamada", NOON)
    assert right is not None and right.because == RIGHT

    assert Policies(entry(listed(), right_given(), closed())).emergency_right("dr-hamada", NOON) is None


def test_what_was_given_is_taken_by_its_id_and_the_others_stay() -> None:
    hospital = entry(
        listed(), right_given(), right_given(event_id=NEXT, originator_version=3, person="dr-kudo")
    )

    event = take(hospital, RIGHT, event_id=NEXT, recorded_by="admin-aoki")

    assert event == EmergencyRightTaken(
        originator_id=STREAM,
        originator_version=4,
        event_id=NEXT,
        facility=HOSPITAL,
        right=RIGHT,
        recorded_by="admin-aoki",
    )


@pytest.mark.parametrize(
    "hospital",
    [entry(listed()), entry(listed(), right_given(event_id=NEXT)), entry(right_given())],
    ids=["nobody named", "another right", "never listed"],
)
def test_there_may_be_no_right_to_take(hospital: FacilityEntry) -> None:
    with pytest.raises(NothingToTake, match="^no such right stands at this facility$"):
        take(hospital, RIGHT, event_id=NEXT, recorded_by="admin-aoki")
