"""Whether all that the clients of one stream did and saw can have happened one thing after another.

A stream is a list that grows by one event at its end, and the versions number it. So the stored stream is itself the
order of the appends, and a read of n events stands behind the n-th: nothing has to be searched for. What is left to
look at is time. Each operation happened at some moment between its call and its answer; there are such moments for
all of them, in that order, exactly when none had ended before one that stands earlier in the order began.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from operator import itemgetter
from uuid import UUID


class Answer(Enum):
    """What the caller of an append was told."""

    STORED = "acknowledged"
    REFUSED = "refused"
    NONE = "in doubt"  # an error: it may have been stored, or may be stored yet


@dataclass(frozen=True)
class Append:
    """One try to append *event* as the stream's *version*. Times are of one monotonic clock, in seconds."""

    event: UUID
    version: int
    answer: Answer
    began: float
    ended: float  # infinite when the answer is NONE: nobody knows when it happened, if ever

    def __str__(self) -> str:
        return f"the {self.answer.value} append of version {self.version}"


@dataclass(frozen=True)
class Read:
    """The ids of a whole stream's events, as one client got them."""

    seen: Sequence[UUID]
    began: float
    ended: float

    def __str__(self) -> str:
        return f"a read of {len(self.seen)} events"


Operation = Append | Read


def faults(operations: Sequence[Operation], stored: Mapping[int, UUID]) -> list[str]:
    """Why it cannot have been so, one sentence each; *stored* is version → event when all was over."""
    appends = [operation for operation in operations if isinstance(operation, Append)]
    reads = [operation for operation in operations if isinstance(operation, Read)]
    stream = [stored[version] for version in sorted(stored)]
    if sorted(stored) != list(range(1, len(stream) + 1)) or len(set(stream)) != len(stream):
        return ["the versions of the stored stream are not 1 to n, or an event is stored twice"]
    impossible = [*_wrong_appends(appends, stream), *_wrong_reads(reads, stream)]
    return impossible or list(_wrong_times(appends, reads, stream))


def _wrong_appends(appends: Sequence[Append], stream: Sequence[UUID]) -> Iterator[str]:
    version_of = {event: version for version, event in enumerate(stream, start=1)}
    for append in appends:
        found = version_of.pop(append.event, None)
        if append.answer is Answer.STORED and found is None:
            yield f"{append} is not in the stream"
        elif append.answer is Answer.REFUSED and found is not None:
            yield f"{append} is in the stream all the same"
        elif found not in (None, append.version):
            yield f"{append} stands at version {found}"
    for version in version_of.values():
        yield f"nobody appended what is stored as version {version}"


def _wrong_reads(reads: Sequence[Read], stream: Sequence[UUID]) -> Iterator[str]:
    for read in reads:
        if list(read.seen) != list(stream[: len(read.seen)]):
            yield f"{read} saw something else than the beginning of the stream"


def _wrong_times(appends: Sequence[Append], reads: Sequence[Read], stream: Sequence[UUID]) -> Iterator[str]:
    """Needs appends and reads that fit the stream."""
    in_stream = set(stream)
    ordered: list[tuple[tuple[int, int], Operation]] = [((len(read.seen), 1), read) for read in reads]
    ordered += [((append.version, 0), append) for append in appends if append.event in in_stream]
    ordered.sort(key=itemgetter(0))
    last_to_begin: Operation | None = None
    taken_from: dict[int, float] = {}  # the earliest moment at which the stream can have had that version
    for place, group in groupby(ordered, key=itemgetter(0)):
        together = [operation for _, operation in group]  # reads of one length may stand in any order
        for operation in together:
            if last_to_begin is not None and operation.ended < last_to_begin.began:
                yield f"{operation} had ended when {last_to_begin} began"
        last_to_begin = max(
            together if last_to_begin is None else [last_to_begin, *together], key=lambda one: one.began
        )
        if place[1] == 0:
            taken_from[place[0]] = last_to_begin.began
    for append in appends:
        if append.answer is Answer.REFUSED and append.ended < taken_from.get(append.version, math.inf):
            yield f"{append} was answered before anybody can have taken that version"
