"""Given windows that the operating body opened, which facilities see what, and until when?"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from access_examples import A_MICROSECOND, given, permitted, refusal
from examples import CLINIC, HOSPITAL, NOON, PATIENT, a_request, granted
from policy_examples import (
    AN_HOUR,
    NEXT,
    NEXT_TOWN,
    RIGHT,
    TOWN,
    WINDOW,
    closed,
    entry,
    listed,
    opened,
    policies,
    windows,
)
from tsuzuri.domain.access import Permitted, Refused, decide
from tsuzuri.domain.accesses import Ground
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.denials import deny
from tsuzuri.domain.disasters import NoSuchWindow, UselessWindow, close_window, evolve, open_window
from tsuzuri.domain.emergencies import UselessReason
from tsuzuri.domain.events import (
    DisasterWindowClosed,
    DisasterWindowOpened,
    Erased,
    originator,
)
from tsuzuri.domain.facilities import FacilityMalformed
from tsuzuri.domain.grounds import WITHOUT_CONSENT
from tsuzuri.domain.owners import disaster_owner
from tsuzuri.domain.policies import Window, Windows
from tsuzuri.domain.vocabulary import AccessBasis, Flag, PurposeOfUse, RecordClass, RefusalReason, Stream

STREAM = originator(disaster_owner(), Stream.RECORD)
DISASTER = PurposeOfUse.DISASTER


def answered(area: Windows | None, consents: Consents | None = None, **changes: Any) -> Permitted | Refused:
    hospital = changes.pop("hospital", None)
    known = policies(hospital=hospital, area=area)
    return decide(a_request(purpose=DISASTER, **changes), consents or given(), known)


def asked_to_open(area: Windows, **changes: Any) -> DisasterWindowOpened:
    usual: dict[str, Any] = {
        "event_id": WINDOW,
        "municipalities": [TOWN, NEXT_TOWN],
        "since": NOON - AN_HOUR,
        "until": NOON + AN_HOUR,
        "reason": "地震",
        "recorded_by": "operator-ono",
    }
    return open_window(area, **usual | changes)


def asked_to_close(area: Windows, *towns: str) -> DisasterWindowClosed:
    return close_window(area, WINDOW, event_id=NEXT, municipalities=towns, recorded_by="operator-ono")


def open_towns(area: Windows, at: datetime = NOON) -> set[str]:
    return {town for town in (TOWN, NEXT_TOWN) if area.open_in(town, at)}


# --- what a window opens


def test_an_open_window_opens_what_is_seen_without_consent_and_is_cited() -> None:
    answer = permitted(answered(windows(opened())))

    assert answer.grounds == (
        Ground(
            basis=AccessBasis.DISASTER,
            classes=WITHOUT_CONSENT,
            flags=(Flag.LTS, Flag.UNINFORMED),
            because=WINDOW,
        ),
    )


def test_each_window_that_is_open_there_is_a_ground() -> None:
    follows = opened(event_id=NEXT, originator_version=2)

    grounds = permitted(answered(windows(opened(), follows))).grounds

    assert [ground.because for ground in grounds] == [WINDOW, NEXT]


def test_what_the_facility_registered_itself_comes_with_it_and_consents_do_not() -> None:
    answer = permitted(answered(windows(opened()), given(granted(purpose=DISASTER)), registered_here=True))

    assert set(answer.bases) == {AccessBasis.OWN_FACILITY, AccessBasis.DISASTER}


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (NOON - AN_HOUR - A_MICROSECOND, False),
        (NOON - AN_HOUR, True),
        (NOON + AN_HOUR - A_MICROSECOND, True),
        (NOON + AN_HOUR, False),
    ],
)
def test_it_opens_and_ends_to_the_microsecond(at: datetime, is_open: bool) -> None:
    answer = answered(windows(opened()), at=at)

    assert isinstance(answer, Permitted) if is_open else refusal(answer) is RefusalReason.DISASTER_NOT_OPEN


@pytest.mark.parametrize(
    "hospital",
    [
        entry(),
        entry(listed(municipality="13101")),
        entry(listed(municipality=None)),
        entry(listed(), closed()),
    ],
    ids=["not listed", "elsewhere", "nobody knows where", "closed"],
)
def test_a_facility_that_lies_nowhere_in_the_area_sees_nothing(hospital: Any) -> None:
    answer = answered(windows(opened()), hospital=hospital)

    assert refusal(answer) is RefusalReason.DISASTER_NOT_OPEN


def test_without_windows_nothing_is_open() -> None:
    assert refusal(answered(None)) is RefusalReason.DISASTER_NOT_OPEN
    assert refusal(answered(windows())) is RefusalReason.DISASTER_NOT_OPEN


def test_what_the_patient_refused_stays_refused() -> None:
    def denied(facility: str | None, *classes: RecordClass) -> Consents:
        event = deny(given(), event_id=NEXT, facility=facility, classes=classes, recorded_by="patient")
        return given(event)

    area = windows(opened())
    some = permitted(answered(area, denied(HOSPITAL, RecordClass.CONDITION)))

    assert some.classes == tuple(one for one in WITHOUT_CONSENT if one is not RecordClass.CONDITION)
    assert refusal(answered(area, denied(None))) is RefusalReason.NOT_AVAILABLE
    assert permitted(answered(area, denied(CLINIC))).classes == WITHOUT_CONSENT


def test_the_answer_tells_where_the_entry_and_the_windows_stood() -> None:
    area, hospital = windows(opened(originator_version=6)), entry(listed())

    answer = answered(area, hospital=hospital)

    assert answer.policies == {hospital.owner: 1, area.owner: 6}


# --- opening


def test_a_window_names_towns_once_and_in_order_by_five_digits() -> None:
    area = windows(opened(originator_version=3))

    event = asked_to_open(area, municipalities=[NEXT_TOWN, "112011", TOWN], reason=" 地震 ")

    assert event == opened(originator_version=4)


@pytest.mark.parametrize("period", [timedelta(), -A_MICROSECOND])
def test_a_window_that_lasts_no_time_is_refused(period: timedelta) -> None:
    with pytest.raises(UselessWindow, match="^a window ends after it begins$"):
        asked_to_open(windows(), until=NOON - AN_HOUR + period)


def test_a_window_names_a_town_and_has_a_reason() -> None:
    with pytest.raises(UselessWindow, match="^a window names at least one municipality$"):
        asked_to_open(windows(), municipalities=[])
    with pytest.raises(FacilityMalformed):
        asked_to_open(windows(), municipalities=["見本市"])
    with pytest.raises(UselessReason):
        asked_to_open(windows(), reason="")


def test_what_is_held_of_a_window_is_what_was_opened() -> None:
    event = opened()

    window = Window(WINDOW, (TOWN, NEXT_TOWN), event.since, event.until)
    assert windows(event) == Windows(disaster_owner(), 1, (window,))


# --- closing


def test_closing_names_the_window_and_the_towns() -> None:
    event = asked_to_close(windows(opened(originator_version=3)), NEXT_TOWN, TOWN)

    assert event == DisasterWindowClosed(
        originator_id=STREAM,
        originator_version=4,
        event_id=NEXT,
        window=WINDOW,
        municipalities=(TOWN, NEXT_TOWN),
        recorded_by="operator-ono",
    )


def test_closed_for_one_town_it_stays_open_in_the_other() -> None:
    area = windows(opened())

    after = evolve(area, asked_to_close(area, TOWN))

    assert (open_towns(area), open_towns(after)) == ({TOWN, NEXT_TOWN}, {NEXT_TOWN})
    assert after.version == 2


@pytest.mark.parametrize("towns", [(), (TOWN, NEXT_TOWN)], ids=["none named", "each of them"])
def test_closed_for_all_nothing_is_left_of_it(towns: tuple[str, ...]) -> None:
    area = windows(opened())

    assert evolve(area, asked_to_close(area, *towns)).opened == ()


def test_closing_one_window_leaves_the_other_open() -> None:
    area = windows(opened(), opened(event_id=RIGHT, originator_version=2))

    after = evolve(area, asked_to_close(area))

    assert [window.because for window in after.opened] == [RIGHT]


@pytest.mark.parametrize(
    ("area", "towns"),
    [(windows(), ()), (windows(opened(event_id=RIGHT)), ()), (windows(opened()), ("13101",))],
    ids=["none was opened", "another window", "another town"],
)
def test_what_is_not_open_is_not_closed(area: Windows, towns: tuple[str, ...]) -> None:
    with pytest.raises(NoSuchWindow, match="^no such window is open for these municipalities$"):
        asked_to_close(area, *towns)


def test_one_open_window_among_others_is_enough_to_close_it() -> None:
    area = windows(opened(event_id=RIGHT), opened(originator_version=2))

    assert asked_to_close(area).window == WINDOW


def test_an_event_that_was_erased_moves_the_version_and_nothing_else() -> None:
    area = windows(opened())
    erased = Erased(originator_id=STREAM, originator_version=2, event_id=NEXT, topic="disaster-window-opened")

    assert evolve(area, erased) == Windows(area.owner, 2, area.opened)


def test_a_window_in_a_town_says_nothing_of_the_patient() -> None:
    assert permitted(answered(windows(opened()), Consents(PATIENT, version=5))).consent_version == 5
