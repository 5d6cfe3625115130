"""The checker says yes to what can have happened, and finds each kind of thing that cannot."""

import math
from collections.abc import Sequence
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torture.linearizable import Answer, Append, Operation, Read, faults

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)


def stored(event: UUID, version: int, began: float, ended: float) -> Append:
    return Append(event, version, Answer.STORED, began, ended)


def refused(event: UUID, version: int, began: float, ended: float) -> Append:
    return Append(event, version, Answer.REFUSED, began, ended)


def in_doubt(event: UUID, version: int, began: float) -> Append:
    return Append(event, version, Answer.NONE, began, math.inf)


def stream(*events: UUID) -> dict[int, UUID]:
    return dict(enumerate(events, start=1))


POSSIBLE: dict[str, tuple[Sequence[Operation], dict[int, UUID]]] = {
    "one after another": (
        [stored(A, 1, 0, 1), Read([A], 2, 3), stored(B, 2, 4, 5), refused(C, 2, 6, 7), Read([A, B], 8, 9)],
        stream(A, B),
    ),
    "a read beside an append sees it or not": (
        [stored(A, 1, 0, 9), Read([], 1, 2), Read([A], 3, 4), Read([A], 3, 4)],
        stream(A),
    ),
    "reads beside each other go backwards": (
        [stored(A, 1, 0, 9), Read([A], 1, 4), Read([], 2, 3)],
        stream(A),
    ),
    "refused for one that was not acknowledged yet": (
        [stored(A, 1, 0, 9), refused(B, 1, 1, 2)],
        stream(A),
    ),
    "in doubt and stored": ([in_doubt(A, 1, 0), Read([], 5, 6), Read([A], 7, 8)], stream(A)),
    "in doubt and not stored": ([in_doubt(A, 1, 0), stored(B, 1, 1, 2)], stream(B)),
}

IMPOSSIBLE: dict[str, tuple[Sequence[Operation], dict[int, UUID]]] = {
    "a read misses what was acknowledged before it": ([stored(A, 1, 0, 1), Read([], 2, 3)], stream(A)),
    "a later read goes backwards": (
        [stored(A, 1, 0, 9), Read([A], 1, 2), Read([], 3, 4)],
        stream(A),
    ),
    "a read is no beginning of the stream": (
        [stored(A, 1, 0, 1), stored(B, 2, 2, 3), Read([B], 4, 5)],
        stream(A, B),
    ),
    "a read sees what begins only later": ([Read([A], 0, 1), stored(A, 1, 2, 3)], stream(A)),
    "an acknowledged event is lost": ([stored(A, 1, 0, 1)], stream()),
    "two were acknowledged as one version": ([stored(A, 1, 0, 1), stored(B, 1, 0, 1)], stream(B)),
    "a refused event is stored": ([refused(A, 1, 0, 1)], stream(A)),
    "refused for nothing": ([refused(A, 1, 0, 1)], stream()),
    "refused before anybody came": ([refused(A, 1, 0, 1), stored(B, 1, 2, 3)], stream(B)),
    "an event at another version": ([stored(A, 2, 0, 1), stored(B, 1, 0, 1)], stream(A, B)),
    "an event of nobody": ([], stream(A)),
    "a gap": ([stored(A, 2, 0, 1)], {2: A}),
    "an event twice": ([in_doubt(A, 1, 0)], stream(A, A)),
    "versions against time": ([stored(B, 2, 0, 1), stored(A, 1, 2, 3)], stream(A, B)),
}


@pytest.mark.parametrize("story", POSSIBLE)
def test_what_can_have_happened_is_accepted(story: str) -> None:
    assert faults(*POSSIBLE[story]) == []


@pytest.mark.parametrize("story", IMPOSSIBLE)
def test_what_cannot_have_happened_is_found(story: str) -> None:
    assert faults(*IMPOSSIBLE[story]) != []


def somehow_possible(operations: Sequence[Operation], events: Sequence[UUID]) -> bool:
    """By trying every order there is."""
    return any(
        fits(order, events)
        for order in permutations(operations)
        if all(first.began <= then.ended for place, first in enumerate(order) for then in order[place + 1 :])
    )


def fits(order: Sequence[Operation], events: Sequence[UUID]) -> bool:
    so_far: list[UUID] = []
    for one in order:
        if isinstance(one, Read):
            good = list(one.seen) == so_far
        elif one.answer is Answer.REFUSED:
            good = len(so_far) >= one.version
        elif one.answer is Answer.NONE and one.event not in events:
            good = True
        else:
            good = len(so_far) == one.version - 1
            so_far.append(one.event)
        if not good:
            return False
    return so_far == list(events)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Operation], list[UUID]]:
    """A few operations that mostly fit the stream; the times are anyone's guess."""
    events = draw(st.sampled_from([[], [A], [A, B], [B]]))
    operations: list[Operation] = []
    for event in draw(st.lists(st.sampled_from([A, B, C]), unique=True, max_size=3)):
        began, ended = sorted(draw(st.tuples(st.integers(0, 9), st.integers(0, 9))))
        version = events.index(event) + 1 if event in events else draw(st.integers(1, 2))
        answer = draw(st.sampled_from(Answer))
        operations.append(Append(event, version, answer, began, math.inf if answer is Answer.NONE else ended))
    for length in draw(st.lists(st.integers(0, len(events)), max_size=3)):
        began, ended = sorted(draw(st.tuples(st.integers(0, 9), st.integers(0, 9))))
        operations.append(Read(events[:length], began, ended))
    return operations, events


@settings(max_examples=200, deadline=None)
@given(histories())
def test_it_says_what_trying_every_order_says(history: tuple[list[Operation], list[UUID]]) -> None:
    operations, events = history

    assert (faults(operations, stream(*events)) == []) == somehow_possible(operations, events)
