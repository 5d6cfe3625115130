"""How much each caller may ask for, as a rate and a burst: a bucket for each, filled by time alone."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role

PRINCIPALS_MAX = 10_000

Principal = tuple[str, str | None]
"""A person, or a facility's system, at one facility; of patients the facility is None."""


class RateWrong(ValueError):
    """A rate that cannot be read; the message says what one looks like."""


@dataclass(frozen=True)
class Rate:
    """In units of cost: see tsuzuri.graphql.preparing.Prepared.cost."""

    per_second: float
    burst: float  # what may be asked for at once after a while of nothing


_STAFF = Rate(50, 1_000)
USUAL: Mapping[Role, Rate] = {
    Role.CLINICIAN: _STAFF,
    Role.PHARMACIST: _STAFF,
    Role.FACILITY_ADMIN: _STAFF,
    Role.PATIENT: Rate(20, 500),
    Role.AUDITOR: _STAFF,
    Role.OPERATOR: _STAFF,
    Role.SYSTEM: Rate(500, 5_000),  # a whole facility behind one name
}


def read_rates(text: str) -> Mapping[Role, Rate] | None:
    """The usual rates, changed by such as "CLINICIAN=100/2000,SYSTEM=1000/10000": cost per second, burst.

    "off": None, nobody is held back. Raises RateWrong.
    """
    if text == "off":
        return None
    rates = dict(USUAL)
    for one in filter(None, text.split(",")):
        name, _, rate = one.strip().partition("=")
        per_second, _, burst = rate.partition("/")
        if name not in Role.__members__ or not (_whole(per_second) and _whole(burst)):
            raise RateWrong('is "off", or changes such as CLINICIAN=50/1000: cost per second, and burst')
        rates[Role[name]] = Rate(int(per_second), int(burst))
    return rates


def _whole(number: str) -> bool:
    return number.isascii() and number.isdigit() and 0 < int(number[:10]) and len(number) < 10


class Bucket:
    """What one principal may still spend."""

    __slots__ = ("_at", "_level")

    def __init__(self, level: float, now: float) -> None:
        self._level, self._at = level, now

    def take(self, cost: float, rate: Rate, now: float) -> float:
        """0.0 when it was taken; else nothing was, and so many seconds later it can be. *now*: of any steady clock.

        What costs more than the burst is taken from a full bucket and leaves a debt: the rate holds all the same.
        """
        level = self._level + (now - self._at) * rate.per_second
        if level > rate.burst:
            level = rate.burst
        self._at = now
        if level + _SLACK >= cost or level + _SLACK >= rate.burst:
            self._level = level - cost
            return 0.0
        self._level = level
        return (min(cost, rate.burst) - level) / rate.per_second


_SLACK = 1e-6  # who waits as long as told is not sent away by a rounding


class Rates:
    """A bucket for each principal that was heard of lately; nobody else costs memory.

    Of one process: an installation of several lets through as many times as much.
    """

    def __init__(
        self,
        rates: Mapping[Role, Rate],
        *,
        clock: Callable[[], float] = time.monotonic,
        principals_max: int = PRINCIPALS_MAX,
    ) -> None:
        self._rates = rates
        self._clock = clock
        self._principals_max = principals_max
        self._buckets: OrderedDict[Principal, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, caller: Caller, cost: float) -> float:
        """Of the caller's own bucket: see Bucket.take."""
        principal, rate, now = principal_of(caller), self._rates[caller.role], self._clock()
        bucket = self._buckets.get(principal)
        if bucket is None:
            bucket = self._buckets[principal] = Bucket(rate.burst, now)
            if len(self._buckets) > self._principals_max:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(principal)
        return bucket.take(cost, rate, now)


def principal_of(caller: Caller) -> Principal:
    return caller.person, caller.facility
