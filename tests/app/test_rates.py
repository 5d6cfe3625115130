"""A bucket for each caller: what is let through at what rate, and that what is told to who waits is true."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from examples import DOCTOR, HOSPITAL, PATIENT, a_caller
from tsuzuri.app.rates import USUAL, Bucket, Rate, Rates
from tsuzuri.domain.vocabulary import Role

RATE = Rate(per_second=10, burst=100)


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def rates(clock: Clock, **more: Any) -> Rates:
    return Rates(dict.fromkeys(Role, RATE), clock=clock, **more)


def test_who_has_asked_for_nothing_may_ask_for_the_whole_burst_at_once() -> None:
    bucket = Bucket(RATE.burst, 0.0)

    assert [bucket.take(25, RATE, 0.0) for _ in range(4)] == [0.0] * 4
    assert bucket.take(25, RATE, 0.0) == 2.5


def test_then_the_rate_holds() -> None:
    bucket = Bucket(RATE.burst, 0.0)
    bucket.take(100, RATE, 0.0)

    taken = [bucket.take(5, RATE, second / 4) == 0.0 for second in range(1, 41)]

    assert sum(taken) == 20  # ten seconds at 10 a second, in fives


def test_what_costs_more_than_the_burst_needs_a_full_bucket_and_is_paid_off_later() -> None:
    bucket = Bucket(RATE.burst, 0.0)

    assert bucket.take(300, RATE, 0.0) == 0.0
    assert bucket.take(1, RATE, 0.0) == 20.1
    assert bucket.take(300, RATE, 29.0) == 1.0
    assert bucket.take(300, RATE, 30.0) == 0.0


COSTS = st.floats(1, 400)
ASKED = st.lists(st.tuples(st.floats(0, 60), COSTS), min_size=1, max_size=60)


@given(ASKED)
def test_in_no_span_of_time_more_is_let_through_than_the_rate_and_one_burst(
    asked: list[tuple[float, float]],
) -> None:
    bucket, now = Bucket(RATE.burst, 0.0), 0.0
    let_through: list[tuple[float, float]] = []
    for pause, cost in asked:
        now += pause
        if bucket.take(cost, RATE, now) == 0.0:
            let_through.append((now, cost))

    for first, (since, _) in enumerate(let_through):
        *before, (until, last) = let_through[first:]
        # The last may have been dearer than a burst: then it is a debt that is paid off after it.
        spent = sum(cost for _, cost in before) + min(last, RATE.burst)
        assert spent <= RATE.burst + RATE.per_second * (until - since) + 1e-3


@given(ASKED, COSTS)
def test_who_waits_as_long_as_told_is_let_through_and_no_sooner(
    asked: list[tuple[float, float]], cost: float
) -> None:
    bucket, now = Bucket(RATE.burst, 0.0), 0.0
    for pause, before in asked:
        now += pause
        bucket.take(before, RATE, now)

    wait = bucket.take(cost, RATE, now)
    if wait > 0.001:
        assert bucket.take(cost, RATE, now + wait - 0.001) > 0.0
    if wait:
        assert bucket.take(cost, RATE, now + wait) == 0.0


def test_each_principal_has_a_bucket_and_so_has_one_person_at_each_facility() -> None:
    clock = Clock()
    asked = rates(clock)
    elsewhere = a_caller(DOCTOR.person, Role.CLINICIAN, "1319999999")
    colleague = a_caller("dr-kato", Role.CLINICIAN, HOSPITAL)
    herself = a_caller(DOCTOR.person, Role.PATIENT, patient=PATIENT)

    assert asked.take(DOCTOR, 100) == 0.0
    assert asked.take(DOCTOR, 100) == 10.0
    assert [asked.take(other, 100) for other in (elsewhere, colleague, herself)] == [0.0] * 3


def test_another_token_of_the_same_person_changes_nothing() -> None:
    asked = rates(Clock())
    administrator = a_caller(DOCTOR.person, Role.FACILITY_ADMIN, HOSPITAL)
    anew = a_caller(DOCTOR.person, Role.CLINICIAN, HOSPITAL, session="another")

    asked.take(DOCTOR, 100)

    assert asked.take(anew, 1) == asked.take(administrator, 1) == 0.1


def test_only_so_many_principals_are_remembered_those_who_asked_last() -> None:
    clock = Clock()
    asked = rates(clock, principals_max=2)
    first, second, third = (a_caller(f"dr-{n}", Role.CLINICIAN, HOSPITAL) for n in range(3))
    for caller in (first, second, first, third):
        asked.take(caller, 50)

    assert len(asked) == 2
    assert asked.take(first, 50) > 0.0  # who was there longest asked again
    assert asked.take(second, 100) == 0.0  # who was forgotten begins anew


def test_every_role_has_a_rate() -> None:
    assert set(USUAL) == set(Role)
