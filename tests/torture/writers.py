"""Writers of random batches. They write into a book what they intend and what they were told is durable."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Protocol
from uuid import UUID

from eventsourcing.persistence import OperationalError

from log_examples import an_owner, listed, save, trail_read
from torture.ledger import Batch
from tsuzuri.domain.events import Event
from tsuzuri.eventlog.log import LogApplication

OWNERS_EACH = 3
BATCH_MAX = 5
RETRY_SECONDS = 0.05
PATIENCE_SECONDS = 60.0


class Book(Protocol):
    """Where a writer writes down what it does: a ledger, or notes that outlive the writer."""

    def intend(self, writer: str, batch: Batch) -> None: ...
    def acknowledge(self, writer: str, batch: Batch) -> None: ...
    def surprise(self, writer: str, what: str) -> None: ...


Manner = Callable[[LogApplication, Sequence[Event], Callable[[], None]], None]
"""How a batch is saved and acknowledged: honestly, or as a control does it."""


def honestly(log: LogApplication, events: Sequence[Event], acknowledge: Callable[[], None]) -> None:
    save(log, *events)
    acknowledge()


def owners_of(number: int) -> list[UUID]:
    """The owners that writer *number* alone writes for. They lie in different parts."""
    return [an_owner(number * OWNERS_EACH + place) for place in range(OWNERS_EACH)]


def new_streams(number: int) -> dict[UUID, int]:
    return dict.fromkeys(owners_of(number), 0)


class Writer:
    """Appends batch after batch. One that the log could not take now is tried again with the same events."""

    def __init__(
        self,
        name: str,
        log: LogApplication,
        book: Book,
        random: Random,
        versions: dict[UUID, int],
        *,
        manner: Manner = honestly,
        expected: tuple[type[Exception], ...] = (OperationalError,),
        name_length: int = 6,
    ):
        """*versions*: the owners, with the last version of their record streams. Longer names, larger events."""
        self.name, self.log, self.book, self.random = name, log, book, random
        self.versions, self.manner, self.expected, self.name_length = versions, manner, expected, name_length
        self.refused = 0
        self.slowest_seconds = 0.0
        self.acknowledged_at = 0.0  # on the monotonic clock

    def write(self, stop: Callable[[], bool]) -> None:
        while not stop():
            events = self._batch()
            batch = tuple(event.event_id for event in events)
            self.book.intend(self.name, batch)
            while not self.attempt(events, batch) and not stop():
                time.sleep(RETRY_SECONDS)

    def attempt(self, events: Sequence[Event], batch: Batch) -> bool:
        """Whether the batch is durable now."""
        began = time.monotonic()
        try:
            self.manner(self.log, events, lambda: self.book.acknowledge(self.name, batch))
        except self.expected:
            self.refused += 1
            return False
        except Exception as error:
            self.book.surprise(
                self.name, f"save raised {type(error).__module__}.{type(error).__name__}: {error}"
            )
            return False
        finally:
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
        self.acknowledged_at = time.monotonic()
        return True

    def _batch(self) -> list[Event]:
        owners = self.random.choices(list(self.versions), k=self.random.randint(1, BATCH_MAX))
        return [self._event(owner) for owner in owners]

    def _event(self, owner: UUID) -> Event:
        if self.random.random() < 0.3:
            return trail_read(owner)
        self.versions[owner] += 1
        return listed(owner, self.versions[owner], name="診" * self.name_length)


@contextmanager
def writing(writers: Sequence[Writer]) -> Iterator[threading.Event]:
    """Each writes in a thread of its own until the event is set, at the latest when the block ends."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=writer.write, args=[stop.is_set], name=writer.name, daemon=True)
        for writer in writers
    ]
    for thread in threads:
        thread.start()
    try:
        yield stop
    finally:
        stop.set()
        for writer, thread in zip(writers, threads, strict=True):
            thread.join(PATIENCE_SECONDS)
            if thread.is_alive():
                writer.book.surprise(writer.name, f"save did not return for {PATIENCE_SECONDS:.0f} s")


def seconds_until_all_write(writers: Sequence[Writer]) -> float:
    """From now until each was told that a batch is durable; infinite when patience ends."""
    began = time.monotonic()
    while any(writer.acknowledged_at < began for writer in writers):
        if time.monotonic() - began > PATIENCE_SECONDS:
            return math.inf
        time.sleep(0.01)
    return time.monotonic() - began
