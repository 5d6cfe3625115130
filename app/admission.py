"""Who is let in now: each caller at a rate weighted by cost, and only so many operations at once."""

import asyncio
import math
from collections import Counter
from types import TracebackType

from tsuzuri.app.edge import EdgeRefused
from tsuzuri.app.rates import Principal, Rates, principal_of
from tsuzuri.app.settings import Settings
from tsuzuri.app.turns import QueueFull, Turns
from tsuzuri.domain.callers import Caller

WAIT_SECONDS = 5.0
INTAKE_WAIT_SECONDS = 30.0  # a large Bundle takes a second to read, and one is read at a time
INTAKE_MAX, INTAKE_EACH = 8, 2
BUSY_SECONDS = 1
"""When to ask again of whom nothing is known but that too much goes on at the moment."""


class NotNow(EdgeRefused):
    """The same request may be sent again; nothing of it was begun."""

    def __init__(self, status: int, code: str, message: str, retry_after_seconds: int) -> None:
        later = {"Retry-After": str(retry_after_seconds)}
        super().__init__(status, code, message, {"retryAfterSeconds": retry_after_seconds}, later)
        self.retry_after_seconds = retry_after_seconds


def admissions(settings: Settings) -> tuple["Admission", "Admission"]:
    """For operations, and for Bundles, which wait for another process: either may be crowded while the other is not.

    A caller has one rate for both.
    """
    rates = None if settings.rates is None else Rates(settings.rates)
    most, each = settings.operations_max, min(settings.operations_each, settings.operations_max)
    operations = Turns(most=most, each=each, waiting_max=8 * most, waiting_each_max=8 * each)
    intake = Turns(
        most=INTAKE_MAX, each=INTAKE_EACH, waiting_max=8 * INTAKE_MAX, waiting_each_max=8 * INTAKE_EACH
    )
    return Admission(rates, operations), Admission(rates, intake, wait_seconds=INTAKE_WAIT_SECONDS)


class Admission:
    """`async with admission(caller, cost):` around what may be too much.

    Raises NotNow: 429 RATE_LIMITED over the caller's rate, 429 BUSY when too many of the caller's own wait already, and
    503 BUSY when too many do altogether or the turn did not come within *wait_seconds*.
    """

    def __init__(self, rates: Rates | None, turns: Turns, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self.rates = rates
        self.turns = turns
        self.refused: Counter[str] = Counter()  # by code
        self._wait_seconds = wait_seconds

    def __call__(self, caller: Caller, cost: float) -> "_Admitted":
        return _Admitted(self, caller, cost)

    def charge(self, caller: Caller, cost: float) -> None:
        """The rate alone, for what holds no turn: a stream lasts for hours and mostly waits. Raises NotNow."""
        if self.rates is None:
            return
        seconds = self.rates.take(caller, cost)
        if seconds:
            raise self._not_now(
                429, "RATE_LIMITED", "you ask for more than your rate allows", math.ceil(seconds)
            )

    async def turn(self, principal: Principal) -> None:
        """Raises NotNow."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self.turns.wait(principal)
        except QueueFull as full:
            status = 429 if full.own else 503
            message = "too many of your operations wait" if full.own else "too many operations wait"
            raise self._not_now(status, "BUSY", message, BUSY_SECONDS) from None
        except TimeoutError:
            raise self._not_now(503, "BUSY", "there is too much to do", BUSY_SECONDS) from None

    def _not_now(self, status: int, code: str, message: str, seconds: int) -> NotNow:
        self.refused[code] += 1
        return NotNow(status, code, f"{message}: ask again in {seconds} s", seconds)


class _Admitted:
    """A class, for a context manager made of a generator costs more than all the rest of it."""

    __slots__ = ("_admission", "_caller", "_cost", "_principal")

    def __init__(self, admission: Admission, caller: Caller, cost: float) -> None:
        self._admission, self._caller, self._cost = admission, caller, cost
        self._principal = principal_of(caller)

    async def __aenter__(self) -> None:
        admission = self._admission
        admission.charge(self._caller, self._cost)
        if not admission.turns.take(self._principal):
            await admission.turn(self._principal)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admission.turns.give_back(self._principal)
