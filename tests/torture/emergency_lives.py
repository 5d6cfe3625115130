"""Emergencies and their reviews live 2,000 times in 30 steps: one person's, at one place, for one patient, an hour."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from torture.emergency_machine import Decide
from torture.harness import Outcome, Torture
from torture.review_machine import ReviewLives
from tsuzuri.domain.access import Permitted, Refused, decide
from tsuzuri.domain.consents import Consents
from tsuzuri.domain.policies import Policies
from tsuzuri.domain.requests import AccessRequest

LIVES, STEPS = 2_000, 30
CONTROLLED = 300  # lives, at least: a fault may be rare


def lived(asked: Decide, number: int) -> Outcome:
    machine = type("Lives", (ReviewLives,), {"asked": staticmethod(asked)})
    size = settings(
        max_examples=number,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    try:
        run_state_machine_as_test(machine, settings=size)
    except AssertionError as error:
        return Outcome("until the first fault", [f"the decision is not what the lists say: {error}"[:200]])
    return Outcome(f"{number} lives of up to {STEPS} steps")


def run(scratch: Path, share: float) -> Outcome:
    return lived(decide, max(1, int(LIVES * share)))


def with_request(change: Callable[[AccessRequest], AccessRequest]) -> Callable[[Path, float], Outcome]:
    """A decision that is asked something else than it should be."""

    def wrong(request: AccessRequest, consents: Consents, policies: Policies) -> Permitted | Refused:
        return decide(change(request), consents, policies)

    return lambda scratch, share: lived(wrong, max(CONTROLLED, int(LIVES * share)))


def without_persons(scratch: Path, share: float) -> Outcome:
    """An emergency is anybody's who is at the facility."""

    def wrong(request: AccessRequest, consents: Consents, policies: Policies) -> Permitted | Refused:
        hers = tuple(replace(one, person=request.person) for one in consents.emergencies)
        return decide(request, replace(consents, emergencies=hers), policies)

    return lived(wrong, max(CONTROLLED, int(LIVES * share)))


TORTURE = Torture(
    "emergency_lives",
    run,
    {
        "a microsecond longer": with_request(
            lambda request: replace(request, at=request.at - timedelta(microseconds=1))
        ),
        "anybody's": without_persons,
    },
)
