"""Who is let in, who waits and behind whom, and what is said to who comes in vain."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import DOCTOR, HOSPITAL, a_caller
from tsuzuri.app.admission import Admission, NotNow
from tsuzuri.app.rates import Rate, Rates
from tsuzuri.app.turns import QueueFull, Turns
from tsuzuri.domain.callers import Caller
from tsuzuri.domain.vocabulary import Role

FLOOD = a_caller("dr-flood", Role.CLINICIAN, HOSPITAL)
OTHERS = [a_caller(f"dr-{number}", Role.CLINICIAN, HOSPITAL) for number in range(3)]


def turns(**changes: int) -> Turns:
    return Turns(**{"most": 2, "each": 2, "waiting_max": 100, "waiting_each_max": 50} | changes)


def admission(under: Turns | None = None, burst: float = 1_000, wait_seconds: float = 20.0) -> Admission:
    rates = Rates(dict.fromkeys(Role, Rate(10, burst)), clock=lambda: 0.0)
    return Admission(rates, under or turns(), wait_seconds=wait_seconds)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Operations:
    """Operations that run until they are told to end, and in which order they began."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._ends: list[asyncio.Event] = []
        self.began: list[str] = []

    def ask(self, caller: Caller, times: int = 1) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self._run(caller)) for _ in range(times)]

    async def _run(self, caller: Caller) -> None:
        async with self._admission(caller, 1):
            self.began.append(caller.person)
            end = asyncio.Event()
            self._ends.append(end)
            await end.wait()

    async def end(self, times: int) -> None:
        """One after the other, whichever began first."""
        for _ in range(times):
            self._ends.pop(0).set()
            await settled()


def told(story: Callable[[], Awaitable[None]]) -> None:
    async def within() -> None:
        async with asyncio.timeout(30):
            await story()

    asyncio.run(within())


def test_who_floods_waits_behind_herself_and_not_the_others_behind_her() -> None:
    async def story() -> None:
        operations = Operations(admission())
        operations.ask(FLOOD, 20)
        await settled()
        for other in OTHERS:
            operations.ask(other)
        await settled()
        await operations.end(8)

        assert operations.began[:2] == ["dr-flood"] * 2
        assert operations.began[2:5] == ["dr-0", "dr-1", "dr-2"]
        assert operations.began[5:] == ["dr-flood"] * 5

    told(story)


def test_who_has_as_many_as_one_may_leaves_the_rest_of_the_room_to_others() -> None:
    async def story() -> None:
        under = turns(most=4, each=1)
        operations = Operations(admission(under))
        operations.ask(FLOOD, 5)
        operations.ask(OTHERS[0])
        await settled()

        assert operations.began == ["dr-flood", "dr-0"]
        assert (under.running, under.waiting) == (2, 4)
        await operations.end(1)
        assert operations.began == ["dr-flood", "dr-0", "dr-flood"]

    told(story)


def test_over_the_rate_it_is_429_and_when_to_ask_again() -> None:
    async def story() -> None:
        under = turns()
        limited = admission(under, burst=10)
        async with limited(DOCTOR, 10):
            with pytest.raises(NotNow) as refused:
                async with limited(DOCTOR, 3.5):
                    raise AssertionError("it was let in")
        async with limited(OTHERS[0], 10):
            assert under.running == 1

        response = refused.value.response()
        assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
        assert b'"RATE_LIMITED"' in response.body and b'"retryAfterSeconds":1' in response.body
        assert (under.running, under.waiting) == (0, 0)
        assert limited.refused == {"RATE_LIMITED": 1}

    told(story)


def test_nobody_waits_without_bound() -> None:
    async def story() -> None:
        under = turns(most=1, waiting_max=3, waiting_each_max=2)
        limited = admission(under)
        operations = Operations(limited)
        operations.ask(FLOOD, 3)
        await settled()
        operations.ask(OTHERS[0])
        (own,) = operations.ask(FLOOD)
        (crowded,) = operations.ask(OTHERS[1])
        await settled()

        for refused, status in ((own, 429), (crowded, 503)):
            error = refused.exception()
            assert isinstance(error, NotNow)
            assert (error.status, error.code, error.retry_after_seconds) == (status, "BUSY", 1)
        assert (under.running, under.waiting) == (1, 3)

    told(story)


def test_nor_for_ever() -> None:
    async def story() -> None:
        under = turns(most=1)
        operations = Operations(admission(under, wait_seconds=0.01))
        operations.ask(FLOOD)
        await settled()
        (waiting,) = operations.ask(DOCTOR)
        with pytest.raises(NotNow) as refused:
            await waiting

        assert (refused.value.status, refused.value.code) == (503, "BUSY")
        assert (under.running, under.waiting) == (1, 0)
        await operations.end(1)
        assert under.running == 0

    told(story)


def test_an_operation_that_fails_gives_its_turn_back() -> None:
    async def story() -> None:
        under = turns(most=1)
        with pytest.raises(ZeroDivisionError):
            async with admission(under)(DOCTOR, 1):
                _ = 1 / 0
        assert under.take("the next")

    told(story)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_whatever_comes_goes_and_gives_up_the_bounds_hold_and_nobody_is_forgotten(data: Any) -> None:
    """Steps of asking, ending and giving up, at random; then all ends, and all who waited have had their turn."""

    async def story() -> None:
        under = turns(most=3, each=2, waiting_max=6, waiting_each_max=4)
        running: list[str] = []
        waiting: list[tuple[str, asyncio.Task[None]]] = []

        async def wait(name: str) -> None:
            with suppress(QueueFull):
                await under.wait(name)
                running.append(name)

        async def look() -> None:
            await settled()
            waiting[:] = [(name, task) for name, task in waiting if not task.done()]
            assert under.running == len(running) <= 3
            assert under.waiting == len(waiting) <= 6
            assert all(running.count(name) <= 2 for name in "abc")
            if waiting:  # nobody waits for no reason
                assert len(running) == 3 or all(running.count(name) == 2 for name, _ in waiting)

        for _ in range(data.draw(st.integers(1, 40))):
            for _ in range(data.draw(st.integers(1, 3))):  # some steps happen in the same moment
                step = data.draw(st.sampled_from(["ask", "ask", "end", "give up"]))
                if step == "ask":
                    name = data.draw(st.sampled_from("abc"))
                    if under.take(name):
                        running.append(name)
                    else:
                        waiting.append((name, asyncio.create_task(wait(name))))
                elif step == "end" and running:
                    under.give_back(running.pop(data.draw(st.integers(0, len(running) - 1))))
                elif step == "give up" and waiting:
                    waiting[data.draw(st.integers(0, len(waiting) - 1))][1].cancel()
            await look()
        while running:
            under.give_back(running.pop())
            await look()
        assert not waiting
        assert not (under._lines or under._running or under._next)

    asyncio.run(story())
